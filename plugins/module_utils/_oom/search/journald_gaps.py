# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why journald may not have recorded everything: it died, or did not keep up."""

from __future__ import annotations

import typing as t

from ..._journal.record import Record
from ..._journal.times import format_utc
from .records import JOURNALD_STARTED, JOURNALD_STOPPED, NEAR_US, SOURCE_TIME, JournaldRecord

_LATE_US = 30_000_000
_MOST_TIMES = 3


def list_journald_gaps(journald: t.Iterable[JournaldRecord], kills: t.Sequence[Record]) -> t.Iterator[str]:
    """Yield why records may be missing, according to what journald and systemd state about journald.

    `kills` are the kernel's records of OOM kills.
    """
    ends = sorted(_find_ends(journald, kills))
    if ends:
        yield (
            f"journald died, or was restarted near an OOM kill. It started again at {_list_times(ends)}. Records of "
            "the time before that may be missing."
        )

    late_us = max(map(_measure_delay, kills), default=0)
    if late_us > _LATE_US:
        yield (
            f"journald received the kernel's message about an OOM kill {late_us // 1_000_000} s late. It did not keep "
            "up, so records of that time may be missing."
        )


def _list_times(times_us: t.Sequence[int]) -> str:
    """Return the last times in words."""
    text = ", ".join(map(format_utc, times_us[-_MOST_TIMES:]))
    more = len(times_us) - _MOST_TIMES
    if more <= 0:
        return text

    return f"{text} and {more} times before"


def _find_ends(journald: t.Iterable[JournaldRecord], kills: t.Sequence[Record]) -> t.Iterator[int]:
    """Yield when journald started anew in the same boot of a host, in microseconds since 1970.

    Between a clean stop and a start, systemd keeps what others write. So that matters only near a kill.
    """
    ordered = sorted(journald, key=_get_place)
    for previous, record in zip(ordered, ordered[1:]):
        has_started_anew = record.what == JOURNALD_STARTED and previous.host == record.host
        if has_started_anew and _may_lose_records(previous, record, kills):
            yield record.realtime_us


def _get_place(record: JournaldRecord) -> tuple[str, int]:
    return record.host, record.monotonic_us


def _may_lose_records(previous: JournaldRecord, start: JournaldRecord, kills: t.Iterable[Record]) -> bool:
    if previous.what != JOURNALD_STOPPED:
        return True

    return _is_near_kill(start, kills)


def _is_near_kill(record: JournaldRecord, kills: t.Iterable[Record]) -> bool:
    return any(_is_near(record, kill) for kill in kills)


def _is_near(record: JournaldRecord, kill: Record) -> bool:
    if kill.boot_id != record.boot_id:
        return False

    return abs(kill.monotonic_us - record.monotonic_us) <= NEAR_US


def _measure_delay(kill: Record) -> int:
    """Return how many microseconds after the kernel journald received a record, 0 if it is unknown."""
    source = kill.fields.get(SOURCE_TIME, "")
    if not source.isdigit():
        return 0

    return kill.monotonic_us - int(source)
