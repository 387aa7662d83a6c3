# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the kill lines in a journal to incidents: the reports around them are read whole, up to a limit."""

from __future__ import annotations

import bisect
import collections
import functools
import heapq
import itertools
import operator
import sys
import typing as t

from ..._journal.journal import Journal
from ..._journal.record import Key, Record
from ..._journal.surroundings import Stretch, around
from ..report.kill_lines import has_victim
from ..report.model import Line, OomReport, Origin, Unparsed, Victim
from ..report.reader import read_reports
from ..report.recent import add_requester, is_kernel_request, is_same_kill
from ..search.records import (
    NEAR_US,
    KillerRecord,
    UnitRecord,
    is_from_kernel,
)
from ..search.search import Traces
from .incident import Incident, KillTime, build_incident

# Records to read in search of the beginning of a report; the longest reports have thousands of tasks.
_LONGEST = 40_000
# The line of the OOM reaper, and the other members of a killed group, follow the first kill line.
_AFTERMATH_US = 10_000_000
# Kills in one stretch of the journal.
_TOGETHER = 16
# Kills to read in search of one in a unit that went down.
_MOST_OF_UNIT = 64
# The rank of a kill in a unit that went down.
_OWN = 2


class ReadIncidents(t.NamedTuple):
    """Incidents, oldest first: `incidents` are whole; of `older`, beyond the limit, only the kill line is read."""

    incidents: t.Sequence[Incident]
    older: t.Sequence[Incident]
    unreadable: int
    """The number of kill lines that could not be read."""


def read_incidents(journal: Journal, traces: Traces, *, limit: int, page_size: int | None) -> ReadIncidents:
    """Return the incidents that the traces lead to; those in which a service went down come first in the limit.

    `page_size` is for reports that do not show it. Raises JournalError.
    """
    failures = _Failures(traces.units)
    urgent_first = sorted(traces.kills, key=failures.has_near, reverse=True)
    reader = _KillReader(urgent_first, page_size)
    reader.read(journal, limit)
    for unit in failures.units:
        reader.read_unit(journal, unit, failures)
    reader.read_rest(traces.kills)

    by_kernel = list(_add_requesters(reader.incidents, traces.killers))
    by_others, unreadable = _read_other_killers(traces.killers, by_kernel)
    incidents = [*by_kernel, *by_others]
    # Stable sorts keep the order by time among those that are equally urgent.
    incidents.sort(key=_Order(traces.boots))
    incidents.sort(key=failures.rank)
    last = _find_last_of_units(incidents, failures)
    incidents.sort(key=lambda incident: incident.key in last)
    cut = max(len(incidents) - limit, 0)

    return ReadIncidents(
        incidents=sorted(incidents[cut:], key=_Order(traces.boots)),
        older=sorted(incidents[:cut], key=_Order(traces.boots)),
        unreadable=reader.unreadable + unreadable,
    )


def _find_last_of_units(incidents: t.Iterable[Incident], failures: _Failures) -> set[str]:
    """Return the keys of the last incident of each unit that went down; the incidents are the most urgent last."""
    last = {}
    for incident in incidents:
        if failures.rank(incident) == _OWN:
            last[incident.place.unit] = incident.key

    return set(last.values())


class _Order:
    """The order of incidents by boot and time; `boots` are the newest first."""

    def __init__(self, boots: t.Sequence[str]) -> None:
        self._ranks = dict(zip(reversed(boots), itertools.count()))

    def __call__(self, incident: Incident) -> tuple[int, int]:
        kill = incident.time
        rank = self._ranks.get(kill.boot_id, 0)

        return rank, kill.monotonic_us


class _Failures:
    """The units that OOM kills have taken down, and when systemd noticed that, by boot."""

    def __init__(self, records: t.Sequence[UnitRecord]) -> None:
        self.units = {record.unit for record in records if record.is_failure}
        self._times: dict[str, list[int]] = collections.defaultdict(list)
        self._unit_times: dict[tuple[str, str], list[int]] = collections.defaultdict(list)
        for record in records:
            if record.unit in self.units:
                self._times[record.boot_id].append(record.monotonic_us)
                self._unit_times[record.unit, record.boot_id].append(record.monotonic_us)

        for times in (*self._times.values(), *self._unit_times.values()):
            times.sort()

    def has_near(self, kill: KillTime | Record) -> bool:
        """Return whether a unit went down near a kill."""
        times = self._times.get(kill.boot_id, [])
        first = bisect.bisect_left(times, kill.monotonic_us - NEAR_US)
        end = bisect.bisect_right(times, kill.monotonic_us + 2 * NEAR_US)

        return first < end

    def rank(self, incident: Incident) -> int:
        """Return how urgent it is to return an incident whole: most if it is in a unit that went down near it."""
        is_near = self.has_near(incident.time)
        is_own = incident.place.unit in self.units

        return is_near + (is_near and is_own)

    def select_nearest(self, unit: str, kills: t.Iterable[Record]) -> list[Record]:
        """Return the kills that are nearest to the failures of a unit, the newest first."""
        distances = []
        for number, kill in enumerate(kills):
            distances.append((self._measure_distance(unit, kill), number, kill))

        nearest = heapq.nsmallest(_MOST_OF_UNIT, distances)
        newest_first = sorted(nearest, key=operator.itemgetter(1))
        return [kill for distance_us, _number, kill in newest_first if distance_us <= NEAR_US]

    def _measure_distance(self, unit: str, kill: Record) -> int:
        """Return the time from a kill to the nearest record about a unit in the same boot, in microseconds."""
        times = self._unit_times.get((unit, kill.boot_id), [])
        place = bisect.bisect_left(times, kill.monotonic_us)
        nearest = times[max(place - 1, 0) : place + 1]
        return min([abs(time_us - kill.monotonic_us) for time_us in nearest], default=sys.maxsize)


class _Window:
    """The kernel's records in a stretch of the journal, oldest first."""

    def __init__(self, newest_first: t.Sequence[Record]) -> None:
        self.records = list(filter(is_from_kernel, reversed(newest_first)))
        self.lines = list(map(_get_line, self.records))
        self._places = dict(zip(map(id, self.lines), itertools.count()))

    def find_place(self, line: Line) -> int:
        """Return the place of one of the lines in the window."""
        return self._places[id(line)]

    def find_span(self, report: OomReport) -> range:
        """Return the places from the first to the last line of a report."""
        first = self.find_place(report.first)
        last = self.find_place(report.last)

        return range(first, last + 1)


class _KillReader:
    """Reads the reports of kills in a journal, in the order of the kills."""

    def __init__(self, kills: t.Iterable[Record], page_size: int | None) -> None:
        self.incidents: list[Incident] = []
        self.unreadable = 0
        """The number of kill lines that could not be read."""
        self._page_size = page_size
        self._pending: dict[Key, Record] = {}
        self._times: set[int] = set()
        for kill in kills:
            self._pending[kill.key] = kill
            self._times.add(kill.monotonic_us)

    def read(self, journal: Journal, limit: int) -> None:
        """Read the reports of pending kills until there are at least `limit` incidents, or no more kills.

        One event may have many kill lines, so only reading shows when there are enough.
        """
        missing = limit
        while self._pending and missing > 0:
            self._read_kills(journal, list(itertools.islice(self._pending.values(), missing)))
            missing = limit - len(self.incidents)

    def read_unit(self, journal: Journal, unit: str, failures: _Failures) -> None:
        """Read the reports of the kills that are nearest to the failures of a unit if no report was in that unit.

        Any user can cause kills in units of his own, so many that they fill the limit.
        """
        units = {incident.place.unit for incident in self.incidents}
        if unit not in units:
            self._read_kills(journal, failures.select_nearest(unit, self._pending.values()))

    def _read_kills(self, journal: Journal, kills: t.Iterable[Record]) -> None:
        stretches = list(map(_build_stretch, _group_kills(kills)))
        for stretch, records in zip(stretches, around(journal, stretches)):
            self._read_window(_Window(records))
            # A record of a damaged journal may not be found a second time.
            lost = self._pending.pop(stretch.newest.key, None)
            self.unreadable += lost is not None

    def read_rest(self, kills: t.Sequence[Record]) -> None:
        """Add the incidents of all pending kills, with no more than their kill lines; `kills` are the newest first."""
        lines = [_get_line(kill) for kill in reversed(kills) if kill.key in self._pending]
        for item in read_reports(lines):
            if isinstance(item, OomReport):
                self.incidents.append(build_incident(item))
            else:
                self.unreadable += 1

    def _read_window(self, window: _Window) -> None:
        """Add the incidents of the pending kills in a window, and count those kills that lead to none."""
        kills = set(self._find_pending(window))
        unread = set(kills)
        cut: set[int] = set()
        for item in read_reports(window.lines, page_size=self._page_size):
            if isinstance(item, Unparsed):
                cut.add(window.find_place(item.line))
                continue

            own = kills.intersection(window.find_span(item))
            # The rest of an earlier report may be at the window's edge.
            if own:
                self.incidents.append(build_incident(item))
                unread -= own

        unread |= kills & cut
        # A task table, and the message that there was no process to kill, need not lead to a report.
        self.unreadable += sum(has_victim(window.lines[place].text) for place in unread)
        for place in kills:
            # The same kill may be in two files, and so twice in the window.
            self._pending.pop(window.records[place].key, None)

    def _find_pending(self, window: _Window) -> t.Iterator[int]:
        """Yield the places of pending kills in a window."""
        for place, record in enumerate(window.records):
            # Most records are no kills, and comparing a time is faster than comparing a key.
            if record.monotonic_us in self._times and record.key in self._pending:
                yield place


def _group_kills(kills: t.Iterable[Record]) -> list[list[Record]]:
    """Return the kills in groups of those that are close together, so that one stretch holds their reports."""
    groups: list[list[Record]] = []
    for kill in kills:
        if groups and _can_join(groups[-1], kill):
            groups[-1].append(kill)
        else:
            groups.append([kill])

    return groups


def _can_join(group: t.Sequence[Record], kill: Record) -> bool:
    """Return whether an older kill is close enough to the last one of a group."""
    last = group[-1]
    if len(group) == _TOGETHER:
        return False

    if _match_source(last) != _match_source(kill):
        return False

    passed_us = last.monotonic_us - kill.monotonic_us
    return 0 <= passed_us <= _AFTERMATH_US


def _build_stretch(group: t.Sequence[Record]) -> Stretch:
    """Return the part of the journal that holds the reports of a group of kills, the newest first."""
    _boot, *source = _match_source(group[0])
    return Stretch(
        newest=group[0],
        oldest=group[-1],
        matches=source,
        after_us=_AFTERMATH_US,
        begin=" invoked oom-killer",
        limit=_LONGEST,
    )


def _match_source(kill: Record) -> list[str]:
    """Return the boot of a kill, and the matches for the kernel's own records in the journal that holds it.

    Old versions of journald give the kernel's records no facility.
    """
    matches = [kill.boot_id, "_TRANSPORT=kernel"]
    if "SYSLOG_FACILITY" in kill.fields:
        matches.append("SYSLOG_FACILITY=0")

    return matches


# Successive lines share one object, which makes it fast for their reader to see that they have the same origin.
_get_origin = functools.lru_cache(maxsize=8)(Origin)


def _get_line(record: Record, source: str = "kernel") -> Line:
    """Return the message of a record, which `source` wrote."""
    fields = record.fields
    origin = _get_origin(record.boot_id, fields.get("_HOSTNAME"), source)

    return Line(fields.get("MESSAGE", ""), record.realtime_us, record.monotonic_us, record.cursor, origin)


def _add_requesters(by_kernel: t.Iterable[Incident], records: t.Sequence[KillerRecord]) -> t.Iterator[Incident]:
    """Yield the kills of the kernel; those that a userspace killer asked for, with the name of that killer."""
    lines = [_get_line(killer.record, killer.killer) for killer in records]
    requests = list(filter(is_kernel_request, lines))
    for incident in by_kernel:
        yield incident._replace(report=add_requester(incident.report, requests))


def _read_other_killers(
    records: t.Sequence[KillerRecord], by_kernel: t.Iterable[Incident]
) -> tuple[list[Incident], int]:
    """Return the kills of other killers, and the number of their kill lines that could not be read.

    The kills of processes that the kernel also killed are left out.
    """
    kills = _KernelKills(by_kernel)
    lines = [_get_line(killer.record, killer.killer) for killer in reversed(records)]
    incidents = []
    unreadable = 0
    for report in read_reports(lines):
        if not isinstance(report, OomReport):
            unreadable += 1
            continue

        is_told_by_kernel = kills.contain(report)
        if not is_told_by_kernel:
            incidents.append(build_incident(report))

    return incidents, unreadable


class _KernelKills:
    """The processes that the kernel killed, by boot and pid."""

    def __init__(self, incidents: t.Iterable[Incident]) -> None:
        self._kills: dict[t.Any, list[tuple[Victim, Line]]] = collections.defaultdict(list)
        for incident in incidents:
            for victim in incident.report.victims:
                kill = (victim, incident.at)
                self._kills[incident.at.boot_id, victim.pid].append(kill)

    def contain(self, report: OomReport) -> bool:
        """Return whether the kernel also killed a victim of another killer's report."""
        for victim in report.victims:
            for killed, at in self._kills.get((report.first.boot_id, victim.pid), ()):
                if is_same_kill(report, killed, at):
                    return True

        return False
