# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workers are drained or retired, and when."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Memory, Process, Row, Worker
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.policy import (
    Key,
    Seen,
    decide,
    find_bounds,
    find_passed_bound,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import Bounds, ScriptBounds, Settings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import LIMIT, make_worker

HARD = 200
SETTINGS = Settings(
    bounds=Bounds(LIMIT, HARD), min_idle=5, grace=30, scripts=(ScriptBounds("/srv/big*", Bounds(1000)),)
)


def acts(*checks: tuple[float, Worker], settings: Settings = SETTINGS) -> list[list[str]]:
    """Return the orders for one worker at each check. Each order is executed."""
    found: list[list[str]] = []
    seen: dict[Key, Seen] = {}
    for now, worker in checks:
        orders, seen = decide([worker], seen, settings, now)
        found.append([f"{order.act} {order.reason}" for order in orders])
        if any(order.act == "drain" for order in orders):
            seen = {key: dataclasses.replace(value, drained=True) for key, value in seen.items()}
    return found


@pytest.mark.parametrize(
    ("worker", "found"),
    [(make_worker(hwm=LIMIT), []), (make_worker(hwm=None), []), (make_worker(state="exiting"), [])],
    ids=["at the limit", "unknown", "exiting"],
)
def test_worker_within_its_limit_or_exiting_is_left_alone(worker: Worker, found: list[str]) -> None:
    assert acts((0, worker), (60, worker)) == [found, found]


def test_worker_is_drained_at_once_and_retired_after_idle_time() -> None:
    worker = make_worker()
    assert acts((0, worker), (4, worker), (5, worker)) == [["drain limit"], [], ["retire limit"]]


def test_undrained_worker_has_a_new_order_and_blocks_no_other() -> None:
    workers = [make_worker(pid=pid, state="busy") for pid in (1, 2)]
    settings = dataclasses.replace(SETTINGS, interval=1)
    _orders, seen = decide(workers, {}, settings, 0)
    orders, _seen = decide(workers, seen, settings, 1)
    assert [(order.act, order.worker.pid) for order in orders] == [("drain", 1), ("drain", 2)]


def test_worker_is_drained_when_it_passes_the_limit() -> None:
    assert acts((0, make_worker(hwm=LIMIT)), (1, make_worker())) == [[], ["drain limit"]]


def test_worker_is_retired_at_once_without_idle_time() -> None:
    assert acts((0, make_worker()), settings=dataclasses.replace(SETTINGS, min_idle=0)) == [
        ["drain limit", "retire limit"]
    ]


def test_nothing_is_drained_if_that_is_not_wanted() -> None:
    worker = make_worker()
    assert acts((0, worker), (5, worker), settings=dataclasses.replace(SETTINGS, drain=False)) == [[], ["retire limit"]]


def test_busy_worker_is_drained_and_never_signalled() -> None:
    worker = make_worker(state="busy")
    assert acts((0, worker), (1000, worker)) == [["drain limit"], []]


def test_dry_run_retires_a_busy_worker_that_would_be_drained() -> None:
    worker = make_worker(state="busy")
    assert acts((0, worker), settings=dataclasses.replace(SETTINGS, dry_run=True)) == [["retire limit"]]


def begun(workers: list[Worker], settings: Settings = SETTINGS) -> list[list[int]]:
    """Return the pids of the workers with orders, at each of two checks. Each order is executed."""
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
def test_largest_workers_go_first_and_no_more_than_can_be_replaced(interval: int, found: list[list[int]]) -> None:
    workers = [make_worker(pid=pid, hwm=LIMIT + pid) for pid in (1, 2, 3, 4)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=interval)) == found


def test_each_program_has_its_own_quota() -> None:
    workers = [make_worker(pid=pid, command=(f"/srv/{pid % 2}.fcgi",)) for pid in (1, 2, 3, 4)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=3)) == [[1, 2], [3, 4]]


def test_workers_that_rename_themselves_share_a_quota() -> None:
    workers = [make_worker(pid=pid, command=(f"app: {pid} served",)) for pid in (1, 2)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=1)) == [[1], [2]]


def test_each_user_has_a_quota_for_the_same_program() -> None:
    workers = [make_worker(pid=pid, user=f"web{pid}", command=("/usr/bin/php-cgi",)) for pid in (1, 2)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=1)) == [[1, 2], []]


def make_tree(*peaks: int, switches: int = 40) -> Worker:
    """Return a worker whose processes have these peaks. The last one has run `switches` times."""
    processes = []
    for pid, peak in enumerate(peaks, start=1000):
        processes.append(Process(pid, 7, Memory(33, peak, rss_bytes=1, swap_bytes=0, switches=40)))
    last = processes.pop()
    processes.append(last._replace(memory=last.memory._replace(switches=switches)))
    return dataclasses.replace(make_worker(), processes=tuple(processes))


def test_processes_of_a_worker_pass_the_limit_together() -> None:
    assert find_passed_bound(make_tree(LIMIT - 60, 61), SETTINGS) == LIMIT
    assert find_passed_bound(make_tree(LIMIT - 60, 60), SETTINGS) is None


def test_worker_is_idle_only_if_none_of_its_processes_has_run() -> None:
    before, after = make_tree(LIMIT, 1), make_tree(LIMIT, 1, switches=41)
    assert acts((0, before), (5, before)) == [["drain limit"], ["retire limit"]]
    assert acts((0, before), (5, after)) == [["drain limit"], []]


def test_process_in_place_of_another_ends_the_idle_time() -> None:
    before = make_tree(LIMIT, 1)
    first, second = before.processes
    after = dataclasses.replace(before, processes=(first, second._replace(pid=2000)))
    assert acts((0, before), (5, after)) == [["drain limit"], []]


def test_quota_applies_without_draining() -> None:
    workers = [make_worker(pid=pid) for pid in (1, 2)]
    assert begun(workers, dataclasses.replace(SETTINGS, interval=1, min_idle=0, drain=False))[0] == [1]


def test_quota_does_not_spare_a_worker_over_its_hard_limit() -> None:
    workers = [make_worker(pid=pid, state="busy", hwm=HARD + 1) for pid in (1, 2)]
    settings = dataclasses.replace(SETTINGS, interval=1, grace=0)
    assert begun(workers, settings)[0] == [1, 1, 2]


def test_worker_that_ran_between_two_checks_was_not_idle() -> None:
    assert acts((0, make_worker()), (5, make_worker(switches=41)), (9, make_worker(switches=41)))[1:] == [[], []]


def test_worker_that_was_busy_was_not_idle() -> None:
    assert acts((0, make_worker()), (3, make_worker(state="busy")), (6, make_worker()))[1:] == [[], []]


def test_worker_that_ran_without_a_request_was_idle() -> None:
    row = Row("/srv/a.fcgi", 9, 3, "Ready")
    worker = make_worker(row=row)
    assert acts((0, worker), (5, make_worker(row=row, switches=99)))[1:] == [["retire limit"]]


def test_counted_request_ends_the_idle_time() -> None:
    rows = [Row("/srv/a.fcgi", 9, accesses, "Ready") for accesses in (3, 4)]
    assert acts((0, make_worker(row=rows[0])), (5, make_worker(row=rows[1], switches=41)))[1:] == [[]]


def test_busy_worker_over_its_hard_limit_has_the_grace_time() -> None:
    worker = make_worker(state="busy", hwm=HARD + 1)
    assert acts((0, worker), (29, worker), (30, worker)) == [["drain limit"], [], ["retire hard_limit"]]


def test_grace_time_begins_at_the_hard_limit() -> None:
    checks = (
        (0, make_worker(state="busy")),
        (20, make_worker(state="busy", hwm=HARD + 1)),
        (49, make_worker(state="busy", hwm=300)),
    )
    assert acts(*checks)[1:] == [[], []]


def test_busy_worker_without_a_hard_limit_is_not_retired() -> None:
    worker = make_worker(state="busy", hwm=10**12)
    settings = dataclasses.replace(SETTINGS, bounds=Bounds(LIMIT))
    assert acts((0, worker), (10**6, worker), settings=settings)[1:] == [[]]


def test_worker_is_retired_once() -> None:
    worker = make_worker()
    seen = {(1000, 7): Seen((), None, 0, None, begun=True, drained=True, retired=True)}
    assert decide([worker], seen, SETTINGS, 60)[0] == []


def test_later_process_with_the_same_pid_is_another_worker() -> None:
    later = make_worker(started=8)
    assert acts((0, make_worker()), (5, later)) == [["drain limit"], ["drain limit"]]


def test_worker_that_has_ended_is_forgotten() -> None:
    _orders, seen = decide([make_worker()], {}, SETTINGS, 0)
    assert decide([], seen, SETTINGS, 5) == ([], {})


def test_script_has_its_own_bounds() -> None:
    assert find_bounds(make_worker(command=("/srv/big.fcgi",)), SETTINGS) == Bounds(1000)


def test_lowest_passed_bound_is_returned() -> None:
    assert find_passed_bound(make_worker(hwm=HARD + 1), SETTINGS) == LIMIT


@pytest.mark.parametrize(("user", "bounds"), [("web7", Bounds(700)), ("web8", Bounds(LIMIT, HARD))])
def test_user_has_bounds_of_its_own(user: str, bounds: Bounds) -> None:
    settings = dataclasses.replace(SETTINGS, scripts=(ScriptBounds("/usr/bin/php-cgi", Bounds(700), "web7"),))
    worker = make_worker(command=("/usr/bin/php-cgi", "-d", "open_basedir=/srv"), user=user)
    assert find_bounds(worker, settings) == bounds
