# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the next kill is to be expected; pure.

From a rhythm, it is the next occasion; without one, it is as long after the last kill as the other kills came after the
one before, if these times are alike (see start_rhythm.py). There is no forecast if the kills have stopped: if so many
occasions without a kill have less than 1% chance, or if the longest of these times has passed.
"""

from __future__ import annotations

import typing as t

from .bursts import thin_bursts
from .chance import SIGNIFICANT, find_chance_of_misses, word_chance
from .clock import DAY, LocalClock, get_weekday, word_range
from .model import Kill, Past
from .occasions import Rhythm
from .start_rhythm import count_long, find_regular_gaps, list_lengths


class Forecast(t.NamedTuple):
    """When the next kill is to be expected."""

    expected_us: int
    earliest_us: int
    latest_us: int
    share: float | None
    """The share of the occasions that had a kill; None without a rhythm."""
    basis: str
    """The reason, in a sentence."""


def forecast(kills: t.Sequence[Kill], past: Past, rhythm: Rhythm | None, now_us: int) -> Forecast | None:
    """Return when the next kill of a kind is to be expected; None if that cannot be said."""
    if rhythm is None:
        return _forecast_from_gaps(kills, now_us)

    if rhythm.kind == "after_start":
        return _forecast_from_start(kills, past, rhythm, now_us)

    return _forecast_from_clock(past, rhythm, now_us)


def _forecast_from_clock(past: Past, rhythm: Rhythm, now_us: int) -> Forecast | None:
    missed = rhythm.count_occasions(past, rhythm.last_us + 1, now_us - rhythm.within_us)
    if _has_stopped(rhythm, missed):
        return None

    clock = LocalClock(past.utc_offsets)
    begin = clock.to_local(max(rhythm.last_us + 1, now_us - rhythm.within_us))
    occasion = begin + (rhythm.at_us - begin) % rhythm.period_us
    while get_weekday(occasion // DAY) not in rhythm.weekdays:
        occasion += DAY

    return _expect(clock.to_utc(occasion), rhythm)


def _forecast_from_start(kills: t.Sequence[Kill], past: Past, rhythm: Rhythm, now_us: int) -> Forecast | None:
    last = kills[-1]
    lengths = list_lengths(past, last.unit, last.time_us)
    if _has_stopped(rhythm, count_long(lengths, rhythm.at_us)):
        return None

    start_us = past.running.get(last.unit, 0)
    expected = _expect(start_us + rhythm.at_us, rhythm)
    if start_us < last.time_us or now_us > expected.latest_us:
        return None

    return expected


def _forecast_from_gaps(kills: t.Sequence[Kill], now_us: int) -> Forecast | None:
    gaps = find_regular_gaps(kills)
    if gaps is None:
        return None

    last_us = thin_bursts([kill.time_us for kill in kills])[-1]
    earliest_us = last_us + gaps.shortest_us
    latest_us = last_us + gaps.longest_us
    if now_us > latest_us:
        return None

    times = word_range(gaps.shortest_us, gaps.longest_us)
    chance = word_chance(gaps.find_chance())
    basis = f"{gaps.window.held} of {gaps.total} kills came {times} after the kill before (chance at random: {chance})."
    return Forecast((earliest_us + latest_us) // 2, earliest_us, latest_us, None, basis)


def _expect(occasion_us: int, rhythm: Rhythm) -> Forecast:
    """Return the forecast of the next occasion of a rhythm."""
    latest_us = occasion_us + rhythm.within_us
    expected_us = latest_us - rhythm.jitter_us // 2
    return Forecast(expected_us, occasion_us, latest_us, rhythm.hits / rhythm.occasions, rhythm.sentence)


def _has_stopped(rhythm: Rhythm, missed: int) -> bool:
    """Return whether it is improbable that so many occasions since the last kill had none."""
    before = max(rhythm.hits, rhythm.occasions - missed)
    return find_chance_of_misses(missed, rhythm.hits, before) < SIGNIFICANT
