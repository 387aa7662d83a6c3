# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rhythms of the clock: at a time of day, on weekdays, every N minutes or hours; pure."""

from __future__ import annotations

import math
import typing as t

from .bursts import BURST_US, thin_bursts
from .chance import SIGNIFICANT, correct, find_chance_of_draws
from .clock import DAY, HOUR, MINUTE, LocalClock, get_weekday
from .model import Kill, Past
from .occasions import EVERY_DAY, WEEKDAYS, Rhythm
from .windows import MISSED_PERCENT, Window, find_chance_on_circle, find_windows, measure_gain

PERIODS = (
    *(5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 20 * MINUTE, 30 * MINUTE),
    *(HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY),
)
"""The periods that are tried, each with all phases."""
_TRIED = len(PERIODS) * len(MISSED_PERCENT)

_WIDEST_US = HOUR
"""A window is not wider than this, and not wider than a quarter of the period."""
_AROUND_US = 4 * HOUR
"""The kills that may come at a time of day at random, as do those so long before it or after it."""
_ROUND_US = (HOUR, 30 * MINUTE, 5 * MINUTE, MINUTE)
"""The times at which programs are started; the first that is near enough is the occasion."""


class ClockRhythm(t.NamedTuple):
    """A rhythm of the clock, or what passes for one by chance."""

    kind: str
    """As in Rhythm."""
    period: int
    times: t.Sequence[int]
    """The kills in local time, without bursts."""
    window: Window
    """In local time, from a multiple of the period."""
    gain: float
    weekdays: tuple[int, ...] = EVERY_DAY
    chance_of_weekdays: float = 1.0

    @property
    def start(self) -> int:
        """Return the beginning of the window."""
        return int(self.window.start)

    def find_chance(self) -> float:
        """Return the chance of this rhythm at random, corrected for all rhythms of the clock."""
        half = self.period / 2
        end = self.window.width
        around = [(-half, half)]
        if half > _AROUND_US // 2:
            near = min(half, _AROUND_US)
            around += [(-near, end), (0, min(half, near + end))]

        chance = find_chance_on_circle(self.times, self.window, self.period, around)
        return correct(chance * self.chance_of_weekdays, _TRIED)

    def describe(self, past: Past, kills: t.Sequence[Kill], chance: float) -> Rhythm:
        """Return the rhythm of these kills in numbers."""
        inside = self.list_inside()
        places = [(time - self.start) % self.period for time in inside]
        at = _find_round_time(self.window)
        latest = self.start - at + max(places)
        within = max(1, math.ceil(latest / MINUTE)) * MINUTE
        clock = LocalClock(past.utc_offsets)

        rhythm = Rhythm(
            kind=self.kind,
            period_us=self.period,
            weekdays=self.weekdays,
            at_us=at,
            within_us=within,
            jitter_us=max(places) - min(places),
            matched=len(inside),
            kills=len(self.times),
            has_bursts=len(self.times) < len(kills),
            hits=len(self.list_turns()),
            occasions=0,
            last_us=clock.to_utc(inside[-1]),
            chance=chance,
        )
        occasions = rhythm.count_occasions(past, clock.to_utc(inside[0]) - within, past.last_us)
        return rhythm._replace(occasions=max(occasions, rhythm.hits))

    def list_inside(self) -> list[int]:
        """Return the kills in the window, on the weekdays."""
        inside = []
        for time in self.times:
            turn, place = divmod(time - self.start, self.period)
            weekday = get_weekday((turn * self.period + self.start) // DAY)
            if place <= self.window.width and weekday in self.weekdays:
                inside.append(time)

        return inside

    def list_turns(self) -> list[int]:
        """Return the turns of the clock with a kill in the window; if the period is a day, the days since 1970."""
        return sorted({(time - self.start) // self.period for time in self.list_inside()})


def list_clock_rhythms(kills: t.Sequence[Kill], past: Past) -> list[ClockRhythm]:
    """Return the best rhythm of each period, significant or not."""
    clock = LocalClock(past.utc_offsets)
    times = [kill.time_us for kill in kills]
    rhythms = []
    for period in PERIODS:
        bursts = thin_bursts(times, min(BURST_US, period // 3))
        local_times = [clock.to_local(time_us) for time_us in bursts]
        rhythms += _propose(local_times, period)

    return rhythms


def _propose(times: t.Sequence[int], period: int) -> list[ClockRhythm]:
    """Return the best rhythm with this period, if there is any."""
    phases = sorted([time % period for time in times])
    following = [phase + period for phase in phases]
    rhythms = []
    for narrow in find_windows(phases, following):
        if narrow.width > min(_WIDEST_US, period // 4):
            continue

        window = _align(narrow)
        gain = measure_gain(window.held, len(times), window.width / period)
        rhythms.append(ClockRhythm("interval", period, times, window, gain))

    best = sorted(rhythms, key=lambda rhythm: rhythm.gain)[-1:]
    if period < DAY:
        return best

    return [_refine_weekdays(rhythm) for rhythm in best]


def _refine_weekdays(daily: ClockRhythm) -> ClockRhythm:
    """Return the rhythm with the days of the week to which it is limited, if it is by less than 1% chance."""
    days = daily.list_turns()
    hit = list(map(get_weekday, days))
    every = list(map(get_weekday, range(days[0], days[-1] + 1)))
    limited = [_limit(daily, weekdays, hit, every) for weekdays in WEEKDAYS]
    best = min(limited, key=lambda rhythm: rhythm.chance_of_weekdays)
    if best.chance_of_weekdays < SIGNIFICANT:
        return best

    return daily._replace(kind="daily")


def _limit(daily: ClockRhythm, weekdays: tuple[int, ...], hit: t.Sequence[int], every: t.Sequence[int]) -> ClockRhythm:
    """Return the rhythm on some days of the week, of those of the days with a kill, and of every day."""
    hits = sum(map(hit.count, weekdays))
    occasions = sum(map(every.count, weekdays))
    chance = find_chance_of_draws(hits, len(hit), occasions, len(every))

    share = daily.window.width / DAY * len(weekdays) / 7
    gain = measure_gain(hits, len(daily.times), share)
    return daily._replace(
        kind="weekly",
        weekdays=weekdays,
        gain=max(gain, daily.gain),
        chance_of_weekdays=correct(chance, len(WEEKDAYS)),
    )


def _align(window: Window) -> Window:
    """Return the window from the full minute before it to the one after it, because programs start at full minutes."""
    start = window.start // MINUTE * MINUTE
    end = (window.end // MINUTE + 1) * MINUTE
    return Window(start, end, window.held)


def _find_round_time(window: Window) -> int:
    """Return the roundest time that is before the window by no more than its width."""
    start = int(window.start)
    for step in _ROUND_US:
        time = start - start % step
        if start - time <= window.width:
            break

    return time
