# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd logged about a unit, in order, and which kill each record belongs to."""

from __future__ import annotations

import bisect
import collections
import itertools
import sys
import typing as t

from ..search.records import EXITED, OUT_OF_MEMORY, UnitRecord
from .incident import KillTime

LATE_US = 30_000_000
"""On a host short of memory, journald may receive the records of the kernel and systemd this late, in either order."""

# In a storm of kills, the notices before and after a kill among which its unit is looked for.
_MOST_NOTICES = 64


class Moment(t.NamedTuple):
    """A time, as a boot and the time since that boot: the clock may be set at any time."""

    boot_ends_us: int
    """Since 1970. This orders boots: a host without its own clock boots with a wrong time, but usually has the right
    time later."""
    boot_id: str
    monotonic_us: int

    def plus(self, later_us: int) -> Moment:
        return Moment(self.boot_ends_us, self.boot_id, self.monotonic_us + later_us)

    def at(self, monotonic_us: int) -> Moment:
        """Return another moment of the same boot."""
        return Moment(self.boot_ends_us, self.boot_id, monotonic_us)

    @property
    def end_of_boot(self) -> Moment:
        return Moment(self.boot_ends_us, self.boot_id, sys.maxsize)


_BEGINNING = Moment(-1, "", 0)
"""A moment before all others."""
_END = Moment(sys.maxsize, "", 0)
"""A moment after all others."""


class Clock:
    """Puts kills and records in order; `boots` are the times of the last entries of all boots."""

    def __init__(self, boots: t.Mapping[str, int]) -> None:
        self._boots = boots
        self._ends_us = max(boots.values(), default=0)

    def find_moment(self, logged: KillTime | UnitRecord) -> Moment:
        """Return when a kill or record was logged."""
        boot_ends_us = self._boots.get(logged.boot_id, 0)
        return Moment(boot_ends_us, logged.boot_id, logged.monotonic_us)

    def is_in_last_boot(self, moment: Moment) -> bool:
        """Return whether a moment is in the last boot that the journal holds."""
        return moment.boot_ends_us == self._ends_us


class Notices:
    """systemd's own notices of OOM kills in all units but slices, and its records that units failed because of one."""

    def __init__(self, clock: Clock, records: t.Iterable[UnitRecord]) -> None:
        self._failed: set[str] = set()
        notices = []
        for record in filter(_is_notice, records):
            notices.append((clock.find_moment(record), record.unit))
            if record.is_failure:
                self._failed.add(record.unit)

        self._moments: list[Moment] = []
        self._units: list[str] = []
        for moment, unit in sorted(notices):
            self._moments.append(moment)
            self._units.append(unit)

        # For each notice, where the row of successive notices of the same unit ends.
        self._ends: list[int] = []
        for _unit, row in itertools.groupby(self._units):
            length = len(list(row))
            end = len(self._ends) + length
            self._ends += [end] * length

    def find_units_near(self, kill: Moment) -> list[str]:
        """Return the units in which systemd noticed a kill near that moment, the likeliest first.

        A unit that failed because of a kill comes before others, since any user can cause kills in units of his own.
        Otherwise, the nearest notice comes first.
        """
        first = bisect.bisect_left(self._moments, kill.plus(-LATE_US))
        end = bisect.bisect_right(self._moments, kill.plus(LATE_US))
        if first == end:
            return []

        if end <= self._ends[first]:
            return [self._units[first]]

        return self._rank_units(kill, first, end)

    def _rank_units(self, kill: Moment, first: int, end: int) -> list[str]:
        """Return the units of the notices from `first` to before `end` that are nearest to a kill."""
        place = bisect.bisect_left(self._moments, kill)
        distances: dict[str, tuple[bool, int]] = {}
        for number in range(max(first, place - _MOST_NOTICES), min(end, place + _MOST_NOTICES)):
            unit = self._units[number]
            distance_us = abs(self._moments[number].monotonic_us - kill.monotonic_us)
            distance = (unit not in self._failed, distance_us)
            distances[unit] = min(distance, distances.get(unit, distance))

        return sorted(distances, key=distances.__getitem__)


def _is_notice(record: UnitRecord) -> bool:
    """Return whether systemd itself states in a record that there was a kill in a unit that is no slice."""
    if record.unit.endswith(".slice") or not record.trusted:
        return False

    return record.what == OUT_OF_MEMORY or record.is_failure


class Event(t.NamedTuple):
    """A record of systemd, and when it was logged."""

    at: Moment
    record: UnitRecord


class UnitLife:
    """The records of one unit; those around a kill are found without reading all of them.

    `kills` are the kills in the unit, in order.
    """

    def __init__(self, clock: Clock, records: t.Iterable[UnitRecord], kills: t.Sequence[Moment] = ()) -> None:
        # With the first and the last moment, each moment has a kill before and a kill after it.
        self._kills = [_BEGINNING, *kills, _END]
        self._events: dict[str, list[Event]] = collections.defaultdict(list)
        self._moments: dict[str, list[Moment]] = collections.defaultdict(list)
        events = [Event(clock.find_moment(record), record) for record in records]
        events.sort(key=lambda event: event.at)
        for event in events:
            self._events[event.record.what].append(event)
            self._moments[event.record.what].append(event.at)

        self.main_process_kills: set[Moment | None] = set()
        """The kills whose victim was the unit's main process."""
        for event in self._events[EXITED]:
            if event.record.killed:
                self.main_process_kills.add(self.find_kill(event.at))

    def find_next(self, what: str, begin: Moment, end: Moment = _END) -> Event | None:
        """Return the first event of a kind from `begin` on, before `end`."""
        places = self._find_places(what, begin, end)
        if not places:
            return None

        return self._events[what][places[0]]

    def find_last(self, what: str, end: Moment, begin: Moment = _BEGINNING) -> Event | None:
        """Return the last event of a kind before `end`, not before `begin`."""
        places = self._find_places(what, begin, end)
        if not places:
            return None

        return self._events[what][places[-1]]

    def has_event_between(self, what: str, begin: Moment, end: Moment) -> bool:
        """Return whether there was an event of a kind from `begin` on, before `end`."""
        return bool(self._find_places(what, begin, end))

    def _find_places(self, what: str, begin: Moment, end: Moment) -> range:
        """Return the places of the events of a kind from `begin` on, before `end`."""
        moments = self._moments[what]
        return range(bisect.bisect_left(moments, begin), bisect.bisect_left(moments, end))

    def find_last_of_kill(self, what: str, kill: Moment) -> Event | None:
        """Return the last event of a kind before a kill if it nevertheless belongs to that kill."""
        event = self.find_last(what, kill)
        if event and self.find_kill(event.at) == kill:
            return event

        return None

    def find_kill(self, moment: Moment) -> Moment | None:
        """Return the kill that an event at that moment belongs to: the last one before it if near, or else the next."""
        index = bisect.bisect_right(self._kills, moment)
        before = self._kills[index - 1]
        if moment < before.plus(LATE_US):
            return before

        after = self._kills[index]
        if moment >= after.plus(-LATE_US):
            return after

        return None

    def has_kill_between(self, begin: Moment, end: Moment) -> bool:
        """Return whether there was a kill after `begin`, up to and including `end`."""
        return bisect.bisect_right(self._kills, begin) < bisect.bisect_right(self._kills, end)
