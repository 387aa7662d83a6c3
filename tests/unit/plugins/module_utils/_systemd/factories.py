# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units and drop-ins for the tests: what is wanted, what is found, and a fake of systemctl."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import State, Wanted

PATH = pathlib.Path("/etc/systemd/system/apache2.service.d/50-oomguard.conf")
CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}
TEXT = f"{make_mark('systemd_dropin')}\n\n[Service]\nOOMPolicy=continue\n"
WANTED = Wanted(unit="apache2.service", settings=CONTINUE)
# By the alias of apache2.service.
HTTPD = Wanted(unit="httpd.service", settings=CONTINUE)
LATER = "/etc/systemd/system/apache2.service.d/60-site.conf"

PARAMS: dict[str, t.Any] = {
    "unit": "apache2.service",
    "name": "50-oomguard",
    "settings": {"Service": {"OOMPolicy": "continue"}},
    "state": "present",
    "scope": "system",
    "runtime": False,
    "pin": True,
    "force": False,
    "reload": "needed",
}


def state(
    text: str | None = TEXT, *, later: str = "", properties: t.Mapping[str, str] | None = None, **fields: t.Any
) -> State:
    """Return the observed state; by default our drop-in is there and in force, with a `later` one if it has text."""
    dropins = []
    if text:
        dropins.append((str(PATH), text))
    if later:
        dropins.append((LATER, later))

    return State(
        path=PATH,
        text=text,
        dropins=tuple(dropins),
        properties={"OOMPolicy": "continue", **(properties or {})},
        **fields,
    )


@dataclasses.dataclass
class Programs:
    """Answers of systemctl, and the commands that were run."""

    shown: dict[str, str] = dataclasses.field(default_factory=dict)
    instances: list[dict[str, str]] = dataclasses.field(default_factory=list)
    failures: int = 0
    after_reload: str = "continue"
    ran: list[str] = dataclasses.field(default_factory=list)

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        self.ran.append(next(word for word in argv[1:] if not word.startswith("--")))
        done = Completed(argv=tuple(argv), returncode=0, stdout="", stderr="")
        if "show" in argv:
            units = [{"LoadState": "loaded", **unit} for unit in self.instances] if "*" in argv[-1] else [self.shown]
            blocks = ["".join(f"{name}={value}\n" for name, value in unit.items()) for unit in units]
            return done._replace(stdout="\n".join(blocks))
        if argv[-1] == "daemon-reload":
            self.failures -= 1
            self.shown["OOMPolicy"] = self.after_reload
        return done._replace(returncode=int(self.failures >= 0), stderr="Access denied")
