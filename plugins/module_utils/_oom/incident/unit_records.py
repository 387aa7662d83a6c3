# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd's records of the units of incidents, from shortly before each kill on."""

from __future__ import annotations

import bisect
import collections
import functools
import typing as t

from ..._journal.journal import Journal
from ..._journal.record import Record
from ..._journal.surroundings import after, after_in_boot
from ..search.records import LIFE, NEAR_US, UnitRecord, read_record
from .incident import Incident, KillTime

# A unit logs a handful of records from a kill to its next start.
_STRETCH = 16
_READ_AHEAD = 8 * _STRETCH

_LIFE_MATCHES = tuple(f"MESSAGE_ID={message_id}" for message_id in LIFE)

_RecordKey = t.Tuple[str, int, str, str]


def read_unit_records(
    journal: Journal, incidents: t.Sequence[Incident], notices: t.Sequence[UnitRecord]
) -> list[UnitRecord]:
    """Return `notices`, and what else systemd logged about the units of the incidents from shortly before each kill on.

    Raises JournalError.
    """
    records = list(notices)
    for unit, kills in _group_kills(incidents, _Notices(notices)).items():
        for entry in _read_life(journal, unit, kills):
            record = read_record(entry)
            if isinstance(record, UnitRecord):
                records.append(record)

    # The same record may be found more than once.
    distinct = dict(zip(map(_get_key, records), records))
    return list(distinct.values())


def _get_key(record: UnitRecord) -> _RecordKey:
    return record.boot_id, record.monotonic_us, record.unit, record.what


class _Notices:
    """The units in which systemd noticed kills, by boot and time."""

    def __init__(self, records: t.Iterable[UnitRecord]) -> None:
        self._notices = sorted((record.boot_id, record.monotonic_us, record.unit) for record in records)

    def find_units_near(self, kill: KillTime) -> set[str]:
        """Return the units in which systemd noticed something near a kill."""
        first = bisect.bisect_left(self._notices, (kill.boot_id, kill.monotonic_us - NEAR_US, ""))
        end = bisect.bisect_left(self._notices, (kill.boot_id, kill.monotonic_us + NEAR_US, ""))

        return {unit for _boot_id, _monotonic_us, unit in self._notices[first:end]}


def _group_kills(incidents: t.Iterable[Incident], notices: _Notices) -> dict[str, list[KillTime]]:
    """Return the kills of each unit; a kill without a unit counts for all units with a notice near it."""
    kills: dict[str, list[KillTime]] = collections.defaultdict(list)
    for incident in incidents:
        for unit in _find_units(incident, notices):
            kills[unit].append(incident.time)

    return kills


def _find_units(incident: Incident, notices: _Notices) -> t.Collection[str]:
    if incident.place.unit:
        return (incident.place.unit,)

    return notices.find_units_near(incident.time)


def _read_life(journal: Journal, unit: str, kills: t.Sequence[KillTime]) -> t.Iterator[Record]:
    """Yield what systemd logged about a unit from shortly before each kill on: at least a stretch of records.

    They are read by the clock, which leads to the unit's next start in any boot, and also in the boot of the kill,
    since the clock may have been set back.
    """
    matches = (f"UNIT={unit}", "_PID=1", *_LIFE_MATCHES)
    by_clock = functools.partial(after, journal, matches=matches, count=_READ_AHEAD)
    times = [kill.realtime_us for kill in kills]
    yield from _read_stretches(times, by_clock, lambda record: record.realtime_us)

    by_boot: dict[str, list[int]] = collections.defaultdict(list)
    for kill in kills:
        by_boot[kill.boot_id].append(kill.monotonic_us)

    for boot_id, times in by_boot.items():
        in_boot = functools.partial(after_in_boot, journal, boot_id, matches=matches, count=_READ_AHEAD)
        yield from _read_stretches(times, in_boot, lambda record: record.monotonic_us)


def _read_stretches(
    kills: t.Iterable[int], read: t.Callable[[int], list[Record]], get_time: t.Callable[[Record], int]
) -> t.Iterator[Record]:
    """Yield the records from shortly before each kill on, at least a stretch of them after each kill.

    `read` returns the records from a time on, `get_time` the time of a record.
    """
    enough_us = -1
    for time_us in _list_begins(kills):
        if time_us <= enough_us:
            continue

        records = read(time_us)
        yield from records
        if len(records) < _READ_AHEAD:
            return

        enough_us = get_time(records[-_STRETCH])


def _list_begins(kills: t.Iterable[int]) -> list[int]:
    """Return the times from which on to read: in a storm of kills, the records before a kill may fill one read."""
    begins = []
    for kill_us in kills:
        begins.append(max(kill_us - NEAR_US, 0))
        begins.append(kill_us)

    return sorted(begins)
