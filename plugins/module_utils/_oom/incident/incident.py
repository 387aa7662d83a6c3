# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An incident: one OOM kill, the unit it happened in, and what became of that unit."""

from __future__ import annotations

import types
import typing as t

from ..report.model import Line, OomReport
from .cgroup import Place, parse_cgroup


class UnitEffect(t.NamedTuple):
    """What became of a unit in which a process was killed; None for what the journal does not say."""

    unit: str = ""
    """Empty if the unit of the process is unknown."""
    result: str | None = None
    """The unit's result as systemd logged it (`oom-kill`, `signal`), None if it did not fail."""
    stopped: bool | None = None
    restarted: bool | None = None
    """systemd restarted it automatically (`Restart=`)."""
    oom_policy: str | None = None
    """The policy in force now; None for another host's journal, and for a unit that no longer exists."""
    down_seconds: float | None = None
    """From the end of its main process until its next start; None if it has not been started since."""
    main_process_killed: bool = False
    gone: bool = False
    """This host's systemd does not know the unit, or forgets it when it ends."""
    is_up: bool | None = None
    """Whether it is up now; None for another host's journal."""
    confirmed: bool = True
    """Whether it is certain that systemd says so: False if all that says so came through /dev/kmsg."""

    @property
    def is_settled(self) -> bool:
        """Whether it is certain if the unit went down."""
        return self.stopped is not None and self.confirmed


class KillTime(t.NamedTuple):
    """When a kill was logged. A record in a journal shows all of it; what a line in a text log omits is empty or 0."""

    boot_id: str
    realtime_us: int
    """Since 1970."""
    monotonic_us: int
    """Since the boot."""


class Incident(t.NamedTuple):
    """One OOM kill with everything known about it; `at` is its kill line, or else the last line of its report."""

    report: OomReport
    at: Line
    place: Place
    effect: UnitEffect = UnitEffect()
    log: str | None = None
    """The text log that the report comes from; None for the journal, whose records are trusted."""
    stamp: str | None = None
    """The prefix of the report's first line in the text log: time, host and program; None if it has none."""
    cgroups: t.Mapping[int, str] = types.MappingProxyType({})
    """The cgroups of the processes in its task table that survived it, by pid."""
    cause: str | None = None
    """For an incident that is only counted: the cause that its report showed, which is not kept."""
    notes: tuple[str, ...] = ()
    """What is uncertain about its unit."""

    @property
    def time(self) -> KillTime:
        at = self.at
        boot_id = at.boot_id or ""
        realtime_us = at.realtime_us or 0
        monotonic_us = at.monotonic_us or 0

        return KillTime(boot_id, realtime_us, monotonic_us)

    @property
    def victim_names(self) -> list[str]:
        return [victim.name for victim in self.report.victims]

    @property
    def is_effect_known(self) -> bool:
        """Whether it is known if the kill took a unit down: it did not if the process was in no unit."""
        if self.effect.unit:
            return self.effect.stopped is not None

        return self.log is None and self.report.cgroup is not None

    @property
    def key(self) -> str:
        """An identifier that is the same in each run over the same source."""
        pid = 0
        if self.report.victims:
            pid = self.report.victims[0].pid

        if self.log:
            return f"{self.log}-{self.at.cursor}-{pid}"

        return f"{self.at.boot_id}-{self.at.monotonic_us}-{pid}"


def build_incident(report: OomReport, *, log: str | None = None) -> Incident:
    """Return the incident of a report, which was read from the text log `log` or else from the journal."""
    place = parse_cgroup(report.cgroup)
    if report.unit is not None:
        place = place._replace(unit=report.unit)

    return Incident(report=report, at=report.kill or report.last, place=place, log=log)
