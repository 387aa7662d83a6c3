# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How probable a count is at random; exact, pure."""

from __future__ import annotations

import math
import typing as t

SIGNIFICANT = 0.01
"""What is more probable than this at random is not reported."""
_NEGLIGIBLE = 1e-17
"""The share of a sum below which a term no longer changes a float."""


def find_chance_of_at_most(count: int, trials: int, probability: float) -> float:
    """Return the chance of `count` or fewer successes in independent trials, each with `probability`."""
    if count >= trials:
        return 1.0

    if count < 0:
        return 0.0

    if probability in (0, 1):
        return 1.0 - probability

    if count > trials * probability:
        return 1 - find_chance_of_at_least(count + 1, trials, probability)

    odds = (1 - probability) / probability
    ratios = (odds * n / (trials - n + 1) for n in range(count, 0, -1))
    ways = _count_ways(trials, count)
    chance = math.exp(ways + count * math.log(probability) + (trials - count) * math.log1p(-probability))
    return _sum_falling(chance, ratios)


def find_chance_of_at_least(count: int, trials: int, probability: float) -> float:
    """Return the chance of `count` or more successes in independent trials, each with `probability`."""
    return find_chance_of_at_most(trials - count, trials, 1 - probability)


def find_chance_of_cluster(count: int, trials: int, probability: float) -> float:
    """Return an upper bound for the chance that `count` of the trials lie in one window, wherever it is.

    The window begins at one of the trials, and each of the others lies in it with `probability`. This is the first
    inequality of Bonferroni for the scan statistic (Naus 1965, Journal of the American Statistical Association 60:532).
    """
    return correct(find_chance_of_at_least(count - 1, trials - 1, probability), trials)


def find_chance_of_draws(count: int, drawn: int, good: int, total: int) -> float:
    """Return the chance that `count` or more of the things drawn from `total` ones are good: Fisher's exact test.

    If no more are good than are to be expected, it is not computed, and 1 is returned.
    """
    if count * total <= drawn * good:
        return 1.0

    if count > min(drawn, good):
        return 0.0

    bad = total - good
    ways = _count_ways(good, count) + _count_ways(bad, drawn - count) - _count_ways(total, drawn)
    numbers = range(count, min(drawn, good))
    ratios = ((good - n) * (drawn - n) / ((n + 1) * (bad - drawn + n + 1)) for n in numbers)
    return _sum_falling(math.exp(ways), ratios)


def find_chance_of_misses(misses: int, successes: int, trials: int) -> float:
    """Return the chance that the next `misses` trials all fail, after `successes` in the `trials` before them.

    This is Laplace's rule of succession: before the first trial, all probabilities of success are equally likely.
    """
    failures = trials - successes
    chance = 1.0
    for n in range(1, misses + 1):
        chance *= (failures + n) / (trials + n + 1)

    return chance


def correct(chance: float, tried: int) -> float:
    """Return the chance that one of the hypotheses that were tried is so improbable, even if they depend on each other.

    This is the correction of Bonferroni (Dunn 1961, Journal of the American Statistical Association 56:52).
    """
    return min(1.0, chance * tried)


def word_chance(chance: float) -> str:
    """Return a chance in percent, such as `12%`, `0.3%`, `0.002%` or `less than 0.0001%`."""
    percent = 100 * chance
    if percent < 0.0001:
        return "less than 0.0001%"

    digits = max(0, -math.floor(math.log10(percent)))
    return f"{percent:.{digits}f}%"


def _count_ways(total: int, drawn: int) -> float:
    """Return the logarithm of the number of ways to draw so many of `total` things."""
    return math.lgamma(total + 1) - math.lgamma(drawn + 1) - math.lgamma(total - drawn + 1)


def _sum_falling(first: float, ratios: t.Iterable[float]) -> float:
    """Return the sum of terms, each of which is the one before it times a ratio below 1."""
    term = total = first
    for ratio in ratios:
        term *= ratio
        total += term
        if term <= total * _NEGLIGIBLE:
            break

    return min(1.0, total)
