# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole reports, parts of reports, and several reports at once."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    QUOTED,
    Line,
    OomReport,
    Origin,
    Unparsed,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CONSTRAINT,
    CPU,
    GLOBAL_TRIGGER,
    GROUP,
    HEADING,
    KILL,
    POLICY,
    REAPED,
    ROW,
    TRIGGER,
    build_memcg_report,
    read_items,
    read_only_reports,
    read_pids,
)


def test_reaper_line_can_be_broken() -> None:
    (report,) = read_only_reports([*build_memcg_report(), *REAPED.format("hog", 812).replace(" (", "\n(").split("\n")])
    assert [victim.reaped for victim in report.victims] == [True]


def test_kill_line_alone_is_a_report() -> None:
    assert read_pids([KILL.format("hog", 812)]) == [[812]]


def test_kill_line_alone_is_incomplete() -> None:
    (report,) = read_only_reports([KILL.format("hog", 812)])
    assert report.notes == ("The beginning of the report is missing.",)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(Line(POLICY, origin=Origin(source="kernel")), [812], id="kernel"),
        pytest.param(Line(POLICY, monotonic_us=1), [812], id="an uptime"),
        pytest.param(Line(POLICY), ["The kill line is truncated or has an unknown format."], id="nobody"),
        pytest.param(Line(POLICY, monotonic_us=1, origin=Origin(source="app")), [], id="another program"),
        pytest.param(Line(POLICY, monotonic_us=1, origin=Origin(source=QUOTED)), [], id="a document"),
    ],
)
def test_policy_kill_line_must_come_from_the_kernel(line: Line, found: list[object]) -> None:
    items = read_items([line])
    assert [item.reason if isinstance(item, Unparsed) else item.victims[0].pid for item in items] == found


def test_kill_line_after_a_report_is_another_report() -> None:
    assert read_pids([*build_memcg_report(pid=812), KILL.format("hog", 900), KILL.format("hog", 901)]) == [
        [812],
        [900],
        [901],
    ]


def test_truncated_kill_line_is_unparsed() -> None:
    line = Line("Memory cgroup out of memory: Killed process 812 (ho")
    assert read_items([line]) == [Unparsed(line, "The kill line is truncated or has an unknown format.")]


def test_group_is_one_report_with_each_pid_once() -> None:
    lines = [*build_memcg_report(pid=812), GROUP, *(KILL.format("hog", pid) for pid in (812, 813, 814, 813))]
    assert read_pids(lines) == [[812, 813, 814]]


def test_exiting_process_of_group_is_not_a_victim() -> None:
    exiting = "Memory cgroup out of memory: OOM victim 813 (hog) is already exiting. Skip killing the task"
    lines = [
        *build_memcg_report(),
        GROUP,
        KILL.format("hog", 812),
        exiting,
        KILL.format("hog", 814),
        KILL.format("hog", 815),
    ]
    assert read_pids(lines) == [[812, 814, 815]]


def test_second_group_is_another_report() -> None:
    lines = [
        *build_memcg_report(pid=812),
        *(GROUP, KILL.format("hog", 812), KILL.format("hog", 813)),
        *(KILL.format("hog", 900), GROUP, KILL.format("hog", 900), KILL.format("hog", 901)),
    ]
    assert read_pids(lines) == [[812, 813], [900, 901]]


def test_tasks_that_share_memory_are_one_report() -> None:
    assert read_pids([*build_memcg_report(pid=812), "Kill process 813 (hog) sharing same memory"]) == [[812, 813]]


@pytest.mark.parametrize("asked", ["SysRq : Manual OOM execution", "sysrq: SysRq : Manual OOM execution"])
@pytest.mark.parametrize(
    ("name", "later_us", "manual"),
    [("events/0", 9, True), ("kworker/3:1", 9, True), ("hog", 9, False), ("events/0", 120 * 1000000, False)],
)
def test_manual_request_before_trigger_of_old_kernel(asked: str, name: str, later_us: int, manual: bool) -> None:
    lines = [Line(asked, monotonic_us=1), Line(TRIGGER.format(name), monotonic_us=1 + later_us)]
    assert [report.manual for report in read_only_reports(lines)] == [manual]


def test_manual_request_after_another_kill() -> None:
    lines = [*build_memcg_report(), "SysRq : Manual OOM execution", TRIGGER.format("events/0")]
    assert [report.manual for report in read_only_reports(lines)] == [False, True]


@pytest.mark.parametrize(
    "failed",
    [
        "cat: page allocation failure: order:4, mode:0xcc0",
        "cat: page allocation failure. order:4, mode:0x20",
        "cat: page allocation stalls for 20001ms, order:0, mode:0xcc0",
        "cat: vmalloc: allocation failure: 8192 bytes, mode:0xcc0",
    ],
)
def test_mem_info_of_failed_allocation_is_not_part_of_next_kill(failed: str) -> None:
    lines = [failed, "Mem-Info:", "9 pages RAM", KILL.format("hog", 812)]
    (report,) = read_only_reports(lines)
    assert report.memory is None


def test_mem_info_after_kill_is_not_part_of_the_report() -> None:
    (report,) = read_only_reports([*build_memcg_report(), "Mem-Info:", "active_anon:1 inactive_anon:2", "9 pages RAM"])
    assert report.memory is None


def test_lines_of_other_programs_are_skipped() -> None:
    assert read_items(Line(text, origin=Origin(source="app")) for text in build_memcg_report()) == []


def test_quoted_kill_line_is_not_a_kill() -> None:
    assert read_items([Line(KILL.format("hog", 812), origin=Origin(source=QUOTED))]) == []


def test_kill_line_after_quoted_lines_is_a_kill() -> None:
    lines = [
        *(Line(text, origin=Origin(source=QUOTED)) for text in build_memcg_report()[6:-1]),
        Line(KILL.format("hog", 900)),
    ]
    assert read_pids(lines) == [[900]]


def test_quoted_kill_line_is_not_part_of_an_open_report() -> None:
    lines = [
        *(Line(text) for text in build_memcg_report()[:-1]),
        Line(KILL.format("hog", 900), origin=Origin(source=QUOTED)),
    ]
    assert read_pids(lines) == [[]]


def test_quoted_report_is_read() -> None:
    assert read_pids(Line(text, origin=Origin(source=QUOTED)) for text in build_memcg_report()) == [[812]]


def test_interleaved_hosts_are_separated() -> None:
    one, two = (
        [Line(text, origin=Origin(hostname=host)) for text in build_memcg_report(host, pid)]
        for host, pid in (("web1", 812), ("web2", 900))
    )
    interleaved = [line for pair in zip(one, two, strict=True) for line in pair]
    assert [(report.complete, [task.name for task in report.tasks]) for report in read_only_reports(interleaved)] == [
        (True, ["web1"]),
        (True, ["web2"]),
    ]


def test_other_line_between_rows_loses_no_row() -> None:
    lines = build_memcg_report()
    at = lines.index(HEADING) + 1
    for line in ("oom_reaper: unable to reap pid:7 (x)", "kvm: something ill", "[drm] a device"):
        lines[at:at] = [ROW.format("hog", 900 + at), line]
    (report,) = read_only_reports(lines)
    assert len(report.tasks) == 4


def test_new_boot_ends_a_report() -> None:
    lines = [
        *(Line(text, origin=Origin(boot_id="a")) for text in build_memcg_report()[:-1]),
        Line(KILL.format("hog", 900), origin=Origin(boot_id="b")),
    ]
    assert read_pids(lines) == [[], [900]]


def test_much_later_kill_is_another_report() -> None:
    lines = [
        *(Line(text, monotonic_us=1) for text in build_memcg_report()[:-1]),
        Line(KILL.format("hog", 900), monotonic_us=61000002),
    ]
    assert read_pids(lines) == [[], [900]]


def test_page_size_can_be_given() -> None:
    (report,) = read_reports((Line(text) for text in build_memcg_report()[:-1]), page_size=65536)
    assert isinstance(report, OomReport)
    assert report.tasks[0].rss_bytes == 25 * 65536


def test_no_kill_is_lost_with_very_many_hosts() -> None:
    hosts = [f"web{number}" for number in range(1000)]
    opened = [Line(text, origin=Origin(hostname=host)) for host in hosts for text in build_memcg_report()[:-1]]
    closed = [Line(KILL.format("hog", 812), origin=Origin(hostname=host)) for host in hosts]
    found = read_only_reports([*opened, *closed])
    assert sum(len(report.victims) for report in found) == len(hosts)


@pytest.mark.parametrize("day", [9, 3])
def test_kills_of_one_pid_on_different_days_are_two(day: int) -> None:
    texts = (f"Aug {number:02} 10:00:01 web1 kernel: {KILL.format('hog', 812)}" for number in (2, day))
    assert len([item for item in read_reports(read_log(texts)) if isinstance(item, OomReport)]) == 2


def test_kernel_and_earlyoom_a_week_apart_are_two_kills_in_order() -> None:
    asked = 'sending SIGTERM to process 812 uid 0 "hog": badness 1, VmRSS 2 MiB'
    log = [f"Aug 02 10:00:01 h kernel: {KILL.format('hog', 812)}", f"Aug 09 10:00:01 h earlyoom[7]: {asked}"]
    found = [item.killer for item in read_reports(read_log(log)) if isinstance(item, OomReport)]
    assert found == ["kernel", "earlyoom"]


@pytest.mark.parametrize(
    "cut", ["Killed process 812 (python", "Killed process 812 (pytho>", "Killed process 812 (a) total-vm:1"]
)
@pytest.mark.parametrize("named_by", [ROW, CONSTRAINT])
def test_name_that_is_cut_is_completed(cut: str, named_by: str) -> None:
    name = "python3"
    if "(a)" in cut:
        name = "a) total-vm:1kB"
    texts = (TRIGGER, CPU, HEADING, named_by)
    lines = [text.format(name, 812) for text in texts]
    (report,) = read_only_reports([*lines, f"Memory cgroup out of memory: {cut}"])
    assert [(victim.name, victim.pid) for victim in report.victims] == [(name, 812)]
    assert "The kill line is truncated." in report.notes


@pytest.mark.parametrize("row", [ROW.format("python3", 813), ROW.format("perl", 812), ""])
def test_name_that_is_cut_is_not_guessed(row: str) -> None:
    found = read_items([GLOBAL_TRIGGER, HEADING, row, "Out of memory: Killed process 812 (pytho"])
    assert [item for item in found if isinstance(item, Unparsed)]
    assert not [item.victims for item in found if isinstance(item, OomReport) and item.victims]


def test_kill_line_without_sizes_after_an_oom_kill_line_is_truncated() -> None:
    texts = (TRIGGER, CPU, CONSTRAINT, "Memory cgroup out of memory: Killed process {1} ({0})")
    (report,) = read_only_reports([text.format("hog", 812) for text in texts])
    assert "The kill line is truncated." in report.notes
