# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that OOM kills took down, whether the kills were found or not."""

from __future__ import annotations

import typing as t

from ..search.coverage import Coverage
from ..search.records import FAILED, NEAR_US, UnitRecord
from ..search.units import Outage, UnitState, UnitStates
from .incident import Incident

_MOST_NAMES = 10
_UNCONFIRMED = "Only the kernel's log, to which other programs can write, says that OOM kills took down units"
_NOT_FOUND = "According to systemd, OOM kills took down units, but no event shows such a kill"


class TakenDown(t.NamedTuple):
    """A unit that OOM kills took down; the last time, if they did more than once."""

    unit: str
    result: str | None
    """The unit's result; None if the journal does not show it."""
    time_us: int | None
    """When it went down, since 1970."""
    state: UnitState
    """The unit now; nothing of it is known for another host's journal."""
    incident: Incident | None = None
    """The last kill that took it down, None if no such kill was found."""
    confirmed: bool = True
    """Whether it is certain that systemd says so: False if all that says so came through /dev/kmsg."""


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
    for record in sorted(records, key=lambda record: record.realtime_us):
        if _is_failure(record) and record.trusted:
            taken[record.unit] = _build_from_record(record, states)

    for state, time_us in outages:
        taken[state.unit] = TakenDown(state.unit, state.result, time_us, state)

    for incident in incidents:
        if incident.effect.stopped:
            taken[incident.effect.unit] = _build_from_incident(incident, states, taken)

    return tuple(taken[unit] for unit in sorted(taken))


def add_missing_kills(
    coverage: Coverage, taken_down: t.Iterable[TakenDown], *, named: t.Collection[str] = ()
) -> Coverage:
    """Return the coverage, with the units that went down without a kill that was found, except those `named` already.

    If a unit went down before the journal begins, or when it began, its kill is not in the requested period.
    """
    begin_us = (coverage.first_us or 0) + NEAR_US
    missing = []
    earlier = []
    for unit in taken_down:
        if unit.incident is not None or unit.unit in named:
            continue

        if unit.time_us is not None and unit.time_us < begin_us:
            earlier.append(unit.unit)
        else:
            missing.append(unit.unit)

    gaps = coverage.gaps
    notes = coverage.notes
    if missing:
        gaps = (*gaps, f"{_NOT_FOUND}: {_name_first(missing)}.")
    if earlier:
        notes = (*notes, f"{_NOT_FOUND}, as the journal begins later: {_name_first(earlier)}.")

    return coverage._replace(gaps=gaps, notes=notes)


def add_unconfirmed(
    coverage: Coverage, taken_down: t.Iterable[TakenDown], records: t.Iterable[UnitRecord], states: UnitStates
) -> Coverage:
    """Return the coverage, with the units that went down only according to records that came through /dev/kmsg.

    A unit that systemd says is up since before has not gone down, so another program has written the record.
    """
    known = {unit.unit for unit in taken_down}
    unconfirmed: dict[str, None] = {}
    refuted = 0
    for record in records:
        if record.trusted or record.unit in known or not _is_failure(record):
            continue

        if _is_refuted(record, states):
            refuted += 1
        else:
            unconfirmed[record.unit] = None

    gaps = coverage.gaps
    notes = coverage.notes
    if unconfirmed:
        gaps = (*gaps, f"{_UNCONFIRMED}: {_name_first(list(unconfirmed))}.")
    if refuted:
        notes = (
            *notes,
            f"Untrusted records: {refuted} written to /dev/kmsg in the name of systemd, which refutes them.",
        )

    return coverage._replace(gaps=gaps, notes=notes, untrusted=coverage.untrusted + refuted)


def _is_failure(record: UnitRecord) -> bool:
    return record.what == FAILED and record.result == "oom-kill"


def _is_refuted(record: UnitRecord, states: UnitStates) -> bool:
    state = states.find_in_boot(record.unit, record.boot_id)
    if not state.is_up or state.was_restarted:
        return False

    return state.up_us < record.monotonic_us


def _name_first(names: t.Sequence[str]) -> str:
    """Return the first names, and the number of the others: any program may write any number of them."""
    text = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    if more <= 0:
        return text

    return f"{text} and {more} more"


def _build_from_record(record: UnitRecord, states: UnitStates) -> TakenDown:
    return TakenDown(record.unit, record.result, record.realtime_us, states.find(record.unit))


def _build_from_incident(incident: Incident, states: UnitStates, taken: t.Mapping[str, TakenDown]) -> TakenDown:
    effect = incident.effect
    known = taken.get(effect.unit)
    time_us = incident.time.realtime_us
    if known is not None and known.time_us is not None:
        time_us = max(time_us, known.time_us)

    is_confirmed = effect.confirmed or (known is not None and known.confirmed)
    return TakenDown(
        unit=effect.unit,
        result=effect.result,
        time_us=time_us,
        state=states.find(effect.unit),
        incident=incident,
        confirmed=is_confirmed,
    )
