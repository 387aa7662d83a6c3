# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that are part of a report, and fields that they fill."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.draft import Draft
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.kill_lines import Kill
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Origin, Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CPU,
    GROUP,
    HEADING,
    KILL,
    TRIGGER,
    build_memcg_report,
    read_only_reports,
    read_pids,
)


def test_stack_heading_has_pid_of_trigger() -> None:
    (report,) = read_only_reports(build_memcg_report())
    assert report.trigger is not None
    assert report.trigger.pid == 812


@pytest.mark.parametrize(
    "taint",
    [
        "Not tainted",
        "Tainted: G S         OE    ",
        "Tainted: G           OE  ------------  ",
        "Kdump: loaded Not tainted",
    ],
)
def test_kernel_release_follows_any_taint(taint: str) -> None:
    (report,) = read_only_reports(
        [TRIGGER.format("hog"), f"CPU: 1 UID: 0 PID: 9 Comm: hog {taint} 3.10.0-957.el7.x86_64 #1"]
    )
    assert report.kernel_release == "3.10.0-957.el7.x86_64"


def test_stack_heading_of_another_task_is_ignored() -> None:
    (report,) = read_only_reports([TRIGGER.format("hog"), CPU.format("cat", 9)])
    assert report.trigger is not None
    assert report.trigger.pid is None


def test_exiting_process_is_not_a_victim() -> None:
    lines = [
        *build_memcg_report()[:-1],
        "Memory cgroup out of memory: OOM victim 812 (hog) is already exiting. Skip killing the task",
    ]
    assert read_pids(lines) == [[]]
    (report,) = read_only_reports(lines)
    assert (report.exiting, report.complete, report.notes) == (True, True, ())


@pytest.mark.parametrize(
    "lines",
    [
        ["Out of memory (oom_kill_allocating_task): Killed process 812 (hog) total-vm:900kB, anon-rss:1kB"],
        [
            "Out of memory (oom_kill_allocating_task): Kill process 812 (hog) score 0 or sacrifice child",
            "Killed process 812 (hog) total-vm:900kB, anon-rss:1kB, file-rss:0kB",
        ],
    ],
    ids=["since 5.1", "before"],
)
def test_allocating_task_is_killed(lines: list[str]) -> None:
    (report,) = read_only_reports(lines)
    assert (report.allocating_task, report.scope, read_pids(lines)) == (True, "global", [[812]])


def test_order_minus_one_is_manual() -> None:
    (report,) = read_only_reports([TRIGGER.replace("order=0", "order=-1").format("kworker/0:1")])
    assert report.manual is True


def test_kill_is_the_first_kill_line() -> None:
    (report,) = read_only_reports([*build_memcg_report(), GROUP, KILL.format("hog", 813)])
    assert report.kill == Line(KILL.format("hog", 812))


def test_broken_kill_line_is_not_a_counter() -> None:
    texts = ["active_anon:1 inactive_anon:2", "of memory: Killed process 423 (python3) total-vm:36556"]
    lines = [Line(text, origin=Origin(source="kernel")) for text in texts]
    assert [item.victims[0].pid for item in read_reports(lines) if isinstance(item, OomReport)] == [423]


@pytest.mark.parametrize(
    "text", ["Mem-Info:", "[  812]    33   812    90000     2000", "oom-kill:constraint=", "262144 pages RAM"]
)
def test_line_of_any_part_can_begin_a_report(text: str) -> None:
    assert Draft.can_begin(text)


@pytest.mark.parametrize("text", ["", " active_anon:1", "usb 1-1: new device", "Killed process 1"])
def test_other_line_cannot_begin_a_report(text: str) -> None:
    assert not Draft.can_begin(text)


def test_rows_of_the_table_are_bulk() -> None:
    draft = Draft(Line(HEADING))
    assert draft.take(HEADING)
    assert draft.bulk == ("[", draft.rows)


def test_kill_line_ends_the_table() -> None:
    draft = Draft(Line(HEADING))
    draft.take(HEADING)
    draft.add_kill(Kill(Victim("hog", 812), "memcg"), Line(KILL.format("hog", 812)))
    assert draft.bulk[0] == " "


def test_second_victim_is_only_taken_if_it_belongs_to_the_kill() -> None:
    draft = Draft(Line(KILL.format("hog", 812)))
    draft.add_kill(Kill(Victim("hog", 812), "memcg"), draft.first)
    other = Victim("hog", 813)
    assert (draft.can_take_kill(Kill(other, "memcg")), draft.can_take_kill(Kill(other, None, is_sharing=True))) == (
        False,
        True,
    )


@pytest.mark.parametrize("name", ["swapper/0", "memhog", "Node.js", "oom-test", "Taskbar", "hog"])
def test_the_cpuset_of_a_trigger_is_read_whatever_its_name(name: str) -> None:
    (report,) = read_only_reports([TRIGGER.format(name), f"{name} cpuset=/ mems_allowed=0-1", KILL.format(name, 7)])
    assert (report.cpuset, report.mems_allowed, report.unread) == ("/", "0-1", ())


def test_a_broken_line_about_huge_pages_is_joined() -> None:
    lines = [
        TRIGGER.format("hog"),
        "Node 0 hugepages_total=4 hugepages_free=3",
        "hugepages_surp=0 hugepages_size=2048kB",
        "Node 1 hugepages_total=4",
        "hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB",
        "active_anon:1 inactive_anon:2",
        KILL.format("hog", 7),
    ]
    (report,) = read_only_reports(lines)
    assert report.memory is not None
    assert (report.memory.huge_pages_bytes, report.memory.huge_pages_free_bytes) == (16 << 20, 8 << 20)
    assert report.unread == ()
