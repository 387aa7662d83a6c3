# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd, through systemctl(1)."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ._command import Completed, Run

# Generators run on each reload, and a host that swaps is slow.
_RELOAD_TIMEOUT = 600


def is_booted(root: pathlib.Path = pathlib.Path("/")) -> bool:
    """Return whether systemd runs the host whose files are below `root`: sd_booted(3)."""
    return (root / "run/systemd/system").is_dir()


def parse_show(text: str) -> list[dict[str, str]]:
    """Return the properties of each unit in the output of `systemctl show`, in order.

    A blank line separates two units. The values of a property that is printed more than once are joined by newlines.
    """
    return [_parse_properties(block) for block in text.split("\n\n")]


def _parse_properties(block: str) -> dict[str, str]:
    properties: dict[str, str] = {}
    for line in block.splitlines():
        name, equals, value = line.partition("=")
        if not equals:
            continue

        if name in properties:
            value = f"{properties[name]}\n{value}"
        properties[name] = value

    return properties


@dataclasses.dataclass(frozen=True)
class Systemctl:
    """Runs systemctl through `run`, with `options` such as `--user` and with `environment`."""

    run: Run
    options: t.Sequence[str] = ()
    environment: t.Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self, *arguments: str, timeout: float = 60) -> Completed:
        """Run systemctl and return its exit status and output. Raises CommandError if it is missing or slow."""
        argv = ["systemctl", *self.options, *arguments]
        return self.run(argv, timeout=timeout, environment=self.environment)

    def show(self, units: t.Sequence[str], properties: t.Iterable[str], *, attempt: str) -> list[dict[str, str]]:
        """Return the named properties of each unit, in order; without `units`, those of systemd itself.

        A pattern (glob(7)) in `units` stands for all loaded units that match it. Raises CommandError, which says that
        `attempt` (such as "ask systemd about apache2.service") failed.
        """
        arguments = ["show", "--no-pager", f"--property={','.join(properties)}"]
        if units:
            arguments += ["--", *units]

        done = self(*arguments)
        if done.returncode:
            raise done.failed(attempt)

        return parse_show(done.stdout)

    def reload(self) -> None:
        """Have systemd read its unit files again. Raises CommandError."""
        done = self("daemon-reload", timeout=_RELOAD_TIMEOUT)
        if done.returncode:
            raise done.failed("reload systemd's unit files")
