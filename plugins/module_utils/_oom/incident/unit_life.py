# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What systemd logged of a unit, in its order, and which of it is of which kill."""

from __future__ import annotations

import bisect
import collections
import typing as t

from ..report.model import Line
from ..search.records import EXITED, UnitRecord

LATE_US = 30_000_000
"""On a host short of memory journald may receive the kernel's and systemd's records this late, and in either order."""


class Moment(t.NamedTuple):
    """A time, by boot and by what has passed since then: the clock may be set at any time."""

    boot_ends_us: int
    """Since 1970: a host without a clock of its own boots with a wrong time, and mostly has the right one later."""
    boot_id: str
    monotonic_us: int

    def plus(self, later_us: int) -> Moment:
        return self._replace(monotonic_us=self.monotonic_us + later_us)


class Clock:
    """Puts lines and records in order; `boots` are the boots with the times of their last entries."""

    def __init__(self, boots: t.Mapping[str, int]) -> None:
        self._boots = boots
        self.ends_us = max(boots.values(), default=0)

    def moment(self, of: Line | UnitRecord) -> Moment:
        boot_id = of.boot_id or ""
        return Moment(self._boots.get(boot_id, 0), boot_id, of.monotonic_us or 0)


class Notices:
    """Systemd's notices of OOM kills in whatever units."""

    def __init__(self, clock: Clock, records: t.Iterable[UnitRecord]) -> None:
        notices = sorted((clock.moment(record), record.unit) for record in records)
        self._moments = [moment for moment, _unit in notices]
        self._units = [unit for _moment, unit in notices]
        # Where each row of notices of one unit ends.
        self._ends = list(range(1, len(notices) + 1))
        for index in reversed(range(len(notices) - 1)):
            if self._units[index] == self._units[index + 1]:
                self._ends[index] = self._ends[index + 1]

    def unit_near(self, kill: Moment) -> str | None:
        """Return the one unit in which a kill was noticed near that moment, None where it is not one."""
        first = bisect.bisect_left(self._moments, kill.plus(-LATE_US))
        end = bisect.bisect_right(self._moments, kill.plus(LATE_US))
        return self._units[first] if first < end <= self._ends[first] else None


class Event(t.NamedTuple):
    """What systemd logged, and when."""

    at: Moment
    record: UnitRecord


class Life:
    """Records of one unit, of which those around a kill are found without reading them all.

    `kills` are the kills in the unit, in order.
    """

    def __init__(self, clock: Clock, records: t.Iterable[UnitRecord], kills: t.Sequence[Moment] = ()) -> None:
        self._kills = kills
        self._events: dict[str, list[Event]] = collections.defaultdict(list)
        events = [Event(clock.moment(record), record) for record in records]
        for event in sorted(events, key=lambda event: event.at):
            self._events[event.record.what].append(event)
        self._moments = {what: [event.at for event in events] for what, events in self._events.items()}
        killed = [event.at for event in self._events[EXITED] if event.record.killed]
        self.main_processes = {self.kill_of(moment) for moment in killed}
        """The kills of main processes."""

    def next(self, what: str, begin: Moment) -> Event | None:
        """Return the first event of that kind from `begin` on."""
        index = bisect.bisect_left(self._moments.get(what, ()), begin)
        return self._events[what][index] if index < len(self._events[what]) else None

    def last(self, what: str, end: Moment) -> Event | None:
        """Return the last event of that kind before `end`."""
        index = bisect.bisect_left(self._moments.get(what, ()), end)
        return self._events[what][index - 1] if index else None

    def kill_of(self, moment: Moment) -> Moment | None:
        """Return the kill that something came of at that moment: the last one before it, if it is near, or the next."""
        index = bisect.bisect_right(self._kills, moment)
        if index and moment < self._kills[index - 1].plus(LATE_US):
            return self._kills[index - 1]
        is_next = index < len(self._kills) and self._kills[index].plus(-LATE_US) <= moment
        return self._kills[index] if is_next else None

    def is_killed_between(self, begin: Moment, end: Moment) -> bool:
        """Tell whether there was a kill after `begin` until `end`."""
        return bisect.bisect_right(self._kills, begin) < bisect.bisect_right(self._kills, end)
