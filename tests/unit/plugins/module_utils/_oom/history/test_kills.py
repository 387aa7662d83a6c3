# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the way from incidents to kills."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.consumers import find_consumers
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.kills import Kills, build_kill
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Limit, Line, Memory, Origin
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import GIB, PAGE, REPORT

KILLED = Line("Killed process 4711", realtime_us=7, origin=Origin(boot_id="b1"))


def build(**changes: t.Any) -> Kill:
    incident = build_incident(REPORT._replace(kill=KILLED, **changes))
    return build_kill(incident, find_consumers(incident.report, {}), "low_zone")


def test_kill_has_its_time_place_and_sizes() -> None:
    assert build() == Kill(
        time_us=7,
        boot_id="b1",
        unit="apache2.service",
        victim="sys.fcgi",
        cause="low_zone",
        rss_bytes=120000 * PAGE,
        swap_bytes=500000 * PAGE,
        namesakes=2,
        namesakes_bytes=(200000 + 960000) * PAGE,
        ram_bytes=GIB,
        swap_total_bytes=3_934_572_544,
    )


def test_processes_of_other_users_are_no_namesakes() -> None:
    tasks = [task._replace(uid=number) for number, task in enumerate(REPORT.tasks)]
    kill = build(tasks=tasks, victims=(REPORT.victims[0]._replace(uid=1),))
    assert (kill.uid, kill.namesakes, kill.namesakes_bytes) == (1, 1, (80000 + 460000) * PAGE)


def test_limit_is_that_which_was_reached() -> None:
    assert build(limit=Limit(limit_bytes=99)).limit_bytes == 99


@pytest.mark.parametrize(("stat", "evicted"), [({"pgsteal": 3}, 3 * PAGE), ({}, None)])
def test_page_cache_that_was_taken_is_counted_in_pages(stat: dict[str, int], evicted: int | None) -> None:
    assert build(limit=Limit(stat=stat)).evicted_bytes == evicted


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        (None, ""),
        ("/jobs/7", "/jobs/7"),
        ("/user.slice/user-7.slice/user@7.service/app.slice/apache2.service",) * 2,
        ("/user.slice/user-7.slice/session-3.scope", "session-3.scope"),
    ],
)
def test_place_is_the_unit_of_the_host_or_the_cgroup(cgroup: str | None, unit: str) -> None:
    assert build(cgroup=cgroup).unit == unit


def test_host_without_swap_has_nothing_swapped() -> None:
    victim = REPORT.victims[0]._replace(swap_bytes=None)
    assert build(victims=(victim,)).swap_bytes is None
    assert build(victims=(victim,), memory=Memory(swap_total_bytes=0)).swap_bytes == 0


def test_kill_without_victim_and_table_has_no_sizes() -> None:
    kill = build(victims=(), tasks=())
    assert kill.victim == ""
    assert {kill.rss_bytes, kill.swap_bytes, kill.namesakes, kill.namesakes_bytes} == {None}


def test_kill_without_time_is_left_out() -> None:
    kills = Kills()
    for line in (KILLED, KILLED._replace(realtime_us=None)):
        incident = build_incident(REPORT._replace(kill=line))
        kills.add(incident, find_consumers(incident.report, {}), "low_zone")

    assert [kill.time_us for kill in kills.found] == [7]
