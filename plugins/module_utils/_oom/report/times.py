# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare the times of lines, also of those whose printed times have no year or no time zone."""

from __future__ import annotations

import re
import typing as t

from .model import Line

SAME_KILL_US = 60 * 1000000
"""SIGKILL follows a SIGTERM that a process ignores, and a kill follows the mark of a cgroup, within this time."""

_SECOND_US = 1000000
_DAY_SECONDS = 24 * 60 * 60
_LONGEST_PREFIX = 120
# Some lines of a log can have no-break spaces or tabs where others have spaces.
_PLAIN_BLANKS = str.maketrans("\xa0\t", "  ")
# The day is compared as printed, so its order and its language do not matter.
_PRINTED_TIME = re.compile(
    r"(?P<day>\d{1,4}[-./]\d{1,2}[-./]\d{1,4}"
    r"|[^\W\d]{2,8}\.? {1,2}\d{1,2}|\d{1,2} [^\W\d]{2,8}\.?|\d{1,2}月 {1,2}\d{1,2})?"
    r"[ T,]{0,2}(?P<hours>\d\d):(?P<minutes>\d\d):(?P<seconds>\d\d)"
)


class _PrintedTime(t.NamedTuple):
    """A time as printed: a day, which may be missing, and the seconds since midnight."""

    day: str | None
    seconds: int


def is_near(before: Line, line: Line, *, within_us: int = SAME_KILL_US) -> bool:
    """Return whether at most `within_us` microseconds lie between two lines. Lines without times are near."""
    for earlier, later in ((before.monotonic_us, line.monotonic_us), (before.realtime_us, line.realtime_us)):
        if earlier is not None and later is not None:
            return abs(later - earlier) <= within_us

    earlier_time = _find_printed_time(before)
    later_time = _find_printed_time(line)
    if earlier_time is None or later_time is None:
        return True

    return _is_near_in_print(earlier_time, later_time, within_us // _SECOND_US)


def _find_printed_time(line: Line) -> _PrintedTime | None:
    if line.printed is None:
        return None

    found = _PRINTED_TIME.search(line.printed[:_LONGEST_PREFIX].translate(_PLAIN_BLANKS))
    if found is None:
        return None

    hours, minutes, seconds = map(int, found.group("hours", "minutes", "seconds"))

    return _PrintedTime(found.group("day"), (hours * 60 + minutes) * 60 + seconds)


def _is_near_in_print(before: _PrintedTime, after: _PrintedTime, within: int) -> bool:
    """Return whether at most `within` seconds lie between two printed times."""
    distance = abs(after.seconds - before.seconds)
    if before.day == after.day or None in (before.day, after.day):
        return distance <= within

    # Two days are near only around midnight.
    return _DAY_SECONDS - distance <= within
