# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that are built from their lines, and notes about missing lines."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    QUOTED,
    Choice,
    Line,
    OomReport,
    Origin,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CONSTRAINT,
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    HEADING,
    KILL,
    ROW,
    TRIGGER,
    USAGE,
    build_memcg_report,
    read_items,
    read_only_reports,
)


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
def test_report_has_field(field: str, value: object) -> None:
    (report,) = read_only_reports(build_memcg_report())
    assert getattr(report, field) == value


@pytest.mark.parametrize(("before", "count"), [("", 0), ("[ 1187.5] ", 0), ("Jun  1 07:00:00 web1 kernel: ", 1)])
def test_trigger_line_alone_with_an_odd_name_is_a_report_of_the_kernel_alone(before: str, count: int) -> None:
    assert len(list(read_reports(read_log([before + TRIGGER.format("app: bob")])))) == count


def test_chosen_process_is_not_the_victim() -> None:
    lines = [
        TRIGGER.format("cat"),
        "Out of memory: Kill process 77 (father) score 996 or sacrifice child",
        "Killed process 78 (son) total-vm:900kB, anon-rss:100kB, file-rss:4kB",
    ]
    (report,) = read_only_reports(lines)
    assert (report.chosen and report.chosen.pid, report.victims[0].pid, report.scope) == (77, 78, "global")


def test_scope_is_that_of_the_kill_line() -> None:
    lines = [
        "Out of Memory: Kill process 812 (hog) score 7 and children.",
        "No available memory (MPOL_BIND): Killed process 813 (hog).",
    ]
    assert [(report.scope, report.chosen and report.chosen.pid) for report in read_only_reports(lines)] == [
        ("mempolicy", 812)
    ]


def test_contradicting_pids_are_noted() -> None:
    lines = build_memcg_report(pid=812)
    lines[-1] = KILL.format("hog", 813)
    (report,) = read_only_reports(lines)
    assert report.notes == (
        "The task table lacks the row of the killed process.",
        "The oom-kill line names process 812, but the kill line names process 813.",
    )


@pytest.mark.parametrize(
    ("row", "notes"),
    [
        (ROW.format("hog", 812), ()),
        ("[    900]     0   812      225       25    65536        3             0 hog", ()),
        (ROW.format("cat", 8120), ("The task table lacks the row of the killed process.",)),
    ],
    ids=["its row", "the row of its process", "another row"],
)
def test_a_table_without_the_row_of_the_victim_is_noted(row: str, notes: tuple[str, ...]) -> None:
    lines = [row if line == ROW.format("hog", 812) else line for line in build_memcg_report()]
    (report,) = read_only_reports(lines)
    assert (report.notes, report.complete) == (notes, not notes)


@pytest.mark.parametrize("mark", ["--", "...", "[...]", "<snip>", "[ ... ]"])
def test_left_out_lines_are_noted(mark: str) -> None:
    lines = build_memcg_report()
    lines.insert(4, mark)
    (report,) = read_only_reports(lines)
    assert report.notes == ("Lines of the report were left out.",)


def test_panic_without_victims_is_a_report() -> None:
    lines = [
        TRIGGER.format("init"),
        "Out of memory and no killable processes...",
        "Kernel panic - not syncing: deadlock",
    ]
    assert [report.no_killable for report in read_only_reports(lines)] == [True]


def test_panic_after_task_table_is_a_report() -> None:
    lines = [
        HEADING,
        ROW.format("hog", 812),
        "Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled",
    ]
    found = read_only_reports(Line(text, monotonic_us=1) for text in lines)
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
def test_no_killable_process_is_a_report_in_a_log(line: Line, number: int) -> None:
    assert len(read_only_reports([line._replace(text="Out of memory and no killable processes...")])) == number


@pytest.mark.parametrize(("usage", "scope"), [(USAGE, "memcg"), ((), "global")])
def test_usage_shows_scope_without_killable_process(usage: tuple[str, ...], scope: str) -> None:
    lines = [TRIGGER.format("hog"), *usage, "Out of memory and no killable processes..."]
    assert [report.scope for report in read_only_reports(lines)] == [scope]


@pytest.mark.parametrize(
    ("end", "panicked"),
    [
        ("Kernel panic - not syncing: Out of memory: compulsory panic_on_oom is enabled", True),
        ("Kernel panic - not syncing: Out of memory: system-wide panic_on_oom is enabled", True),
        ("Kernel panic - not syncing: System is deadlocked on memory", True),
        ("Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000007", False),
    ],
)
def test_panic_ends_a_report(end: str, panicked: bool) -> None:
    (report,) = read_only_reports([*build_memcg_report()[:-2], end])
    assert (report.panicked, report.notes) == (panicked, () if panicked else ("The report has no kill line.",))


def test_table_without_heading_is_read() -> None:
    lines = [line for line in build_memcg_report() if line != HEADING]
    (report,) = read_only_reports(lines)
    assert ([task.name for task in report.tasks], report.task_columns) == (["hog"], ())


def test_report_without_beginning_is_read() -> None:
    (report,) = read_only_reports(build_memcg_report()[4:])
    assert (report.cgroup, report.notes) == ("/system.slice/hog.service", ("The beginning of the report is missing.",))


def test_mem_info_alone_is_not_a_report() -> None:
    assert (
        read_items(["Mem-Info:", "active_anon:1 inactive_anon:2", "Node 0 DMA: 1*4kB (U) = 4kB", "9 pages RAM"]) == []
    )


def test_mem_info_and_task_table_are_not_a_report() -> None:
    assert read_items(["Mem-Info:", "active_anon:1 inactive_anon:2", HEADING, ROW.format("hog", 812)]) == []


@pytest.mark.parametrize(
    ("changed", "note"),
    [
        pytest.param({0: "hog invoked oom-killer:"}, "The trigger line is truncated.", id="trigger"),
        pytest.param({8: ""}, "The heading of the task table is missing.", id="heading"),
        pytest.param(
            {10: "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/"},
            "The oom-kill line is truncated.",
            id="oom-kill",
        ),
        pytest.param({11: ""}, "The report has no kill line.", id="kill line"),
        pytest.param({2: "", 3: ""}, "The memory state is missing.", id="usage"),
    ],
)
def test_missing_or_truncated_line_is_noted(changed: dict[int, str], note: str) -> None:
    lines = [changed.get(number, line) for number, line in enumerate(build_memcg_report())]
    (report,) = read_only_reports(lines)
    assert (report.notes, report.complete) == ((note,), False)


def test_memory_state_without_zones_is_noted() -> None:
    lines = [GLOBAL_TRIGGER, "Mem-Info:", "active_anon:1 inactive_anon:2 isolated_anon:0", "100 pages RAM", GLOBAL_KILL]
    (report,) = read_only_reports(lines)
    assert (report.complete, report.notes) == (False, ("Parts of the memory state are missing.",))


def test_memory_state_with_pages_alone_is_noted() -> None:
    (report,) = read_only_reports([GLOBAL_TRIGGER, "Total swap = 0kB", "100 pages RAM", GLOBAL_KILL])
    assert (report.complete, report.notes) == (False, ("Parts of the memory state are missing.",))


def test_table_without_rows_is_noted() -> None:
    lines = build_memcg_report()
    del lines[9]
    (report,) = read_only_reports(lines)
    assert (report.complete, report.notes) == (False, ("The task table has no rows.",))


def read_log_reports(*lines: str) -> list[OomReport]:
    return [item for item in read_reports(read_log(lines)) if isinstance(item, OomReport)]


DMESG = "[ 1187.000000] "


@pytest.mark.parametrize("text", [GLOBAL_KILL, CONSTRAINT.format("a", 812), KILL.format("a", 812)])
def test_quoted_kill_with_prefix_is_a_kill(text: str) -> None:
    assert len(read_log_reports("```", DMESG + text, "```")) == 1
    assert len(read_log_reports(f"> {DMESG}{text}")) == 1
    assert len(read_log_reports("```", "free -m", "```", DMESG + text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task_memcg=/user.slice/...,task=a,pid=7,uid=1",
        "oom-kill:constraint=CONSTRAINT_MEMCG,...,oom_memcg=/a,...",
        "Memory cgroup out of memory: Killed process 7 (a) total-vm:8kB, ...",
        "Out of memory and no killable processes...",
    ],
)
def test_quoted_example_is_not_a_kill(text: str) -> None:
    assert read_log_reports("```", DMESG + text, "```") == []
    assert read_log_reports("```", GLOBAL_KILL, "```") == []


def test_truncated_oom_kill_line_alone_names_the_chosen_process() -> None:
    text = CONSTRAINT.format("java", 7134).rpartition("uid=")[0]
    (report,) = read_log_reports(DMESG + text)
    assert report.chosen == Choice("java", 7134)
    assert report.notes[-1] == "The oom-kill line is truncated."
