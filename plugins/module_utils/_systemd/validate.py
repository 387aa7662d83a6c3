# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A drop-in given to systemd for reading before it is installed."""

from __future__ import annotations

import pathlib
import re
import tempfile

from .._command import CommandError
from .._files import read_file, write_file
from .._safe import neutralise
from .dropin import (
    MANAGER,
    DropinError,
    Plan,
    State,
    Wanted,
)
from .manager import Systemd
from .names import instance_of

_UNKNOWN = re.compile(r"Unknown (?:key|lvalue)(?: name)? '(\w+)'")

# The systemd that brought a directive, from its NEWS, for the directives that OOM kills are about.
_SINCE = {
    "MemoryHigh": 231,
    "MemoryMax": 231,
    "MemorySwapMax": 232,
    "MemoryMin": 240,
    "OOMPolicy": 243,
    "ManagedOOMSwap": 247,
    "ManagedOOMMemoryPressure": 247,
    "ManagedOOMMemoryPressureLimit": 248,
    "ManagedOOMPreference": 248,
    "DefaultOOMScoreAdjust": 250,
    "StartupMemoryMax": 252,
    "MemoryZSwapMax": 253,
    "MemoryPressureWatch": 254,
    "RestartSteps": 254,
    "RestartMode": 254,
    "MemoryZSwapWriteback": 256,
    "ManagedOOMMemoryPressureDurationSec": 257,
}


def validate(plan: Plan, state: State, wanted: Wanted, systemd: Systemd) -> None:
    """Have systemd read the planned file from a private folder before it is installed.

    `systemd-analyze verify` ends with status 0 for nearly every mistake, so its words are what counts.
    Raises DropinError where it complains, CommandError and FileError.
    """
    unit = instance_of(state.path.parent.name[: -len(".d")])
    if not (plan.writes and plan.after) or wanted.unit == MANAGER or unit.endswith(".scope"):
        return
    with tempfile.TemporaryDirectory(prefix="oomguard-") as name:
        # Systemd names files by their real paths.
        folder = pathlib.Path(name).resolve()
        candidate = folder / state.path.parent.name / state.path.name
        write_file(candidate, plan.after)
        # A copy, since the folder of what is verified comes first: a drop-in of ours that is installed beside the unit
        # would hide the new one. Units without a file, as slices often are, get one that says nothing; one of no bytes
        # would be a masked unit for systemd 257, which reads no drop-in of it.
        fragment = folder / unit
        write_file(fragment, (read_file(pathlib.Path(state.fragment)) if state.fragment else None) or "[Unit]\n")
        try:
            lines = _complaints(systemd, fragment)
            found = [line for line in lines if str(candidate) in line]
            of_the_unit = [line for line in lines if line.startswith((f"{unit}:", f"Unit {unit}"))]
            if not found and of_the_unit:
                candidate.unlink()
                known = _complaints(systemd, fragment)
                found = [line for line in of_the_unit if line not in known]
        except CommandError:
            if state.booted:
                raise
            return
    if found:
        said = "; ".join(neutralise(line.replace(str(candidate), candidate.name)) for line in found)
        raise DropinError(
            f"systemd does not accept the settings for {wanted.unit} ({said}). Nothing was changed.",
            hint=_hint(found, systemd),
        )


def _complaints(systemd: Systemd, fragment: pathlib.Path) -> list[str]:
    done = systemd.call("systemd-analyze", "verify", "--man=no", str(fragment), private=fragment.parent)
    return (done.stdout + done.stderr).splitlines()


def _hint(lines: list[str], systemd: Systemd) -> str:
    unknown = [name for line in lines for name in _UNKNOWN.findall(line) if name in _SINCE]
    hint = "Correct the directive, its section or its value."
    if unknown:
        said = systemd.call("systemctl", "--version").stdout.split()
        version = said[1] if len(said) > 1 and said[1].isdigit() else ""
        if version and int(version) < _SINCE[unknown[0]]:
            return f"{unknown[0]}= came with systemd {_SINCE[unknown[0]]}; this host has {version}."
    return hint
