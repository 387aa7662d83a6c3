# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workers are to go, and when."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Memory, Row, Worker
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.policy import (
    Key,
    Seen,
    bounds_of,
    decide,
    over_limit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import Bounds, Settings

LIMIT, HARD = 100, 200
SETTINGS = Settings(bounds=Bounds(LIMIT, HARD), min_idle=5, grace=30, scripts=(("/srv/big*", Bounds(1000)),))


def a_worker(**changes: t.Any) -> Worker:
    """Return an idle worker beyond its limit; `hwm` and `switches` are those of its memory."""
    memory = Memory(33, changes.pop("hwm", LIMIT + 1), rss_bytes=1, swap_bytes=0, switches=changes.pop("switches", 40))
    worker = Worker(
        pid=1000,
        ppid=460,
        started=7,
        command=("/srv/a.fcgi",),
        user="www-data",
        state="idle",
        state_source="sockets",
        idle_seconds=None,
        age_seconds=60,
        memory=memory,
        pss_bytes=None,
        limits={},
        oom_score=1,
        oom_score_adj=0,
        cgroup=None,
        socket="/run/mod_fcgid/460.0",
    )
    return dataclasses.replace(worker, **changes)


def acts(*looks: tuple[float, Worker], settings: Settings = SETTINGS) -> list[list[str]]:
    """Return what is ordered at each of some looks at one worker, which is done each time."""
    found: list[list[str]] = []
    seen: dict[Key, Seen] = {}
    for now, worker in looks:
        orders, seen = decide([worker], seen, settings, now)
        found.append([f"{order.act} {order.reason}" for order in orders])
        if any(order.act == "drain" for order in orders):
            seen = {key: dataclasses.replace(value, drained=True) for key, value in seen.items()}
    return found


@pytest.mark.parametrize(
    ("worker", "found"),
    [(a_worker(hwm=LIMIT), []), (a_worker(hwm=None), []), (a_worker(state="exiting"), [])],
    ids=["at the limit", "unknown", "exiting"],
)
def test_what_is_left_alone(worker: Worker, found: list[str]) -> None:
    assert acts((0, worker), (60, worker)) == [found, found]


def test_it_is_drained_at_once_and_retired_when_idle_for_long_enough() -> None:
    worker = a_worker()
    assert acts((0, worker), (4, worker), (5, worker)) == [["drain limit"], [], ["retire limit"]]


def test_it_is_ordered_again_until_it_is_drained_and_holds_back_no_other() -> None:
    workers = [a_worker(pid=pid, state="busy") for pid in (1, 2)]
    settings = dataclasses.replace(SETTINGS, interval=1)
    _orders, seen = decide(workers, {}, settings, 0)
    orders, _seen = decide(workers, seen, settings, 1)
    assert [(order.act, order.worker.pid) for order in orders] == [("drain", 1), ("drain", 2)]


def test_it_is_drained_when_it_passes_the_limit() -> None:
    assert acts((0, a_worker(hwm=LIMIT)), (1, a_worker())) == [[], ["drain limit"]]


def test_it_is_retired_at_once_where_no_idle_time_is_asked_for() -> None:
    assert acts((0, a_worker()), settings=dataclasses.replace(SETTINGS, min_idle=0)) == [
        ["drain limit", "retire limit"]
    ]


def test_nothing_is_drained_where_that_is_not_wanted() -> None:
    worker = a_worker()
    assert acts((0, worker), (5, worker), settings=dataclasses.replace(SETTINGS, drain=False)) == [[], ["retire limit"]]


def test_a_busy_one_is_drained_and_never_signalled() -> None:
    worker = a_worker(state="busy")
    assert acts((0, worker), (1000, worker)) == [["drain limit"], []]


def test_a_dry_run_tells_of_a_busy_one_that_would_be_drained() -> None:
    worker = a_worker(state="busy")
    assert acts((0, worker), settings=dataclasses.replace(SETTINGS, dry_run=True)) == [["retire limit"]]


def begun(workers: list[Worker], settings: Settings = SETTINGS) -> list[list[int]]:
    """Return the workers for which there are orders, by pid, at each of two looks; all of them are done."""
    found: list[list[int]] = []
    seen: dict[Key, Seen] = {}
    for now in (0, 1):
        orders, seen = decide(workers, seen, settings, now)
        found.append([order.worker.pid for order in orders])
        done = {(order.worker.pid, order.worker.started) for order in orders if order.act == "drain"}
        seen = {key: dataclasses.replace(value, drained=value.drained or key in done) for key, value in seen.items()}
    return found


@pytest.mark.parametrize(
    ("interval", "found"), [(1, [[4], [3]]), (5, [[4], [3]]), (6, [[4, 3], [2, 1]]), (12, [[4, 3, 2, 1], []])]
)
def test_the_largest_go_first_and_no_more_than_can_be_replaced(interval: int, found: list[list[int]]) -> None:
    workers = [a_worker(pid=pid, hwm=LIMIT + pid) for pid in (1, 2, 3, 4)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=interval)) == found


def test_each_program_is_replaced_for_itself() -> None:
    workers = [a_worker(pid=pid, command=(f"/srv/{pid % 2}.fcgi",)) for pid in (1, 2, 3, 4)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=3)) == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    "row", [None, Row("/usr/bin/choom -n 500 -- /srv/a.fcgi", 9, 3, "Ready")], ids=["named by itself", "by the page"]
)
def test_workers_of_one_class_are_one_program_whatever_they_call_themselves(row: Row | None) -> None:
    workers = [a_worker(pid=pid, command=(f"app: {pid} served",), row=row) for pid in (1, 2)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=1)) == [[1], [2]]


def test_no_more_than_can_be_replaced_are_signalled_without_draining() -> None:
    workers = [a_worker(pid=pid) for pid in (1, 2)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=1, min_idle=0, drain=False))[0] == [1]


def test_no_number_of_others_spares_one_beyond_the_hard_limit() -> None:
    workers = [a_worker(pid=pid, state="busy", hwm=HARD + 1) for pid in (1, 2)]
    settings = dataclasses.replace(SETTINGS, interval=1, grace=0)
    assert begun(workers, settings)[0] == [1, 1, 2]


def test_one_that_ran_between_two_looks_was_not_idle() -> None:
    assert acts((0, a_worker()), (5, a_worker(switches=41)), (9, a_worker(switches=41)))[1:] == [[], []]


def test_one_that_was_busy_was_not_idle() -> None:
    assert acts((0, a_worker()), (3, a_worker(state="busy")), (6, a_worker()))[1:] == [[], []]


def test_one_that_only_woke_up_was_idle_if_no_request_was_counted() -> None:
    row = Row("/srv/a.fcgi", 9, 3, "Ready")
    worker = a_worker(row=row)
    assert acts((0, worker), (5, dataclasses.replace(worker, memory=a_worker(switches=99).memory)))[1:] == [
        ["retire limit"]
    ]


def test_a_request_that_was_counted_ends_the_idle_time() -> None:
    rows = [Row("/srv/a.fcgi", 9, accesses, "Ready") for accesses in (3, 4)]
    assert acts((0, a_worker(row=rows[0])), (5, a_worker(row=rows[1], switches=41)))[1:] == [[]]


def test_a_busy_one_beyond_the_hard_limit_has_its_grace_time() -> None:
    worker = a_worker(state="busy", hwm=HARD + 1)
    assert acts((0, worker), (29, worker), (30, worker)) == [["drain limit"], [], ["retire hard_limit"]]


def test_the_grace_time_begins_beyond_the_hard_limit() -> None:
    looks = (
        (0, a_worker(state="busy")),
        (20, a_worker(state="busy", hwm=HARD + 1)),
        (49, a_worker(state="busy", hwm=300)),
    )
    assert acts(*looks)[1:] == [[], []]


def test_without_a_hard_limit_there_is_none() -> None:
    worker = a_worker(state="busy", hwm=10**12)
    settings = dataclasses.replace(SETTINGS, bounds=Bounds(LIMIT))
    assert acts((0, worker), (10**6, worker), settings=settings)[1:] == [[]]


def test_it_is_retired_once() -> None:
    worker = a_worker()
    seen = {(1000, 7): Seen(40, None, 0, None, begun=True, drained=True, retired=True)}
    assert decide([worker], seen, SETTINGS, 60)[0] == []


def test_another_process_with_its_pid_is_another_one() -> None:
    later = a_worker(started=8)
    assert acts((0, a_worker()), (5, later)) == [["drain limit"], ["drain limit"]]


def test_one_that_is_gone_is_forgotten() -> None:
    _orders, seen = decide([a_worker()], {}, SETTINGS, 0)
    assert decide([], seen, SETTINGS, 5) == ([], {})


def test_a_script_has_bounds_of_its_own() -> None:
    assert bounds_of(a_worker(command=("/srv/big.fcgi",)), SETTINGS) == Bounds(1000)


def test_the_lower_bound_is_what_was_passed() -> None:
    assert over_limit(a_worker(hwm=HARD + 1), SETTINGS) == LIMIT
