# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the local time of a host."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    LocalClock,
    get_weekday,
    word_duration,
    word_range,
    word_time,
)

SPRING_US = 1_774_746_000 * SECOND
"""2026-03-29 01:00 UTC, when Berlin goes from 02:00 to 03:00."""
BERLIN = LocalClock([(0, 3600), (SPRING_US, 7200)])


def test_local_time_follows_daylight_saving() -> None:
    assert word_time(BERLIN.to_local(SPRING_US - MINUTE)) == "01:59"
    assert word_time(BERLIN.to_local(SPRING_US)) == "03:00"


@pytest.mark.parametrize("time_us", [0, SPRING_US - MINUTE, SPRING_US, SPRING_US + 100 * DAY])
def test_local_time_converts_back(time_us: int) -> None:
    assert BERLIN.to_utc(BERLIN.to_local(time_us)) == time_us


def test_local_time_that_is_skipped_is_near() -> None:
    skipped = BERLIN.to_local(SPRING_US) - 30 * MINUTE
    assert abs(BERLIN.to_utc(skipped) - SPRING_US) <= HOUR


def test_time_before_the_first_offset_has_the_first_offset() -> None:
    assert LocalClock([(SPRING_US, 3600)]).to_local(0) == HOUR


def test_without_offsets_local_time_is_utc() -> None:
    assert LocalClock([]).to_local(5) == 5


def test_first_day_of_1970_was_a_thursday() -> None:
    assert [get_weekday(day) for day in (0, 3, 4)] == [3, 6, 0]


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (0, "0 s"),
        (SECOND - 1, "0 s"),
        (59 * SECOND, "59 s"),
        (MINUTE, "1 min"),
        (9 * HOUR + 2 * MINUTE + 5 * SECOND, "9 h 2 min"),
        (DAY, "1 d"),
        (3 * DAY + 5 * HOUR, "3 d 5 h"),
        (DAY + MINUTE, "1 d"),
    ],
)
def test_duration_is_worded_with_two_units(duration: int, words: str) -> None:
    assert word_duration(duration) == words


def test_range_of_equal_durations_is_one() -> None:
    assert word_range(MINUTE, 4 * MINUTE) == "1 min to 4 min"
    assert word_range(MINUTE, MINUTE + 1) == "1 min"
