# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the verdict on growth."""

from __future__ import annotations

import collections
import os
import random
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.growth import Growth, judge_growth
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Life, Population
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
    MIB,
    make_end,
    make_kill,
    make_life,
    make_past,
)

# A random seed would fail once in a hundred runs: up to 0.8% of some sorts are wrong.
SEED = int(os.environ.get("OOMGUARD_SEED", "1"))
_HISTORIES = 300
HOURS = (1, 2, 3, 5, 8)
GROWING = [make_life(hours, 20 + 10 * hours) for hours in HOURS]
LEVEL = [make_life(hours, 20 + hours % 3) for hours in HOURS]
NEAR = [make_life(hours, 95 + hours % 3) for hours in HOURS]
AT_LIMIT = [make_end(8, 100, at=at) for at in (600, 700)]
EARLY = [make_end(3, 100, at=at) for at in (600, 700)]


def judge(kills: t.Sequence[Kill], lives: t.Sequence[Life]) -> Growth:
    return judge_growth(kills, make_past(*kills, lives=lives))


def test_growth_with_time_that_predicts_the_kills_is_a_leak() -> None:
    growth = judge(AT_LIMIT, GROWING)
    assert growth.verdict == "leak"
    assert (growth.bytes_per_hour, growth.fit, growth.runs) == (10 * MIB, 1.0, 5)
    assert " ".join(growth.evidence) == (
        "The longer shop.service ran, the more memory it used: 5 runs of shop.service that ended without a kill after "
        "60 min to 8 h show a growth of 10.0 MiB an hour. A straight line explains 100% of their differences. "
        "At this rate it uses 100.0 MiB after 8 h. It was killed after about 8 h, when it used 100.0 MiB."
    )


def test_sudden_growth_in_runs_that_else_stay_small_is_a_spike() -> None:
    growth = judge(EARLY, LEVEL)
    assert growth.verdict == "spike"
    assert " ".join(growth.evidence) == (
        "The 5 runs of shop.service that ended without a kill after 60 min to 8 h used 20.0 MiB to 22.0 MiB, however "
        "long they were. 3 of them lasted at least as long as the 3 h after which it was killed, when it used "
        "100.0 MiB."
    )


def test_use_near_the_limit_in_all_runs_means_that_it_is_too_low() -> None:
    assert judge(EARLY, NEAR).verdict == "limit_too_low"


def test_leak_shows_in_runs_of_similar_length() -> None:
    assert judge(AT_LIMIT, [make_life(hours, 20 + 10 * hours) for hours in (4, 5, 5.5, 6, 7)]).verdict == "leak"


def test_leak_without_a_report_of_the_page_cache_needs_three_kills() -> None:
    kills = [kill._replace(evicted_bytes=None) for kill in AT_LIMIT]
    assert judge(kills, GROWING).verdict == "cannot_tell"
    assert judge([*kills, kills[0]], GROWING).verdict == "leak"


def test_report_of_one_kill_shows_the_page_cache() -> None:
    kills = [AT_LIMIT[0]._replace(evicted_bytes=None), AT_LIMIT[1]]
    assert judge(kills, GROWING).verdict == "leak"


@pytest.mark.parametrize(
    ("kills", "lives"),
    [
        ([make_end(3, 100, at=at) for at in (600, 700)], GROWING),
        ([*AT_LIMIT, make_end(1, 100, at=800)], GROWING),
        ([kill._replace(evicted_bytes=40 * MIB) for kill in AT_LIMIT], GROWING),
        (AT_LIMIT[:1], GROWING),
        (AT_LIMIT, GROWING[:4]),
        (AT_LIMIT, [life._replace(peak_bytes=None) for life in GROWING]),
        (AT_LIMIT, [life._replace(started_us=None) for life in GROWING]),
        (AT_LIMIT, [life._replace(unit="other.service") for life in GROWING]),
        ([kill._replace(started_us=None) for kill in AT_LIMIT], GROWING),
        (AT_LIMIT, [make_life(4 + hours / 10, 60 + hours) for hours in HOURS]),
        (AT_LIMIT, [make_life(hours, 80 + hours) for hours in HOURS]),
        (AT_LIMIT, [make_life(hours, size) for hours, size in zip(HOURS, (30, 60, 20, 70, 25), strict=True)]),
    ],
    ids=[
        "killed earlier than the line predicts",
        "one kill that the line does not predict",
        "page cache",
        "one kill",
        "four runs",
        "no peaks",
        "no starts",
        "another unit",
        "kills of unknown age",
        "runs of similar length",
        "little growth",
        "no line",
    ],
)
def test_other_runs_do_not_show_a_leak(kills: t.Sequence[Kill], lives: t.Sequence[Life]) -> None:
    assert judge(kills, lives).verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("kills", "lives"),
    [
        ([make_end(8, 100, at=at) for at in (600, 700)], LEVEL),
        (EARLY, [make_life(hours, 20 + 4 * hours) for hours in HOURS]),
        (EARLY, [*LEVEL, make_life(4, 61)]),
        (EARLY, [*LEVEL, make_life(4, 45)]),
        (EARLY[:1], LEVEL),
    ],
    ids=["one run as long", "growth with time", "a large peak", "peaks that differ", "one kill"],
)
def test_other_runs_do_not_show_a_spike(kills: t.Sequence[Kill], lives: t.Sequence[Life]) -> None:
    assert judge(kills, lives).verdict == "cannot_tell"


@pytest.mark.parametrize(
    "changes", [{"evicted_bytes": None}, {"evicted_bytes": 30 * MIB}, {"evicted_bytes": 0, "cause": "low_zone"}]
)
def test_page_cache_does_not_show_that_a_limit_is_too_low(changes: dict[str, t.Any]) -> None:
    assert judge([kill._replace(**changes) for kill in EARLY], NEAR).verdict == "cannot_tell"


def test_limit_may_be_high_enough_for_runs_that_systemd_did_not_record() -> None:
    past = make_past(*EARLY, lives=NEAR, partial_units={"shop.service"})
    growth = judge_growth(EARLY, past)
    assert growth.verdict == "cannot_tell"
    assert " ".join(growth.evidence) == (
        "systemd recorded what 5 runs of shop.service used that ended without a kill, and nothing of others. It leaves "
        "out runs that used no more than 1 s of processor time and 64 MiB."
    )


CROWD = make_kill(
    600,
    uid=7,
    rss_bytes=12 * MIB,
    swap_bytes=0,
    namesakes=40,
    namesakes_bytes=400 * MIB,
    limit_bytes=512 * MIB,
)


def test_more_processes_of_the_same_size_than_now_are_too_many() -> None:
    past = make_past(CROWD, present={("worker", 7): Population(8, 9 * MIB)})
    growth = judge_growth([CROWD], past)
    assert growth.verdict == "too_many"
    assert growth.evidence == (
        "At the last kill, 40 processes named worker held 10.0 MiB each.",
        "Now their number is 8, with 9.0 MiB each.",
    )


@pytest.mark.parametrize(
    ("kill", "present"),
    [
        (CROWD, None),
        (CROWD._replace(uid=8), Population(8, 9 * MIB)),
        (CROWD, Population(21, 9 * MIB)),
        (CROWD, Population(8, 5 * MIB)),
        (CROWD._replace(namesakes=4, namesakes_bytes=400 * MIB), Population(1, 100 * MIB)),
        (CROWD._replace(limit_bytes=900 * MIB), Population(8, 9 * MIB)),
        (CROWD._replace(limit_bytes=None, ram_bytes=900 * MIB), Population(8, 9 * MIB)),
        (CROWD._replace(rss_bytes=21 * MIB), Population(8, 9 * MIB)),
        (CROWD._replace(namesakes_bytes=None), Population(8, 9 * MIB)),
    ],
    ids=[
        "unknown now",
        "another user",
        "as many now",
        "smaller now",
        "few",
        "other memory",
        "other RAM",
        "one is large",
        "no sizes",
    ],
)
def test_other_crowds_are_not_too_many(kill: Kill, present: Population | None) -> None:
    populations: dict[tuple[str, int | None], Population] = {}
    if present:
        populations = {("worker", 7): present}

    assert judge_growth([kill], make_past(kill, present=populations)).verdict == "cannot_tell"


@pytest.mark.parametrize(
    ("kills", "lives", "evidence"),
    [
        (
            [make_kill(1, unit="/jobs/7")],
            [],
            "The victim was in no unit of the host, so systemd recorded no runs of it.",
        ),
        ([make_kill(1, unit="")], [], "The unit of the victim is unknown."),
        ([make_kill(1, unit="session-*.scope")], [], "The victim was in no unit of the host, so systemd"),
        (AT_LIMIT, [make_life(1, 1, peak_bytes=None)], "systemd recorded no memory peaks of shop.service. It does so"),
        (
            AT_LIMIT,
            LEVEL[:2],
            "There are too few runs of shop.service that ended without a kill",
        ),
        (
            [make_kill(1)],
            LEVEL,
            "There are too few kills for which it is known how long shop.service",
        ),
        (AT_LIMIT, [make_life(hours, 60) for hours in HOURS], "The memory peaks of the 5 runs of shop.service that"),
    ],
)
def test_what_is_missing_is_said(kills: t.Sequence[Kill], lives: t.Sequence[Life], evidence: str) -> None:
    growth = judge(kills, lives)
    assert growth.verdict == "cannot_tell"
    assert growth.evidence[0].startswith(evidence)


class Simulation:
    """Makes histories at random. The unit has 100 MiB, and its memory without growth is a part of that."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def leak(self, spread: float) -> Growth:
        """Judge a leak that is as fast in each run as the load is, which differs by the spread."""
        chance = self._chance
        full = chance.uniform(2, 200)
        begin = chance.uniform(5, 40)
        runs: list[tuple[float, float]] = []
        while len(runs) < 30:
            load = chance.lognormvariate(0, spread)
            hours = min(chance.expovariate(1.5 / full), full / load)
            runs.append((hours, begin + (100 - begin) * hours * load / full))

        return self._judge(runs, evicted=MIB)

    def spike(self, *, cache: float) -> Growth:
        """Judge spikes at any age, in a unit that also reads files."""
        chance = self._chance
        longest = chance.uniform(2, 200)
        level = chance.uniform(5, 45)
        runs: list[tuple[float, float]] = []
        for _number in range(30):
            hours = chance.uniform(0.02, 1.2) * longest
            peak = level * chance.uniform(1, 1.6) + cache * hours / longest * 100
            runs.append((hours, chance.choice((min(peak, 99), 100))))

        return self._judge(runs, evicted=int(cache * 50 * MIB))

    def _judge(self, runs: t.Sequence[tuple[float, float]], *, evicted: int) -> Growth:
        lives = [make_life(max(hours, 0.01), mib) for hours, mib in runs if mib < 99.9]
        ends = [make_end(max(hours, 0.01), mib, evicted_bytes=evicted) for hours, mib in runs if mib >= 99.9]
        return judge(ends[:6] or [make_kill(1)], lives[: self._chance.randint(5, 20)])


@pytest.mark.parametrize(
    ("truth", "make", "least"),
    [
        ("leak", lambda made: made.leak(0), 0.6),
        ("leak", lambda made: made.leak(0.3), 0),
        ("leak", lambda made: made.leak(1), 0),
        ("spike", lambda made: made.spike(cache=0), 0.6),
        ("spike", lambda made: made.spike(cache=0.5), 0),
        ("spike", lambda made: made.spike(cache=1), 0),
    ],
    ids=["even leak", "uneven leak", "very uneven leak", "spike", "spike and files", "spike and many files"],
)
def test_verdict_on_random_histories_is_right_or_none(
    truth: str, make: t.Callable[[Simulation], Growth], least: float
) -> None:
    made = Simulation(SEED)
    verdicts = collections.Counter(make(made).verdict for _number in range(_HISTORIES))
    wrong = _HISTORIES - verdicts[truth] - verdicts["cannot_tell"]
    assert wrong <= _HISTORIES * 0.02, f"seed {SEED}"
    assert verdicts[truth] >= _HISTORIES * least, f"seed {SEED}"
