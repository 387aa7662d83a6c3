# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks summed by name and by cgroup, with shared pages counted once if the table lists them."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.consumers import (
    Sums,
    group_by_cgroup,
    group_by_name,
    sum_tasks,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Task,
    Victim,
)

OLD = (
    Task("httpd", 1, rss_bytes=500, swap_bytes=10, pgtables_bytes=1),
    Task("sshd", 2, rss_bytes=50),
    Task("httpd", 3, rss_bytes=300, swap_bytes=20, pgtables_bytes=2),
)
NEW = tuple(
    Task("httpd", pid, rss_bytes=anon + 70, rss_anon_bytes=anon, rss_file_bytes=50, rss_shmem_bytes=20, swap_bytes=5)
    for pid, anon in ((1, 100), (2, 300))
)


def report(*tasks: Task, scope: str = "global", limit_cgroup: str | None = None) -> OomReport:
    line = Line("")
    return OomReport(
        first=line,
        last=line,
        scope=scope,
        victims=(Victim("httpd", 3),),
        cgroup="/a/b",
        limit_cgroup=limit_cgroup,
        tasks=tasks,
    )


def test_an_old_table_counts_shared_pages_for_each_task() -> None:
    assert sum_tasks(OLD) == Sums(3, 850, None, 30, 3)


def test_a_new_table_counts_shared_pages_once() -> None:
    assert sum_tasks(NEW) == Sums(2, 540, 470, 10, None)


def test_held_memory_counts_shared_pages_once_if_they_are_known() -> None:
    assert (sum_tasks(OLD).held_bytes, sum_tasks(NEW).held_bytes) == (880, 480)


def test_one_task_shares_nothing() -> None:
    assert (sum_tasks(NEW[:1]), sum_tasks(NEW[:1]).held_bytes) == (Sums(1, 170, 170, 5, None), 175)


def test_sums_of_no_tasks_are_unknown() -> None:
    assert sum_tasks(()) == Sums(0, None, None, None, None)


def test_the_largest_name_comes_first() -> None:
    assert [(name, [task.pid for task in tasks]) for name, tasks, _sums in group_by_name(OLD)] == [
        ("httpd", [1, 3]),
        ("sshd", [2]),
    ]


def test_the_cgroup_of_the_victim_is_known() -> None:
    assert [(cgroup, len(tasks)) for cgroup, tasks, _sums in group_by_cgroup(report(*OLD), {})] == [
        (None, 2),
        ("/a/b", 1),
    ]


def test_the_cgroups_of_survivors_are_known() -> None:
    cgroups = [(cgroup, len(tasks)) for cgroup, tasks, _sums in group_by_cgroup(report(*OLD), {1: "/a/b", 2: "/c"})]
    assert cgroups == [("/a/b", 2), ("/c", 1)]


def test_all_tasks_in_a_report_of_a_limit_are_in_its_cgroup_or_below() -> None:
    cgroups = [cgroup for cgroup, _tasks, _sums in group_by_cgroup(report(*OLD, scope="memcg", limit_cgroup="/a"), {})]
    assert cgroups == ["/a", "/a/b"]
