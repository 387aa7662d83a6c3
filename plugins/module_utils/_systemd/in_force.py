# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force against what a drop-in asks for, and who wins where they differ. Pure."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from .._safe import neutralise
from .dropin import (
    DropinError,
    Settings,
    State,
    Wanted,
    directives_in,
)
from .values import (
    assigned,
    is_in_force,
    is_list,
    properties_of,
)

# systemd.unit(5), "Unit File Load Path": a file there hides one of the same name in the folders after them.
_FIRST = (
    "/etc/systemd/system.control/",
    "/run/systemd/system.control/",
    "/run/systemd/transient/",
    "/run/systemd/generator.early/",
)
_SET_PROPERTY = "/system.control/"

# Those that the kernel is told the value of, and the file of the cgroup that has it (systemd.resource-control(5)).
LIMITS = {
    "MemoryMin": "memory.min",
    "MemoryLow": "memory.low",
    "MemoryHigh": "memory.high",
    "MemoryMax": "memory.max",
    "MemorySwapMax": "memory.swap.max",
    "MemoryZSwapMax": "memory.zswap.max",
    "TasksMax": "pids.max",
    "OOMPolicy": "memory.oom.group",
}
CEILINGS = ("MemoryHigh", "MemoryMax", "MemorySwapMax", "MemoryZSwapMax", "TasksMax")
_LARGEST_PAGE = 65536


@dataclasses.dataclass(frozen=True)
class Override:
    """A directive that has another value than the drop-in gives it; `path` is the file that wins, None if unknown."""

    section: str
    directive: str
    value: str
    path: str | None

    @property
    def hint(self) -> str:
        """Say what to do about it."""
        if self.path is None:
            return "No drop-in says so; does this systemd know the directive, and the host have the resource?"
        if _SET_PROPERTY in self.path:
            return (
                f"{self.path} wins, which `systemctl set-property` has written;"
                f" set {self.directive} in that way as well, or remove the file."
            )
        return f"{self.path} is read later and wins; change it there, or give the drop-in a name that sorts after it."


def effective(state: State, settings: Settings) -> dict[str, dict[str, str | None]]:
    """Return the value in force of each directive of `settings`, as systemd prints it; None where it does not."""
    return {
        section: {
            directive: state.properties.get(properties_of(directive, " ".join(values))[0])
            for directive, values in directives.items()
        }
        for section, directives in settings.items()
    }


def unverified(state: State, wanted: Wanted) -> list[str]:
    """Return the wanted directives of which it cannot be told whether they are in force."""
    return [
        directive
        for _section, directive, values in _each(wanted.settings)
        if not state.booted
        or state.reload_required
        or is_in_force(directive, values, state.properties, state.host.totals) is None
    ]


def not_in_force(state: State, wanted: Wanted) -> list[Override]:
    """Return each wanted directive that systemd has another value of."""
    if not (state.booted and wanted.present):
        return []
    shown = effective(state, wanted.settings)
    return [
        Override(section, directive, str(shown[section][directive]), winner(state, section, directive))
        for section, directive, values in _each(wanted.settings)
        if is_in_force(directive, values, state.properties, state.host.totals) is False
    ]


def conflicts(state: State, wanted: Wanted) -> list[Override]:
    """Return each wanted directive that a drop-in gives another value, one that systemd reads after ours."""
    if not wanted.present:
        return []
    found = []
    for section, directive, values in _each(wanted.settings):
        path = winner(state, section, directive)
        theirs = [value for name, text in state.dropins if name == path for value in _of(text, section, directive)]
        last = (assigned(theirs) or [""])[-1]
        agrees = theirs == list(values) or (
            not state.reload_required
            and is_in_force(directive, values, state.properties, state.host.totals) is True
            and any(theirs)
        )
        if path and not agrees:
            found.append(Override(section, directive, last, path))
    return found


def winner(state: State, section: str, directive: str) -> str | None:
    """Return the drop-in that decides about `directive` in spite of ours; None where none does.

    Of the drop-ins of a unit, wherever they lie, systemd reads the one whose file name sorts last at last.
    """
    ours = state.path
    for path, _text in state.dropins:
        if path != str(ours) and _hides(pathlib.Path(path), ours):
            return path
    later = [(path, text) for path, text in state.dropins if pathlib.Path(path).name > ours.name]
    for path, text in sorted(later, key=lambda entry: pathlib.Path(entry[0]).name, reverse=True):
        values = _of(text, section, directive)
        if "" in values if is_list(directive) else values:
            return path
    return None


def _hides(other: pathlib.Path, ours: pathlib.Path) -> bool:
    """Tell whether systemd reads `other` instead of our file, which has the same name."""
    return (other.parent.name, other.name) == (ours.parent.name, ours.name) and (
        str(other).startswith(_FIRST) or ("/run/" in str(ours) and str(other).startswith("/etc/"))
    )


def verify(state: State, wanted: Wanted) -> None:
    """Raise DropinError where a setting is not in force, naming what wins over it."""
    for override in not_in_force(state, wanted):
        asked = ", ".join(wanted.settings[override.section][override.directive])
        raise DropinError(
            f"{override.directive}= of {wanted.unit} is {neutralise(override.value)!r} in force,"
            f" although {state.path} says {asked!r}.",
            hint=override.hint,
        )


def verify_limits(state: State, wanted: Wanted) -> None:
    """Raise DropinError where the kernel has another limit than systemd."""
    for directive, file, text in stale_limits(state, wanted):
        found = {limit.file: limit.value for unit in state.units for limit in unit.limits.values()}
        raise DropinError(
            f"{directive}= of {wanted.unit} is {text} for systemd, but the kernel has {found[file]} in {file}.",
            hint="Who else writes to this cgroup?",
        )


def refuse_conflicts(state: State, wanted: Wanted) -> None:
    """Raise DropinError where another drop-in would win, before anything is changed."""
    for override in conflicts(state, wanted):
        raise DropinError(
            f"{override.directive}= of {wanted.unit} would be {neutralise(override.value)!r},"
            f" whatever {state.path} says. Nothing was changed.",
            hint=override.hint,
        )


def stale_limits(state: State, wanted: Wanted) -> list[tuple[str, pathlib.Path, str]]:
    """Return (directive, file, text) of what systemd has and the kernel has not: daemon-reload does not tell it.

    Systemd hands the limits of a unit that runs to its cgroup when something else makes it look there, such as a
    restart (seen with systemd 257). Only what our drop-in is or was about is looked at.
    """
    ours = {directive for _section, directive, _values in _each(wanted.settings)}
    ours |= {directive for _section, directive, _value in directives_in(state.text or "")} | set(wanted.formerly)
    found = []
    limits = [(unit.properties, *limit) for unit in state.units for limit in unit.limits.items()]
    for properties, directive, limit in limits:
        number = _number(directive, properties.get(directive, ""))
        pages = directive.startswith("Memory")
        if directive in ours and number != "" and not _is_limit(number, limit.value, pages=pages):
            found.append((directive, limit.file, "max" if number is None else str(number)))
    return found


def tighter(state: State, directive: str) -> tuple[str, int] | None:
    """Return the cgroup above the unit's with the lowest value of a ceiling, if it is lower than the unit's own."""
    limit = state.limits.get(directive)
    if limit is None or directive not in CEILINGS:
        return None
    lower = [(value, path) for path, value in limit.above if value is not None]
    if not lower or (limit.value is not None and min(lower)[0] >= limit.value):
        return None
    value, path = min(lower)
    return path, value


def _number(directive: str, shown: str) -> int | t.Literal[""] | None:
    """Return the number that the kernel should have, None for no limit, "" where systemd does not say."""
    if directive == "OOMPolicy":
        return int(shown == "kill") if shown else ""
    if shown in ("infinity", str(2**64 - 1)):
        return None
    return int(shown) if shown.isdigit() else ""


def _is_limit(wanted: int | None, found: int | None, *, pages: bool) -> bool:
    """Tell whether the kernel has the limit; it rounds bytes down to whole pages."""
    if wanted is None or found is None:
        return wanted is found
    if wanted == found or not pages:
        return wanted == found
    return 0 < wanted - found < _LARGEST_PAGE and found % 4096 == 0


def _each(settings: Settings) -> t.Iterator[tuple[str, str, t.Sequence[str]]]:
    for section, directives in settings.items():
        for directive, values in directives.items():
            yield section, directive, values


def _of(text: str, section: str, directive: str) -> list[str]:
    return [value for *where, value in directives_in(text) if where == [section, directive]]
