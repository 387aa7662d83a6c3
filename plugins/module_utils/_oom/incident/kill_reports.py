# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the kill lines in a journal to incidents: the reports around them are read whole, up to a limit."""

from __future__ import annotations

import bisect
import collections
import functools
import typing as t

from ..._journal.journal import Journal
from ..._journal.record import Record
from ..._journal.surroundings import Stretch, around
from ..report.kill_lines import names_victim
from ..report.model import Line, OomReport, Origin, Unparsed, Victim
from ..report.reader import is_same, read_reports
from ..search.records import (
    FAILED,
    NEAR_US,
    KillerRecord,
    UnitRecord,
    is_from_kernel,
)
from ..search.search import Traces
from .incident import Incident, build_incident

# Records to read in search of the beginning of a report; the longest reports have thousands of tasks.
_LONGEST = 40_000
# The line of the OOM reaper, and the other members of a killed group, follow the first kill line.
_AFTERMATH_US = 10_000_000
# Kills in one stretch of the journal.
_TOGETHER = 16


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
    reader = _KillReader(_sort_by_urgency(traces.kills, failures), page_size)
    reader.read(journal, limit)
    reader.read_rest(traces.kills)

    incidents = [*reader.incidents, *_read_other_killers(traces.killers, reader.incidents)]
    ranks = {boot_id: rank for rank, boot_id in enumerate(reversed(traces.boots))}

    def get_time(incident: Incident) -> tuple[int, int]:
        return ranks.get(incident.at.boot_id or "", 0), incident.at.monotonic_us or 0

    def get_importance(incident: Incident) -> tuple[bool, tuple[int, int]]:
        return failures.has_near(incident.at.boot_id, incident.at.monotonic_us), get_time(incident)

    incidents.sort(key=get_importance)
    cut = max(len(incidents) - limit, 0)
    return ReadIncidents(
        incidents=sorted(incidents[cut:], key=get_time),
        older=sorted(incidents[:cut], key=get_time),
        unreadable=reader.unreadable,
    )


class _Failures:
    """The services that OOM kills have taken down, by boot and time."""

    def __init__(self, records: t.Iterable[UnitRecord]) -> None:
        self._times: dict[str, list[int]] = collections.defaultdict(list)
        for record in records:
            if record.what == FAILED and record.unit.endswith(".service"):
                bisect.insort(self._times[record.boot_id], record.monotonic_us)

    def has_near(self, boot_id: str | None, monotonic_us: int | None) -> bool:
        """Return whether a service went down near a kill."""
        times = self._times.get(boot_id or "", [])
        kill_us = monotonic_us or 0
        first = bisect.bisect_left(times, kill_us - NEAR_US)
        if first == len(times):
            return False

        return times[first] <= kill_us + 2 * NEAR_US


def _sort_by_urgency(kills: t.Iterable[Record], failures: _Failures) -> list[Record]:
    """Return the kills; those near which a service went down come first."""
    return sorted(kills, key=lambda kill: not failures.has_near(kill.boot_id, kill.monotonic_us))


class _KillReader:
    """Reads the reports of kills in a journal, in the order of the kills."""

    def __init__(self, kills: t.Sequence[Record], page_size: int | None) -> None:
        self.incidents: list[Incident] = []
        self.unreadable = 0
        """The number of kill lines that could not be read."""
        self._page_size = page_size
        self._pending = {kill.key: kill for kill in kills}
        self._times = {kill.monotonic_us for kill in kills}

    def read(self, journal: Journal, limit: int) -> None:
        """Read the reports of pending kills until there are at least `limit` incidents, or no more kills.

        One event may have many kill lines, so only reading shows when there are enough.
        """
        while self._pending and len(self.incidents) < limit:
            kills = list(self._pending.values())[: limit - len(self.incidents)]
            stretches = [_build_stretch(group) for group in _group_kills(kills)]
            for stretch, records in zip(stretches, around(journal, stretches)):
                self._read_stretch(records)
                # A record of a damaged journal may not be found a second time.
                if self._pending.pop(stretch.newest.key, None):
                    self.unreadable += 1

    def read_rest(self, kills: t.Sequence[Record]) -> None:
        """Add the incidents of all pending kills, with no more than their kill lines; `kills` are the newest first."""
        lines = [_get_line(kill) for kill in reversed(kills) if kill.key in self._pending]
        for item in read_reports(lines):
            if isinstance(item, OomReport):
                self.incidents.append(build_incident(item))
            else:
                self.unreadable += 1

    def _read_stretch(self, records: t.Sequence[Record]) -> None:
        """Add the incidents of the pending kills that are among the records, and count those that lead to none."""
        window = [record for record in reversed(records) if is_from_kernel(record)]
        kills = self._find_pending(window)
        lines = [_get_line(record) for record in window]
        places = {id(line): index for index, line in enumerate(lines)}
        reported: set[int] = set()
        unparsed: set[int] = set()
        for item in read_reports(lines, page_size=self._page_size):
            if isinstance(item, Unparsed):
                unparsed.add(places[id(item.line)])
                continue

            span = range(places[id(item.first)], places[id(item.last)] + 1)
            own = {index for index in kills if index in span}
            # The rest of an earlier report may be at the window's edge.
            if own:
                self.incidents.append(build_incident(item))
                reported |= own

        for index in kills:
            # The same kill may be in two files, and so twice in the window.
            self._pending.pop(window[index].key, None)
            # A task table, and the message that there was no process to kill, need not lead to a report.
            is_read = index in reported and index not in unparsed
            if not is_read and names_victim(lines[index].text):
                self.unreadable += 1

    def _find_pending(self, window: t.Sequence[Record]) -> set[int]:
        """Return the places of pending kills in the window."""
        found = set()
        for index, record in enumerate(window):
            # Most records are no kills, and a time is compared faster than a key.
            if record.monotonic_us in self._times and record.key in self._pending:
                found.add(index)

        return found


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
    if len(group) == _TOGETHER or last.boot_id != kill.boot_id:
        return False
    if _match_facility(last) != _match_facility(kill):
        return False

    return 0 <= last.monotonic_us - kill.monotonic_us <= _AFTERMATH_US


def _build_stretch(group: t.Sequence[Record]) -> Stretch:
    """Return the part of the journal that holds the reports of a group of kills, the newest first."""
    return Stretch(
        newest=group[0],
        oldest=group[-1],
        matches=("_TRANSPORT=kernel", *_match_facility(group[0])),
        after_us=_AFTERMATH_US,
        begin=" invoked oom-killer",
        limit=_LONGEST,
    )


def _match_facility(kill: Record) -> list[str]:
    """Return the match, beside the transport, for the kernel's own records if this version of journald writes it."""
    if "SYSLOG_FACILITY" not in kill.fields:
        return []

    return ["SYSLOG_FACILITY=0"]


# Successive lines share one object, which makes it fast for their reader to see that they have the same origin.
_get_origin = functools.lru_cache(maxsize=8)(Origin)


def _get_line(record: Record, source: str = "kernel") -> Line:
    """Return the message of a record, which `source` wrote."""
    fields = record.fields
    origin = _get_origin(record.boot_id, fields.get("_HOSTNAME"), source)
    return Line(fields.get("MESSAGE", ""), record.realtime_us, record.monotonic_us, record.cursor, origin)


def _read_other_killers(records: t.Sequence[KillerRecord], by_kernel: t.Iterable[Incident]) -> t.Iterator[Incident]:
    """Yield the kills of other killers, without those of processes that the kernel also killed."""
    kills: dict[t.Any, list[tuple[Victim, Line]]] = collections.defaultdict(list)
    for incident in by_kernel:
        for victim in incident.report.victims:
            kills[incident.at.boot_id, victim.pid].append((victim, incident.at))

    lines = [_get_line(killer.record, killer.killer) for killer in reversed(records)]
    for report in read_reports(lines):
        if isinstance(report, OomReport) and not _is_among(report, kills):
            yield build_incident(report)


def _is_among(report: OomReport, kills: t.Mapping[t.Any, t.Sequence[tuple[Victim, Line]]]) -> bool:
    """Return whether one of the kills, by boot and pid, is the one in the report."""
    for victim in report.victims:
        for killed, at in kills.get((report.first.boot_id, victim.pid), ()):
            if is_same(report, killed, at):
                return True

    return False
