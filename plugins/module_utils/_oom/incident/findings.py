# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the traces of OOM kills in a journal lead to: whole reports, and what became of the units."""

from __future__ import annotations

import bisect
import collections
import functools
import typing as t

from ..._command import CommandError, Run
from ..._journal.journal import Journal
from ..._journal.record import Key, Record
from ..._journal.surroundings import (
    Stretch,
    after,
    after_in_boot,
    around,
)
from ..report.kill_lines import names_victim
from ..report.model import Line, OomReport, Origin, Unparsed
from ..report.reader import is_same, read_reports
from ..search.records import (
    FAILED,
    LIFE,
    NEAR_US,
    KillerRecord,
    UnitRecord,
    is_from_kernel,
    read_record,
)
from ..search.search import Coverage, Traces, coverage_of
from .host_now import Today, today_of
from .incident import Incident, incident_of, with_effects
from .survivors import with_cgroups

# In search of a report's beginning; the longest have thousands of tasks.
_LONGEST = 40_000
# The OOM reaper, and the other members of a killed group, follow the first kill line.
_AFTERMATH_US = 10_000_000
_TOGETHER = 16
# A unit logs a handful of records from a kill to its next start.
_STRETCH = 16
_READ_AHEAD = 8 * _STRETCH


class Findings(t.NamedTuple):
    """What was found, oldest first: `incidents` whole, and of the `older` ones beyond the limit the kill line alone."""

    incidents: tuple[Incident, ...]
    older: tuple[Incident, ...]
    units_taken_down: tuple[str, ...]
    coverage: Coverage
    today: Today = Today()


def follow(
    journal: Journal, traces: Traces, run: Run, *, limit: int, local: bool, page_size: int | None, persistent: bool
) -> Findings:
    """Read what the traces lead to; of `limit` incidents whole: those in which a service went down, then the newest.

    With `local`, the OOM policies in force are asked of this host's systemd; `page_size` is for reports that do not
    tell it. Raises JournalError.
    """
    incidents, older, unreadable = _incidents(journal, traces, limit, page_size)
    units = {unit for unit in (incident.place.unit for incident in incidents) if unit}
    units |= {record.unit for record in traces.units if not record.unit.endswith(".slice")}
    life = _life(journal, incidents, traces.units)
    policies, stopping = _in_force(run, sorted(units)) if local else (None, ())
    boots = traces.extent.boot_ends
    incidents = with_effects(incidents, life, policies, boots=boots, stopping=stopping)
    if local:
        incidents = with_cgroups(incidents)
    down = {record.unit for record in traces.units if record.what == FAILED}
    down |= {incident.effect.unit for incident in incidents if incident.effect and incident.effect.stopped}
    return Findings(
        incidents=tuple(incidents),
        older=tuple(with_effects(older, traces.units, policies, boots=boots)),
        units_taken_down=tuple(sorted(down)),
        coverage=coverage_of(journal, traces, persistent=persistent, unreadable=unreadable),
        today=today_of() if local else Today(),
    )


def _incidents(
    journal: Journal, traces: Traces, limit: int, page_size: int | None
) -> tuple[list[Incident], list[Incident], int]:
    """Return the incidents to explain and those to count, oldest first, and how many kill lines could not be read."""
    boots = {boot_id: rank for rank, boot_id in enumerate(reversed(traces.boots))}

    def in_time(incident: Incident) -> tuple[int, int]:
        return boots.get(incident.at.boot_id or "", 0), incident.at.monotonic_us or 0

    # Of one event there may be many kill lines, so that it takes reading to know when there are enough.
    incidents: list[Incident] = []
    unreadable = 0
    failures = _Failures(traces.units)
    pending = {
        kill.key: kill
        for kill in sorted(traces.kills, key=lambda kill: not failures.follow(kill.boot_id, kill.monotonic_us))
    }
    while pending and len(incidents) < limit:
        stretches = _stretches(list(pending.values())[: limit - len(incidents)])
        for stretch, records in zip(stretches, around(journal, stretches)):
            read, found, unread = _read_stretch(records, pending, page_size)
            incidents += read
            unreadable += unread
            for key in found:
                del pending[key]
            # Of a damaged journal, a record may not be read again.
            unreadable += pending.pop(stretch.newest.key, None) is not None
    rest = [_line_of(kill) for kill in reversed(traces.kills) if kill.key in pending]
    told = list(read_reports(rest))
    reports = [item for item in told if isinstance(item, OomReport)]
    incidents += map(incident_of, reports)
    incidents += _of_other_killers(traces.killers, incidents)
    incidents.sort(key=lambda one: (failures.follow(one.at.boot_id, one.at.monotonic_us), in_time(one)))
    cut = max(len(incidents) - limit, 0)
    return (
        sorted(incidents[cut:], key=in_time),
        sorted(incidents[:cut], key=in_time),
        unreadable + len(told) - len(reports),
    )


class _Failures:
    """The services that OOM kills have taken down, by boot and time."""

    def __init__(self, records: t.Sequence[UnitRecord]) -> None:
        self._times: dict[str, list[int]] = collections.defaultdict(list)
        for record in records:
            if record.what == FAILED and record.unit.endswith(".service"):
                bisect.insort(self._times[record.boot_id], record.monotonic_us)

    def follow(self, boot_id: str | None, monotonic_us: int | None) -> bool:
        """Tell whether a service went down near a kill."""
        times = self._times.get(boot_id or "", [])
        first = bisect.bisect_left(times, (monotonic_us or 0) - NEAR_US)
        return first < len(times) and times[first] <= (monotonic_us or 0) + 2 * NEAR_US


def _of_other_killers(said: t.Sequence[KillerRecord], by_kernel: t.Sequence[Incident]) -> list[Incident]:
    """Return the kills of other killers, without those of processes that the kernel has killed as well."""
    reports = read_reports([_line_of(one.record, one.killer) for one in reversed(said)])
    kills = collections.defaultdict(list)
    for incident in by_kernel:
        for victim in incident.report.victims:
            kills[incident.at.boot_id, victim.pid].append((victim, incident.at))
    return [
        incident_of(report)
        for report in reports
        if isinstance(report, OomReport)
        and not any(
            is_same(report, *kill) for victim in report.victims for kill in kills[report.first.boot_id, victim.pid]
        )
    ]


def _read_stretch(
    records: t.Sequence[Record], pending: t.Mapping[Key, Record], page_size: int | None
) -> tuple[list[Incident], set[Key], int]:
    """Return the incidents of the pending kills that are among the records, newest first, and these kills.

    And how many of the kills nothing came of.
    """
    window = [record for record in reversed(records) if is_from_kernel(record)]
    times = {kill.monotonic_us for kill in pending.values()}
    kills = {
        index: record.key
        for index, record in enumerate(window)
        if record.monotonic_us in times and record.key in pending
    }
    lines = [_line_of(record) for record in window]
    places = {id(line): index for index, line in enumerate(lines)}
    incidents: list[Incident] = []
    told: set[int] = set()
    cut: set[int] = set()
    for item in read_reports(lines, page_size=page_size):
        if isinstance(item, Unparsed):
            cut.add(places[id(item.line)])
            continue
        own = kills.keys() & range(places[id(item.first)], places[id(item.last)] + 1)
        # At the window's edge may stand the rest of an earlier report.
        if own:
            incidents.append(incident_of(item))
            told |= own
    # A table, and that there was no process to kill, need not lead to a report.
    unread = [index for index in kills if (index not in told or index in cut) and names_victim(lines[index].text)]
    return incidents, set(kills.values()), len(unread)


def _stretches(kills: t.Sequence[Record]) -> list[Stretch]:
    """Return the parts of the journal that hold the reports of the kills; those that stand close share one."""
    groups: list[list[Record]] = []
    for kill in kills:
        last = groups[-1][-1] if groups else None
        if (
            last
            and (last.boot_id, _facility(last)) == (kill.boot_id, _facility(kill))
            and 0 <= last.monotonic_us - kill.monotonic_us <= _AFTERMATH_US
            and len(groups[-1]) < _TOGETHER
        ):
            groups[-1].append(kill)
        else:
            groups.append([kill])
    return [
        Stretch(
            newest=group[0],
            oldest=group[-1],
            matches=("_TRANSPORT=kernel", *_facility(group[0])),
            after_us=_AFTERMATH_US,
            begin=" invoked oom-killer",
            limit=_LONGEST,
        )
        for group in groups
    ]


def _facility(kill: Record) -> list[str]:
    """Return what the kernel's own records match beside their transport, where this version of journald writes it."""
    return ["SYSLOG_FACILITY=0"] if "SYSLOG_FACILITY" in kill.fields else []


# So that lines which follow one another share it, as their reader likes it.
_origin = functools.lru_cache(maxsize=8)(Origin)


def _line_of(record: Record, source: str = "kernel") -> Line:
    """Return the message of a record, which `source` wrote."""
    fields = record.fields
    origin = _origin(record.boot_id, fields.get("_HOSTNAME"), source)
    return Line(fields.get("MESSAGE", ""), record.realtime_us, record.monotonic_us, record.cursor, origin)


def _life(journal: Journal, incidents: t.Sequence[Incident], notices: t.Sequence[UnitRecord]) -> list[UnitRecord]:
    """Return what systemd logged of the units of the incidents from a little before each kill on."""
    found = {(record.boot_id, record.monotonic_us, record.unit, record.what): record for record in notices}
    noticed = sorted((record.boot_id, record.monotonic_us, record.unit) for record in notices)
    kills: dict[str, list[Line]] = collections.defaultdict(list)
    for incident in incidents:
        at = incident.at
        if at.boot_id is None or at.realtime_us is None or at.monotonic_us is None:
            continue
        first = bisect.bisect_left(noticed, (at.boot_id, at.monotonic_us - NEAR_US, ""))
        end = bisect.bisect_left(noticed, (at.boot_id, at.monotonic_us + NEAR_US, ""))
        units = {unit for _boot, _time, unit in noticed[first:end]}
        for unit in {incident.place.unit} if incident.place.unit else units:
            kills[unit].append(at)
    for unit, own in kills.items():
        for record in map(read_record, _life_of(journal, unit, own)):
            if isinstance(record, UnitRecord):
                found[record.boot_id, record.monotonic_us, record.unit, record.what] = record
    return list(found.values())


def _life_of(journal: Journal, unit: str, kills: t.Sequence[Line]) -> t.Iterator[Record]:
    """Yield what systemd logged of a unit from a little before each kill on: at least a stretch of it.

    By the clock, which leads to the unit's next start in whatever boot, and in the boot of the kill, as the clock may
    have been set back.
    """
    matches = [f"UNIT={unit}", "_PID=1", *(f"MESSAGE_ID={message_id}" for message_id in LIFE)]
    by_clock = functools.partial(after, journal, matches=matches, count=_READ_AHEAD)
    yield from _stretches_after([kill.realtime_us or 0 for kill in kills], by_clock, lambda record: record.realtime_us)
    by_boot: dict[str, list[int]] = collections.defaultdict(list)
    for kill in kills:
        by_boot[kill.boot_id or ""].append(kill.monotonic_us or 0)
    for boot_id, times in by_boot.items():
        in_boot = functools.partial(after_in_boot, journal, boot_id, matches=matches, count=_READ_AHEAD)
        yield from _stretches_after(times, in_boot, lambda record: record.monotonic_us)


def _stretches_after(
    kills: t.Iterable[int], look: t.Callable[[int], list[Record]], time_of: t.Callable[[Record], int]
) -> t.Iterator[Record]:
    """Yield the records from a little before each of the kills on, at least a stretch of them after each."""
    enough_us = -1
    # In a storm of kills, what was logged before this one may be all that one look shows.
    for time_us in sorted(begin_us for kill_us in kills for begin_us in (max(kill_us - NEAR_US, 0), kill_us)):
        if time_us <= enough_us:
            continue
        records = look(time_us)
        yield from records
        if len(records) < _READ_AHEAD:
            return
        enough_us = time_of(records[-_STRETCH])


def _in_force(run: Run, units: t.Sequence[str]) -> tuple[dict[str, str] | None, t.Collection[str]]:
    """Return the OOMPolicy= of each of the units that systemd knows, and those that it is stopping.

    Instead of the policies None where it does not answer.
    """
    if not units:
        return {}, ()
    try:
        done = run(["systemctl", "show", "--no-pager", "--property=Id,LoadState,ActiveState,OOMPolicy", "--", *units])
    except CommandError:
        return None, ()
    if done.returncode:
        return None, ()
    policies, stopping = {}, set()
    for block in done.stdout.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if properties.get("LoadState") == "loaded" and "OOMPolicy" in properties:
            policies[properties["Id"]] = properties["OOMPolicy"]
        if properties.get("ActiveState") == "deactivating":
            stopping.add(properties["Id"])
    return policies, stopping
