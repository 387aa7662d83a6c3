# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of exact chances."""

from __future__ import annotations

import fractions
import math
import random

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.chance import (
    correct,
    find_chance_of_at_least,
    find_chance_of_at_most,
    find_chance_of_cluster,
    find_chance_of_draws,
    find_chance_of_misses,
    word_chance,
)


def compute_exactly(first: int, last: int, trials: int, probability: fractions.Fraction) -> float:
    """Return the chance of `first` to `last` successes, computed with fractions."""
    total = fractions.Fraction(0)
    for count in range(first, last + 1):
        total += math.comb(trials, count) * probability**count * (1 - probability) ** (trials - count)

    return float(total)


@pytest.mark.parametrize("count", [0, 1, 7, 30, 60])
@pytest.mark.parametrize("probability", [fractions.Fraction(1, 1440), fractions.Fraction(1, 3)])
def test_tails_are_exact(count: int, probability: fractions.Fraction) -> None:
    low = compute_exactly(0, count, 60, probability)
    high = compute_exactly(count, 60, 60, probability)
    assert find_chance_of_at_most(count, 60, float(probability)) == pytest.approx(low, rel=1e-9)
    assert find_chance_of_at_least(count, 60, float(probability)) == pytest.approx(high, rel=1e-9)


def test_chance_of_nothing_in_ten_thousand_is_small_and_not_zero() -> None:
    assert find_chance_of_at_most(0, 10_000, 0.05) == pytest.approx(0.95**10_000)


@pytest.mark.parametrize(("probability", "chance"), [(0.0, 0.0), (1.0, 1.0)])
def test_certain_outcome_has_a_chance(probability: float, chance: float) -> None:
    assert find_chance_of_at_least(5, 5, probability) == chance
    assert find_chance_of_at_most(4, 5, probability) == 1 - chance


def test_no_trials_have_no_success() -> None:
    assert find_chance_of_at_most(0, 0, 0.5) == 1.0
    assert find_chance_of_at_least(1, 0, 0.5) == 0.0


def test_tails_of_a_million_trials_meet_in_the_middle() -> None:
    low = find_chance_of_at_most(300_000, 1_000_000, 0.3)
    high = find_chance_of_at_least(300_001, 1_000_000, 0.3)
    assert low + high == pytest.approx(1)
    assert low == pytest.approx(0.5, abs=0.001)


def test_cluster_is_bounded_by_its_chance() -> None:
    seed = 5
    print("seed", seed)
    rng = random.Random(seed)
    clustered = 0
    for _history in range(2000):
        points = sorted(rng.random() for _point in range(6))
        clustered += any(points[n + 3] - points[n] <= 0.1 for n in range(3))

    bound = find_chance_of_cluster(4, 6, 0.1)
    assert 0.3 * bound < clustered / 2000 <= bound


@pytest.mark.parametrize(
    ("count", "drawn", "good", "total"), [(2, 2, 2, 4), (9, 12, 20, 60), (50, 60, 715, 1000), (300, 365, 500, 1000)]
)
def test_draws_without_putting_back_are_exact(count: int, drawn: int, good: int, total: int) -> None:
    ways = 0
    for number in range(count, min(drawn, good) + 1):
        ways += math.comb(good, number) * math.comb(total - good, drawn - number)

    exact = fractions.Fraction(ways, math.comb(total, drawn))
    assert find_chance_of_draws(count, drawn, good, total) == pytest.approx(float(exact), rel=1e-9)


def test_draws_that_are_to_be_expected_have_no_small_chance() -> None:
    assert find_chance_of_draws(5, 10, 50, 100) == 1


def test_more_good_draws_than_good_things_are_impossible() -> None:
    assert find_chance_of_draws(3, 3, 2, 4) == 0


@pytest.mark.parametrize(
    ("misses", "successes", "trials", "chance"), [(0, 3, 3, 1), (1, 9, 9, 1 / 11), (2, 9, 9, 1 / 66), (1, 0, 1, 2 / 3)]
)
def test_misses_follow_the_rule_of_succession(misses: int, successes: int, trials: int, chance: float) -> None:
    assert find_chance_of_misses(misses, successes, trials) == pytest.approx(chance)


@pytest.mark.parametrize(("chance", "corrected"), [(0.0001, 0.002), (0.5, 1)])
def test_correction_counts_what_was_tried(chance: float, corrected: float) -> None:
    assert correct(chance, 20) == corrected


@pytest.mark.parametrize(
    ("chance", "words"),
    [
        (1, "100%"),
        (0.12, "12%"),
        (0.0961, "10%"),
        (0.00099, "0.10%"),
        (0.052, "5%"),
        (0.003, "0.3%"),
        (0.00002, "0.002%"),
        (0.0000005, "less than 0.0001%"),
        (0, "less than 0.0001%"),
    ],
)
def test_chance_is_worded_in_percent(chance: float, words: str) -> None:
    assert word_chance(chance) == words
