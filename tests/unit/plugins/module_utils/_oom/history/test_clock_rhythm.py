# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rhythms of the clock."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock_rhythm import (
    ClockRhythm,
    list_clock_rhythms,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.occasions import Rhythm
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import (
    FIRST_US,
    build_past,
)

MONDAY_US = FIRST_US + 3 * DAY
"""The first day is a Friday; this one begins at 01:00 local time."""


def list_rhythms(times: t.Sequence[float], days: int = 60) -> dict[int, ClockRhythm]:
    past = build_past(times, days)
    return {rhythm.period: rhythm for rhythm in list_clock_rhythms(past.kills, past)}


def describe(times: t.Sequence[float], period: int, days: int = 60) -> Rhythm:
    past = build_past(times, days)
    return list_rhythms(times, days)[period].describe(past, past.kills, 0)


def test_daily_rhythm_is_described() -> None:
    minutes = (1, 3, 2, 4, 1, 3)
    times = [FIRST_US + n * DAY + 2 * HOUR + minute * MINUTE + 7 for n, minute in enumerate(minutes)]
    rhythm = describe([*times, FIRST_US + 20 * HOUR], DAY, 10)
    assert rhythm == Rhythm(
        kind="daily",
        period_us=DAY,
        weekdays=(0, 1, 2, 3, 4, 5, 6),
        at_us=3 * HOUR,
        within_us=5 * MINUTE,
        jitter_us=3 * MINUTE,
        matched=6,
        kills=7,
        has_bursts=False,
        hits=6,
        occasions=10,
        last_us=int(times[-1]),
        chance=0,
    )


def test_rhythm_keeps_its_time_across_daylight_saving() -> None:
    times = [FIRST_US + n * DAY + 2 * HOUR - (n >= 40) * HOUR + MINUTE for n in range(35, 45)]
    assert describe(times, DAY).within_us == MINUTE


def test_kills_at_full_minutes_are_within_a_minute() -> None:
    assert describe([FIRST_US + n * DAY for n in range(6)], DAY).within_us == MINUTE


def test_window_crosses_midnight() -> None:
    times = [FIRST_US + n * DAY + 23 * HOUR + (n % 3 - 1) * MINUTE for n in range(8)]
    rhythm = describe(times, DAY)
    assert (rhythm.matched, rhythm.hits, rhythm.at_us) == (8, 8, 23 * HOUR + 59 * MINUTE)


@pytest.mark.parametrize("weekdays", [(6,), (0, 1, 2, 3, 4), (5, 6)])
def test_days_of_the_week_are_found(weekdays: tuple[int, ...]) -> None:
    days = [day for day in range(70) if day % 7 in weekdays]
    times = [MONDAY_US + day * DAY + 5 * HOUR + SECOND for day in days]
    rhythm = list_rhythms(times)[DAY]
    assert (rhythm.kind, rhythm.weekdays) == ("weekly", weekdays)


def test_few_days_of_the_week_are_not_a_rhythm_of_the_week() -> None:
    times = [MONDAY_US + day * DAY + 5 * HOUR for day in range(5)]
    assert list_rhythms(times)[DAY].kind == "daily"


def test_longest_period_gains_most() -> None:
    times = [FIRST_US + n * DAY + 2 * HOUR for n in range(8)]
    rhythms = list_rhythms(times)
    assert max(rhythms.values(), key=lambda rhythm: rhythm.gain).period == DAY


def test_crowd_before_the_window_makes_it_probable() -> None:
    times = [FIRST_US + n * DAY + 12 * HOUR for n in range(8)]
    before = [FIRST_US + n * DAY + (8 + n % 4) * HOUR + 40 * MINUTE for n in range(8)]
    chance = list_rhythms([*times])[DAY].find_chance()
    assert chance < list_rhythms([*times, *before])[DAY].find_chance() / 100


def test_seconds_within_a_minute_tell_nothing() -> None:
    times = [FIRST_US + n * 13 * HOUR + SECOND for n in range(40)]
    assert 5 * MINUTE not in list_rhythms(times) or list_rhythms(times)[5 * MINUTE].window.width >= MINUTE


def test_bursts_are_thinned_before_they_are_counted() -> None:
    times = [FIRST_US + n * DAY + 2 * HOUR + k * MINUTE for n in range(5) for k in range(8)]
    rhythm = describe(times, DAY)
    assert (rhythm.matched, rhythm.kills, rhythm.has_bursts) == (5, 5, True)


def test_no_kills_have_no_rhythm() -> None:
    assert not list_rhythms([])
