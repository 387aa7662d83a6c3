# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports and what systemd logged beside them -> incidents: one OOM kill, its unit, and what became of that unit."""

from __future__ import annotations

import collections
import types
import typing as t

from ..report.model import Line, OomReport
from ..search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    UnitRecord,
)
from .cgroup import Place, read_cgroup
from .unit_life import (
    LATE_US,
    Clock,
    Event,
    Life,
    Moment,
    Notices,
)

_NOTICED_US = 120_000_000
# As long as a unit may take to stop, if it is not told otherwise.
_STOPPING_US = 90_000_000
# What fails at once after a kill fails for it, and what fails this much later need not.
_SOON_US = 3_000_000
_LATER_US = 600_000_000


_Key = t.Tuple[t.Optional[str], str]
"""A host's name, and a unit of it."""


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
    """From the end of its main process until somebody, or systemd, started it again; None as long as nobody has."""
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
    boots: t.Mapping[str, int],
    stopping: t.Collection[str] = (),
) -> list[Incident]:
    """Return the incidents with their units and what became of them.

    `records` are systemd's; `policies` the values of OOMPolicy= that are in force now, by unit (None where systemd
    cannot be asked); `boots` the times of the last entries of all boots in the journal, microseconds since 1970;
    `stopping` the units that systemd is stopping now, which may take as long as they are told.
    """
    clock = Clock(boots)
    placed = list(_with_units(incidents, records, clock))
    # What a host is called may change, but not what it is in one boot.
    hosts = {record.boot_id: record.hostname for record in records}
    kills: dict[_Key, list[Moment]] = collections.defaultdict(list)
    by_unit: dict[_Key, list[UnitRecord]] = collections.defaultdict(list)
    keys = [(hosts.get(one.at.boot_id or "", one.at.hostname), one.place.unit or "") for one in placed]
    for key, incident in zip(keys, placed):
        kills[key].append(clock.moment(incident.at))
    for record in records:
        by_unit[hosts[record.boot_id], record.unit].append(record)
    lives = {key: Life(clock, by_unit[key], sorted(own)) for key, own in kills.items()}
    result = []
    for key, incident in zip(keys, placed):
        unit = incident.place.unit
        effect = None
        if unit:
            policy = (policies or {}).get(unit)
            effect = _effect(unit, incident, lives[key], clock, policy)
            effect = effect._replace(gone=policies is not None and unit not in policies)
            if unit in stopping and effect.stopped is False and boots.get(incident.at.boot_id or "") == clock.ends_us:
                effect = effect._replace(stopped=None, restarted=None)
        result.append(incident._replace(effect=effect))
    return result


def _with_units(incidents: t.Iterable[Incident], records: t.Iterable[UnitRecord], clock: Clock) -> t.Iterator[Incident]:
    """Yield the incidents with their units, of which kernels that do not name the cgroup leave systemd to tell.

    The slices around it may be told of the same kill; where several units are, none can be chosen.
    """
    notices = Notices(
        clock, [record for record in records if record.what == OUT_OF_MEMORY and not record.unit.endswith(".slice")]
    )
    for incident in incidents:
        unit = incident.place.unit
        # Where systemd keeps no account of memory, all processes are in the root cgroup.
        if not unit and incident.report.cgroup in (None, "/"):
            unit = notices.unit_near(clock.moment(incident.at))
        yield incident._replace(place=incident.place._replace(unit=unit))


def _effect(unit: str, incident: Incident, life: Life, clock: Clock, policy: str | None) -> UnitEffect:
    """Return what became of the unit after the kill."""
    at = clock.moment(incident.at)
    # Of a whole group (OOMPolicy=kill) the main process is one.
    main = at in life.main_processes and not incident.report.group and policy != "kill"
    notice = _notice(at, life)
    failure = _failure(at, life, notice)
    if failure is None or not _is_its_doing(failure, at, life, notice.at if notice else at):
        stands = None
        if notice and failure is None and at not in life.main_processes:
            # Systemd logs nothing while it stops a unit for the kill, nor when the host ends meanwhile.
            is_not_to_stop = policy == "continue" and at.boot_ends_us == clock.ends_us
            has_passed = at.boot_ends_us - notice.record.realtime_us >= _STOPPING_US
            stands = False if is_not_to_stop or has_passed else None
        return UnitEffect(unit=unit, stopped=stands, restarted=stands, oom_policy=policy, main_process_killed=main)
    start = life.next(STARTED, failure.at)
    restart = life.next(RESTART, failure.at)
    end = life.last(EXITED, failure.at)
    down = end if end and end.at >= min(at, failure.at.plus(-LATE_US)) else failure
    return UnitEffect(
        unit=unit,
        result=failure.record.result,
        stopped=True,
        restarted=bool(start and restart and restart.at < start.at),
        oom_policy=policy,
        down_seconds=_seconds_between(down.record, start.record) if start else None,
        main_process_killed=main,
    )


def _notice(at: Moment, life: Life) -> Event | None:
    """Return systemd's notice of the kill, which may have arrived before the kernel's own line."""
    after = life.next(OUT_OF_MEMORY, at)
    if after and after.at <= at.plus(_NOTICED_US):
        return after
    before = life.last(OUT_OF_MEMORY, at)
    return before if before and life.kill_of(before.at) == at else None


def _failure(at: Moment, life: Life, notice: Event | None) -> Event | None:
    """Return the failure of the unit that came, or may have come, of the kill, however long its stopping took.

    The unit's next start ends the search; so does a later notice, which tells of another kill, unless it is the first
    one. Where systemd noticed the kill only before the kernel's own line arrived, the failure may have arrived before
    it as well.
    """
    failure = life.next(FAILED, at)
    start = life.next(STARTED, at)
    noticed = max(at, notice.at) if notice else at
    other = life.next(OUT_OF_MEMORY, max(noticed, at.plus(LATE_US)).plus(1))
    if (
        failure
        and failure.at.boot_id == at.boot_id
        and not any(event and event.at < failure.at for event in (start, other))
    ):
        is_late = failure.at > at.plus(_LATER_US) or life.is_killed_between(at, failure.at)
        if _is_its_doing(failure, at, life, noticed) or failure.at <= noticed.plus(_SOON_US) or not is_late:
            return failure
    before = life.last(FAILED, at) if noticed == at else None
    return before if before and life.kill_of(before.at) == at else None


def _is_its_doing(failure: Event, at: Moment, life: Life, noticed: Moment) -> bool:
    """Tell whether the unit failed for the kill, as far as the result and the time can tell."""
    result = failure.record.result
    if result == "oom-kill" or (result == "signal" and at in life.main_processes):
        return True
    is_soon = at <= failure.at <= noticed.plus(_SOON_US)
    return is_soon and not life.is_killed_between(at, failure.at)


def _seconds_between(first: UnitRecord, second: UnitRecord) -> float | None:
    """Return the time from one record to a later one, None where a boot with a wrong time is between them."""
    same = first.boot_id == second.boot_id
    passed = second.monotonic_us - first.monotonic_us if same else second.realtime_us - first.realtime_us
    return round(passed / 1_000_000, 3) if passed >= 0 else None
