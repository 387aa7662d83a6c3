# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the records of a log into the order of their times. Many log collectors return the newest record first."""

from __future__ import annotations

import typing as t

from .prefixes import Prefix, split_prefix
from .record_fields import Record

Numbered = t.Tuple[int, Record]

# So many steps back, and none forward, show that the newest record is first.
_CERTAIN = 5
_MAX_UNDECIDED = 1000
_MAX_HELD = 20_000


class RecordOrder:
    """Holds the first records of a log until their order is known, and all records of a log with the newest first."""

    def __init__(self) -> None:
        self._held: list[Numbered] = []
        self._latest_us: int | None = None
        self._is_oldest_first = False
        self._rises = 0
        self._falls = 0
        self._limit = _MAX_UNDECIDED

    def take(self, numbered: Numbered) -> list[Numbered]:
        """Take the next record, and return those whose order is known now, the oldest first."""
        if self._is_oldest_first:
            return [numbered]

        self._held.append(numbered)
        self._compare(_find_time(numbered[1].message))
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

    def _compare(self, at_us: int | None) -> None:
        """Count the steps between the times of the records until their order is certain."""
        before_us = self._latest_us
        if at_us is None or self._falls >= _CERTAIN:
            return

        self._latest_us = at_us
        if before_us is not None:
            self._rises += at_us > before_us
            self._falls += at_us < before_us


def _find_time(message: Prefix) -> int | None:
    """Return the time of a record, or that since the boot, which the message itself can begin with."""
    if message.realtime_us is not None:
        return message.realtime_us

    own = split_prefix(message.text)
    if own is None:
        return None

    return own.realtime_us or own.monotonic_us
