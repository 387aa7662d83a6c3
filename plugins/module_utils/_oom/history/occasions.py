# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rhythm of kills: its occasions, and its sentence; pure."""

from __future__ import annotations

import typing as t

from .chance import word_chance
from .clock import DAY, THURSDAY, LocalClock, word_duration, word_range, word_time
from .model import Past

EVERY_DAY = (0, 1, 2, 3, 4, 5, 6)
"""Days of the week, 0 for Monday."""
WEEKDAYS = {
    (0,): "Mondays",
    (1,): "Tuesdays",
    (2,): "Wednesdays",
    (3,): "Thursdays",
    (4,): "Fridays",
    (5,): "Saturdays",
    (6,): "Sundays",
    (5, 6): "Saturdays and Sundays",
    (0, 1, 2, 3, 4): "days from Monday to Friday",
}
"""The sets of weekdays that are tried, and their names."""


class Rhythm(t.NamedTuple):
    """A rhythm of kills. Kills in quick succession count as one."""

    kind: str
    """`daily`, `weekly` (on some days of the week), `interval` or `after_start`."""
    period_us: int
    """From one occasion to the next; a day for `weekly`, and 0 for `after_start`."""
    weekdays: tuple[int, ...]
    """The days on which there are occasions, 0 for Monday; empty for `after_start`."""
    at_us: int
    """The first occasion after the local midnight; for `after_start`, the shortest time from a start to its kill."""
    within_us: int
    """How long after an occasion a kill comes at the latest."""
    jitter_us: int
    """From the earliest to the latest kill, each after its occasion."""
    matched: int
    """How many of the kills are in rhythm."""
    kills: int
    """How many kills there are."""
    has_bursts: bool
    """Whether there were kills in quick succession."""
    hits: int
    """How many of the occasions since the first kill in rhythm had a kill."""
    occasions: int
    """How many occasions there have been since then while the host was up."""
    last_us: int
    """The last kill in rhythm."""
    chance: float
    """The chance of such a rhythm at random, corrected for all rhythms that were tried."""

    @property
    def sentence(self) -> str:
        """Return the rhythm in a sentence."""
        things = "bursts of kills" if self.has_bursts else "kills"
        return (
            f"{self.matched} of {self.kills} {things} came {self.words} (chance at random: {word_chance(self.chance)})."
        )

    @property
    def words(self) -> str:
        """Return when the kills came."""
        word = _WORDINGS[self.kind]
        return word(self)

    def count_occasions(self, past: Past, since_us: int, until_us: int) -> int:
        """Return how many occasions a time had while the host was up. There is none on the clock for `after_start`."""
        clock = LocalClock(past.utc_offsets)
        count = 0
        for boot_us, halt_us in past.boots or [(past.first_us, max(past.last_us, until_us))]:
            begin_us = max(boot_us, since_us)
            end_us = min(halt_us, until_us)
            if begin_us <= end_us:
                count += self._count_between(clock.to_local(begin_us), clock.to_local(end_us))

        return count

    def _count_between(self, begin: int, end: int) -> int:
        """Return how many occasions there are from one local time to another."""
        if self.weekdays == EVERY_DAY:
            return _count_multiples(begin - self.at_us, end - self.at_us, self.period_us)

        counts = []
        for weekday in self.weekdays:
            first = self.at_us + (weekday - THURSDAY) * DAY
            counts.append(_count_multiples(begin - first, end - first, 7 * DAY))

        return sum(counts)


def _count_multiples(begin: int, end: int, period: int) -> int:
    """Return how many multiples of the period lie from `begin` to `end`."""
    return end // period - (begin - 1) // period


def _word_daily(rhythm: Rhythm) -> str:
    return f"{_word_window(rhythm)}, on {rhythm.hits} of {rhythm.occasions} days"


def _word_weekly(rhythm: Rhythm) -> str:
    return f"{_word_window(rhythm)}, on {rhythm.hits} of {rhythm.occasions} {WEEKDAYS[rhythm.weekdays]}"


def _word_interval(rhythm: Rhythm) -> str:
    second = word_time(rhythm.at_us + rhythm.period_us)
    third = word_time(rhythm.at_us + 2 * rhythm.period_us)
    times = f"{_word_window(rhythm)}, {second}, {third} and so on"
    return f"every {word_duration(rhythm.period_us)}, {times}, at {rhythm.hits} of {rhythm.occasions} such times"


def _word_after_start(rhythm: Rhythm) -> str:
    durations = word_range(rhythm.at_us, rhythm.at_us + rhythm.within_us)
    return f"{durations} after a start of the unit, in {rhythm.hits} of {rhythm.occasions} runs at least that long"


def _word_window(rhythm: Rhythm) -> str:
    return f"within {word_duration(rhythm.within_us)} after {word_time(rhythm.at_us)}"


_THINGS = ("kills", "bursts of kills")
_WORDINGS: dict[str, t.Callable[[Rhythm], str]] = {
    "daily": _word_daily,
    "weekly": _word_weekly,
    "interval": _word_interval,
    "after_start": _word_after_start,
}
