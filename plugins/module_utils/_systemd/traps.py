# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find settings that do harm, or that are in force without having their effect. Pure."""

from __future__ import annotations

import re
import typing as t

from .._size import format_size
from .dropin import iterate_assignments
from .in_force import list_exceptions
from .limits import find_stale_limits, find_tighter_ceiling, to_number
from .model import DropinError, State, Wanted
from .names import is_group
from .syntax import parse_memory_limit

_UNLIMITED = ("infinity", "100%", "")
_SERVICE = re.compile(r"\S+\.service\b")
# How many units a message names.
_NAMES = 3


class _Excess(t.NamedTuple):
    """A unit that uses more memory than a wanted limit allows, both in bytes."""

    unit: State
    limit: int
    used: int


def refuse_kill(state: State, wanted: Wanted) -> None:
    """Raise DropinError if a lower MemoryMax= is below the memory in use and `force` is not given."""
    if wanted.force or not wanted.present:
        return

    for unit, limit, used in _find_excesses(state, wanted, "MemoryMax"):
        if _is_lowered(unit, limit):
            name = _get_name(unit, wanted)
            raise DropinError(
                f"MemoryMax= of {name} would be {format_size(limit)}, but the unit uses {format_size(used)} that the"
                " kernel cannot drop. The kernel would swap out or kill its processes at once. Nothing was changed.",
                hint="Allow more, stop the unit first, or use force.",
            )


def refuse_empty(state: State, wanted: Wanted) -> None:
    """Raise DropinError if a service has no process, but other services are part of it, and `force` is not given.

    Debian's postgresql.service and openvpn.service run only /bin/true. Their instances have the processes.
    """
    if wanted.force or not _is_empty(state, wanted):
        return

    parts = _SERVICE.findall(state.properties.get("ConsistsOf", ""))
    if parts:
        raise DropinError(
            f"{wanted.unit} runs no process, so the settings would have no effect."
            f" These units are part of it: {format_names(parts)}. Nothing was changed.",
            hint="Configure those units, or use force.",
        )


def _is_empty(state: State, wanted: Wanted) -> bool:
    """Return whether the unit is a service that is active although all of its processes have ended."""
    has_ended = state.properties.get("SubState") == "exited"
    return has_ended and wanted.present and "Service" in wanted.settings


def format_names(names: t.Sequence[str]) -> str:
    """Return the first names of a list, and how many more there are."""
    first = ", ".join(names[:_NAMES])
    more = len(names) - _NAMES
    if more > 0:
        return f"{first} and {more} more"

    return first


def _is_lowered(unit: State, limit: int) -> bool:
    found = unit.limits.get("MemoryMax")
    if found is None:
        return False

    return limit < to_number(found.value)


def list_warnings(state: State, wanted: Wanted, *, is_pending: bool = False) -> t.Iterator[str]:
    """Yield what the user should know about the wanted settings on this host.

    If the change `is_pending`, as in check mode, `state` does not tell what will be in force.
    """
    if not wanted.present:
        return

    if not state.booted:
        yield (
            f"The systemd instance of {wanted.unit} does not run, so {state.path} was not verified."
            " systemd reads it when the host boots, or when the user's manager starts."
        )
        return

    if state.hidden:
        yield (
            f"{state.path} hides {state.hidden}: systemd no longer reads that file for {wanted.unit},"
            " because both have the same name."
        )

    if not is_pending:
        yield from _list_group_warnings(state, wanted)
    if _is_empty(state, wanted):
        yield f"{wanted.unit} runs no process now. The settings have no effect until it does."

    values = _find_last_values(wanted)
    yield from _list_memory_warnings(state, wanted, values.get("MemoryHigh", ""))
    if values.get("OOMScoreAdjust") == "-1000":
        yield (
            f"OOMScoreAdjust=-1000 of {wanted.unit} is inherited by its child processes, so the kernel can kill none"
            " of them. At a memory limit of the unit, the kernel retries endlessly. Use -999 or more."
        )
    if "OOMPolicy" in values:
        yield from _list_policy_warnings(state, wanted)
    yield from _list_limit_warnings(state, wanted, values)


def _list_group_warnings(state: State, wanted: Wanted) -> t.Iterator[str]:
    if is_group(wanted.unit) and not state.properties:
        yield (
            f"systemd has loaded no unit to which drop-ins of {wanted.unit} apply, so {state.path} was not verified."
            " systemd reads it when it loads such a unit."
        )

    exceptions = list_exceptions(state, wanted)
    if exceptions:
        names = format_names(exceptions)
        yield (
            f"{state.path} is not in force for {len(exceptions)} of {len(state.instances)} units ({names}). Other"
            " drop-ins of these units override it, or hide it because they have the same name."
        )


def _find_last_values(wanted: Wanted) -> dict[str, str]:
    """Return the last value of each wanted directive."""
    return {directive: value for _section, directive, value in iterate_assignments(wanted.settings)}


def _list_memory_warnings(state: State, wanted: Wanted, memory_high: str) -> t.Iterator[str]:
    if memory_high not in _UNLIMITED and state.host.swap_bytes == 0:
        yield (
            f"MemoryHigh= of {wanted.unit} is set on a host without swap. Above it, the kernel slows the processes down"
            " until they hang, but kills none. Add swap, or set MemoryMax= instead."
        )

    for unit, limit, used in _find_excesses(state, wanted, "MemoryHigh"):
        name = _get_name(unit, wanted)
        yield (
            f"MemoryHigh= of {name} is {format_size(limit)}, but the unit uses {format_size(used)}"
            " that the kernel cannot drop. The kernel slows its processes down."
        )


def _list_policy_warnings(state: State, wanted: Wanted) -> t.Iterator[str]:
    if not state.host.unified:
        yield (
            f"OOMPolicy= of {wanted.unit} has no effect on this host: with cgroup v1,"
            " systemd does not notice OOM kills."
        )

    if state.oomd_units:
        units = ", ".join(state.oomd_units)
        yield (
            f"systemd-oomd ignores OOMPolicy=: it watches {units} and kills whole units."
            f" To exclude {wanted.unit}, set ManagedOOMPreference=omit."
        )


def _list_limit_warnings(state: State, wanted: Wanted, directives: t.Iterable[str]) -> t.Iterator[str]:
    for limit in find_stale_limits(state, wanted):
        yield (
            f"{limit.directive}= of {wanted.unit} is not in force in the kernel:"
            f" {limit.file} should contain {limit.text}, but contains {limit.found}."
        )

    for directive in directives:
        ceiling = find_tighter_ceiling(state, directive)
        if ceiling:
            yield (
                f"{directive}= of {wanted.unit} cannot be reached:"
                f" the cgroup {ceiling.cgroup} above it has the lower limit {ceiling.value}."
            )


def _find_excesses(state: State, wanted: Wanted, directive: str) -> t.Iterator[_Excess]:
    """Yield each unit that uses more memory than the wanted value of `directive` allows."""
    values = _find_last_values(wanted)
    value = values.get(directive, "")
    ram_bytes = state.host.totals.ram_bytes
    limit = parse_memory_limit(value, ram_bytes)
    if limit is None:
        return

    for unit in state.units:
        used = unit.memory_bytes
        if used is not None and used > limit:
            yield _Excess(unit, limit, used)


def _get_name(unit: State, wanted: Wanted) -> str:
    """Return the name of the unit, or of the instance of a template."""
    return unit.properties.get("Id", wanted.unit)
