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
from .dropin import iterate_assignments
from .manager import Systemd
from .model import MANAGERS, DropinError, Plan, State, Wanted
from .names import get_folder_name, get_loadable_name

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
# The values that systemd-system.conf(5) allows.
_MANAGER_VALUES = {
    "DefaultOOMPolicy": re.compile("|continue|stop|kill"),
    "DefaultOOMScoreAdjust": re.compile("|[+-]?[0-9]{1,3}|-?1000"),
}
_ANY = re.compile(".*")
_STAND_IN = "oomguard.service"
_FRAGMENTS = {".service": "[Service]\nExecStart=/bin/true\n"}
_MISTAKE = "Correct the directive, its section or its value."


def validate_dropin(plan: Plan, state: State, wanted: Wanted, systemd: Systemd) -> None:
    """Have systemd read the planned file from a private folder before it is installed.

    `systemd-analyze verify` ends with status 0 for nearly every mistake, so its output decides. Without a running
    systemd, a failure to run it is ignored. Raises DropinError if it complains, CommandError and FileError.
    """
    if plan.after is None or not plan.writes:
        return

    if wanted.unit in MANAGERS:
        _refuse_manager_settings(wanted)
        return

    with tempfile.TemporaryDirectory(prefix="oomguard-") as name:
        # systemd names files by their real paths.
        folder = pathlib.Path(name).resolve()
        candidate, fragment = _write_candidate(plan.after, state, folder)
        try:
            complaints = _find_complaints(systemd, fragment, candidate)
        except CommandError:
            if state.booted:
                raise
            return

    if complaints:
        said = "; ".join(complaints).replace(str(candidate), candidate.name)
        said = said.replace(fragment.name, _find_asked(state))
        raise DropinError(
            f"systemd does not accept the settings for {wanted.unit} ({said}). Nothing was changed.",
            hint=_find_hint(complaints, systemd),
        )


def _refuse_manager_settings(wanted: Wanted) -> None:
    """Raise DropinError for a setting that systemd would ignore in its own configuration, as far as that is known.

    systemd-analyze does not check this configuration.
    """
    for section, directive, value in iterate_assignments(wanted.settings):
        if section != "Manager":
            raise DropinError(f"{wanted.unit} has no section [{section}].", hint="Use the section Manager.")

        allowed = _MANAGER_VALUES.get(directive, _ANY)
        if not allowed.fullmatch(value):
            raise DropinError(
                f"systemd does not accept {directive}={value} in {wanted.unit}. Nothing was changed.", hint=_MISTAKE
            )


def _find_asked(state: State) -> str:
    """Return the name to whose directory the drop-in belongs: that of a unit, or `service.d` for all services."""
    return re.sub(r"(\.[a-z]+)\.d$", r"\1", state.path.parent.name)


def _write_candidate(text: str, state: State, folder: pathlib.Path) -> tuple[pathlib.Path, pathlib.Path]:
    """Write the drop-in and a file of a unit to which it applies below `folder`, and return both paths."""
    dropins = state.path.parent.name
    unit = get_loadable_name(_find_asked(state))
    if unit.endswith(".scope"):
        # systemd-analyze cannot verify a scope. Services have the settings of scopes, too.
        unit = _STAND_IN
        dropins = get_folder_name(unit)
        text = text.replace("[Scope]\n", "[Service]\n")

    candidate = folder / dropins / state.path.name
    fragment = folder / unit
    write_file(candidate, text)
    _copy_fragment(state.fragment, fragment)
    return candidate, fragment


def _copy_fragment(source: str, target: pathlib.Path) -> None:
    """Copy the unit's own file into the folder of the candidate.

    systemd-analyze reads the folder of the unit that it verifies before all others. If it verified the installed unit,
    a drop-in of ours beside that unit would hide the candidate. A unit without a file, such as most slices, gets one
    without settings, or with the one that a service needs. An empty file would mask the unit for systemd 257, which
    reads no drop-in of a masked unit.
    """
    text = None
    if source:
        path = pathlib.Path(source)
        text = read_file(path)

    default = _FRAGMENTS.get(target.suffix, "[Unit]\n")
    write_file(target, text or default)


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
    # systemd says the same for each unit that it loads.
    unique = dict.fromkeys(output.splitlines())
    return list(unique)


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
