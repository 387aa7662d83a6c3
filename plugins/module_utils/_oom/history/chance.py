# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How probable a count is at random; exact, pure."""

from __future__ import annotations

import math
import typing as t


def find_chance_of_at_most(count: int, trials: int, probability: float) -> float:
    """Return the chance of `count` or fewer successes in independent trials, each with `probability`."""
    return _sum_chances(range(count + 1), trials, probability)


def find_chance_of_at_least(count: int, trials: int, probability: float) -> float:
    """Return the chance of `count` or more successes in independent trials, each with `probability`."""
    return _sum_chances(range(max(count, 0), trials + 1), trials, probability)


def _sum_chances(counts: t.Sequence[int], trials: int, probability: float) -> float:
    """Return the chance of one of `counts` (binomial distribution). A difference to 1 would lose small chances."""
    if probability in (0.0, 1.0):
        certain = round(trials * probability)
        return float(certain in counts)

    total = 0.0
    for count in counts:
        total += math.exp(_find_log_chance(count, trials, probability))

    return min(total, 1.0)


def _find_log_chance(count: int, trials: int, probability: float) -> float:
    ways = math.lgamma(trials + 1) - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
    return ways + count * math.log(probability) + (trials - count) * math.log1p(-probability)
