# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Group the OOM kills of one host by what they have in common, in a bounded number of groups. Pure.

Users choose the names of processes and of some units. Databases of metrics need a bounded number of series, so a host
has one for each of its most important culprits, and one for all others together.
"""

from __future__ import annotations

import collections
import itertools
import math
import operator
import typing as t

from ...module_utils._safe import neutralise
from .parts import list_events, parse_moment
from .record import Data, Record

UNKNOWN = -math.inf
"""A number that is unknown. It is smaller than every number, so that comparisons need no special case."""

_MOST_GROUPS = 10
_LONGEST_NAME = 128


class Culprit(t.NamedTuple):
    """What the OOM kills of one group have in common."""

    unit: str
    victim: str
    cause: str


OTHERS = Culprit("other", "other", "other")


class Kill(t.NamedTuple):
    """One OOM kill."""

    culprit: Culprit
    time: float
    """Seconds since 1970."""
    took_down: bool | None
    """Whether its unit went down, None if that is not known."""
    down_seconds: float
    memory_bytes: float
    """RAM and swap that the victim held."""


def group_kills(record: Record) -> dict[Culprit, list[Kill]]:
    """Return the OOM kills that a record lists, by culprit: the most important culprits, and all others as one."""
    get_culprit = operator.attrgetter("culprit")
    kills = sorted(map(_parse_kill, list_events(record)), key=get_culprit)
    groups = {culprit: list(alike) for culprit, alike in itertools.groupby(kills, key=get_culprit)}
    ranked = sorted(groups, key=lambda culprit: _rank(groups[culprit]))

    folded: dict[Culprit, list[Kill]] = collections.defaultdict(list)
    for place, culprit in enumerate(ranked):
        folded[_fold(culprit, place)] += groups[culprit]

    return folded


def list_units(record: Record) -> list[tuple[Culprit, bool]]:
    """Return the units that OOM kills took down, with the culprit and whether they are down, if that is known.

    The units that are down come first. Beyond a number of units, all are others.
    """
    events = {event["id"]: event for event in list_events(record)}
    units = [unit for unit in record["summary"]["taken_down"] if unit.get("is_down") is not None]
    units.sort(key=lambda unit: (not unit["is_down"], unit["unit"]))

    culprits = []
    for place, unit in enumerate(units):
        event = events.get(unit.get("last_event_id"), {})
        culprit = _find_culprit({**event, "unit": unit["unit"]})
        culprits.append((_fold(culprit, place), unit["is_down"]))

    return culprits


def parse_time(text: str | None) -> float:
    """Return a time in ISO 8601 as seconds since 1970."""
    moment = parse_moment(text)
    if moment is None:
        return UNKNOWN

    return moment.timestamp()


def _fold(culprit: Culprit, place: int) -> Culprit:
    """Return the culprit as whom one in this place of a ranking is counted."""
    if place < _MOST_GROUPS:
        return culprit

    return OTHERS


def _rank(kills: t.Sequence[Kill]) -> tuple[float, ...]:
    """Return a key that sorts outages first, then frequent kills, then recent ones."""
    fates = map(operator.attrgetter("took_down"), kills)
    outages = list(fates).count(True)
    newest = max(map(operator.attrgetter("time"), kills))

    return (-outages, -len(kills), -newest)


def _parse_kill(event: Data) -> Kill:
    ram = _parse_number(event["rss_bytes"], unknown=UNKNOWN)
    swap = _parse_number(event["swap_bytes"], unknown=0)

    return Kill(
        culprit=_find_culprit(event),
        time=parse_time(event["time"]),
        took_down=event["taken_down"],
        down_seconds=_parse_number(event["down_seconds"], unknown=UNKNOWN),
        memory_bytes=ram + swap,
    )


def _find_culprit(event: Data) -> Culprit:
    names = map(event.get, Culprit._fields)
    return Culprit(*map(_make_label, names))


def _make_label(name: str | None) -> str:
    # Prometheus takes an empty label for a missing one.
    return neutralise(name or "unknown", limit=_LONGEST_NAME)


def _parse_number(value: float | None, *, unknown: float) -> float:
    if value is None:
        return unknown

    return value
