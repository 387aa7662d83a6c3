# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From text logs to the result of `oom_info`: the files are read, and their events put in order."""

from __future__ import annotations

import heapq
import itertools
import typing as t

from .explain.allocation import compute_supplies
from .explain.breakdown import break_down
from .explain.cause import find_cause
from .incident.findings import Findings
from .incident.incident import Incident, build_incident
from .incident.tally import Tally
from .log_file import LogError, open_log
from .report.log_lines import find_stamp, read_numbered
from .report.log_text import LogText
from .report.mentions import Mentions
from .report.model import Line, Memory, OomReport, Unparsed
from .report.reader import read_reports
from .report.task_table import count_rows
from .result import build_result
from .search.coverage import Coverage

_MAX_NAMED = 3
_FIRST_LINES = 100

# Rows of task tables and other parts of all events that are returned.
_MAX_PARTS = 150_000
_PARTS_OF_ZONE = 8
# Of so many events it is known in which file they are.
_MAX_COMPARED = 200_000

OpenLog = t.Callable[[str], t.ContextManager[t.TextIO]]
_Placed = t.Tuple[int, int, Incident]
"""The time of an event, its number among all events, and the event."""


def find_in_logs(
    paths: t.Sequence[str], *, boot: str, limit: int, tasks: str, top: int, open_log: OpenLog = open_log
) -> dict[str, t.Any]:
    """Return the OOM kills in text logs, explained, as `oom_info` returns them.

    At most `limit` events are returned. `tasks` (`top`, `all` or `none`) and `top` say how many rows of the task table.
    Raises LogError.
    """
    if boot != "all":
        raise LogError(
            f"Could not search only the boot {boot}: log_files are read whole.",
            hint="Omit boot, and name the logs of that boot.",
        )

    return build_result(search_logs(paths, limit=limit, open_log=open_log), tasks=tasks, top=top)


def search_logs(paths: t.Sequence[str], *, limit: int, open_log: OpenLog = open_log) -> Findings:
    """Return the OOM kills in text logs; compressed files are decompressed.

    Raises LogError.
    """
    if not paths:
        raise LogError(
            "Could not search text logs for OOM kills: log_files is empty.",
            hint="Name at least one file, or omit log_files to read the journal.",
        )

    events = _Events(limit, has_several_logs=len(set(paths)) > 1)
    logs = []
    for path in dict.fromkeys(paths):
        log = LogFile(path, open_log)
        logs.append(log)
        for report in log.read_reports():
            events.add(build_incident(report, log=path))

    return Findings(
        incidents=events.list_newest(),
        older=(),
        taken_down=(),
        coverage=_build_coverage(logs, events),
        tally=events.tally,
    )


class LogFile:
    """One text log: its reports, and afterwards what of it was not understood."""

    def __init__(self, path: str, open_log: OpenLog = open_log) -> None:
        self.path = path
        self._open = open_log
        self.unparsed = 0
        """The number of lines that mention an OOM kill and are in no report."""
        self.first_unparsed: list[int] = []
        """The numbers of the first of them."""
        self.unparsed_programs: list[str] = []
        """The names of the other programs that some of them are from."""
        self.long_records: list[int] = []
        """The numbers of the first lines with records that are too long to be read."""
        self.long_records_count = 0
        self.unrecognised = 0
        """The number of lines if none of them was recognised, or 0."""
        self._is_recognised = False

    def read_reports(self) -> t.Iterator[OomReport]:
        """Yield the reports in the log. Raises LogError."""
        mentions = Mentions()
        with self._open(self.path) as file:
            text = LogText(file, mentions)
            for found in read_reports(self._watch(read_numbered(text.read()))):
                mentions.settle(found)
                if not isinstance(found, Unparsed):
                    self._is_recognised = True
                    yield _renumber(found, text)

        self.long_records = text.long_records
        self.long_records_count = text.long_records_count
        self.unparsed = mentions.count_unused()
        self.first_unparsed = sorted(map(text.locate, mentions.list_first()))
        self.unparsed_programs = mentions.list_programs()
        if not self._is_recognised:
            self.unrecognised = text.count

    def _watch(self, lines: t.Iterator[Line]) -> t.Iterator[Line]:
        """Return the lines, and note whether one of them has a time or names a program."""
        first = list(itertools.islice(lines, _FIRST_LINES))
        for line in first:
            if _is_recognised(line):
                # A chain takes less time than a generator.
                self._is_recognised = True
                return itertools.chain(first, lines)

        return itertools.chain(first, self._watch_rest(lines))

    def _watch_rest(self, lines: t.Iterator[Line]) -> t.Iterator[Line]:
        for line in lines:
            yield line
            if _is_recognised(line):
                self._is_recognised = True
                break

        yield from lines


def _renumber(report: OomReport, text: LogText) -> OomReport:
    """Return a report whose first line has its number in the file."""
    first = report.first
    if first.cursor is None:
        return report

    cursor = str(text.locate(int(first.cursor)))
    # Only a log that was put in order has other numbers.
    if cursor == first.cursor:
        return report

    return report._replace(first=first._replace(cursor=cursor))


def _is_recognised(line: Line) -> bool:
    """Return whether a line has a time or names a program."""
    return (line.source, line.monotonic_us, line.realtime_us) != (None, None, None)


def _build_coverage(logs: t.Sequence[LogFile], events: _Events) -> Coverage:
    gap = "Text logs do not show what is missing from them, nor what became of the units."
    unparsed = sum([log.unparsed for log in logs])

    return Coverage(unparsed=unparsed, gaps=(gap,), notes=tuple(_list_notes(logs, unparsed, events)))


def _list_notes(logs: t.Sequence[LogFile], unparsed: int, events: _Events) -> t.Iterator[str]:
    if events.duplicates:
        yield f"Events found in several files, each counted once: {events.duplicates}."

    if events.reduced:
        yield f"Large events that are counted but not returned, because newer ones took all space: {events.reduced}."

    if unparsed:
        lines = _name_first(list(_list_unparsed(logs)), unparsed)
        yield f"Lines that mention an OOM kill but are part of no event: {lines}."

    programs = sorted(set().union(*[log.unparsed_programs for log in logs]))
    if programs:
        yield (
            f"Some of these lines are from {', '.join(programs)}, and do not show enough for an event. If the kernel "
            "killed the process, its own log of that time shows it."
        )

    long_records = sum([log.long_records_count for log in logs])
    if long_records:
        lines = _name_first(list(_list_long_records(logs)), long_records)
        yield f"Records of more than 1 MiB, which were not read: {lines}. Write one record to a line, as jq -c does."

    unrecognised = list(_list_unrecognised(logs))
    if unrecognised:
        names = _name_first(unrecognised, len(unrecognised))
        yield f"Logs without messages of the kernel or of a journal: {names}."


def _list_unparsed(logs: t.Iterable[LogFile]) -> t.Iterator[str]:
    """Yield the file and number of lines that mention an OOM kill and are in no report."""
    for log in logs:
        for number in log.first_unparsed:
            yield f"{log.path} line {number}"


def _list_long_records(logs: t.Iterable[LogFile]) -> t.Iterator[str]:
    for log in logs:
        for number in log.long_records:
            yield f"{log.path} line {number}"


def _list_unrecognised(logs: t.Iterable[LogFile]) -> t.Iterator[str]:
    for log in logs:
        if log.unrecognised:
            yield f"{log.path}, 0 of {log.unrecognised} lines were recognised"


def _name_first(named: t.Sequence[str], count: int) -> str:
    """Return the first names, and the number of those that are not named."""
    text = ", ".join(named[:_MAX_NAMED])
    more = count - min(len(named), _MAX_NAMED)
    if not more:
        return text

    return f"{text} and {more} more"


class _Events:
    """The events of all files, each once: whole within the limit, and only counted beyond it.

    They are sorted by time. An event without a time follows the event before it in the files.
    """

    def __init__(self, limit: int, *, has_several_logs: bool) -> None:
        self.duplicates = 0
        """The number of events that an earlier file also contained."""
        self.reduced = 0
        """The number of events within the limit that are only counted, because all of them together are too large."""
        self.tally = Tally()
        """The events that are only counted."""
        self._limit = limit
        self._has_several_logs = has_several_logs
        self._newest: list[_Placed] = []
        self._size = 0
        self._count = 0
        self._logs: dict[int, str | None] = {}
        self._log: str | None = None
        self._at_us = 0

    def list_newest(self) -> tuple[Incident, ...]:
        """Return the whole events, the oldest first."""
        return tuple(_add_stamp(incident) for _at_us, _number, incident in sorted(self._newest))

    def add(self, incident: Incident) -> None:
        """Add the next event of a file."""
        if self._has_several_logs and self._is_duplicate(incident):
            self.duplicates += 1
            return

        self._advance(incident)
        self._count += 1
        self._size += _measure(incident)
        heapq.heappush(self._newest, (self._at_us, self._count, incident))
        while len(self._newest) > self._limit:
            self._drop_oldest()
        while self._size > _MAX_PARTS:
            self.reduced += 1
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        """Count the oldest event, and drop it."""
        _at_us, _number, oldest = heapq.heappop(self._newest)
        self._size -= _measure(oldest)
        report = oldest.report
        parts = break_down(report.memory or Memory())
        self.tally.add(oldest, find_cause(report, compute_supplies(report), parts))

    def _is_duplicate(self, incident: Incident) -> bool:
        """Return whether an earlier file contained the event; without a time, nothing shows that it did."""
        report = incident.report
        at = incident.at
        if (at.realtime_us, at.monotonic_us) == (None, None):
            return False

        victims = tuple((victim.pid, victim.name) for victim in report.victims)
        event = (report.killer, at.realtime_us, at.monotonic_us, at.hostname, report.cgroup, report.unit, victims)
        is_duplicate = self._logs.setdefault(hash(event), incident.log) != incident.log
        if len(self._logs) > _MAX_COMPARED:
            del self._logs[next(iter(self._logs))]

        return is_duplicate

    def _advance(self, incident: Incident) -> None:
        """Set the time to that of an event; within one file it never goes back, even if the clock was set back."""
        at_us = incident.at.realtime_us
        is_same_log = incident.log == self._log
        self._log = incident.log
        if at_us is None:
            return

        if is_same_log:
            at_us = max(at_us, self._at_us)

        self._at_us = at_us


def _add_stamp(incident: Incident) -> Incident:
    return incident._replace(stamp=find_stamp(incident.report.first))


def _measure(incident: Incident) -> int:
    """Return the number of rows and other parts of an event, which says how much memory it takes."""
    report = incident.report
    return 1 + len(report.victims) + len(report.zones) * _PARTS_OF_ZONE + count_rows(report.tasks)
