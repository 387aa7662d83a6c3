# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kills of all hosts over time, in steps that are as fine as a chart allows. Pure."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import typing as t

from .parts import format_moment, parse_moment

_HOUR = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
_WEEK = 7 * _DAY
# A step is used if the chart has at most so many bars, and the chart begins early enough to have so many at least.
_MOST_BARS = 92
_LEAST_BARS = 20
# Times of a wrong clock must not make the chart endless.
_LONGEST = dt.timedelta(days=3660)
_LATEST = _DAY
_MONDAY = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

Hours = collections.Counter[str]
"""Numbers by hour, such as `2026-11-23T06`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Bar:
    """One step of the timeline."""

    start: str
    kills: int
    outages: int


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """The kills of all hosts over time."""

    step: str
    bars: tuple[Bar, ...]
    undated: int
    """The number of kills whose time is not known, or cannot be right."""


class _Step(t.NamedTuple):
    """What one bar stands for."""

    name: str
    length: dt.timedelta

    def find_number(self, moment: dt.datetime) -> int:
        """Return the number of the step that a time is in, counted from a Monday at midnight."""
        return (moment - _MONDAY) // self.length

    def write_start(self, number: int) -> str:
        """Return the time at which a step begins."""
        return format_moment(_MONDAY + number * self.length)


_STEPS = (_Step("hour", _HOUR), _Step("day", _DAY), _Step("week", _WEEK), _Step("period of 30 days", 30 * _DAY))


def build_timeline(kills: Hours, outages: Hours, *, total: int, as_of: str) -> Timeline:
    """Return the kills by step until `as_of`, and those of them that took a unit down. `total` is that of all kills."""
    moments = _place_hours(kills, parse_moment(as_of))
    if not moments:
        return Timeline("day", (), total)

    first = min(moments.values())
    last = max(moments.values())
    end = max(last, parse_moment(as_of) or last)
    step = _choose_step(end - first)

    killed: collections.Counter[int] = collections.Counter()
    lost: collections.Counter[int] = collections.Counter()
    for hour, moment in moments.items():
        number = step.find_number(moment)
        killed[number] += kills[hour]
        lost[number] += outages[hour]

    newest = step.find_number(end)
    oldest = min(step.find_number(first), newest - _LEAST_BARS)
    bars = [Bar(step.write_start(number), killed[number], lost[number]) for number in range(oldest, newest + 1)]

    return Timeline(step.name, tuple(bars), total - killed.total())


def _place_hours(hours: t.Iterable[str], as_of: dt.datetime | None) -> dict[str, dt.datetime]:
    """Return hours as times, without those of a wrong clock: long before the others, or after `as_of`."""
    placed: dict[str, dt.datetime] = {}
    for hour in hours:
        moment = parse_moment(f"{hour}:00:00Z")
        if moment is not None:
            placed[hour] = moment

    end = as_of or max(placed.values(), default=_MONDAY)

    return {hour: moment for hour, moment in placed.items() if -_LATEST <= end - moment <= _LONGEST}


def _choose_step(span: dt.timedelta) -> _Step:
    for step in _STEPS:
        if span / step.length < _MOST_BARS:
            return step

    return _STEPS[-1]
