# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the limits that systemd has in force with those that the kernel enforces in the cgroups. Pure."""

from __future__ import annotations

import math
import typing as t

from .dropin import find_directives
from .model import DropinError, StaleLimit, State, Wanted

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
# The value of memory.oom.group by OOMPolicy=; that of any other policy is 0.
_OOM_GROUP = {"kill": 1, "": None}
_UNLIMITED = ("infinity", str(2**64 - 1))
_SMALLEST_PAGE = 4096
_LARGEST_PAGE = 65536


class Ceiling(t.NamedTuple):
    """The limit of a cgroup above that of the unit."""

    cgroup: str
    value: float


def find_stale_limits(state: State, wanted: Wanted, *, former: t.AbstractSet[str] = frozenset()) -> list[StaleLimit]:
    """Return the limits that systemd has in force and the kernel does not.

    systemd 257 hands new limits to the cgroup of a running unit when another event, such as a restart, makes it look
    there; daemon-reload does not. Only directives that are wanted, that our file has, or that are in `former` (the
    directives of the file that was replaced) are compared.
    """
    ours = wanted.directives | find_directives(state.text) | former

    stale = []
    for unit in state.units:
        for directive, limit in unit.limits.items():
            if directive not in ours:
                continue

            shown = unit.properties.get(directive, "")
            asked = _translate(directive, shown)
            found = to_number(limit.value)
            if asked is None or _is_same(directive, asked, found):
                continue

            stale.append(StaleLimit(directive, limit.file, _format(asked), _format(found)))

    return stale


def verify_limits(state: State, wanted: Wanted, *, former: t.AbstractSet[str] = frozenset()) -> None:
    """Raise DropinError if the kernel has another limit than systemd."""
    for limit in find_stale_limits(state, wanted, former=former):
        raise DropinError(
            f"{limit.directive}= of {wanted.unit} is {limit.text} in systemd,"
            f" but the kernel has {limit.found} in {limit.file}.",
            hint="Check whether another program writes to this cgroup.",
        )


def find_tighter_ceiling(state: State, directive: str) -> Ceiling | None:
    """Return the lowest limit in the cgroups above the unit's, None if the unit's own limit is not higher."""
    limit = state.limits.get(directive)
    if limit is None or directive not in _CEILINGS:
        return None

    lowest = Ceiling("", to_number(limit.value))
    tighter = None
    for cgroup, value in reversed(limit.above):
        ceiling = Ceiling(cgroup, to_number(value))
        if ceiling.value < lowest.value:
            lowest = tighter = ceiling

    return tighter


def _translate(directive: str, shown: str) -> float | None:
    """Return the limit for the kernel that systemd shows, None if systemd shows none."""
    if directive == "OOMPolicy":
        return _OOM_GROUP.get(shown, 0)

    if shown in _UNLIMITED:
        return math.inf

    if not shown.isdigit():
        return None

    return int(shown)


def _is_same(directive: str, asked: float, found: float) -> bool:
    """Return whether the kernel has the limit; it rounds bytes down to whole pages."""
    if asked == found:
        return True

    if not directive.startswith("Memory"):
        return False

    rounded_off = asked - found
    is_whole_pages = found % _SMALLEST_PAGE == 0
    return is_whole_pages and 0 < rounded_off < _LARGEST_PAGE


def to_number(value: int | None) -> float:
    """Return a limit as a number that can be compared: infinity for no limit."""
    if value is None:
        return math.inf

    return value


def _format(number: float) -> str:
    if number == math.inf:
        return _NO_LIMIT

    return str(number)
