# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The histories that the Molecule scenario `history` plans, as they would be if programs and systemd were exact."""

from __future__ import annotations

import collections
import random
import typing as t
from pathlib import Path

import pytest
from history_trial.plan import KILLS, STOPS, History, find_base, plan_waves

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.growth import judge_growth
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Life, Past

PROGRAMS = Path(__file__).parents[3] / "molecule/history/files/history_trial/programs"
SEEDS = range(20)
MIB = 1 << 20
SECOND_US = 1_000_000


def list_planned(seed: int) -> list[History]:
    return [history for wave in plan_waves(seed) for history in wave]


class Simulation:
    """Runs a history without its programs, at random speeds and with random memory before the growth."""

    def __init__(self, history: History, chance: random.Random) -> None:
        self._history = history
        self._chance = chance
        self._limit = history.limit_mib * MIB
        self._start_seconds = chance.uniform(0.3, 3)
        self._base = find_base(history.command) * MIB * chance.uniform(0.9, 1.3)
        self._now = 0.0
        self.lives: list[Life] = []
        self.kills: list[Kill] = []

    def run(self) -> str:
        """Return the verdict on all runs."""
        for run in self._history.runs:
            if run.seconds is None:
                self._kill(float(run.argument))
            else:
                self._stop(float(run.argument), run.seconds + self._chance.uniform(0.2, 2))

        past = Past(0, int(self._now * SECOND_US), [(0, 0)], self.kills, self.lives)
        return judge_growth(self.kills, past).verdict

    def _find_size(self, before: float, seconds: float) -> float:
        """Return the memory after some seconds."""
        program, *arguments = self._history.command.split()
        if program.startswith("tight"):
            return 0.94 * self._limit
        if program.startswith("spike"):
            return self._base + 5 * MIB * self._chance.uniform(0.9, 1.1)

        return self._base + int(arguments[-1]) * 1024 * max(0, seconds - self._start_seconds - before)

    def _stop(self, before: float, seconds: float) -> None:
        peak = self._find_size(before, seconds) + self._chance.uniform(-0.5, 0.5) * MIB
        begin, end = self._pass(seconds)
        self.lives.append(Life(self._history.unit, begin, end, int(min(peak, self._limit)), 0))

    def _kill(self, before: float) -> None:
        seconds = before + self._start_seconds + self._chance.uniform(0, 2)
        if self._history.command.startswith("leak"):
            while self._find_size(before, seconds) < self._limit:
                seconds += 0.25

        begin, end = self._pass(seconds)
        kill = Kill(end, "b1", self._history.unit, "worker", "cgroup_limit", limit_bytes=self._limit, started_us=begin)
        self.kills.append(kill._replace(unit_peak_bytes=self._limit, evicted_bytes=MIB))

    def _pass(self, seconds: float) -> tuple[int, int]:
        """Return the begin and the end of the next run, in microseconds."""
        begin = self._now + 1
        self._now = begin + seconds
        return int(begin * SECOND_US), int(self._now * SECOND_US)


def test_twenty_leaks_and_twenty_spikes_are_planned() -> None:
    truths = collections.Counter(history.truth for history in list_planned(1))
    assert (truths["leak"], truths["spike"], truths["hidden"]) == (20, 20, 5)


def test_units_and_programs_are_there_once() -> None:
    planned = list_planned(1)
    assert len({history.unit for history in planned}) == len(planned)
    assert [one.command for one in planned if not (PROGRAMS / one.command.split()[0]).is_file()] == []


def test_runs_show_what_is_not_hidden() -> None:
    for history in list_planned(1):
        if history.truth in {"leak", "spike", "limit_too_low"}:
            kills = [run for run in history.runs if run.seconds is None]
            assert (len(kills), len(history.runs)) == (KILLS, KILLS + STOPS)


@pytest.mark.parametrize("truth", ["leak", "spike", "limit_too_low"])
def test_verdict_on_the_planned_histories_is_right(truth: str) -> None:
    verdicts = collections.Counter(judge_all(truth))
    assert verdicts[truth] >= 0.95 * verdicts.total(), verdicts
    assert verdicts.keys() <= {truth, "cannot_tell"}


def test_nothing_is_told_of_one_kill() -> None:
    assert {*judge_all("hidden")} == {"cannot_tell"}


def judge_all(truth: str) -> t.Iterator[str]:
    """Yield the verdicts on the histories of some seeds."""
    for seed in SEEDS:
        chance = random.Random(seed)
        for history in list_planned(seed):
            if history.truth == truth:
                yield Simulation(history, chance).run()
