# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the units: incidents and systemd's records -> incidents with their units and the effects on them."""

from __future__ import annotations

import collections
import typing as t

from ..search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    UnitRecord,
)
from ..search.units import UnitStates
from .incident import Incident, UnitEffect
from .unit_life import (
    LATE_US,
    Clock,
    Event,
    Moment,
    Notices,
    UnitLife,
)

_NOTICED_US = 120_000_000
# The time that a unit may take to stop by default.
_STOPPING_US = 90_000_000
# A unit that fails this soon after a kill fails because of it; one that fails this much later may have another reason.
_SOON_US = 3_000_000
_LATER_US = 600_000_000
_MOST_NAMED = 10
# Whether a unit was restarted if no start of it is found, by whether journald took the message that it failed. If not,
# journald may not have taken the message about a start, either.
_NOT_RESTARTED = {True: False, False: None}

_UnitKey = t.Tuple[t.Optional[str], t.Optional[str]]
"""The name of a host, and a unit of it; None for what is unknown."""


def add_effects(
    incidents: t.Iterable[Incident],
    records: t.Sequence[UnitRecord],
    states: UnitStates,
    *,
    boots: t.Mapping[str, int],
) -> list[Incident]:
    """Return the incidents with their units and what became of them.

    `records` are systemd's, `states` the units as they are now, and `boots` the times of the last entries of all boots
    in the journal, in microseconds since 1970.
    """
    clock = Clock(boots)
    placed = list(_add_units(incidents, records, clock))
    lives = _Lives(placed, records, clock)
    result = []
    for incident in placed:
        effect = UnitEffect()
        unit = incident.place.unit
        if unit:
            effect = _UnitKill(incident, unit, lives.find(incident), clock, states).find_effect()

        result.append(incident._replace(effect=effect))

    return result


def _add_units(incidents: t.Iterable[Incident], records: t.Iterable[UnitRecord], clock: Clock) -> t.Iterator[Incident]:
    """Yield the incidents with their units; if the kernel did not name the cgroup, with the unit that systemd named.

    systemd may notice the same kill in the slices around the unit. If it noticed kills in several units, the likeliest
    is taken, and a note names all of them.
    """
    notices = Notices(clock, records)
    for incident in incidents:
        # If systemd does not account for memory, all processes are in the root cgroup.
        if incident.place.unit or incident.report.cgroup not in (None, "/"):
            yield incident
            continue

        units = notices.find_units_near(clock.find_moment(incident.time))
        unit = next(iter(units), None)
        place = incident.place._replace(unit=unit)
        yield incident._replace(place=place, notes=tuple(_note_ambiguity(units)))


def _note_ambiguity(units: t.Sequence[str]) -> t.Iterator[str]:
    if len(units) > 1:
        named = ", ".join(units[:_MOST_NAMED])
        yield (
            "The report names no cgroup, and systemd noticed OOM kills in several units at that time: "
            f"{named}. This kill is counted for the likeliest, {units[0]}."
        )


class _Lives:
    """What systemd logged about the units of the incidents."""

    def __init__(self, incidents: t.Iterable[Incident], records: t.Sequence[UnitRecord], clock: Clock) -> None:
        # The name of a host may change, but not within one boot.
        self._hosts = {record.boot_id: record.hostname for record in records}

        kills: dict[_UnitKey, list[Moment]] = collections.defaultdict(list)
        for incident in incidents:
            kills[self._find_key(incident)].append(clock.find_moment(incident.time))

        by_unit: dict[_UnitKey, list[UnitRecord]] = collections.defaultdict(list)
        for record in records:
            by_unit[self._hosts[record.boot_id], record.unit].append(record)

        self._lives = {key: UnitLife(clock, by_unit[key], sorted(own)) for key, own in kills.items()}

    def find(self, incident: Incident) -> UnitLife:
        """Return what systemd logged about the unit of an incident."""
        return self._lives[self._find_key(incident)]

    def _find_key(self, incident: Incident) -> _UnitKey:
        host = self._hosts.get(incident.time.boot_id, incident.at.hostname)
        return host, incident.place.unit


class _UnitKill:
    """One kill in a unit, with what systemd logged about that unit."""

    def __init__(self, incident: Incident, unit: str, life: UnitLife, clock: Clock, states: UnitStates) -> None:
        self._unit = unit
        self._is_group = incident.report.group
        self._at = clock.find_moment(incident.time)
        self._life = life
        self._clock = clock
        self._states = states
        self._policy = states.find(unit).oom_policy
        self._state = states.find_in_boot(unit, incident.time.boot_id)
        self._notice = self._find_notice()
        # The notice may have arrived before the kernel's own line: the kill is known from the later of the two on.
        self._known_at = self._at
        if self._notice:
            self._known_at = max(self._at, self._notice.at)

    def find_effect(self) -> UnitEffect:
        """Return what became of the unit after the kill."""
        effect = UnitEffect(
            unit=self._unit,
            oom_policy=self._policy,
            main_process_killed=self._is_main_process_killed(),
            gone=self._states.is_gone(self._unit),
            is_up=self._states.find(self._unit).is_up,
        )
        return self._settle(self._add_records(effect))

    def _add_records(self, effect: UnitEffect) -> UnitEffect:
        """Return the effect with what the journal shows of it."""
        failure = self._find_failure()
        if failure is not None:
            return self._add_failure(effect, failure)

        if self._has_stayed_up():
            return effect._replace(stopped=False, restarted=False)

        return effect

    def _settle(self, effect: UnitEffect) -> UnitEffect:
        """Return the effect with what systemd says of the unit now, if the journal leaves it open."""
        if effect.is_settled:
            return effect

        if self._is_down_since():
            return effect._replace(result="oom-kill", stopped=True, restarted=False, confirmed=True)

        if self._is_up_since_before():
            return effect._replace(result=None, stopped=False, restarted=False, confirmed=True)

        return effect

    def _is_down_since(self) -> bool:
        """Return whether the unit is down because of this kill, the last one before it went down.

        It is down now, so the kill in it was before that, however late journald received the kernel's line.
        """
        if not self._state.is_oom_killed:
            return False

        down = self._at.at(self._state.down_us)
        return not self._life.has_kill_between(self._at, down)

    def _is_up_since_before(self) -> bool:
        """Return whether the unit has been up since before the kill.

        journald may receive the kernel's line so late that systemd has restarted the unit before that.
        """
        if self._state.is_up is not True or self._state.was_restarted:
            return False

        return self._state.up_us < self._at.monotonic_us

    def _add_failure(self, effect: UnitEffect, failure: Event) -> UnitEffect:
        """Return the effect with the failure; unchanged if the unit may have failed for another reason."""
        if not self._is_caused_by_kill(failure):
            return effect

        is_trusted = failure.record.trusted
        effect = effect._replace(result=failure.record.result, stopped=True, confirmed=is_trusted)
        start = self._life.find_next(STARTED, failure.at)
        if start is None:
            return effect._replace(restarted=_NOT_RESTARTED[is_trusted])

        # Without a record that systemd restarts the unit, a person started it.
        return effect._replace(
            restarted=self._life.has_event_between(RESTART, failure.at, start.at),
            down_seconds=self._measure_outage(failure, start),
        )

    def _is_main_process_killed(self) -> bool:
        # The kernel or systemd (OOMPolicy=kill) killed a whole group, and the main process is only one of it.
        if self._is_group or self._policy == "kill":
            return False

        return self._at in self._life.main_process_kills

    def _find_notice(self) -> Event | None:
        """Return systemd's notice of the kill, which may have arrived before the kernel's own line."""
        after = self._life.find_next(OUT_OF_MEMORY, self._at, self._at.plus(_NOTICED_US + 1))
        return after or self._life.find_last_of_kill(OUT_OF_MEMORY, self._at)

    def _find_failure(self) -> Event | None:
        """Return the failure of the unit that the kill caused, or may have caused, however long its stopping took.

        If systemd noticed the kill only before the kernel's own line arrived, the failure may have arrived before that
        line as well.
        """
        failure = self._life.find_next(FAILED, self._at, self._at.end_of_boot)
        if failure and self._may_be_caused_by_kill(failure):
            return failure

        if self._known_at > self._at:
            return None

        return self._life.find_last_of_kill(FAILED, self._at)

    def _may_be_caused_by_kill(self, failure: Event) -> bool:
        """Return whether the kill may have caused the unit's next failure in the same boot.

        The unit's next start ends the search. A later notice also ends it, since that notice belongs to another kill,
        unless it is the first one.
        """
        if self._life.has_event_between(STARTED, self._at, failure.at):
            return False

        late = max(self._known_at, self._at.plus(LATE_US))
        if self._life.has_event_between(OUT_OF_MEMORY, late.plus(1), failure.at):
            return False

        if failure.at <= self._known_at.plus(_SOON_US):
            return True

        if self._is_caused_by_kill(failure):
            return True

        if failure.at > self._at.plus(_LATER_US):
            return False

        return not self._life.has_kill_between(self._at, failure.at)

    def _is_caused_by_kill(self, failure: Event) -> bool:
        """Return whether the unit failed because of the kill, as far as the result and the time can show that."""
        result = failure.record.result
        if result == "oom-kill":
            return True

        if result == "signal" and self._at in self._life.main_process_kills:
            return True

        if not self._at <= failure.at <= self._known_at.plus(_SOON_US):
            return False

        return not self._life.has_kill_between(self._at, failure.at)

    def _has_stayed_up(self) -> bool:
        """Return whether the unit certainly survived the kill.

        systemd logs nothing while it stops a unit because of the kill, nor if the host goes down in the meantime.
        """
        if self._notice is None or self._at in self._life.main_process_kills:
            return False

        # The states of the units are those of the last boot.
        if self._clock.is_in_last_boot(self._at):
            if self._states.find(self._unit).is_stopping:
                return False

            if self._policy == "continue":
                return True

        return self._at.boot_ends_us - self._notice.record.realtime_us >= _STOPPING_US

    def _measure_outage(self, failure: Event, start: Event) -> float | None:
        """Return the seconds from the end of the main process, or else from the failure, to the start."""
        begin = min(self._at, failure.at.plus(-LATE_US))
        end = self._life.find_last(EXITED, failure.at, begin)
        down = end or failure

        return _measure_seconds(down.record, start.record)


def _measure_seconds(first: UnitRecord, second: UnitRecord) -> float | None:
    """Return the time from one record to a later one, None if a boot with a wrong time is between them."""
    passed_us = second.realtime_us - first.realtime_us
    if first.boot_id == second.boot_id:
        passed_us = second.monotonic_us - first.monotonic_us

    if passed_us < 0:
        return None

    return round(passed_us / 1_000_000, 3)
