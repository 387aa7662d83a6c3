# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The narrowest window that holds most of the points: on a line, or on a circle such as the hours of the day; pure."""

from __future__ import annotations

import collections
import math
import operator
import statistics
import typing as t

from .chance import find_chance_of_cluster

FEWEST = 4
"""The fewest points that can make a window; fewer say nothing."""
MISSED_PERCENT = (0, 10, 20, 30, 40, 50)
"""How many of the points a window may miss. One window is tried for each."""


class Window(t.NamedTuple):
    """A window that holds so many points. On a circle, its end is not before its start, even if it crosses zero."""

    start: float
    end: float
    held: int

    @property
    def width(self) -> float:
        """Return the distance from the start to the end."""
        return self.end - self.start

    def widen(self, width: float) -> Window:
        """Return the window with at least this width."""
        return self._replace(end=max(self.end, self.start + width))


def find_windows(points: t.Sequence[float], following: t.Sequence[float] = ()) -> t.Iterator[Window]:
    """Yield the narrowest windows that hold most of the sorted points.

    On a circle, `following` holds the same points one turn later, for windows that cross zero.
    """
    for missed_percent in MISSED_PERCENT:
        count = len(points) - len(points) * missed_percent // 100
        if count < FEWEST:
            return

        ends = [*points, *following][count - 1 :]
        widths = list(map(operator.sub, ends, points))
        narrowest = widths.index(min(widths))
        yield Window(points[narrowest], ends[narrowest], count)


def measure_gain(count: int, total: int, share: float) -> float:
    """Return how much better a window with `count` of `total` points explains them than chance does.

    `share` is the part of the time that the window covers. The gain is the logarithm of the ratio of likelihoods (the
    G-test of Woolf 1957, halved); 0 if the window holds no more than its share.
    """
    hit = count / total
    if hit <= share:
        return 0.0

    gain = hit * math.log(hit / share)
    if hit < 1:
        gain += (1 - hit) * math.log((1 - hit) / (1 - share))

    return total * gain


def find_chance_on_line(points: t.Sequence[float], window: Window, around: float) -> float:
    """Return the chance of such a window at random, if points are equally likely up to `around` before and after it.

    The side with the larger chance counts.
    """
    chances = [0.0]
    for first, last in ((window.start - around, window.end), (window.start, window.end + around)):
        trials = sum(first <= point <= last for point in points)
        chances.append(find_chance_of_cluster(window.held, trials, window.width / (last - first)))

    return max(chances)


def find_chance_on_circle(
    points: t.Sequence[float], window: Window, circumference: float, around: t.Sequence[tuple[float, float]]
) -> float:
    """Return the chance of such a window at random, for points on a line that is wound up to a circle.

    `around` holds stretches of the circle before and after the window, from and to the start of the window, in which
    points are equally likely. The one with the largest chance counts. Points of the same turn are not independent
    of each other: they count as one trial, which succeeds if one of them lies in the window.
    """
    half = circumference / 2
    turns = [divmod(point - window.start + half, circumference) for point in points]
    hits = _count_by_turn(turns, half, half + window.width)

    chances = [0.0]
    for first, last in around:
        trials = _count_by_turn(turns, half + first, half + last)
        probability = _find_mean_chance(trials.values(), window.width / (last - first))
        chances.append(find_chance_of_cluster(len(hits), len(trials), probability))

    return max(chances)


def _count_by_turn(turns: t.Iterable[tuple[float, float]], first: float, last: float) -> collections.Counter[float]:
    """Return how many of the points lie between two places, for each turn that has any."""
    return collections.Counter([turn for turn, place in turns if first <= place <= last])


def _find_mean_chance(counts: t.Collection[int], share: float) -> float:
    """Return the mean chance that at least one of so many points lies in a window with this share.

    Trials with different chances are at most as likely to succeed as often as trials with their mean (Hoeffding 1956,
    Annals of Mathematical Statistics 27:713).
    """
    chances = [1 - (1 - share) ** count for count in counts]
    return statistics.fmean(chances)
