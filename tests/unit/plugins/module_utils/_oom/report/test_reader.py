# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole reports, parts of them, and several at once."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    QUOTED,
    Line,
    OomReport,
    Origin,
    Unparsed,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

TRIGGER = "{0} invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
CPU = "CPU: 1 PID: {1} Comm: {0} Tainted: G S         OE      6.1.0-13-cloud-amd64 #1 Debian 6.1.55-1"
USAGE = (
    "memory: usage 40960kB, limit 40960kB, failcnt 55",
    "swap: usage 0kB, limit 0kB, failcnt 0",
    "Memory cgroup stats for /system.slice/hog.service:",
    "anon 40000000",
    "file 4096",
)
HEADING = "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name"
ROW = "[{1:7}]     0 {1:5}      225       25    65536        3             0 {0}"
CONSTRAINT = (
    "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/system.slice/hog.service,"
    "task_memcg=/system.slice/hog.service,task={0},pid={1},uid=0"
)
KILL = (
    "Memory cgroup out of memory: Killed process {1} ({0}) total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:0kB,"
    " UID:0 pgtables:64kB oom_score_adj:0"
)
POLICY = KILL.replace("Memory cgroup out of memory", "bpf oom test").format("hog", 812)
GROUP = "Tasks in /system.slice/hog.service are going to be killed due to memory.oom.group set"
REAPED = "oom_reaper: reaped process {1} ({0}), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB"


def memcg(name: str = "hog", pid: int = 812) -> list[str]:
    lines = (TRIGGER, CPU, *USAGE, "Tasks state (memory values in pages):", HEADING, ROW, CONSTRAINT, KILL)
    return [line.format(name, pid) for line in lines]


def read(lines: t.Iterable[str | Line]) -> list[OomReport | Unparsed]:
    return list(read_reports(line if isinstance(line, Line) else Line(line) for line in lines))


def reports(lines: t.Iterable[str | Line]) -> list[OomReport]:
    return [item for item in read(lines) if isinstance(item, OomReport)]


def pids(lines: t.Iterable[str | Line]) -> list[list[int]]:
    return [[victim.pid for victim in report.victims] for report in reports(lines)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scope", "memcg"),
        ("complete", True),
        ("notes", ()),
        ("manual", False),
        ("cgroup", "/system.slice/hog.service"),
        ("kernel_release", "6.1.0-13-cloud-amd64"),
        ("page_size", 4096),
        ("killer", "kernel"),
        ("memory", None),
        ("group", False),
    ],
)
def test_a_report_is_read(field: str, value: object) -> None:
    (report,) = reports(memcg())
    assert getattr(report, field) == value


def test_the_pid_of_the_trigger_is_in_its_stack() -> None:
    (report,) = reports(memcg())
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
def test_the_kernel_is_known_however_tainted(taint: str) -> None:
    (report,) = reports([TRIGGER.format("hog"), f"CPU: 1 UID: 0 PID: 9 Comm: hog {taint} 3.10.0-957.el7.x86_64 #1"])
    assert report.kernel_release == "3.10.0-957.el7.x86_64"


def test_the_stack_of_another_task_is_not_the_triggers() -> None:
    (report,) = reports([TRIGGER.format("hog"), CPU.format("cat", 9)])
    assert report.trigger is not None
    assert report.trigger.pid is None


def test_the_limit_is_in_bytes() -> None:
    (report,) = reports(memcg())
    assert report.limit is not None
    assert (report.limit.usage_bytes, report.limit.limit_bytes, report.limit.stat["anon"]) == (
        41943040,
        41943040,
        40000000,
    )


def test_the_statistics_may_come_in_one_record() -> None:
    lines = memcg()
    at = lines.index("anon 40000000")
    (report,) = reports([*lines[:at], "anon 40000000\nfile 4096", *lines[at + 2 :]])
    assert report.limit is not None
    assert report.limit.stat == {"anon": 40000000, "file": 4096}


@pytest.mark.parametrize("kilobytes", [9007199254740988, 9007199254740991, 18014398509481983, 8589934588])
def test_no_limit_is_no_number(kilobytes: int) -> None:
    (report,) = reports([*memcg()[:2], f"memory: usage 8kB, limit {kilobytes}kB, failcnt 0"])
    assert report.limit is not None
    assert report.limit.limit_bytes is None


@pytest.mark.parametrize(("kilobytes", "size"), [(9007199254740988, 4096), (9007199254740928, 65536)])
def test_no_limit_tells_the_page_size(kilobytes: int, size: int) -> None:
    (report,) = reports([*memcg()[:2], f"memory: usage 8kB, limit {kilobytes}kB, failcnt 0"])
    assert report.page_size == size


def test_no_limit_of_the_kernels_own_memory_tells_the_page_size() -> None:
    lines = [TRIGGER.format("hog"), USAGE[0], "kmem: usage 0kB, limit 9007199254740976kB, failcnt 0"]
    (report,) = reports(lines)
    assert (report.page_size, report.limit and report.limit.limit_bytes) == (16384, 40960 * 1024)


def test_statistics_of_old_kernels_are_added_up() -> None:
    lines = [
        TRIGGER.format("hog"),
        "memory: usage 8kB, limit 8kB, failcnt 0",
        "Memory cgroup stats for /a: cache:1KB rss:2KB",
        "Memory cgroup stats for /a/rss:99KB: cache:3KB rss:4KB",
    ]
    (report,) = reports(lines)
    assert report.limit is not None
    assert report.limit.stat == {"cache": 4096, "rss": 6144}


def test_swap_of_a_victim_is_in_its_row() -> None:
    (report,) = reports(memcg())
    assert report.victims[0].swap_bytes == 3 * 4096


@pytest.mark.parametrize(
    ("total_vm", "printed", "pgtables_bytes", "notes"),
    [
        (90000000, 65536, 65536, ["the kill line gives the page tables in bytes, and calls them kB"]),
        (8000, 45056, 45056, ["the kill line gives the page tables in bytes, and calls them kB"]),
        (90000, 45056, 45056 * 1024, []),
        (16, 28, 28 * 1024, []),
        (900, 64, 64 * 1024, []),
        (900, 0, 0, []),
    ],
    ids=["as in the row", "beyond the address space", "large", "a small process", "usual", "nothing"],
)
def test_page_tables_in_bytes_are_told_from_those_in_kb(
    total_vm: int, printed: int, pgtables_bytes: int, notes: list[str]
) -> None:
    (report,) = reports(
        line.replace("total-vm:900kB", f"total-vm:{total_vm}kB").replace("pgtables:64kB", f"pgtables:{printed}kB")
        for line in memcg()
    )
    assert (report.victims[0].pgtables_bytes, list(report.notes), report.complete) == (pgtables_bytes, notes, True)


def test_the_reaper_may_come_after_the_next_report() -> None:
    lines = [*memcg(pid=812), *memcg(pid=900), REAPED.format("hog", 812)]
    assert [report.victims[0].reaped for report in reports(lines)] == [True, False]


def test_the_reapers_line_may_be_broken() -> None:
    (report,) = reports([*memcg(), *REAPED.format("hog", 812).replace(" (", "\n(").split("\n")])
    assert [victim.reaped for victim in report.victims] == [True]


def test_a_kill_line_alone_is_a_report() -> None:
    assert pids([KILL.format("hog", 812)]) == [[812]]


def test_a_kill_line_alone_is_not_complete() -> None:
    (report,) = reports([KILL.format("hog", 812)])
    assert report.notes == ("the beginning of the report is missing",)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(Line(POLICY, origin=Origin(source="kernel")), [812], id="kernel"),
        pytest.param(Line(POLICY, monotonic_us=1), [812], id="an uptime"),
        pytest.param(Line(POLICY), ["the kill line is cut, or of an unknown form"], id="nobody"),
        pytest.param(Line(POLICY, monotonic_us=1, origin=Origin(source="app")), [], id="another program"),
        pytest.param(Line(POLICY, monotonic_us=1, origin=Origin(source=QUOTED)), [], id="a document"),
    ],
)
def test_words_of_a_policy_are_believed_of_the_kernel_alone(line: Line, found: list[object]) -> None:
    items = read([line])
    assert [item.reason if isinstance(item, Unparsed) else item.victims[0].pid for item in items] == found


def test_a_rate_limited_kill_is_not_the_reports_before() -> None:
    assert pids([*memcg(pid=812), KILL.format("hog", 900), KILL.format("hog", 901)]) == [[812], [900], [901]]


def test_a_cut_kill_line_is_unparsed() -> None:
    line = Line("Memory cgroup out of memory: Killed process 812 (ho")
    assert read([line]) == [Unparsed(line, "the kill line is cut, or of an unknown form")]


def test_a_group_is_one_report_and_each_pid_once() -> None:
    lines = [*memcg(pid=812), GROUP, *(KILL.format("hog", pid) for pid in (812, 813, 814, 813))]
    assert pids(lines) == [[812, 813, 814]]


def test_a_group_has_some_that_have_ended_by_themselves() -> None:
    exiting = "Memory cgroup out of memory: OOM victim 813 (hog) is already exiting. Skip killing the task"
    lines = [*memcg(), GROUP, KILL.format("hog", 812), exiting, KILL.format("hog", 814), KILL.format("hog", 815)]
    assert pids(lines) == [[812, 814, 815]]


def test_a_second_group_is_a_second_report() -> None:
    lines = [
        *memcg(pid=812),
        *(GROUP, KILL.format("hog", 812), KILL.format("hog", 813)),
        *(KILL.format("hog", 900), GROUP, KILL.format("hog", 900), KILL.format("hog", 901)),
    ]
    assert pids(lines) == [[812, 813], [900, 901]]


def test_tasks_that_share_memory_are_one_report() -> None:
    assert pids([*memcg(pid=812), "Kill process 813 (hog) sharing same memory"]) == [[812, 813]]


def test_a_choice_is_not_the_victim() -> None:
    lines = [
        TRIGGER.format("cat"),
        "Out of memory: Kill process 77 (father) score 996 or sacrifice child",
        "Killed process 78 (son) total-vm:900kB, anon-rss:100kB, file-rss:4kB",
    ]
    (report,) = reports(lines)
    assert (report.chosen and report.chosen.pid, report.victims[0].pid, report.scope) == (77, 78, "global")


def test_the_kill_tells_the_scope_not_the_choice() -> None:
    lines = [
        "Out of Memory: Kill process 812 (hog) score 7 and children.",
        "No available memory (MPOL_BIND): Killed process 813 (hog).",
    ]
    assert [(report.scope, report.chosen and report.chosen.pid) for report in reports(lines)] == [("mempolicy", 812)]


def test_a_disagreement_is_noted() -> None:
    lines = memcg(pid=812)
    lines[-1] = KILL.format("hog", 813)
    (report,) = reports(lines)
    assert report.notes == ("the oom-kill line names process 812, the kill line process 813",)


def test_who_is_spared_is_no_victim() -> None:
    lines = [
        *memcg()[:-1],
        "Memory cgroup out of memory: OOM victim 812 (hog) is already exiting. Skip killing the task",
    ]
    assert pids(lines) == [[]]


def test_a_panic_without_victims_is_a_report() -> None:
    lines = [
        TRIGGER.format("init"),
        "Out of memory and no killable processes...",
        "Kernel panic - not syncing: deadlock",
    ]
    assert [report.no_killable for report in reports(lines)] == [True]


def test_a_panic_after_a_table_is_a_report() -> None:
    lines = [
        HEADING,
        ROW.format("hog", 812),
        "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled",
    ]
    found = reports(Line(text, monotonic_us=1) for text in lines)
    assert [(report.panicked, len(report.tasks)) for report in found] == [(True, 1)]


@pytest.mark.parametrize(
    ("line", "number"),
    [
        (Line("", monotonic_us=1), 1),
        (Line("", origin=Origin(source="kernel")), 1),
        (Line("", monotonic_us=1, origin=Origin(source=QUOTED)), 0),
        (Line(""), 0),
    ],
)
def test_a_log_without_a_process_to_kill_is_a_report(line: Line, number: int) -> None:
    assert len(reports([line._replace(text="Out of memory and no killable processes...")])) == number


@pytest.mark.parametrize(("usage", "scope"), [(USAGE, "memcg"), ((), "global")])
def test_without_a_process_to_kill_the_usage_tells_the_scope(usage: tuple[str, ...], scope: str) -> None:
    lines = [TRIGGER.format("hog"), *usage, "Out of memory and no killable processes..."]
    assert [report.scope for report in reports(lines)] == [scope]


@pytest.mark.parametrize(
    ("end", "panicked"),
    [
        ("Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", True),
        ("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", True),
        ("Kernel panic - not syncing: System is deadlocked on memory", True),
        ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000007", False),
    ],
)
def test_a_panic_ends_a_report(end: str, panicked: bool) -> None:
    (report,) = reports([*memcg()[:-2], end])
    assert (report.panicked, report.notes) == (panicked, () if panicked else ("the report has no kill line",))


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
def test_a_process_can_be_killed_for_asking(lines: list[str]) -> None:
    (report,) = reports(lines)
    assert (report.allocating_task, report.scope, pids(lines)) == (True, "global", [[812]])


def test_order_minus_one_is_manual() -> None:
    (report,) = reports([TRIGGER.replace("order=0", "order=-1").format("kworker/0:1")])
    assert report.manual is True


@pytest.mark.parametrize("asked", ["SysRq : Manual OOM execution", "sysrq: SysRq : Manual OOM execution"])
@pytest.mark.parametrize(
    ("name", "later_us", "manual"),
    [("events/0", 9, True), ("kworker/3:1", 9, True), ("hog", 9, False), ("events/0", 120 * 1000000, False)],
)
def test_old_kernels_say_before_that_somebody_asked(asked: str, name: str, later_us: int, manual: bool) -> None:
    lines = [Line(asked, monotonic_us=1), Line(TRIGGER.format(name), monotonic_us=1 + later_us)]
    assert [report.manual for report in reports(lines)] == [manual]


def test_that_somebody_asked_is_told_after_another_kill() -> None:
    lines = [*memcg(), "SysRq : Manual OOM execution", TRIGGER.format("events/0")]
    assert [report.manual for report in reports(lines)] == [False, True]


def test_a_table_without_heading_is_read() -> None:
    lines = [line for line in memcg() if line != HEADING]
    (report,) = reports(lines)
    assert ([task.name for task in report.tasks], report.task_columns) == (["hog"], ())


def test_a_report_without_its_beginning_is_read() -> None:
    (report,) = reports(memcg()[4:])
    assert (report.cgroup, report.notes) == ("/system.slice/hog.service", ("the beginning of the report is missing",))


def test_mem_info_alone_is_no_report() -> None:
    assert read(["Mem-Info:", "active_anon:1 inactive_anon:2", "Node 0 DMA: 1*4kB (U) = 4kB", "9 pages RAM"]) == []


def test_mem_info_and_a_table_are_no_report() -> None:
    assert read(["Mem-Info:", "active_anon:1 inactive_anon:2", HEADING, ROW.format("hog", 812)]) == []


@pytest.mark.parametrize(
    "failed",
    [
        "cat: page allocation failure: order:4, mode:0xcc0",
        "cat: page allocation failure. order:4, mode:0x20",
        "cat: page allocation stalls for 20001ms, order:0, mode:0xcc0",
        "cat: vmalloc: allocation failure: 8192 bytes, mode:0xcc0",
    ],
)
def test_mem_info_of_a_failed_allocation_is_not_the_next_kills(failed: str) -> None:
    lines = [failed, "Mem-Info:", "9 pages RAM", KILL.format("hog", 812)]
    (report,) = reports(lines)
    assert report.memory is None


def test_mem_info_after_the_kill_is_not_the_reports() -> None:
    (report,) = reports([*memcg(), "Mem-Info:", "active_anon:1 inactive_anon:2", "9 pages RAM"])
    assert report.memory is None


def test_lines_of_other_programs_are_passed_over() -> None:
    assert read(Line(text, origin=Origin(source="app")) for text in memcg()) == []


def test_a_quoted_kill_line_is_no_kill() -> None:
    assert read([Line(KILL.format("hog", 812), origin=Origin(source=QUOTED))]) == []


def test_a_kill_between_quoted_lines_is_a_kill() -> None:
    lines = [*(Line(text, origin=Origin(source=QUOTED)) for text in memcg()[6:-1]), Line(KILL.format("hog", 900))]
    assert pids(lines) == [[900]]


def test_a_quoted_kill_is_not_an_open_reports() -> None:
    lines = [*(Line(text) for text in memcg()[:-1]), Line(KILL.format("hog", 900), origin=Origin(source=QUOTED))]
    assert pids(lines) == [[]]


def test_a_quoted_report_is_read() -> None:
    assert pids(Line(text, origin=Origin(source=QUOTED)) for text in memcg()) == [[812]]


def test_hosts_are_told_apart() -> None:
    one, two = (
        [Line(text, origin=Origin(hostname=host)) for text in memcg(host, pid)]
        for host, pid in (("web1", 812), ("web2", 900))
    )
    interleaved = [line for pair in zip(one, two, strict=True) for line in pair]
    assert [(report.complete, [task.name for task in report.tasks]) for report in reports(interleaved)] == [
        (True, ["web1"]),
        (True, ["web2"]),
    ]


def test_a_line_of_another_between_rows_loses_none() -> None:
    lines = memcg()
    at = lines.index(HEADING) + 1
    for line in ("oom_reaper: unable to reap pid:7 (x)", "kvm: something ill", "[drm] a device"):
        lines[at:at] = [ROW.format("hog", 900 + at), line]
    (report,) = reports(lines)
    assert len(report.tasks) == 4


def test_a_boot_ends_a_report() -> None:
    lines = [
        *(Line(text, origin=Origin(boot_id="a")) for text in memcg()[:-1]),
        Line(KILL.format("hog", 900), origin=Origin(boot_id="b")),
    ]
    assert pids(lines) == [[], [900]]


def test_a_kill_much_later_is_another() -> None:
    lines = [
        *(Line(text, monotonic_us=1) for text in memcg()[:-1]),
        Line(KILL.format("hog", 900), monotonic_us=61000002),
    ]
    assert pids(lines) == [[], [900]]


def test_the_page_size_of_a_host_serves_its_later_reports() -> None:
    assert [report.page_size for report in reports([*memcg(), *memcg()[:-1]])] == [4096, 4096]


def test_the_page_size_can_be_told() -> None:
    (report,) = read_reports((Line(text) for text in memcg()[:-1]), page_size=65536)
    assert isinstance(report, OomReport)
    assert report.tasks[0].rss_bytes == 25 * 65536


def test_the_kill_line_is_kept() -> None:
    (report,) = reports([*memcg(), GROUP, KILL.format("hog", 813)])
    assert report.kill == Line(KILL.format("hog", 812))


def test_of_very_many_hosts_none_is_lost() -> None:
    hosts = [f"web{number}" for number in range(1000)]
    opened = [Line(text, origin=Origin(hostname=host)) for host in hosts for text in memcg()[:-1]]
    closed = [Line(KILL.format("hog", 812), origin=Origin(hostname=host)) for host in hosts]
    found = reports([*opened, *closed])
    assert sum(len(report.victims) for report in found) == len(hosts)


def test_a_kill_line_broken_among_counters_is_none_of_them() -> None:
    texts = ["active_anon:1 inactive_anon:2", "of memory: Killed process 423 (python3) total-vm:36556"]
    lines = [Line(text, origin=Origin(source="kernel")) for text in texts]
    assert [item.victims[0].pid for item in read_reports(lines) if isinstance(item, OomReport)] == [423]
