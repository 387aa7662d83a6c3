# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the records of a log into the order of their times. Many log collectors return the newest record first."""

from __future__ import annotations

import contextlib
import datetime
import typing as t

from .prefixes import split_prefix
from .record_fields import Record

Numbered = t.Tuple[int, Record]

# So many steps back, and none forward, show that the newest record is first.
_CERTAIN = 5
_MAX_UNDECIDED = 1000
_MAX_HELD = 20_000
# CloudWatch, Kibana and Azure Monitor print these.
_LOCAL_FORMS = (
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
    "%b %d, %Y @ %H:%M:%S.%f",
    "%m/%d/%Y, %I:%M:%S.%f %p",
)
_SECOND = 1_000_000


class _Time(t.NamedTuple):
    """A time, and the clock that it is from. Times of different clocks are not compared."""

    clock: str
    at_us: int


class RecordOrder:
    """Holds the first records of a log until their order is known, and all records of a log with the newest first."""

    def __init__(self) -> None:
        self._held: list[Numbered] = []
        self._latest = _Time("", 0)
        self._is_oldest_first = False
        self._rises = 0
        self._falls = 0
        self._limit = _MAX_UNDECIDED

    def take(self, numbered: Numbered) -> list[Numbered]:
        """Take the next record, and return those whose order is known now, the oldest first."""
        if self._is_oldest_first:
            return [numbered]

        self._held.append(numbered)
        self._compare(numbered[1])
        if self._rises:
            return self.flush()

        if self._falls == _CERTAIN:
            self._limit = _MAX_HELD
        if len(self._held) < self._limit:
            return []

        # Many records of one time are in order.
        self._rises += not self._falls

        return self.flush()

    def flush(self) -> list[Numbered]:
        """Return all records that are held, the oldest first."""
        held = self._held
        self._held = []
        self._is_oldest_first = self._rises > 0
        if self._falls and not self._rises:
            held.reverse()

        return held

    def _compare(self, record: Record) -> None:
        """Count the steps between the times of the records until their order is certain."""
        if self._falls >= _CERTAIN:
            return

        time = _find_time(record)
        if time is None:
            return

        before = self._latest
        self._latest = time
        if before.clock == time.clock:
            self._rises += time.at_us > before.at_us
            self._falls += time.at_us < before.at_us


def _find_time(record: Record) -> _Time | None:
    """Return the most exact time of a record, which is that since the boot in its message, or None."""
    message = record.message
    own = split_prefix(message.text)
    if own is not None and own.monotonic_us is not None:
        return _Time("uptime", own.monotonic_us)

    if message.realtime_us is not None:
        return _Time("clock", message.realtime_us)

    local_us = _parse_local(record.time or "")
    if local_us is None:
        return None

    return _Time("local", local_us)


def _parse_local(time: str) -> int | None:
    """Return a time without a zone in microseconds since 1970 in that zone, or None if its form is unknown."""
    for form in _LOCAL_FORMS:
        with contextlib.suppress(ValueError):
            local = datetime.datetime.strptime(time, form).replace(tzinfo=datetime.timezone.utc)
            return int(local.timestamp() * _SECOND)

    return None
