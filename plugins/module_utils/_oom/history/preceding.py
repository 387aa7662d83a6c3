# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What came before the kills, and seldom at other times; pure.

A happening precedes the kills if it came before at least four of them and half of them, in the last minute, the last 10
minutes or the last 30 minutes, and if this has less than 1% chance at random:

* Kills that follow each other within this time, and at least 10 minutes, count as one.
* What comes in the 10 minutes after a kill may be its consequence, such as a restart, and does not count.
* At random, a kill follows a happening as often as any other time does: in the four hours before the kill, in the four
  hours after it, or in the whole time that the host was up, whichever is more often.
* The chance is corrected for all happenings and windows that were tried. Happenings of which only those before kills
  are known precede few kills, so they count as tried and do not change the result.
"""

from __future__ import annotations

import bisect
import collections
import itertools
import statistics
import typing as t

from .bursts import BURST_US, thin_bursts
from .chance import SIGNIFICANT, correct, find_chance_of_at_least, word_chance
from .clock import HOUR, MINUTE, LocalClock, word_duration, word_range
from .happenings import name_program
from .model import Happening, Kill, Past
from .occasions import Rhythm
from .uptime import Coverage, Uptime
from .windows import FEWEST, find_windows, measure_gain

WINDOWS_US = (MINUTE, 10 * MINUTE, 30 * MINUTE)
"""How long before a kill a happening counts."""
_AROUND_US = 4 * HOUR
_NEARLY_ALL = 0.8
_SMALL = 1 / 24
_MOST = 20
"""How many of them are returned at most, in all windows."""

_PHRASES = {
    "cron": "The cron job {} ran",
    "timer": "{} was started by its timer",
    "start": "{} started",
    "restart": "{} was restarted",
    "package": "The package {} was changed",
    "kernel": "The host booted the kernel {}",
    "login": "{} logged in",
    "sudo": "{} ran with sudo",
    "ansible": "Ansible ran {}",
}


_CLOCK = ("", " Both follow the clock, so this can be a coincidence.")


class Preceding(t.NamedTuple):
    """A happening that preceded kills more often than chance explains."""

    what: str
    name: str
    """As in Happening."""
    together: tuple[tuple[str, str], ...]
    """The other happenings that come whenever this one does, which cannot be told apart."""
    window_us: int
    """How long before a kill it counts."""
    before: int
    """How many of the kills it preceded."""
    kills: int
    """How many kills there are. Those in quick succession count as one."""
    otherwise: float
    """The share of all other times that it precedes."""
    lag_us: int
    """The median time from it to the kill."""
    shortest_us: int
    longest_us: int
    """The shortest and the longest of these times."""
    chance: float
    """The chance at random, corrected for everything that was tried."""
    gain: float
    """How much better it explains the kills than chance does; see measure_gain()."""
    has_clock: bool = False
    """Whether it follows the clock, as the kills do. They may then meet by coincidence, each time anew."""

    @property
    def key(self) -> tuple[str, str]:
        """Return what happened, and its name."""
        return self.what, self.name

    def join(self, other: Preceding) -> Preceding:
        """Return the one that comes first, with the other together with it."""
        if other.key in (self.key, *self.together):
            return self

        if other.lag_us > self.lag_us:
            return other._replace(together=(self.key, *self.together))

        return self._replace(together=(*self.together, other.key))

    def compare(self, local_times: t.Iterable[int], periods: t.Iterable[int]) -> Preceding:
        """Return the same with whether its times are nearly always the same, within one of some periods."""
        times = list(local_times)
        has_clock = any(_has_period(times, period) for period in periods)
        return self._replace(has_clock=has_clock)

    def hide_arguments(self) -> Preceding:
        """Return the same with the programs of cron jobs in place of their commands."""
        _what, name = _hide_arguments(self.key)
        others = dict.fromkeys(map(_hide_arguments, self.together))
        return self._replace(name=name, together=tuple(others))

    @property
    def sentence(self) -> str:
        """Return what preceded the kills in a sentence."""
        happened = _PHRASES.get(self.what, "{} happened").format(self.name)
        lag = word_range(self.shortest_us, self.longest_us)
        kills = f"{happened} {lag} before {self.before} of {self.kills} kills, and {self._word_otherwise()}"
        return f"{kills} (chance at random: {word_chance(self.chance)}).{self._word_together()}{_CLOCK[self.has_clock]}"

    def _word_otherwise(self) -> str:
        if self.otherwise == 0:
            return "at no other time"

        return f"within {word_duration(self.window_us)} before {word_chance(self.otherwise)} of all other times"

    def _word_together(self) -> str:
        names = [name for _what, name in self.together]
        if not names:
            return ""

        return f" It comes together with {', '.join(names)}, so it is unknown which of them matters."


_Key = t.Tuple[str, str]
"""What happened, and its name."""


def _hide_arguments(key: _Key) -> _Key:
    what, name = key
    if what == "cron":
        return what, name_program(name)

    return key


class _Search:
    """A search for what came before kills, among happenings, oldest first."""

    def __init__(self, happenings: t.Sequence[Happening], past: Past) -> None:
        self._happenings = happenings
        self._starts = [happening.time_us for happening in happenings]
        self._activity = _group(happenings)
        self._uptime = Uptime(past)

    def list_preceding(self, kills: t.Sequence[int], window_us: int) -> list[Preceding]:
        """Return what preceded at least half of the kills by no more than a window, by chance or not."""
        lags = self._list_lags(kills, window_us)
        fewest = max(FEWEST, len(kills) / 2)
        enough = [key for key in lags if len(lags[key]) >= fewest]
        return [self._examine(key, lags[key], kills, window_us) for key in enough]

    def _list_lags(self, kills: t.Sequence[int], window_us: int) -> dict[_Key, list[int]]:
        """Return for each happening the times from it to the kills that it preceded."""
        lags = collections.defaultdict(list)
        for kill_us in kills:
            first = bisect.bisect_left(self._starts, kill_us - window_us)
            last = bisect.bisect_left(self._starts, kill_us)
            latest = {(what, name): time_us for time_us, what, name in self._happenings[first:last]}
            for key, time_us in latest.items():
                lags[key].append(kill_us - time_us)

        return lags

    def _examine(self, key: _Key, lags: t.Sequence[int], kills: t.Sequence[int], window_us: int) -> Preceding:
        """Return how a happening preceded the kills, with these times between them."""
        total_us = self._uptime.total_us
        places = [self._uptime.measure_until(time_us) for time_us in self._activity[key]]
        coverage = Coverage(places, window_us)
        share = coverage.find_share(0, total_us)
        other_us = share * total_us - len(lags) * window_us
        all_other_us = total_us - len(kills) * window_us

        shares = [self._find_largest_share(coverage, kill_us, window_us) for kill_us in _take_sample(kills)]
        chance = find_chance_of_at_least(len(lags), len(kills), statistics.fmean(shares))
        gain = 0.0
        if share:
            gain = measure_gain(len(lags), len(kills), share)
        else:
            # The clock was set back: it happened at no time at which the host is known to have been up.
            chance = 1.0

        return Preceding(
            *key,
            together=(),
            window_us=window_us,
            before=len(lags),
            kills=len(kills),
            otherwise=max(0, other_us) / max(1, all_other_us),
            lag_us=int(statistics.median(lags)),
            shortest_us=min(lags),
            longest_us=max(lags),
            chance=correct(chance, len(self._activity) * len(WINDOWS_US)),
            gain=gain,
        )

    def _find_largest_share(self, coverage: Coverage, kill_us: int, window_us: int) -> float:
        """Return the share of the time around a kill that follows a happening."""
        total_us = self._uptime.total_us
        place = self._uptime.measure_until(kill_us)
        return max(
            coverage.find_share(0, total_us),
            coverage.find_share(max(0, place - _AROUND_US), place + window_us),
            coverage.find_share(place - window_us, min(total_us, place + _AROUND_US)),
        )


def find_preceding(kills: t.Sequence[Kill], past: Past, rhythm: Rhythm | None = None) -> list[Preceding]:
    """Return what preceded the kills of one kind, which may have a rhythm, the most telling first.

    Cron jobs are told apart by their commands, and returned with the names of their programs alone.
    """
    found = _find_preceding(kills, past, rhythm)
    return [preceding.hide_arguments() for preceding in found]


def _find_preceding(kills: t.Sequence[Kill], past: Past, rhythm: Rhythm | None) -> list[Preceding]:
    if len(kills) < FEWEST:
        return []

    ends = [kill.time_us for kill in kills]
    search = _Search(_drop_consequences(past.happenings, ends), past)
    found = []
    for window_us in WINDOWS_US:
        firsts = thin_bursts(ends, max(window_us, BURST_US))
        found += search.list_preceding(firsts, window_us)

    telling = [preceding for preceding in found if preceding.chance < SIGNIFICANT]
    telling.sort(key=lambda preceding: preceding.gain, reverse=True)
    activity = _group(past.happenings)
    joined = _join(telling[:_MOST], activity)
    if rhythm is None or rhythm.kind == "after_start":
        return joined

    clock = LocalClock(past.utc_offsets)
    periods = {rhythm.period_us, min(rhythm.period_us, HOUR)}
    return [preceding.compare(map(clock.to_local, activity[preceding.key]), periods) for preceding in joined]


def _group(happenings: t.Iterable[Happening]) -> dict[_Key, list[int]]:
    """Return the times of each happening."""
    activity = collections.defaultdict(list)
    for time_us, what, name in happenings:
        activity[what, name].append(time_us)

    return activity


def _drop_consequences(happenings: t.Iterable[Happening], kills: t.Sequence[int]) -> list[Happening]:
    """Return the happenings but for those that closely follow a kill."""
    kept = []
    for happening in happenings:
        number = bisect.bisect_right(kills, happening.time_us)
        since_us = happening.time_us - kills[number - 1]  # negative before the first kill
        if not 0 <= since_us <= BURST_US:
            kept.append(happening)

    return kept


def _join(ordered: t.Sequence[Preceding], activity: t.Mapping[_Key, t.Sequence[int]]) -> list[Preceding]:
    """Return what tells more than all before it, with what always comes together with it."""
    joined: list[Preceding] = []
    for preceding in ordered:
        times = activity[preceding.key]
        implying = [number for number, other in enumerate(joined) if _are_near(activity[other.key], times)]
        if not implying:
            joined.append(preceding)
            continue

        leader = joined[implying[0]]
        if _are_near(times, activity[leader.key]):
            joined[implying[0]] = leader.join(preceding)

    return joined


def _are_near(times: t.Sequence[int], others: t.Sequence[int]) -> bool:
    """Return whether nearly all of some times are within the time of a burst from one of the others."""
    sample = _take_sample(times)
    near = 0
    for time_us in sample:
        first = bisect.bisect_left(others, time_us - BURST_US)
        last = bisect.bisect_right(others, time_us + BURST_US)
        near += first < last

    return near >= _NEARLY_ALL * len(sample)


def _has_period(times: t.Sequence[int], period: int) -> bool:
    """Return whether nearly all times come within a small part of a period."""
    phases = sorted([time % period for time in times])
    following = [phase + period for phase in phases]
    windows = itertools.islice(find_windows(phases, following), 3)
    return any(window.width <= period * _SMALL for window in windows)


def _take_sample(times: t.Sequence[int]) -> t.Sequence[int]:
    """Return at most 100 of the times, evenly spread."""
    step = -(-len(times) // 100)
    return times[:: max(1, step)]
