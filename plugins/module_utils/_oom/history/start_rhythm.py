# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills that come so long after each start of the unit, or after the kill before; pure."""

from __future__ import annotations

import bisect
import math
import operator
import typing as t

from ..explain.unknown import zero_if_unknown
from .bursts import thin_bursts
from .chance import SIGNIFICANT, correct
from .clock import MINUTE
from .model import Kill, Past
from .occasions import Rhythm
from .windows import MISSED_PERCENT, Window, find_chance_on_line, find_windows, measure_gain

_WIDEST = math.log(1.25)
"""The longest duration is at most so many times the shortest."""
_NARROWEST_US = MINUTE
"""Durations that differ by less count as different by so much."""
_AROUND = math.log(3)
"""At random, durations up to so many times shorter or longer may come as well."""


class StartRhythm(t.NamedTuple):
    """Durations that are alike, or pass for it by chance."""

    kind: str
    """`after_start`, or `after_kill` for those from one kill to the next."""
    logarithms: t.Sequence[float]
    """The logarithms of the durations, sorted."""
    window: Window
    """Of the logarithms."""
    total: int
    """The number of kills since the first known duration, also of those after another one in the same run."""
    gain: float

    @property
    def shortest_us(self) -> int:
        """Return the shortest duration in the window."""
        return round(math.exp(self.window.start))

    @property
    def longest_us(self) -> int:
        """Return the longest duration in the window."""
        last = bisect.bisect_right(self.logarithms, self.window.end) - 1
        return round(math.exp(self.logarithms[last]))

    def find_chance(self) -> float:
        """Return the chance of this rhythm at random, corrected for all sizes of windows that were tried."""
        chance = find_chance_on_line(self.logarithms, self.window, _AROUND)
        return correct(chance, len(MISSED_PERCENT))

    def describe(self, past: Past, kills: t.Sequence[Kill], chance: float) -> Rhythm:
        """Return the rhythm of these kills in numbers."""
        ends = _find_first_kills(kills)
        matching = [end for start, end in ends.items() if self.shortest_us <= end - start <= self.longest_us]
        jitter_us = self.longest_us - self.shortest_us
        return Rhythm(
            kind=self.kind,
            period_us=0,
            weekdays=(),
            at_us=self.shortest_us,
            within_us=jitter_us,
            jitter_us=jitter_us,
            matched=len(matching),
            kills=self.total,
            has_bursts=self.total < len(kills),
            hits=len(matching),
            occasions=_count_runs(ends, past, kills[0].unit, self.shortest_us),
            last_us=matching[-1],
            chance=chance,
        )


def list_start_rhythms(kills: t.Sequence[Kill]) -> list[StartRhythm]:
    """Return the best rhythm of the times from starts to kills, significant or not. Without any, that of the kills."""
    starts = _find_first_kills(kills)
    durations = list(map(operator.sub, starts.values(), starts))
    first_us = min(starts.values(), default=0)
    bursts = thin_bursts([kill.time_us for kill in kills if kill.time_us >= first_us])
    after_start = _propose("after_start", durations, max(len(durations), len(bursts)))
    return after_start or list_gaps(kills)


def list_gaps(kills: t.Sequence[Kill]) -> list[StartRhythm]:
    """Return the best rhythm of the times from kill to kill, significant or not."""
    bursts = thin_bursts([kill.time_us for kill in kills])
    gaps = list(map(operator.sub, bursts[1:], bursts))
    return _propose("after_kill", gaps, len(gaps))


def find_regular_gaps(kills: t.Sequence[Kill]) -> StartRhythm | None:
    """Return the times from kill to kill if at least half of them are alike, by less than 1% chance."""
    for gaps in list_gaps(kills):
        if gaps.find_chance() < SIGNIFICANT:
            return gaps

    return None


def _propose(kind: str, durations: t.Sequence[int], total: int) -> list[StartRhythm]:
    """Return the best rhythm of these durations, if there is any."""
    logarithms = sorted(map(math.log, durations))
    rhythms = []
    for narrow in find_windows(logarithms):
        if narrow.width > _WIDEST or 2 * narrow.held < total:
            continue

        shortest = math.exp(narrow.start)
        window = narrow.widen(math.log1p(_NARROWEST_US / shortest))
        share = shortest * math.expm1(window.width) * len(durations) / sum(durations)
        gain = measure_gain(window.held, total, min(1.0, share))
        rhythms.append(StartRhythm(kind, logarithms, window, total, gain))

    return sorted(rhythms, key=lambda rhythm: rhythm.gain)[-1:]


def _find_first_kills(kills: t.Sequence[Kill]) -> dict[int, int]:
    """Return the first kill after each start that is known."""
    firsts: dict[int, int] = {}
    for kill in kills:
        age_us = kill.age_us or 0
        if age_us > 0:
            firsts.setdefault(kill.time_us - age_us, kill.time_us)

    return firsts


def _count_runs(ends: t.Mapping[int, int], past: Past, unit: str, shortest_us: int) -> int:
    """Return how many runs of the unit lasted at least so long, whether they ended with a kill or not."""
    killed = map(operator.sub, ends.values(), ends)
    return count_long([*killed, *list_lengths(past, unit)], shortest_us)


def list_lengths(past: Past, unit: str, since_us: int = 0) -> list[int]:
    """Return how long the runs of a unit lasted that ended without a kill after a time; 0 if that is not known."""
    lengths = []
    for life in past.lives:
        has_ended_since = life.ended_us > since_us
        if life.unit == unit and has_ended_since:
            lengths.append(zero_if_unknown(life.length_us))

    return lengths


def count_long(lengths: t.Sequence[int], shortest_us: int) -> int:
    """Return how many of the lengths are at least so long."""
    return len(lengths) - bisect.bisect_left(sorted(lengths), shortest_us)
