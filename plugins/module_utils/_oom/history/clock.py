# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local time of a host, and words for times and durations; pure."""

from __future__ import annotations

import bisect
import typing as t

SECOND = 1_000_000
"""All times and durations are in microseconds."""
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
THURSDAY = 3
"""The weekday of the first day of 1970; Monday is 0."""

_UNITS = (
    (DAY, "d", HOUR, "h"),
    (HOUR, "h", MINUTE, "min"),
    (MINUTE, "min", SECOND, "s"),
    (SECOND, "s", SECOND, "s"),
)


class LocalClock:
    """Convert between UTC and the local time of a host."""

    def __init__(self, utc_offsets: t.Sequence[tuple[int, int]]) -> None:
        starts, offsets = zip(*(utc_offsets or [(0, 0)]))
        self._starts = starts
        self._offsets = (offsets[0], *offsets)

    def to_local(self, time_us: int) -> int:
        """Return the local time: microseconds since 1970-01-01 00:00 on the wall."""
        number = bisect.bisect_right(self._starts, time_us)
        offset: int = self._offsets[number]
        return time_us + offset * SECOND

    def to_utc(self, local_us: int) -> int:
        """Return the time of a local time. If it exists twice or never (daylight saving), one near it."""
        near_us = local_us - (self.to_local(local_us) - local_us)
        return local_us - (self.to_local(near_us) - near_us)


def get_weekday(day: int) -> int:
    """Return the day of the week, 0 for Monday, of a number of days since 1970."""
    return (day + THURSDAY) % 7


def word_time(local_us: int) -> str:
    """Return the time of day, such as `03:07`."""
    minutes = local_us % DAY // MINUTE
    return f"{minutes // 60:02}:{minutes % 60:02}"


def word_duration(duration_us: int) -> str:
    """Return a duration with its two largest units, such as `9 h 2 min`, or `0 s`."""
    for size, name, smaller_size, smaller_name in _UNITS:
        count = duration_us // size
        rest = duration_us % size // smaller_size
        if count and rest:
            return f"{count} {name} {rest} {smaller_name}"

        if count:
            return f"{count} {name}"

    return "0 s"


def word_range(shortest_us: int, longest_us: int) -> str:
    """Return two durations, such as `1 min to 4 min`, or one if their words are the same."""
    words = [word_duration(shortest_us), word_duration(longest_us)]
    return " to ".join(dict.fromkeys(words))
