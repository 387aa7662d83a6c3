# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports and what systemd logged beside them -> incidents: one OOM kill, its unit, and what became of that unit."""

from __future__ import annotations

import bisect
import collections
import types
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.cgroup import Place, read_cgroup
from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    UnitRecord,
)

# On a host short of memory journald may receive the kernel's and systemd's records late, and in either order.
_NEAR_US = 30_000_000
_NOTICED_US = 120_000_000
# As long as a unit may take to stop, if it is not told otherwise.
_STOPPING_US = 90_000_000
# A unit logs a handful of records from a kill to its next start.
_STRETCH = 64


class UnitEffect(t.NamedTuple):
    """What became of a unit in which a process was killed; None for what the journal does not say."""

    unit: str
    result: str | None = None
    """The unit's result as systemd logged it (`oom-kill`, `signal`), None where it did not fail."""
    stopped: bool | None = None
    restarted: bool | None = None
    """Systemd brought it back by itself (`Restart=`)."""
    oom_policy: str | None = None
    """In force now; None for another host's journal, and for a unit that is gone."""
    down_seconds: float | None = None
    """Until somebody, or systemd, started it again; None as long as nobody has."""
    main_process_killed: bool = False
    gone: bool = False
    """This host's systemd does not know the unit (any more)."""


class Incident(t.NamedTuple):
    """One OOM kill with all that is known about it; `at` is its kill line, or the last line that there is of it."""

    report: OomReport
    at: Line
    place: Place
    effect: UnitEffect | None = None
    log: str | None = None
    """The text file that tells of it; None where the journal does, whose records are trusted."""
    cgroups: t.Mapping[int, str] = types.MappingProxyType({})
    """Of the processes of its task table that have outlived it, by pid."""
    cause: str | None = None
    """Of an incident that is only counted: what its report showed, which is not kept."""

    @property
    def key(self) -> str:
        """Return a name for this incident that is the same in each run over the same source."""
        pid = self.report.victims[0].pid if self.report.victims else 0
        return f"{self.log or self.at.boot_id}-{self.at.cursor if self.log else self.at.monotonic_us}-{pid}"


def incident_of(report: OomReport, *, log: str | None = None) -> Incident:
    """Return the incident that `report` tells of, which was read from the text file `log` or from the journal."""
    return Incident(report=report, at=report.kill or report.last, place=read_cgroup(report.cgroup), log=log)


def with_effects(
    incidents: t.Iterable[Incident],
    records: t.Sequence[UnitRecord],
    policies: t.Mapping[str, str] | None,
    *,
    until_us: int,
) -> list[Incident]:
    """Return the incidents with their units and what became of them.

    `records` are systemd's, oldest first, of a journal that ends at `until_us`, microseconds since 1970; `policies` the
    values of OOMPolicy= that are in force now, by unit (None where systemd cannot be asked).
    """
    notices = _Timeline([record for record in records if record.what == OUT_OF_MEMORY])
    by_unit: dict[str, list[UnitRecord]] = collections.defaultdict(list)
    for record in records:
        by_unit[record.unit].append(record)
    timelines = {unit: _Timeline(own) for unit, own in by_unit.items()}
    result = []
    for incident in incidents:
        # Where systemd keeps no account of memory, all processes are in the root cgroup.
        is_named = incident.report.cgroup not in (None, "/")
        unit = incident.place.unit or (None if is_named else _unit_noticed(incident.at, notices.after(incident.at)))
        effect = None
        if unit:
            own = timelines[unit].after(incident.at) if unit in timelines else ()
            effect = _effect(unit, incident, own, (policies or {}).get(unit), until_us)
            effect = effect._replace(gone=policies is not None and unit not in policies)
        place = incident.place._replace(unit=unit)
        result.append(incident._replace(place=place, effect=effect))
    return result


class _Timeline:
    """Records in their order, of which a stretch is found without reading them all."""

    def __init__(self, records: t.Sequence[UnitRecord]) -> None:
        self._records = records
        self._times = [record.realtime_us for record in records]

    def after(self, kill: Line) -> t.Sequence[UnitRecord]:
        """Return what was logged from a little before `kill` on, as far as it can be the kill's doing."""
        start = bisect.bisect_left(self._times, (kill.realtime_us or 0) - 2 * _NEAR_US)
        return self._records[start : start + _STRETCH]


def _unit_noticed(kill: Line, notices: t.Sequence[UnitRecord]) -> str | None:
    """Return the unit in which systemd noticed a kill at that time, for kernels that do not name the cgroup.

    The slices around it may be told of the same kill; where several units are, none can be chosen.
    """
    units = {
        record.unit for record in notices if not record.unit.endswith(".slice") and _near(kill, record, after=_NEAR_US)
    }
    return units.pop() if len(units) == 1 else None


def _effect(
    unit: str, incident: Incident, records: t.Sequence[UnitRecord], policy: str | None, until_us: int
) -> UnitEffect:
    """Return what `records`, those of `unit` alone, say became of it after the kill."""
    kill = incident.at
    noticed = [record for record in records if record.what == OUT_OF_MEMORY and _near(kill, record, after=_NOTICED_US)]
    exited = any(record.what == EXITED and record.killed and _near(kill, record, after=_NEAR_US) for record in records)
    # Of a whole group (OOMPolicy=kill) the main process is one.
    main = exited and not incident.report.group and policy != "kill"
    failure = _failure(kill, records, results={"oom-kill", "signal"} if exited else {"oom-kill"})
    if failure is None:
        # Systemd logs nothing while it stops a unit for the kill.
        in_time = noticed and (policy == "continue" or until_us - noticed[0].realtime_us >= _STOPPING_US)
        stands = False if in_time else None
        return UnitEffect(unit=unit, stopped=stands, restarted=stands, oom_policy=policy, main_process_killed=main)
    later = records[records.index(failure) + 1 :]
    start = next((record for record in later if record.what == STARTED), None)
    down = later[: later.index(start)] if start else ()
    return UnitEffect(
        unit=unit,
        result=failure.result,
        stopped=True,
        restarted=any(record.what == RESTART for record in down),
        oom_policy=policy,
        down_seconds=_seconds_between(failure, start) if start else None,
        main_process_killed=main,
    )


def _failure(kill: Line, records: t.Sequence[UnitRecord], *, results: t.Collection[str]) -> UnitRecord | None:
    """Return the failure of the unit that came of the kill, however long its stopping took.

    The unit's next start ends the search; so does a later notice, which tells of another kill, unless it is the first
    one. Where systemd noticed the kill only before the kernel's own line arrived, the failure may have arrived before
    it as well.
    """
    at = kill.monotonic_us or 0
    was_noticed = False
    for record in (record for record in records if _near(kill, record, after=None) and record.monotonic_us >= at):
        if record.what == FAILED and record.result in results:
            return record
        if record.what == STARTED:
            break
        if record.what == OUT_OF_MEMORY:
            late_us = record.monotonic_us - at
            if late_us > _NOTICED_US or (was_noticed and late_us > _NEAR_US):
                break
            was_noticed = True
    near = [record for record in records if _near(kill, record, after=_NOTICED_US)]
    if any(record.what == OUT_OF_MEMORY and record.monotonic_us >= at for record in near):
        return None
    before = [record for record in near if record.monotonic_us < at]
    return next((record for record in reversed(before) if record.what == FAILED and record.result in results), None)


def _near(kill: Line, record: UnitRecord, *, after: int | None) -> bool:
    """Tell whether `record` is of the kill's boot, and from a little before it to `after` microseconds later."""
    if record.boot_id != kill.boot_id or kill.monotonic_us is None:
        return False
    later = record.monotonic_us - kill.monotonic_us
    return later >= -_NEAR_US and (after is None or later <= after)


def _seconds_between(first: UnitRecord, second: UnitRecord) -> float:
    same = first.boot_id == second.boot_id
    passed = second.monotonic_us - first.monotonic_us if same else second.realtime_us - first.realtime_us
    return round(passed / 1_000_000, 3)
