# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a report that are not read are of a known kind, and all others are noticed."""

from __future__ import annotations

import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.ignored_lines import (
    IGNORED,
    is_ignored,
    is_omission,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    KILL,
    REAPED,
    build_memcg_report,
    read_only_reports,
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Call Trace:",
        "Call trace:",
        " <TASK>",
        " </TASK>",
        " dump_stack_lvl+0x44/0x5c",
        " ? __pfx_kthread+0x10/0x10",
        " demo_alloc+0x12/0x80 [demo]",
        " [<ffffffff8137ad47>] dump_stack+0x4d/0x63",
        "[<ffffffff8137ad47>] ? dump_stack+0x4d/0x63",
        "[<c0411500>] (unwind_backtrace) from [<c040b66c>] (show_stack+0x10/0x14)",
        " unwind_backtrace from show_stack+0x10/0x14",
        " unwind_backtrace",
        "[c000000012345670] [c000000000123456] dump_stack+0xb0/0xf0 (unreliable)",
        "([<0000000000113f52>] show_stack+0x8a/0xd0)",
        "[<000000008011c436>] 0x000000008011c436",
        "0000000000000000 ffff880069715a90 ffffffff817199c4 ffff8800680d8000",
        "1fa0:                                     00000000 00000000",
        "Stack : 00000000 00000000 80624582",
        "Exception stack(0xc2821fb0 to 0xc2821ff8)",
        "RIP: 0033:0x7f892250c407",
        "RSP: 002b:00007ffc4aa3a5f8 EFLAGS: 00010206",
        "RAX: 00000000195aa850 RBX: 000000001949bd60 RCX: 0000000000001858",
        "R13: 00000000195aa850 R14: 0000000000010010 R15: 00007f8922586ac0",
        "EIP: 0xb7efb549",
        "DS: 007b ES: 007b FS: 0000 GS: 0033 SS: 007b EFLAGS: 00000246",
        "x29: ffff80001238bd20 x28: 0000000000000000",
        "pstate: a0000085 (NzCv daIf -PAN -UAO)",
        "pc : demo_fault+0x10/0x40",
        "sp : ffff80001238bd20",
        "Code: 03 74 c0 01 10 05 <48> 03",
        "Code: Unable to access opcode bytes at RIP 0x7f7405231106.",
        "NIP [c000000000123456] dump_header+0x50/0x200",
        "Hardware name: Invented Machine 9000, BIOS 1.0 01/01/2020",
        "Modules linked in: demo(O) other",
        "Workqueue: events moom_callback",
        "Tainted: [W]=WARN",
        "CPU: 2 PID: 15307 Comm: demo Not tainted 5.15.0",
        "Node 0 DMA per-cpu:",
        "HighMem per-cpu: empty",
        "CPU    0: hi:  186, btch:  31 usd:  86",
        "CPU    0: Hot: hi:  186, btch:  31 usd:  86   Cold: hi:   62, btch:  15 usd:  50",
        "cpu 0 hot: low 2, high 6, batch 1",
        "Swap cache stats: add 0, delete 0, find 0/0",
        "Swap cache: add 3, delete 3, find 6/7, race 40+3",
        "4096 pages cma reserved",
        "56640 pages shared",
        "0 bounce buffer pages",
        "protections[]: 0 0 0",
        "Memory cgroup min protection 0kB -- low protection 0kB",
        "show_mem: 12 callbacks suppressed",
        "demo-daemon[246]: Under memory pressure",
        "Corporation, BIOS 1.0",
        "1996), BIOS 1.12.0-1 04/01/2014",
        "c5 fe 6f 4e 20 <48> 29 fe 8",
        "00007faf24262a40 RCX: 00007faf2f8c5df2",
        "[<c0543a8c>] (demo_write_begin) from",
        " demo_getpage.constprop.0 from",
        "delete 0, find 0/0",
        "pages):",
        "PREEMPT(voluntary)",
    ],
)
def test_a_line_of_a_known_kind_is_ignored(text: str) -> None:
    assert is_ignored(text)


@pytest.mark.parametrize(
    "text",
    [
        "Zombie pages: 12",
        "eth0: link up",
        "Mem abort info:",
        "demo invoked oom-killer: gfp_mask=0x0",
        "memory: usage 8kB, limit 8kB, failcnt 0",
        "12 pages quarantined",
        KILL.format("hog", 812),
        REAPED.format("hog", 812),
    ],
)
def test_a_line_of_an_unknown_kind_is_not_ignored(text: str) -> None:
    assert not is_ignored(text)


def test_a_line_of_an_unknown_kind_inside_a_report_is_unread() -> None:
    lines = build_memcg_report()
    lines.insert(3, "Zombie pages: 12")
    lines.insert(2, " a line of a new kernel in the stack")
    lines += ["Zombie pages: 13"]
    (report,) = read_only_reports(lines)
    assert report.unread == (" a line of a new kernel in the stack", "Zombie pages: 12")
    assert report.complete


def test_few_unread_lines_are_kept() -> None:
    lines = build_memcg_report()
    lines[3:3] = ["Zombie pages: 12" * 99, lines[3]] * 500
    (report,) = read_only_reports(lines)
    assert len(report.unread) == 100
    assert {len(text) for text in report.unread} == {200}


def test_each_kind_has_a_reason() -> None:
    assert [kind.name for kind in IGNORED if not kind.reason] == []
    assert len({kind.name for kind in IGNORED}) == len(IGNORED)


@pytest.mark.parametrize("text", ["--", "...", "…", "[...]", "<snip>", "[ ... ]", "(truncated)", "<TRIM>"])
def test_a_mark_of_left_out_lines_is_recognised(text: str) -> None:
    assert is_omission(text)
    assert not is_ignored(text)


@pytest.mark.parametrize("piece", [" ", "a", "0", "ab ", "[<", "00000000 ", "( "])
def test_long_lines_take_little_time(piece: str) -> None:
    text = piece * 10_000 + "!"
    begin = time.perf_counter()
    is_ignored(text)
    assert time.perf_counter() - begin < 0.1
