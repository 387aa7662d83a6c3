# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that do harm, or are in force and still do not do what they are set for. Pure."""

from __future__ import annotations

import typing as t

from .._size import format_size
from .dropin import (
    DropinError,
    State,
    Wanted,
    assignments,
)
from .in_force import stale_limits, tighter
from .values import memory_limit

_ENDLESS = ("infinity", "100%", "")


def refuse_kill(state: State, wanted: Wanted) -> None:
    """Raise DropinError where MemoryMax= would come down below what the unit uses, unless `force` is given."""
    for unit, limit, used in _exceeding(state, wanted, "MemoryMax"):
        found = unit.limits.get("MemoryMax")
        if found and (found.value is None or limit < found.value) and not wanted.force:
            raise DropinError(
                f"MemoryMax= of {_name(unit, wanted)} would be {format_size(limit)}, below the {format_size(used)} that"
                " it uses now beside what the kernel can drop. The kernel would swap it out or kill at once. Nothing"
                " was changed.",
                hint="Allow more, stop the unit first, or use force.",
            )


def warnings(state: State, wanted: Wanted) -> t.Iterator[str]:
    """Yield what the user should know about the wanted settings on this host."""
    if not wanted.present:
        return
    if not state.booted:
        yield (
            f"No systemd runs here that has {wanted.unit}: {state.path} was not seen in force."
            " It will be read when the host boots, or the user's manager starts."
        )
        return
    if state.hides:
        yield f"{state.path} has the name of {state.hides}, which systemd does not read for {wanted.unit} any more."
    values = {directive: value for _section, directive, value in assignments(wanted.settings)}
    if values.get("MemoryHigh", "") not in _ENDLESS and state.host.swap_bytes == 0:
        yield (
            f"MemoryHigh= of {wanted.unit} on a host without swap: past it, the kernel slows the processes down until"
            " they stand still, and kills none. Add swap, or set MemoryMax= instead."
        )
    for unit, limit, used in _exceeding(state, wanted, "MemoryHigh"):
        yield (
            f"MemoryHigh= of {_name(unit, wanted)} is {format_size(limit)}, below the {format_size(used)} that it uses"
            " now beside what the kernel can drop: the kernel slows its processes down."
        )
    if values.get("OOMScoreAdjust") == "-1000":
        yield (
            f"OOMScoreAdjust=-1000 of {wanted.unit} is inherited by its workers, of which the kernel can then kill"
            " none: past a memory limit of the unit it tries for ever. Use -999 or more."
        )
    if "OOMPolicy" in values and not state.host.unified:
        yield (
            f"OOMPolicy= of {wanted.unit} does nothing here: this host has cgroups of version 1,"
            " where systemd sees no kill."
        )
    if "OOMPolicy" in values and state.killers:
        yield (
            f"systemd-oomd does not go by OOMPolicy=: it watches {', '.join(state.killers)}, and kills whole units."
            f" To keep it from {wanted.unit}, set ManagedOOMPreference=omit."
        )
    yield from _limits(state, wanted, values)


def _exceeding(state: State, wanted: Wanted, directive: str) -> t.Iterator[tuple[State, int, int]]:
    """Yield each unit that uses more than the wanted limit of memory, with the limit and what it uses, in bytes."""
    values = [value for _section, name, value in assignments(wanted.settings) if name == directive]
    limit = memory_limit(values[-1], state.host.totals) if values and wanted.present else None
    for unit in state.units:
        if limit is not None and unit.memory_bytes is not None and limit < unit.memory_bytes:
            yield unit, limit, unit.memory_bytes


def _name(unit: State, wanted: Wanted) -> str:
    """Return the name of the unit, or of the instance of the template."""
    return unit.properties.get("Id", wanted.unit)


def _limits(state: State, wanted: Wanted, values: t.Iterable[str]) -> t.Iterator[str]:
    for directive, file, text in stale_limits(state, wanted):
        yield f"{directive}= of {wanted.unit} is not in force in the kernel: {file} should have {text}, and has not."
    for directive in values:
        above = tighter(state, directive)
        if above:
            yield (
                f"{directive}= of {wanted.unit} is out of reach:"
                f" the cgroup {above[0]} above it has the lower limit {above[1]}."
            )
