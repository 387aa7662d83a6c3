# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the search for a rhythm."""

from __future__ import annotations

import random
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.rhythm import find_rhythm
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import (
    FIRST_US,
    build_past,
    list_wrong,
    make_planted,
    make_random,
)

SEED = 7


def find_sentence(times: t.Sequence[float], days: int = 30) -> str | None:
    past = build_past(times, days)
    rhythm = find_rhythm(past.kills, past)
    return rhythm and rhythm.sentence


def test_nightly_kills_are_told_in_a_sentence() -> None:
    minutes = (1, 4, 2, 3, 1, 3, 2, 2, 1)
    times: t.Sequence[float] = [FIRST_US + n * DAY + 2 * HOUR + minute * MINUTE - 1 for n, minute in enumerate(minutes)]
    assert find_sentence([*times, FIRST_US + 16 * HOUR], 12) == (
        "9 of 10 kills came within 4 min after 03:00, on 9 of 12 days (chance at random: less than 0.0001%)."
    )


def test_storm_in_one_hour_is_no_rhythm() -> None:
    rng = random.Random(SEED)
    assert find_sentence([FIRST_US + rng.random() * HOUR for _kill in range(60)]) is None


def test_three_kills_are_no_rhythm() -> None:
    assert find_sentence([FIRST_US + n * DAY for n in range(3)]) is None


def test_no_kills_are_no_rhythm() -> None:
    assert find_sentence([]) is None


def test_office_hours_are_no_rhythm() -> None:
    rng = random.Random(SEED)
    times = [FIRST_US + rng.randrange(30) * DAY + rng.uniform(8, 17) * HOUR for _kill in range(200)]
    assert find_sentence(times) is None


def test_leak_is_explained_by_its_starts() -> None:
    starts: dict[float, float] = {}
    time_us: float = FIRST_US
    for n in range(12):
        starts[time_us + (540 + n % 3) * MINUTE] = time_us
        time_us += (540 + n % 3) * MINUTE + SECOND

    past = build_past(starts, 30, starts)
    rhythm = find_rhythm(past.kills, past)
    assert rhythm
    assert rhythm.kind == "after_start"


def test_regular_time_from_kill_to_kill_is_no_rhythm_of_the_clock() -> None:
    times: t.Sequence[float] = [FIRST_US + n * (HOUR + 7 * SECOND) for n in range(12)]
    assert find_sentence([*times]) is None


def test_at_most_one_percent_of_random_histories_have_a_rhythm() -> None:
    wrong = list_wrong(make_random, SEED, 300)
    print(*wrong, sep="\n")
    assert len(wrong) <= 3


def test_planted_rhythms_are_found() -> None:
    wrong = list_wrong(make_planted, SEED, 200)
    print(*wrong, sep="\n")
    assert len(wrong) <= 10
