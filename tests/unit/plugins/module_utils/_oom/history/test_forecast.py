# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the forecast of the next kill."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.forecast import Forecast, forecast
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Life, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.rhythm import find_rhythm
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import (
    FIRST_US,
    UNIT,
    build_past,
)

NIGHT_US = FIRST_US + 2 * HOUR
"""03:00 local time on a Friday."""


def expect(past: Past, now_us: int) -> Forecast | None:
    seen = past._replace(last_us=now_us)
    return forecast(past.kills, seen, find_rhythm(past.kills, seen), now_us)


def build_nights(days: list[int]) -> Past:
    return build_past([NIGHT_US + day * DAY + (1 + day % 3) * MINUTE for day in days], 60)


def build_leak(runs: int) -> tuple[Past, int]:
    """Return a unit that is killed nine hours after each start, and its last kill."""
    starts: dict[float, float] = {}
    time_us = FIRST_US
    for run in range(runs):
        start_us = time_us + SECOND
        time_us = start_us + 9 * HOUR + run % 3 * MINUTE
        starts[time_us] = start_us

    return build_past(starts, 60, starts), time_us


def test_next_night_is_expected() -> None:
    days = [0, 1, 2, 4, 5, 6, 7, 9]
    found = expect(build_nights(days), NIGHT_US + 9 * DAY + HOUR)
    night_us = NIGHT_US + 10 * DAY
    assert found
    assert (found.earliest_us, found.latest_us) == (night_us, night_us + 3 * MINUTE)
    assert found.earliest_us < found.expected_us < found.latest_us
    assert found.share == 0.8
    assert found.basis.startswith("8 of 8 kills came within 3 min after 03:00, on 8 of 10 days")


def test_night_that_is_not_over_is_still_expected() -> None:
    found = expect(build_nights(list(range(8))), NIGHT_US + 8 * DAY + MINUTE)
    assert found
    assert found.earliest_us == NIGHT_US + 8 * DAY


def test_night_that_had_its_kill_is_not_expected_again() -> None:
    past = build_nights(list(range(8)))
    found = expect(past, past.kills[-1].time_us + SECOND)
    assert found
    assert found.earliest_us == NIGHT_US + 8 * DAY


def test_night_stays_at_its_time_across_daylight_saving() -> None:
    found = expect(build_nights(list(range(30, 40))), NIGHT_US + 39 * DAY + 12 * HOUR)
    assert found
    assert found.earliest_us == NIGHT_US + 40 * DAY - HOUR


def test_next_day_of_the_week_is_expected() -> None:
    found = expect(build_nights(list(range(0, 40, 7))), NIGHT_US + 36 * DAY)
    assert found
    assert found.earliest_us == NIGHT_US + 42 * DAY - HOUR


@pytest.mark.parametrize(("nights", "is_expected"), [(1, True), (4, False)])
def test_kills_that_stopped_are_not_expected(nights: int, is_expected: bool) -> None:
    found = expect(build_nights(list(range(10))), NIGHT_US + (9 + nights) * DAY + HOUR)
    assert (found is not None) == is_expected


def test_kill_is_expected_after_the_last_start() -> None:
    past, last_us = build_leak(8)
    start_us = last_us + 2 * SECOND
    past = past._replace(running={UNIT: start_us})
    found = expect(past, last_us + HOUR)
    assert found
    assert (found.earliest_us, found.latest_us) == (start_us + 9 * HOUR, start_us + 9 * HOUR + 2 * MINUTE)
    assert found.share == 1


def test_nothing_is_expected_without_a_start() -> None:
    past, last_us = build_leak(8)
    assert expect(past, last_us + HOUR) is None


def test_nothing_is_expected_after_runs_that_outlived_the_others() -> None:
    past, last_us = build_leak(8)
    lives = [Life(UNIT, last_us + n * DAY, last_us + n * DAY + 10 * HOUR, None) for n in range(3)]
    running = {UNIT: last_us + 4 * DAY}
    assert expect(past._replace(running=running), last_us + 4 * DAY)
    assert expect(past._replace(running=running, lives=lives), last_us + 4 * DAY) is None


def test_nothing_is_expected_of_a_run_that_outlived_the_others() -> None:
    past, last_us = build_leak(8)
    past = past._replace(running={UNIT: last_us + SECOND})
    assert expect(past, last_us + 10 * HOUR) is None


def test_regular_kills_are_expected_after_the_last_one() -> None:
    times = [FIRST_US + number * 10 * HOUR + number % 3 * MINUTE for number in range(9)]
    found = expect(build_past(times, 30), times[-1] + HOUR)
    assert found
    assert found.share is None
    assert (found.earliest_us, found.latest_us) == (times[-1] + 598 * MINUTE, times[-1] + 601 * MINUTE)
    assert found.basis.startswith("8 of 8 kills came 9 h 58 min to 10 h 1 min after the kill before (chance")


def test_regular_kills_that_stopped_are_not_expected() -> None:
    times = [FIRST_US + number * 10 * HOUR for number in range(9)]
    assert expect(build_past(times, 30), times[-1] + 11 * HOUR) is None


def test_irregular_kills_are_not_expected() -> None:
    times = [FIRST_US + number * number * 53 * MINUTE for number in range(9)]
    assert expect(build_past(times, 30), times[-1] + HOUR) is None


def test_nothing_is_expected_without_kills() -> None:
    assert expect(build_past([], 30), FIRST_US + DAY) is None
