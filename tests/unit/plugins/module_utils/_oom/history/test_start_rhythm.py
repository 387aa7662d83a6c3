# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kills so long after a start or another kill."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Life, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.start_rhythm import (
    list_gaps,
    list_start_rhythms,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import (
    FIRST_US,
    UNIT,
    build_past,
)


def build_leak(minutes: list[int]) -> Past:
    """Return the past of a unit that is killed so many minutes after each start."""
    starts: dict[float, float] = {}
    time_us = FIRST_US
    for minute in minutes:
        start_us = time_us + SECOND
        time_us = start_us + minute * MINUTE
        starts[time_us] = start_us

    return build_past(starts, 30, starts)


def test_time_after_the_start_is_described() -> None:
    past = build_leak([540, 541, 300, 544, 542, 543])
    lives = [Life(UNIT, FIRST_US - 600 * MINUTE, FIRST_US, None), Life(UNIT, FIRST_US - MINUTE, FIRST_US, None)]
    (rhythm,) = list_start_rhythms(past.kills)
    found = rhythm.describe(past._replace(lives=lives), past.kills, 0.001)
    assert found[:6] == ("after_start", 0, (), 9 * HOUR, 4 * MINUTE, 4 * MINUTE)
    assert (found.matched, found.kills, found.hits, found.occasions) == (5, 6, 5, 6)
    assert found.last_us == past.kills[-1].time_us


def test_only_the_first_kill_of_a_run_comes_after_its_start() -> None:
    past = build_leak([60] * 6)
    later = [kill._replace(time_us=kill.time_us + 30 * MINUTE) for kill in past.kills]
    kills = sorted([*past.kills, *later])
    assert not [rhythm for rhythm in list_start_rhythms(kills) if rhythm.total != 12]


def test_kills_before_the_first_known_start_do_not_count() -> None:
    kills = build_leak([60] * 20).kills
    unknown = [kill._replace(started_us=None) for kill in kills[:14]]
    (rhythm,) = list_start_rhythms([*unknown, *kills[14:]])
    assert (rhythm.kind, rhythm.total) == ("after_start", 6)


def test_unknown_starts_leave_the_time_from_kill_to_kill() -> None:
    kills = [kill._replace(started_us=None) for kill in build_leak([60] * 6).kills]
    (rhythm,) = list_start_rhythms(kills)
    assert rhythm.kind == "after_kill"
    assert rhythm.shortest_us == HOUR + SECOND


def test_start_after_its_kill_is_no_start() -> None:
    kills = [Kill(n * HOUR, "b", UNIT, "v", "c", started_us=n * HOUR + 1) for n in range(8)]
    assert [rhythm.kind for rhythm in list_start_rhythms(kills)] == ["after_kill"]


@pytest.mark.parametrize("minutes", [[60, 90, 140, 200, 300, 450], [60, 60, 60]])
def test_durations_that_differ_or_are_few_are_no_rhythm(minutes: list[int]) -> None:
    kills = build_leak(minutes).kills
    assert not list_start_rhythms(kills)
    assert not list_gaps(kills)


def test_regular_durations_are_improbable_at_random() -> None:
    (rhythm,) = list_start_rhythms(build_leak([60, 62, 61, 63, 60, 62]).kills)
    assert rhythm.find_chance() < 0.001
