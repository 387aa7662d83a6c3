# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the runs that systemd's records show."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.lives import (
    RESOURCES,
    STARTING,
    Run,
    add_runs,
    find_partial_units,
    find_running,
    list_lives,
    list_runs,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Life
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import STARTED

UNIT = "shop.service"
SECOND = 1_000_000
KILL = Kill(20 * SECOND, "b1", UNIT, "worker", "cgroup_limit")


def record(message_id: str, seconds: int, invocation: str | None = "i1", **fields: str) -> Record:
    if invocation is not None:
        fields["INVOCATION_ID"] = invocation
    return Record("", seconds * SECOND, 0, "b1", {"MESSAGE_ID": message_id, "UNIT": UNIT, **fields})


def run(begin: int | None, end: int | None, peak: int | None = None, swap: int | None = None) -> Run:
    return Run(UNIT, to_us(begin), to_us(end), peak, swap)


def to_us(seconds: int | None) -> int | None:
    return None if seconds is None else seconds * SECOND


def test_run_begins_with_the_first_record_of_its_start_and_ends_with_its_resources() -> None:
    records = [
        record(STARTING, 1),
        record(STARTED, 4),
        record(RESOURCES, 9, MEMORY_PEAK="77", MEMORY_SWAP_PEAK="8"),
        record(STARTED, 11, "i2"),
    ]
    assert list_runs(records) == [run(1, 9, 77, 8), run(11, None)]


def test_job_is_finished_after_its_end() -> None:
    assert list_runs([record(RESOURCES, 9), record(STARTED, 9)]) == [run(None, 9)]


@pytest.mark.parametrize("peak", ["", "infinity", "-1"])
def test_unreadable_peak_is_unknown(peak: str) -> None:
    assert list_runs([record(RESOURCES, 9, MEMORY_PEAK=peak)]) == [run(None, 9)]


def test_record_without_invocation_is_left_out() -> None:
    assert list_runs([record(STARTED, 1, None)]) == []


@pytest.mark.parametrize(
    ("runs", "started", "peak"),
    [
        ([run(1, 9), run(11, 21, 70, 7)], 11, 77),
        ([run(11, 21, 70)], 11, 70),
        ([run(11, 21)], 11, None),
        ([run(11, None)], 11, None),
        ([run(11, 81, 70)], 11, None),
        ([run(1, 9)], None, None),
        ([run(25, 30)], None, None),
        ([run(None, 21, 70)], None, None),
        ([], None, None),
    ],
    ids=[
        "last run",
        "no swap",
        "no peak",
        "still running",
        "survived",
        "ended before",
        "began later",
        "unknown start",
        "nothing",
    ],
)
def test_kill_gets_the_run_in_which_it_happened(runs: t.Sequence[Run], started: int | None, peak: int | None) -> None:
    (kill,) = add_runs([KILL], runs)
    assert kill.started_us == to_us(started)
    assert kill.unit_peak_bytes == peak


def test_run_of_another_unit_is_not_that_of_a_kill() -> None:
    assert add_runs([KILL._replace(unit="other.service")], [run(1, 21)])[0].started_us is None


@pytest.mark.parametrize(
    "with_kill", [run(1, 21), run(20, 90), run(None, 50)], ids=["ended", "survived", "unknown start"]
)
def test_lives_are_runs_that_have_ended_without_a_kill(with_kill: Run) -> None:
    runs = [run(100, 110, 5), with_kill, run(1, 9, 70, 7), run(120, None)]
    assert list_lives(runs, [KILL]) == [
        Life(UNIT, SECOND, 9 * SECOND, 70, 7),
        Life(UNIT, 100 * SECOND, 110 * SECOND, 5),
    ]


@pytest.mark.parametrize(
    ("runs", "started"),
    [
        ([run(1, 9), run(11, None)], 11),
        ([run(1, 9)], None),
        ([run(1, None), run(11, 20)], None),
        ([run(None, None)], None),
        ([], None),
    ],
    ids=["running", "ended", "lost its end", "unknown start", "nothing"],
)
def test_unit_runs_whose_last_run_has_not_ended(runs: t.Sequence[Run], started: int | None) -> None:
    assert find_running(runs).get(UNIT) == to_us(started)


@pytest.mark.parametrize(
    ("runs", "partial"),
    [
        ([run(1, None), run(11, 21)], {UNIT}),
        ([run(1, 9), run(11, None)], set()),
        ([run(1, None), Run("other.service", SECOND, 2 * SECOND)], set()),
    ],
    ids=["ended without a record", "still running", "another unit"],
)
def test_units_of_which_a_run_ended_without_a_record(runs: t.Sequence[Run], partial: set[str]) -> None:
    assert find_partial_units(runs) == partial
