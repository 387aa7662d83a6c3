# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of exact chances."""

from __future__ import annotations

import fractions
import math

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.chance import (
    find_chance_of_at_least,
    find_chance_of_at_most,
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
