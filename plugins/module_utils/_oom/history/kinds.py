# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of kills: those of the same unit, the same name of the victim and the same cause."""

from __future__ import annotations

import re
import typing as t

from .model import Kill

# systemd numbers sessions and transient units: the next session of a user is another unit.
_NUMBERED = re.compile(r"^(session-|run-)[a-z]?[0-9a-f]+(?:-i[0-9]+)?(\.[a-z]+)$")

_UNKNOWN = "unknown"


class Kind(t.NamedTuple):
    """Similar kills, oldest first. Numbered units such as `session-7.scope` share the name `session-*.scope`."""

    unit: str
    victim: str
    cause: str
    kills: t.Sequence[Kill]


def add_units(kills: t.Sequence[Kill]) -> list[Kill]:
    """Return the kills; those without a unit get the one of the other kills of their victim if these have one unit.

    The reports of kills beyond the limit of events are not read, and the kill line shows no unit.
    """
    units: dict[str, set[str]] = {}
    for kill in kills:
        if kill.unit:
            units.setdefault(kill.victim, set()).add(_name_unit(kill))

    return [_add_unit(kill, units.get(kill.victim, set())) for kill in kills]


def _add_unit(kill: Kill, units: t.Collection[str]) -> Kill:
    if kill.unit or len(units) != 1:
        return kill

    (unit,) = units
    return kill._replace(unit=unit)


def group_kills(kills: t.Iterable[Kill]) -> list[Kind]:
    """Return the kinds of kills, the one with most kills first.

    The reports of kills beyond the limit of events are not read, so their cause may be unknown. They are of the same
    kind as the others of their unit and victim if these have one cause.
    """
    victims: dict[tuple[str, str], list[Kill]] = {}
    for kill in sorted(kills, key=_get_time):
        victim = (_name_unit(kill), kill.victim)
        victims.setdefault(victim, []).append(kill)

    kinds: list[Kind] = []
    for victim, group in victims.items():
        kinds += _split_by_cause(*victim, group)

    return sorted(kinds, key=_count_kills, reverse=True)


def _split_by_cause(unit: str, victim: str, kills: t.Sequence[Kill]) -> list[Kind]:
    """Return the kinds of kills of one victim."""
    by_cause: dict[str, list[Kill]] = {}
    for kill in kills:
        by_cause.setdefault(kill.cause, []).append(kill)

    known = set(by_cause) - {_UNKNOWN}
    if len(known) == 1:
        return [Kind(unit, victim, known.pop(), kills)]

    return [Kind(unit, victim, *group) for group in by_cause.items()]


def is_unit(name: str) -> bool:
    """Return whether the place of a kill is one unit of the host: no cgroup, and none of many numbered units."""
    return bool(name) and "/" not in name and "*" not in name


def _name_unit(kill: Kill) -> str:
    """Return the unit of a kill, without its number."""
    return _NUMBERED.sub(r"\1*\2", kill.unit)


def _get_time(kill: Kill) -> int:
    return kill.time_us


def _count_kills(kind: Kind) -> int:
    return len(kind.kills)
