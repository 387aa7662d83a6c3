# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have systemd read a drop-in before it is installed."""

from __future__ import annotations

import pathlib
import re
import tempfile

from .._command import CommandError
from .._files import read_file, write_file
from .manager import Systemd
from .model import MANAGER, DropinError, Plan, State, Wanted
from .names import get_loadable_name

_UNKNOWN = re.compile(r"Unknown (?:key|lvalue)(?: name)? '(\w+)'")

# The version of systemd that introduced a directive, according to its NEWS, for directives that concern OOM kills.
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
_MISTAKE = "Correct the directive, its section or its value."


def validate_dropin(plan: Plan, state: State, wanted: Wanted, systemd: Systemd) -> None:
    """Have systemd read the planned file from a private folder before it is installed.

    `systemd-analyze verify` ends with status 0 for nearly every mistake, so its output decides. Without a running
    systemd, a failure to run it is ignored. Raises DropinError if it complains, CommandError and FileError.
    """
    unit = _get_unit(state)
    if plan.after is None or not plan.writes or not _can_be_verified(unit, wanted):
        return

    with tempfile.TemporaryDirectory(prefix="oomguard-") as name:
        # systemd names files by their real paths.
        folder = pathlib.Path(name).resolve()
        candidate = folder / state.path.parent.name / state.path.name
        write_file(candidate, plan.after)
        fragment = folder / unit
        _copy_fragment(state.fragment, fragment)
        try:
            complaints = _find_complaints(systemd, fragment, candidate)
        except CommandError:
            if state.booted:
                raise
            return

    if complaints:
        said = "; ".join(complaints).replace(str(candidate), candidate.name)
        raise DropinError(
            f"systemd does not accept the settings for {wanted.unit} ({said}). Nothing was changed.",
            hint=_find_hint(complaints, systemd),
        )


def _get_unit(state: State) -> str:
    """Return the name of the unit, or of an instance of the template, that the drop-in's folder belongs to."""
    folder = state.path.parent.name
    return get_loadable_name(folder[: -len(".d")])


def _can_be_verified(unit: str, wanted: Wanted) -> bool:
    """Return whether systemd-analyze can verify the unit: not scopes, nor the configuration of systemd itself."""
    is_manager = wanted.unit == MANAGER
    is_scope = unit.endswith(".scope")
    return not is_manager and not is_scope


def _copy_fragment(source: str, target: pathlib.Path) -> None:
    """Copy the unit's own file into the folder of the candidate.

    systemd-analyze reads the folder of the unit that it verifies before all others. If it verified the installed unit,
    a drop-in of ours beside that unit would hide the candidate. A unit without a file, such as most slices, gets one
    without settings. An empty file would mask the unit for systemd 257, which reads no drop-in of a masked unit.
    """
    text = None
    if source:
        path = pathlib.Path(source)
        text = read_file(path)

    write_file(target, text or "[Unit]\n")


def _find_complaints(systemd: Systemd, fragment: pathlib.Path, candidate: pathlib.Path) -> list[str]:
    """Return the lines in which systemd complains about the candidate, or about the unit because of it."""
    about_candidate = []
    about_unit = []
    unit = fragment.name
    for line in _verify(systemd, fragment):
        if str(candidate) in line:
            about_candidate.append(line)
        elif line.startswith((f"{unit}:", f"Unit {unit}")):
            about_unit.append(line)

    if about_candidate or not about_unit:
        return about_candidate

    # The unit may have such a line without the candidate, too.
    candidate.unlink()
    known = _verify(systemd, fragment)
    return [line for line in about_unit if line not in known]


def _verify(systemd: Systemd, fragment: pathlib.Path) -> list[str]:
    done = systemd.analyze("verify", "--man=no", str(fragment), folder=fragment.parent)
    output = done.stdout + done.stderr
    return output.splitlines()


def _find_hint(complaints: list[str], systemd: Systemd) -> str:
    since = _find_needed_version(complaints)
    if since is None:
        return _MISTAKE

    directive, needed = since
    version = systemd.read_version()
    if version is None or version >= needed:
        return _MISTAKE

    return f"{directive}= requires systemd {needed}; this host has {version}."


def _find_needed_version(complaints: list[str]) -> tuple[str, int] | None:
    """Return the first unknown directive whose history is known, and the version of systemd that introduced it."""
    text = "\n".join(complaints)
    for name in _UNKNOWN.findall(text):
        if name in _SINCE:
            return name, _SINCE[name]

    return None
