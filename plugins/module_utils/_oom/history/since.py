# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a change helped: the kills before and after it, and the chance of that at the old rate. Pure.

If kills come at a constant rate, each of them falls after the change with a chance of that part of the time: the number
of those after it is binomial. This test is exact for small numbers, and allows for what is not known of the old rate
(Przyborowski and Wilenski 1940, Biometrika 31:313). Kills that follow one another count as one, as they are not
independent.
"""

from __future__ import annotations

import math
import typing as t

from ..._change_record import format_value
from .chance import correct, find_chance_of_at_least, find_chance_of_at_most, word_chance
from .clock import DAY, HOUR
from .model import Kill, Modification, Past

FEWER = "fewer"
MORE = "more"
CANNOT_TELL = "cannot_tell"

# Verdicts, and how improbable they have to be. The chance of any on a host on which nothing made a difference is 5%.
_LIMITS = {FEWER: 0.04, MORE: 0.01}
# Changes that follow one another within this time are judged together.
_TOGETHER_US = DAY
# A kill so soon after another one belongs to the same occasion, but none is longer than a day: a host with a kill every
# ten minutes has one occasion each day.
_SAME_OCCASION_US = 3 * HOUR
_LONGEST_OCCASION_US = DAY
# They decide what systemd does after a kill, and prevent none.
_WITHOUT_EFFECT = ("OOMPolicy", "Restart", "RestartSec")

_NO_BEFORE = "The journal does not go back further."
_NO_KILLS = "There are no kills to compare."
_NO_AFTER = "It is too early to tell."
_NO_DIFFERENCE = "The difference may be chance."
# By whether the value before and the value after are known.
_CHANGED = {
    (False, False): "{what} was changed",
    (False, True): "{what} was set to {after}",
    (True, False): "{what}, which was {before}, was removed",
    (True, True): "{what} went from {before} to {after}",
}
_CHANCES = {
    FEWER: "at the old rate, the chance of so few was {chance}.",
    MORE: "at the old rate, the chance of so many was {chance}.",
}
_KILLS = {1: "1 kill"}
_OCCASIONS = {1: "on 1 occasion"}


class Period(t.NamedTuple):
    """The kills in a part of the past, the occasions that they make up, and how long the host was up."""

    kills: int
    occasions: int
    up_us: int

    @property
    def words(self) -> str:
        """The kills and the time: `3 kills in 27 days`."""
        kills = _KILLS.get(self.kills, f"{self.kills} kills")
        if self.occasions < self.kills:
            occasions = _OCCASIONS.get(self.occasions, f"on {self.occasions} occasions")
            kills = f"{kills} {occasions}"

        return f"{kills} in {format_days(self.up_us)}"


class Since(t.NamedTuple):
    """One change, or several that cannot be told apart, and the kills before and after."""

    changes: tuple[Modification, ...]
    before: Period
    after: Period
    verdict: str
    """`fewer`, `more` or `cannot_tell`."""
    chance: float | None = None
    """The chance of so few kills after the change, or so many, at the old rate; None if it cannot be computed."""
    doubt: str = ""
    """Why there is no verdict, in a sentence."""

    @property
    def is_open(self) -> bool:
        """Whether the kills may have stopped, and more time without one would tell."""
        return self.verdict == CANNOT_TELL and self.before.kills > 0 and not self.after.kills

    @property
    def sentence(self) -> str:
        """The kills since the change and before it, and what they say."""
        facts = f"{self.after.words} since {_name_changes(self.changes)}, after {self.before.words}"
        if self.doubt or self.chance is None:
            return f"{facts}. {self.doubt}"

        chance = _CHANCES[self.verdict].format(chance=word_chance(self.chance))
        return f"{facts}; {chance}"


def judge_changes(kills: t.Sequence[Kill], past: Past) -> list[Since]:
    """Return what kills of one kind, oldest first, say of each change of the host that may have prevented them.

    The time before a change begins at the change before it, and the time after it ends at the next one. Changes are
    judged together if they follow one another within a day, or if there was no kill and not enough time between them to
    tell them apart. Changes without a kill before or after are left out. There is no result if kills may be missing, or
    if the clock was set back behind one, so that it is unknown which kills came before a change.
    """
    newest = kills[-1]
    if newest.time_us > past.last_us or _may_miss_kills(newest, past):
        return []

    groups = group_changes([change for change in past.modifications if _may_prevent(change, newest)])
    judge = _Judge(kills, past, len(groups))

    return judge.judge_groups(groups)


def _may_miss_kills(kill: Kill, past: Past) -> bool:
    """Return whether kills of the same victim are of another kind only because their units are unknown."""
    if not kill.unit:
        return False

    units = {other.unit for other in past.kills if other.victim == kill.victim}
    return "" in units


def _may_prevent(change: Modification, kill: Kill) -> bool:
    """Return whether a change may have made a difference to kills such as this one."""
    name, _of, _owner = change.what.partition(" of ")
    if name in _WITHOUT_EFFECT:
        return False
    # If the memory of the host ran out, any unit may have been the cause.
    if kill.limit_bytes is None:
        return True

    return change.unit in ("", kill.unit)


def group_changes(changes: t.Sequence[Modification]) -> list[list[Modification]]:
    """Return the changes, oldest first, those together that follow one another within a day."""
    groups: list[list[Modification]] = []
    last_us = -math.inf
    for change in changes:
        if change.time_us - last_us > _TOGETHER_US:
            groups.append([])
        groups[-1].append(change)
        last_us = change.time_us

    return groups


def count_occasions(times: t.Sequence[int]) -> int:
    """Return the number of occasions that kills at these times, oldest first, make up."""
    count = 0
    begin_us = previous_us = -math.inf
    for time_us in times:
        has_paused = time_us - previous_us > _SAME_OCCASION_US
        has_lasted = time_us - begin_us > _LONGEST_OCCASION_US
        if has_paused or has_lasted:
            count += 1
            begin_us = time_us
        previous_us = time_us

    return count


class _Judge:
    """Compares the kills before and after each of a number of groups of changes."""

    def __init__(self, kills: t.Sequence[Kill], past: Past, groups: int) -> None:
        # A period ends before its end, but the newest record may be that of a kill.
        self._times = [min(kill.time_us, past.last_us - 1) for kill in kills]
        self._past = past
        self._groups = groups

    def judge_groups(self, groups: t.Sequence[t.Sequence[Modification]]) -> list[Since]:
        """Return what the kills say of each group of changes, or of several groups that cannot be told apart."""
        found: list[Since] = []
        begin_us = self._past.first_us
        pending: list[Modification] = []
        ends = [group[0].time_us for group in groups]
        for group, end_us in zip(groups, (*ends[1:], self._past.last_us)):
            pending += group
            since = self._judge(tuple(pending), begin_us, end_us)
            if group is groups[-1] or not since.is_open:
                found.append(since)
                begin_us = group[-1].time_us
                pending = []

        return list(filter(_has_kills, found))

    def _judge(self, changes: tuple[Modification, ...], begin_us: int, end_us: int) -> Since:
        before = self._measure(begin_us, changes[0].time_us)
        after = self._measure(changes[-1].time_us, end_us)
        doubt = _find_obstacle(before, after)
        if doubt:
            return Since(changes, before, after, CANNOT_TELL, doubt=doubt)

        occasions = before.occasions + after.occasions
        share = after.up_us / (before.up_us + after.up_us)
        chances = {
            FEWER: find_chance_of_at_most(after.occasions, occasions, share),
            MORE: find_chance_of_at_least(after.occasions, occasions, share),
        }
        for verdict, chance in chances.items():
            if correct(chance, self._groups) < _LIMITS[verdict]:
                return Since(changes, before, after, verdict, chance)

        return Since(changes, before, after, CANNOT_TELL, min(chances.values()), self._explain_doubt(before, after))

    def _explain_doubt(self, before: Period, after: Period) -> str:
        if after.occasions:
            return _NO_DIFFERENCE

        # After this time, the chance of no kill at the old rate is down at the limit.
        limit = _LIMITS[FEWER] / self._groups
        enough_us = before.up_us * (limit ** (-1 / before.occasions) - 1)
        return f"It is too early to tell: that takes about {format_days(enough_us)} without a kill."

    def _measure(self, begin_us: int, end_us: int) -> Period:
        times = [time_us for time_us in self._times if begin_us <= time_us < end_us]
        return Period(len(times), count_occasions(times), self._find_uptime(begin_us, end_us))

    def _find_uptime(self, begin_us: int, end_us: int) -> int:
        up_us = 0
        for first_us, last_us in self._past.boots or [(begin_us, end_us)]:
            both_us = min(last_us, end_us) - max(first_us, begin_us)
            up_us += max(both_us, 0)

        return up_us


def _has_kills(since: Since) -> bool:
    return since.before.kills + since.after.kills > 0


def _find_obstacle(before: Period, after: Period) -> str:
    """Return why two periods cannot be compared, nothing if they can."""
    if before.up_us <= 0:
        return _NO_BEFORE
    if after.up_us <= 0:
        return _NO_AFTER
    if not before.kills + after.kills:
        return _NO_KILLS

    return ""


def _name_changes(changes: t.Sequence[Modification]) -> str:
    first, *others = map(describe_change, changes)
    if not others:
        return first
    if len(others) == 1:
        return f"{first} and {others[0]}"

    return f"{first} and {len(others)} other changes"


def describe_change(change: Modification) -> str:
    """Return a change in words: `swap went from 3.7 GiB to 10.0 GiB`."""
    name, _of, _owner = change.what.partition(" of ")
    words = _CHANGED[change.before is not None, change.after is not None]

    return words.format(
        what=change.what,
        before=format_value(name, change.before),
        after=format_value(name, change.after),
    )


def format_days(time_us: float) -> str:
    """Return a time in days, or in hours if it is less than two days."""
    days = time_us / DAY
    if days >= 2:
        return f"{days:.0f} days"

    return f"{time_us / HOUR:.0f} h"
