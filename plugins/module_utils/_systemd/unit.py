# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd as it runs on the host: the adapter that observes a unit's drop-in, carries out a plan and checks it."""

from __future__ import annotations

import dataclasses
import pathlib
import tempfile
import time

from ansible_collections.oomguard.linux.plugins.module_utils._command import Run
from ansible_collections.oomguard.linux.plugins.module_utils._files import read_file, remove_file, write_file
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    DropinError,
    Plan,
    State,
    Wanted,
    assignments,
    property_of,
)
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise

_OF_THE_UNIT = ("Id", "LoadState", "ActiveState", "Result", "FragmentPath", "DropInPaths", "NeedDaemonReload")
_HINTS = {
    "not-found": "Is the package that brings it installed, and its name right?",
    "masked": "A masked unit cannot be configured; unmask it first.",
}


@dataclasses.dataclass(frozen=True)
class Systemd:
    """The systemd of the host below `root`, spoken to through `run`."""

    run: Run
    root: pathlib.Path = pathlib.Path("/")

    def observe(self, wanted: Wanted) -> State:
        """Return what the disk and systemd hold about the wanted drop-in.

        On a host that was not booted with systemd (an image build) only the file is looked at.
        Raises DropinError for a unit that does not exist or is masked, CommandError and FileError.
        """
        booted = (self.root / "run/systemd/system").is_dir()
        properties = self.show(wanted) if booted else {}
        unit = wanted.unit if "@." in wanted.unit else properties.get("Id", wanted.unit)
        load_state = properties.get("LoadState", "loaded")
        if load_state != "loaded" and (wanted.present or load_state != "not-found"):
            raise DropinError(
                f"{wanted.unit} has the load state {load_state}.",
                hint=_HINTS.get(load_state, "Run `systemctl status` on it."),
            )
        folder = "run/systemd/system" if wanted.runtime else "etc/systemd/system"
        path = self.root / folder / f"{unit}.d" / f"{wanted.name}.conf"
        if path.is_symlink() or path.parent.is_symlink():
            raise DropinError(
                f"{path} or its folder is a symbolic link.", hint="Replace the link by what it points at."
            )
        return State(
            path=path,
            text=read_file(path),
            dropins=tuple(
                (name, read_file(pathlib.Path(name)) or "") for name in properties.get("DropInPaths", "").split()
            ),
            properties=properties,
            booted=booted,
        )

    def show(self, wanted: Wanted) -> dict[str, str]:
        """Return the unit's properties with those of the wanted directives. Raises DropinError and CommandError."""
        directives = [property_of(directive) for _section, directive, _value in assignments(wanted.settings)]
        names = ",".join([*_OF_THE_UNIT, *dict.fromkeys(directives)])
        done = self.run(["systemctl", "show", "--no-pager", f"--property={names}", "--", instance_of(wanted.unit)])
        if done.returncode:
            raise DropinError(str(done.failed(f"ask systemd about {wanted.unit}")))
        return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)

    def validate(self, plan: Plan, state: State, wanted: Wanted) -> None:
        """Have systemd read the planned file from a private folder before it is installed.

        `systemd-analyze verify` ends with status 0 for nearly every mistake, so its words are what counts.
        Raises DropinError where it complains, CommandError and FileError.
        """
        fragment = state.properties.get("FragmentPath")
        if not (plan.writes and plan.after and fragment):
            return
        with tempfile.TemporaryDirectory(prefix="oomguard-") as folder:
            candidate = pathlib.Path(folder) / state.path.parent.name / state.path.name
            write_file(candidate, plan.after)
            done = self.run(
                ["systemd-analyze", "verify", "--man=no", instance_of(fragment)],
                environment={"SYSTEMD_UNIT_PATH": f"{folder}:", "SYSTEMD_COLORS": "0"},
            )
        lines = [line for line in (done.stdout + done.stderr).splitlines() if str(candidate) in line]
        if lines:
            said = "; ".join(neutralise(line.replace(str(candidate), candidate.name)) for line in lines)
            raise DropinError(
                f"systemd does not accept the settings for {wanted.unit} ({said}). Nothing was changed.",
                hint="Correct the directive, its section or its value.",
            )

    def apply(self, plan: Plan) -> None:
        """Carry out the plan; where systemd cannot read what is new, put the old file back.

        Raises DropinError, CommandError and FileError.
        """
        if plan.backup and plan.before is not None:
            write_file(plan.path.with_name(f"{plan.path.name}.{time.strftime('%Y-%m-%dT%H:%M:%S')}~"), plan.before)
        if plan.writes:
            _put(plan.path, plan.after)
        if plan.reload:
            done = self.run(["systemctl", "daemon-reload"], timeout=120)
            if done.returncode:
                _put(plan.path, plan.before)
                raise DropinError(
                    f"{done.failed('have systemd read its files again')} {plan.path} is as it was before."
                )


def _put(path: pathlib.Path, text: str | None) -> None:
    """Write the file, or remove it, and its folder if that was all it held."""
    if text is not None:
        write_file(path, text)
        return
    remove_file(path)
    if path.parent.is_dir() and not any(path.parent.iterdir()):
        path.parent.rmdir()


def instance_of(unit: str) -> str:
    """Return a unit name that systemd can load: for a template, an instance of it."""
    return unit.replace("@.", "@oomguard.")
