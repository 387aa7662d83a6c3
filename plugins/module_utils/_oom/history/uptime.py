# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time that a host was up, on an axis without the time that it was off; pure."""

from __future__ import annotations

import bisect
import itertools
import operator
import typing as t

from .model import Past


class Uptime:
    """The time that a host was up. Without known boots, this is the whole period."""

    def __init__(self, past: Past) -> None:
        boots, halts = zip(*(past.boots or [(past.first_us, past.last_us)]))
        self._boots: t.Sequence[int] = boots
        self._lengths: t.Sequence[int] = list(map(operator.sub, halts, boots))
        self._before: t.Sequence[int] = [0, *itertools.accumulate(self._lengths)]

    @property
    def total_us(self) -> int:
        """Return how long the host was up."""
        return self._before[-1]

    def measure_until(self, time_us: int) -> int:
        """Return how long the host was up before this time."""
        number = max(0, bisect.bisect_right(self._boots, time_us) - 1)
        since_boot_us = max(0, time_us - self._boots[number])
        return self._before[number] + min(since_boot_us, self._lengths[number])


class Coverage:
    """The part of an axis that lies in windows of one width, which begin at given places; there is at least one."""

    def __init__(self, starts: t.Sequence[int], width: int) -> None:
        self._starts = starts
        self._width = width
        distances = map(operator.sub, starts[1:], starts)
        fresh = [min(width, distance) for distance in distances]
        self._before: t.Sequence[int] = [0, *itertools.accumulate(fresh)]

    def measure_until(self, place: int) -> int:
        """Return how much of the axis before a place is covered."""
        number = max(0, bisect.bisect_left(self._starts, place) - 1)
        since_start = max(0, place - self._starts[number])
        return self._before[number] + min(since_start, self._width)

    def find_share(self, begin: int, end: int) -> float:
        """Return the share that is covered from one place to another."""
        covered = self.measure_until(end) - self.measure_until(begin)
        return covered / max(1, end - begin)
