# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the limits that systemd has in force with those that the kernel enforces in the cgroups. Pure."""

from __future__ import annotations

import pathlib
import typing as t

from .dropin import find_directives
from .model import DropinError, Limit, State, Wanted

# The directives that systemd hands to the kernel, and their files in a cgroup (systemd.resource-control(5)).
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
# The lowest of these in a cgroup and its ancestors is the one that counts.
_CEILINGS = ("MemoryHigh", "MemoryMax", "MemorySwapMax", "MemoryZSwapMax", "TasksMax")

_NO_LIMIT = "max"
_UNLIMITED = ("infinity", str(2**64 - 1))
_SMALLEST_PAGE = 4096
_LARGEST_PAGE = 65536


class StaleLimit(t.NamedTuple):
    """A limit that the kernel does not have yet: `file` should contain `text`."""

    directive: str
    file: pathlib.Path
    text: str


class Ceiling(t.NamedTuple):
    """The limit of a cgroup above that of the unit."""

    cgroup: str
    value: int


def find_stale_limits(state: State, wanted: Wanted, *, former: t.AbstractSet[str] = frozenset()) -> list[StaleLimit]:
    """Return the limits that systemd has in force and the kernel does not.

    systemd 257 hands new limits to the cgroup of a running unit when another event, such as a restart, makes it look
    there; daemon-reload does not. Only directives that are wanted, that our file has, or that are in `former` (the
    directives of the file that was replaced) are compared.
    """
    ours = wanted.directives | find_directives(state.text or "") | former

    stale = []
    for unit in state.units:
        for directive, limit in unit.limits.items():
            if directive not in ours:
                continue

            text = _translate(directive, unit.properties.get(directive, ""))
            if text is not None and not _has_value(limit, text, in_pages=directive.startswith("Memory")):
                stale.append(StaleLimit(directive, limit.file, text))

    return stale


def verify_limits(state: State, wanted: Wanted, *, former: t.AbstractSet[str] = frozenset()) -> None:
    """Raise DropinError if the kernel has another limit than systemd."""
    for directive, file, text in find_stale_limits(state, wanted, former=former):
        found = _find_value(state, file)
        raise DropinError(
            f"{directive}= of {wanted.unit} is {text} in systemd, but the kernel has {found} in {file}.",
            hint="Check whether another program writes to this cgroup.",
        )


def find_tighter_ceiling(state: State, directive: str) -> Ceiling | None:
    """Return the lowest limit in the cgroups above the unit's, None if the unit's own limit is not higher."""
    limit = state.limits.get(directive)
    if limit is None or directive not in _CEILINGS:
        return None

    ceilings = []
    for cgroup, value in limit.above:
        if value is not None:
            ceilings.append((value, cgroup))
    if not ceilings:
        return None

    value, cgroup = min(ceilings)
    if limit.value is not None and limit.value <= value:
        return None

    return Ceiling(cgroup, value)


def _translate(directive: str, shown: str) -> str | None:
    """Return the kernel's text for the value that systemd shows, None if systemd shows none."""
    if directive == "OOMPolicy":
        return _translate_policy(shown)

    if shown in _UNLIMITED:
        return _NO_LIMIT

    if not shown.isdigit():
        return None

    return str(int(shown))


def _translate_policy(policy: str) -> str | None:
    if not policy:
        return None

    kills_all = policy == "kill"
    return str(int(kills_all))


def _has_value(limit: Limit, text: str, *, in_pages: bool) -> bool:
    """Return whether the kernel has the limit `text`; the kernel rounds bytes down to whole pages."""
    if text == _NO_LIMIT or limit.value is None:
        return _format(limit.value) == text

    rounded_off = int(text) - limit.value
    if rounded_off == 0:
        return True

    if not in_pages:
        return False

    return 0 < rounded_off < _LARGEST_PAGE and limit.value % _SMALLEST_PAGE == 0


def _find_value(state: State, file: pathlib.Path) -> str:
    """Return the kernel's text in the file of a limit."""
    values = {limit.file: limit.value for unit in state.units for limit in unit.limits.values()}
    return _format(values[file])


def _format(value: int | None) -> str:
    if value is None:
        return _NO_LIMIT

    return str(value)
