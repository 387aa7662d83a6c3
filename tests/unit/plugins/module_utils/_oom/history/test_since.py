# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a change helped, and how often that is claimed of one that did not."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Modification, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.since import (
    CANNOT_TELL,
    FEWER,
    MORE,
    Since,
    count_occasions,
    describe_change,
    format_days,
    group_changes,
    judge_changes,
)

HOUR = 3_600_000_000
DAY = 24 * HOUR
GIB = 1 << 30
SWAP = Modification(30 * DAY, "swap", str(4 * GIB), str(10 * GIB), "oomguard")
SEED = random.randrange(1 << 32)


def judge(
    days: t.Iterable[float],
    *changes: Modification,
    until: float = 60,
    boots: t.Sequence[tuple[int, int]] = (),
    limit_bytes: int | None = None,
) -> list[Since]:
    """Return what kills on these days say of changes; the journal begins on day 0."""
    kills = [Kill(int(day * DAY), "b", "shop.service", "php", "x", limit_bytes=limit_bytes) for day in sorted(days)]
    return judge_changes(kills, Past(0, int(until * DAY), [(0, 0)], kills, modifications=changes, boots=boots))


def test_change_without_kills_since_helped() -> None:
    (since,) = judge(range(1, 30, 3), SWAP)
    assert since.sentence == (
        "0 kills in 30 days since swap went from 4.0 GiB to 10.0 GiB, after 10 kills in 30 days; at the old rate, the "
        "chance of so few was 0.10%."
    )
    assert since.verdict == FEWER


def test_more_kills_than_before_are_named() -> None:
    (since,) = judge([5, *range(31, 60, 2)], SWAP)
    assert since.sentence == (
        "15 kills in 30 days since swap went from 4.0 GiB to 10.0 GiB, after 1 kill in 30 days; at the old rate, the "
        "chance of so many was 0.03%."
    )
    assert since.verdict == MORE


def test_few_days_since_the_change_say_how_many_are_needed() -> None:
    (since,) = judge(range(1, 30, 3), SWAP, until=32)
    assert since.sentence == (
        "0 kills in 2 days since swap went from 4.0 GiB to 10.0 GiB, after 10 kills in 30 days. It is too early to "
        "tell: that takes about 11 days without a kill."
    )


@pytest.mark.parametrize(("until", "verdict"), [(41, CANNOT_TELL), (42, FEWER)])
def test_time_that_is_needed_is_exact(until: int, verdict: str) -> None:
    (since,) = judge(range(1, 30, 3), SWAP, until=until)
    assert since.verdict == verdict


@pytest.mark.parametrize(
    ("days", "change", "doubt"),
    [
        ([45], SWAP._replace(time_us=0), "The journal does not go back further."),
        ([5], SWAP._replace(time_us=60 * DAY), "It is too early to tell."),
        ([5, 10, 20, 40, 50], SWAP, "The difference may be chance."),
        ([45], SWAP, "The difference may be chance."),
    ],
    ids=["journal begins later", "no time since", "no difference", "no kill before"],
)
def test_doubt_is_explained(days: list[float], change: Modification, doubt: str) -> None:
    (since,) = judge(days, change)
    assert (since.verdict, since.doubt) == (CANNOT_TELL, doubt)
    assert since.sentence.endswith(f". {doubt}")


def test_only_the_time_the_host_was_up_counts() -> None:
    (since,) = judge(range(1, 30, 3), SWAP, boots=[(0, 31 * DAY), (58 * DAY, 60 * DAY)])
    assert (since.after.up_us, since.verdict) == (3 * DAY, CANNOT_TELL)


def test_storm_of_kills_is_one_occasion() -> None:
    storm = [3 + minute / 1440 for minute in range(40)]
    (since,) = judge(storm, SWAP)
    assert (since.before.kills, since.before.occasions, since.verdict) == (40, 1, CANNOT_TELL)
    assert "after 40 kills on 1 occasion in 30 days" in since.sentence


@pytest.mark.parametrize(
    ("hours", "count"),
    [([], 0), ([1], 1), ([1, 3, 5], 1), ([1, 5], 2), ([hour / 6 for hour in range(6 * 72)], 3)],
    ids=["none", "one", "a storm", "two", "every ten minutes for three days"],
)
def test_occasions_are_counted(hours: list[float], count: int) -> None:
    assert count_occasions([int(hour * HOUR) for hour in hours]) == count


def test_changes_of_one_day_are_judged_together() -> None:
    policy = Modification(31 * DAY, "MemoryMax of shop.service", "infinity", str(GIB), "oomguard", "shop.service")
    (since,) = judge(range(1, 30, 3), SWAP, policy)
    assert since.changes == (SWAP, policy)
    assert (
        "since swap went from 4.0 GiB to 10.0 GiB and MemoryMax of shop.service went from infinity to 1.0 GiB"
        in since.sentence
    )


def test_many_changes_are_counted() -> None:
    (since,) = judge(range(1, 30, 3), *[SWAP] * 4)
    assert "since swap went from 4.0 GiB to 10.0 GiB and 3 other changes, after" in since.sentence


def test_change_is_judged_until_the_next_one() -> None:
    without, with_effect = judge([*range(1, 40)], SWAP._replace(time_us=20 * DAY), SWAP._replace(time_us=40 * DAY))
    assert (without.verdict, without.after.kills) == (CANNOT_TELL, 20)
    assert (with_effect.verdict, with_effect.before.kills) == (FEWER, 20)


def test_changes_that_cannot_be_told_apart_are_judged_together() -> None:
    (since,) = judge(range(1, 30, 3), SWAP, SWAP._replace(time_us=33 * DAY))
    assert (len(since.changes), since.verdict) == (2, FEWER)


def test_change_without_a_kill_before_or_after_is_left_out() -> None:
    last = SWAP._replace(time_us=40 * DAY)
    (since,) = judge([*range(41, 60)], SWAP._replace(time_us=0), last)
    assert (since.changes, since.verdict) == ((last,), MORE)


def test_kill_in_the_newest_record_counts() -> None:
    (since,) = judge([5, 50, 60], SWAP)
    assert since.after.kills == 2


def test_nothing_is_told_if_the_clock_was_set_back_behind_a_kill() -> None:
    assert judge([5, 50, 61], SWAP) == []


def test_nothing_is_told_if_kills_of_the_victim_have_no_unit() -> None:
    kills = [Kill(day * DAY, "b", "shop.service", "php", "x") for day in (50, 55)]
    lost = Kill(5 * DAY, "b", "", "php", "x")
    past = Past(0, 60 * DAY, [(0, 0)], [lost, *kills], modifications=[SWAP])
    assert judge_changes(kills, past) == []
    assert judge_changes(kills, past._replace(kills=[lost._replace(victim="ruby"), *kills]))


def test_groups_are_of_changes_within_a_day() -> None:
    changes = [SWAP._replace(time_us=int(day * DAY)) for day in (1, 1.5, 2.4, 5)]
    assert [len(group) for group in group_changes(changes)] == [3, 1]


def test_policy_for_the_time_after_a_kill_is_not_judged() -> None:
    assert judge([5], SWAP._replace(what="OOMPolicy of shop.service")) == []


@pytest.mark.parametrize(("limit_bytes", "found"), [(None, 1), (GIB, 0)])
def test_another_unit_matters_if_the_memory_of_the_host_ran_out(limit_bytes: int | None, found: int) -> None:
    other = SWAP._replace(what="MemoryMax of db.service", unit="db.service")
    assert len(judge([5], other, limit_bytes=limit_bytes)) == found


@pytest.mark.parametrize(
    ("what", "before", "after", "text"),
    [
        ("/etc/fstab", None, None, "/etc/fstab was changed"),
        ("MemoryMax of a.service", None, str(GIB), "MemoryMax of a.service was set to 1.0 GiB"),
        ("MemoryMax of a.service", str(GIB), None, "MemoryMax of a.service, which was 1.0 GiB, was removed"),
        ("Slice of a.service", "{x}", "{y}", "Slice of a.service went from {x} to {y}"),
    ],
)
def test_change_in_words(what: str, before: str | None, after: str | None, text: str) -> None:
    assert describe_change(Modification(0, what, before, after, "oomguard")) == text


@pytest.mark.parametrize(("hours", "text"), [(1, "1 h"), (47, "47 h"), (48, "2 days"), (648, "27 days")])
def test_time_in_words(hours: int, text: str) -> None:
    assert format_days(hours * HOUR) == text


def draw_days(rng: random.Random, rate: float, days: float, *, burst_hours: float = 0) -> list[float]:
    """Return the days of kills at a constant rate a day, each with more kills within some hours if there are bursts."""
    found: list[float] = []
    day = rng.expovariate(rate)
    while day < days:
        found.append(day)
        if burst_hours:
            found += [day + rng.uniform(0, burst_hours / 24) for _kill in range(rng.randrange(20))]
        day += rng.expovariate(rate)

    return [day for day in found if day < days]


def draw_change(rng: random.Random, days: t.Sequence[float], until: float, *, reacts: bool) -> Modification:
    """Return a change at any time, or soon after a kill."""
    day = rng.uniform(0, until)
    if reacts:
        day = rng.choice(days) + rng.uniform(0, 0.2)

    return SWAP._replace(time_us=int(day * DAY))


@pytest.mark.parametrize("reacts", [False, True], ids=["any time", "after a kill"])
@pytest.mark.parametrize("burst_hours", [0, 0.5, 3])
def test_constant_rate_has_a_verdict_in_one_of_twenty_at_most(burst_hours: float, *, reacts: bool) -> None:
    print("seed", SEED)
    rng = random.Random(SEED)
    judged = claimed = 0
    while judged < 600:
        until = rng.uniform(5, 150)
        days = draw_days(rng, 10 ** rng.uniform(-1.5, 0.5), until, burst_hours=burst_hours)
        if not days:
            continue

        changes = [draw_change(rng, days, until, reacts=reacts) for _change in range(rng.choice((1, 1, 3)))]
        found = judge(days, *sorted(changes), until=until)
        judged += 1
        claimed += any(since.verdict != CANNOT_TELL for since in found)

    assert claimed <= 0.05 * judged


@pytest.mark.parametrize(("kills", "rest"), [(12, 0.0), (40, 0.2)], ids=["no kill since", "a fifth"])
def test_planted_improvement_is_found(kills: int, rest: float) -> None:
    print("seed", SEED)
    rng = random.Random(SEED)
    found = 0
    for _history in range(200):
        days = draw_days(rng, kills / 30, 30)
        if rest:
            days += [30 + day for day in draw_days(rng, rest * kills / 30, 30)]
        found += judge(days, SWAP)[0].verdict == FEWER

    assert found >= 0.9 * 200
