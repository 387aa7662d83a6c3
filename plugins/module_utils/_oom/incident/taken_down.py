# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that OOM kills took down, whether the kills were found or not."""

from __future__ import annotations

import typing as t

from ..search.coverage import Coverage
from ..search.records import NEAR_US, UnitRecord
from ..search.units import Outage, UnitState, UnitStates
from .incident import Incident

# Even a unit that takes long to stop is down this long after the kill.
_LONGEST_STOP_US = 900_000_000
_MOST_NAMES = 10
_UNCONFIRMED = "Only the kernel's log, to which other programs can write, says that OOM kills took down units"
_REFUTED = "Untrusted records: written to /dev/kmsg in the name of systemd, which says that the units stayed up"
_NOT_FOUND = "According to systemd, OOM kills took down units, but no event shows such a kill"


class TakenDown(t.NamedTuple):
    """A unit that OOM kills took down; the last time, if they did more than once."""

    unit: str
    result: str | None
    """The unit's result; None if the journal does not show it."""
    time_us: int
    """When it went down, since 1970."""
    state: UnitState
    """The unit now; nothing of it is known for another host's journal."""
    incident: Incident | None = None
    """The last kill that took it down, None if no such kill was found."""
    confirmed: bool = True
    """Whether it is certain that systemd says so: False if all that says so came through /dev/kmsg."""
    ended_by_signal: bool = False
    """Whether the kill of its main process ended it, its result is `signal`, and it has not been started since."""

    @property
    def is_oom_killed(self) -> bool:
        """Whether an OOM kill took it down, and it has not been started since."""
        return self.state.is_oom_killed or self.ended_by_signal


def list_taken_down(
    incidents: t.Iterable[Incident],
    records: t.Iterable[UnitRecord],
    states: UnitStates,
    outages: t.Iterable[Outage],
) -> tuple[TakenDown, ...]:
    """Return the units that OOM kills took down, by name.

    `incidents` and `records` are those of the requested part of the journal, the incidents oldest first.
    `outages` are the units that systemd says are down because of OOM kills, whatever the journal holds.
    """
    taken: dict[str, TakenDown] = {}
    for record in sorted(filter(_is_certain_failure, records), key=lambda record: record.realtime_us):
        taken[record.unit] = TakenDown(record.unit, record.result, record.realtime_us, states.find(record.unit))

    for state, time_us in outages:
        taken[state.unit] = TakenDown(state.unit, state.result, time_us, state)

    for incident in filter(_has_stopped_unit, incidents):
        unit = incident.effect.unit
        taken[unit] = _add_incident(taken.get(unit), incident, states)

    return tuple(taken[unit] for unit in sorted(taken))


def _add_incident(known: TakenDown | None, incident: Incident, states: UnitStates) -> TakenDown:
    """Return the unit that a kill took down; `known` is what else is known of it."""
    effect = incident.effect
    time_us = incident.time.realtime_us
    if known is None:
        known = TakenDown(effect.unit, effect.result, time_us, states.find(effect.unit), confirmed=effect.confirmed)

    return known._replace(
        result=effect.result,
        time_us=max(time_us, known.time_us),
        incident=incident,
        ended_by_signal=_is_ended_by_signal(incident, states),
    )


def _is_ended_by_signal(incident: Incident, states: UnitStates) -> bool:
    """Return whether a unit has ended with its main process, which a kill ended: the effect of OOMPolicy=continue.

    Its result says nothing of the OOM killer.
    """
    killed_at = incident.time
    state = states.find_in_boot(incident.effect.unit, killed_at.boot_id)
    if not incident.effect.main_process_killed or not state.main_process_killed:
        return False

    return state.result == "signal" and state.up_us < killed_at.monotonic_us


def _has_stopped_unit(incident: Incident) -> bool:
    return incident.effect.stopped is True


def _is_certain_failure(record: UnitRecord) -> bool:
    return record.is_failure and record.trusted


def add_missing_kills(
    coverage: Coverage, taken_down: t.Iterable[TakenDown], *, named: t.Collection[str] = ()
) -> Coverage:
    """Return the coverage, with the units that went down without a kill that was found, except those `named` already.

    If a unit went down before the journal begins, or when it began, its kill is not in the requested period.
    """
    begin_us = (coverage.first_us or 0) + NEAR_US
    missing = []
    earlier = []
    for unit in filter(_lacks_kill, taken_down):
        if unit.time_us < begin_us:
            earlier.append(unit.unit)
        else:
            missing.append(unit.unit)

    gaps = _name_units(_NOT_FOUND, sorted(set(missing) - set(named)))
    notes = _name_units(f"{_NOT_FOUND}, as the journal begins later", earlier)

    return coverage._replace(gaps=(*coverage.gaps, *gaps), notes=(*coverage.notes, *notes))


def _lacks_kill(unit: TakenDown) -> bool:
    """Return whether no kill is known that took the unit down, or only one of an earlier outage."""
    if unit.incident is None:
        return True

    return unit.time_us - unit.incident.time.realtime_us > _LONGEST_STOP_US


def add_unconfirmed(
    coverage: Coverage, taken_down: t.Iterable[TakenDown], records: t.Iterable[UnitRecord], states: UnitStates
) -> Coverage:
    """Return the coverage, with the units that went down only according to records that came through /dev/kmsg.

    A unit that systemd says is up since before has not gone down, so another program has written the record.
    """
    unconfirmed: dict[str, None] = {}
    refuted = []
    for record in filter(_is_uncertain_failure, records):
        if _is_refuted(record, states):
            refuted.append(record.unit)
        else:
            unconfirmed[record.unit] = None

    for unit in taken_down:
        unconfirmed.pop(unit.unit, None)

    return coverage._replace(
        gaps=(*coverage.gaps, *_name_units(_UNCONFIRMED, list(unconfirmed))),
        notes=(*coverage.notes, *_name_units(_REFUTED, refuted)),
        untrusted=coverage.untrusted + len(refuted),
    )


def _is_uncertain_failure(record: UnitRecord) -> bool:
    return record.is_failure and not record.trusted


def _is_refuted(record: UnitRecord, states: UnitStates) -> bool:
    state = states.find_in_boot(record.unit, record.boot_id)
    if not state.is_up or state.was_restarted:
        return False

    return state.up_us < record.monotonic_us


def _name_units(statement: str, units: t.Sequence[str]) -> t.Iterator[str]:
    """Yield a statement about units if there are some; any program may write any number of names."""
    if not units:
        return

    text = ", ".join(units[:_MOST_NAMES])
    more = len(units) - _MOST_NAMES
    if more > 0:
        text = f"{text} and {more} more"

    yield f"{statement}: {text}."
