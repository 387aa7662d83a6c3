# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why the memory of a unit grew: a leak, a spike, too many processes, or a limit that is too low.

A verdict compares the runs in which the unit was killed with those that ended without a kill. docs/history.md states
the rules.
"""

from __future__ import annotations

import statistics
import typing as t

from ..._size import format_size
from ..explain.unknown import list_known, zero_if_unknown
from .kinds import is_unit
from .model import Kill, Life, Past, Population
from .trend import Point, Trend, fit_trend, format_length

_FEWEST_RUNS = 5
_FEWEST_KILLS = 2

# A leak: the line explains the peaks, the growth matters and is no page cache, and it predicts the memory at each kill.
_LEAK_FIT = 0.85
_LEAK_SHARE = 0.25
_CACHE_SHARE = 1 / 3
_PREDICTED = 0.25
# Where the report does not show the page cache that was taken.
_PREDICTED_WITH_CACHE = 0.15
_FEWEST_KILLS_WITH_CACHE = 3

# No leak: until a kill, the line adds little even with the upper bound of its slope, and some runs lasted as long.
_LEVEL_SHARE = 0.1
_FEWEST_LONG_RUNS = 2

# A spike: all peaks are small and similar. Of a small program, the peaks differ by what it reads from the disk.
_SMALL_SHARE = 0.6
_SIMILAR = 2
_TINY_SHARE = 0.05

# A limit that is too low: all peaks are near it, even without the page cache that the kernel could take away.
_NEAR_SHARE = 0.75

# Too many: similar processes hold most of the memory, and there are usually less than half as many of that size.
_MANY = 5
_UNEQUAL = 2
_MOST_SHARE = 0.5
_TIMES_AS_MANY = 2
_SAME_SIZE = 0.6


_SENTENCES = {
    "leak": "There is a memory leak of {rate} an hour.",
    "spike": "The memory grew suddenly.",
    "too_many": "There were too many processes.",
    "limit_too_low": "The limit is too low for ordinary use.",
    "cannot_tell": "It is unknown why the memory grew.",
}


class Growth(t.NamedTuple):
    """Why the memory grew; `evidence` are whole sentences."""

    verdict: str
    """`leak`, `spike`, `too_many`, `limit_too_low` or `cannot_tell`."""
    evidence: tuple[str, ...] = ()
    bytes_per_hour: int | None = None
    """How fast a leak grows."""
    fit: float | None = None
    """How well the line of a leak fits, from 0 to 1 (r squared)."""
    runs: int = 0
    """The number of runs without a kill that were compared."""

    @property
    def sentence(self) -> str:
        rate = format_size(zero_if_unknown(self.bytes_per_hour))
        return _SENTENCES[self.verdict].format(rate=rate)


class _Case(t.NamedTuple):
    """What a verdict compares: the length and the peak of each run without a kill, and of each one with a kill."""

    kills: t.Sequence[Kill]
    runs: t.Sequence[Point]
    ends: t.Sequence[Point]
    present: Population | None
    is_partial: bool
    """Whether there were other runs, of which systemd recorded nothing."""

    @property
    def unit(self) -> str:
        return self.kills[-1].unit

    @property
    def lengths(self) -> list[int]:
        return sorted(length for length, _size in self.runs)

    @property
    def sizes(self) -> list[int]:
        """The peaks of the runs without a kill, the smallest first."""
        return sorted(size for _length, size in self.runs)

    @property
    def size_at_kills(self) -> int:
        return int(statistics.median([size for _age, size in self.ends]))

    @property
    def age_at_kills(self) -> int:
        return int(statistics.median([age for age, _size in self.ends]))

    @property
    def evicted_bytes(self) -> int | None:
        """The most page cache that the kernel had taken at a kill; None if no report shows it.

        The reports of kills beyond the limit of events are not read.
        """
        known = list_known(kill.evicted_bytes for kill in self.kills)
        return max(known, default=None)

    @property
    def is_comparable(self) -> bool:
        """Whether there are enough runs with and without a kill."""
        return len(self.runs) >= _FEWEST_RUNS and len(self.ends) >= _FEWEST_KILLS

    @property
    def long_runs(self) -> int:
        """The number of runs without a kill that lasted at least as long as those with a kill."""
        return sum(length >= self.age_at_kills for length in self.lengths)

    @property
    def is_level(self) -> bool:
        """Whether the runs without a kill show that the memory does not grow steadily until a kill."""
        trend = fit_trend(self.runs)
        if trend is None or self.long_runs < _FEWEST_LONG_RUNS:
            return False

        return trend.most_bytes_per_us * self.age_at_kills <= _LEVEL_SHARE * self.size_at_kills

    def describe_runs(self) -> str:
        """Return how many runs without a kill there are, and how long they lasted."""
        shortest = format_length(self.lengths[0])
        longest = format_length(self.lengths[-1])
        return f"{len(self.runs)} runs of {self.unit} that ended without a kill after {shortest} to {longest}"


def judge_growth(kills: t.Sequence[Kill], past: Past) -> Growth:
    """Return why the memory grew before kills of one kind, which are oldest first."""
    case = _make_case(kills, past)
    if case.is_comparable:
        for judge in (_judge_leak, _judge_spike, _judge_limit):
            growth = judge(case)
            if growth is not None:
                return growth

    crowd = _judge_number(case)
    if crowd is not None:
        return crowd

    return Growth("cannot_tell", (_name_gap(case, past),), runs=len(case.runs))


def _make_case(kills: t.Sequence[Kill], past: Past) -> _Case:
    unit = kills[-1].unit
    runs = [_find_run(life) for life in past.lives if life.unit == unit]
    ends = [_find_end(kill) for kill in kills]

    return _Case(
        kills=kills,
        runs=list(filter(None, runs)),
        ends=list(filter(None, ends)),
        present=past.present.get((kills[-1].victim, kills[-1].uid)),
        is_partial=unit in past.partial_units,
    )


def _find_run(life: Life) -> Point | None:
    """Return the length and the peak of a run without a kill, None if one of them is unknown."""
    if life.length_us is None or life.held_bytes is None:
        return None

    return max(life.length_us, 1), life.held_bytes


def _find_end(kill: Kill) -> Point | None:
    """Return the length and the peak of the run that a kill ended, None if one of them is unknown."""
    if kill.age_us is None or kill.unit_peak_bytes is None:
        return None

    return kill.age_us, kill.unit_peak_bytes


def _judge_leak(case: _Case) -> Growth | None:
    """Return that the memory grew with time, if the runs without a kill show it and predict the kills."""
    trend = fit_trend(case.runs)
    if trend is None or trend.fit < _LEAK_FIT:
        return None

    growth = trend.bytes_per_us * (case.lengths[-1] - case.lengths[0])
    if growth < _LEAK_SHARE * case.size_at_kills or not _predicts_kills(trend, case):
        return None

    rate = format_size(trend.bytes_per_hour)
    grows = (
        f"The longer {case.unit} ran, the more memory it used: {case.describe_runs()} show a growth of {rate} an hour. "
        f"A straight line explains {trend.fit:.0%} of their differences."
    )
    age = format_length(case.age_at_kills)
    predicted = format_size(round(trend.predict(case.age_at_kills)))
    size = format_size(case.size_at_kills)
    predicts = f"At this rate it uses {predicted} after {age}. It was killed after about {age}, when it used {size}."

    return Growth(
        verdict="leak",
        evidence=(grows, predicts),
        bytes_per_hour=trend.bytes_per_hour,
        fit=round(trend.fit, 3),
        runs=len(case.runs),
    )


def _predicts_kills(trend: Trend, case: _Case) -> bool:
    """Return whether a trend predicts the memory at each kill, so that it is no page cache, which ends no run."""
    tolerance = _PREDICTED
    if case.evicted_bytes is None:
        tolerance = _PREDICTED_WITH_CACHE
        if len(case.ends) < _FEWEST_KILLS_WITH_CACHE:
            return False

    if zero_if_unknown(case.evicted_bytes) > _CACHE_SHARE * case.size_at_kills:
        return False

    return all(abs(trend.predict(age) - size) <= tolerance * size for age, size in case.ends)


def _judge_spike(case: _Case) -> Growth | None:
    """Return that the memory grew suddenly, if it stays small in runs that are as long as those with a kill."""
    smallest, largest = case.sizes[0], case.sizes[-1]
    size = case.size_at_kills
    similar = _SIMILAR * smallest + _TINY_SHARE * size
    if largest > min(_SMALL_SHARE * size, similar) or not case.is_level:
        return None

    age = format_length(case.age_at_kills)
    lasted = (
        f"{case.long_runs} of them lasted at least as long as the {age} after which it was killed, when it used "
        f"{format_size(size)}."
    )
    return Growth("spike", (_describe_level(case), lasted), runs=len(case.runs))


def _judge_limit(case: _Case) -> Growth | None:
    """Return that the limit is too low, if the memory is near it in all runs, whatever their length.

    systemd records nothing of small runs, so if some are missing, these may be the small ones.
    """
    evicted = case.evicted_bytes
    if case.kills[-1].cause != "cgroup_limit" or evicted is None or case.is_partial:
        return None

    size = case.size_at_kills
    if case.sizes[0] - evicted < _NEAR_SHARE * size or not case.is_level:
        return None

    hardly_more = f"It was killed when it used {format_size(size)}, hardly more."
    return Growth("limit_too_low", (_describe_level(case), hardly_more), runs=len(case.runs))


def _describe_level(case: _Case) -> str:
    smallest, largest = map(format_size, (case.sizes[0], case.sizes[-1]))
    return f"The {case.describe_runs()} used {smallest} to {largest}, however long they were."


def _judge_number(case: _Case) -> Growth | None:
    """Return that there were too many processes, if they were similar, and there are fewer of that size now."""
    kill = case.kills[-1]
    present = case.present
    mean = kill.mean_namesake_bytes
    if present is None or mean is None:
        return None

    signs = (
        zero_if_unknown(kill.namesakes) >= max(_MANY, _TIMES_AS_MANY * present.number),
        zero_if_unknown(kill.namesakes_bytes) >= _MOST_SHARE * zero_if_unknown(kill.limit_bytes or kill.ram_bytes),
        zero_if_unknown(kill.size_bytes) <= _UNEQUAL * mean,
        present.mean_bytes >= _SAME_SIZE * mean,
    )
    if not all(signs):
        return None

    then = f"At the last kill, {kill.namesakes} processes named {kill.victim} held {format_size(mean)} each."
    now = f"Now their number is {present.number}, with {format_size(present.mean_bytes)} each."
    return Growth("too_many", (then, now))


def _name_gap(case: _Case, past: Past) -> str:
    """Return why there is no verdict."""
    peaks = [life.peak_bytes for life in past.lives if life.unit == case.unit]
    gaps = {
        "The unit of the victim is unknown.": not case.unit,
        "The victim was in no unit of the host, so systemd recorded no runs of it.": not is_unit(case.unit),
        f"systemd recorded no memory peaks of {case.unit}. It does so from version 255 on.": {*peaks} == {None},
        f"systemd recorded what {len(case.runs)} runs of {case.unit} used that ended without a kill, and nothing of "
        "others. It leaves out runs that used no more than 1 s of processor time and 64 MiB.": case.is_partial,
        f"There are too few runs of {case.unit} that ended without a kill and have a known memory peak: "
        f"{len(case.runs)}, but at least {_FEWEST_RUNS} are needed.": len(case.runs) < _FEWEST_RUNS,
        f"There are too few kills for which it is known how long {case.unit} had run and how much memory it used: "
        f"{len(case.ends)}, but at least {_FEWEST_KILLS} are needed.": len(case.ends) < _FEWEST_KILLS,
    }
    for gap, applies in gaps.items():
        if applies:
            return gap

    return f"The memory peaks of the {case.describe_runs()} fit neither a leak nor a spike."
