# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Joining lines that mail programs and terminals have broken."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, Origin
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    read_texts,
)


@pytest.mark.parametrize(
    "lines",
    [
        (
            "[ 1.5] Out of memory: Killed process 812",
            "(sys.fcgi) total-vm:900kB, anon-rss:100kB,",
            "file-rss:4kB, shmem-rss:8kB",
        ),
        (
            "[ 1.5] Out of memory: Killed",
            "process 812 (sys.fcgi) total-vm:900kB, anon-rss:100kB, file-rss:4k",
            "B, shmem-rss:8kB",
        ),
        (
            "[ 1.5] Out of memory: Killed process 812 (sys.fcgi) ",
            "total-vm:900kB, anon-rss:100kB, file-rss",
            ":4kB, shmem-rss:8kB",
        ),
        (
            "[ 1.5] Out of memory: Killed process ",
            "812 (sys.fcgi) total-vm:900kB, anon-rss:100kB, file-rss:4kB, sh",
            "mem-rss:8kB",
        ),
        (
            "[ 1.5] Out of memory: Killed ",
            "process 812 (sys.fcgi) total-",
            "vm:900kB, anon-rss:1",
            "00kB, file-rss:4kB, shmem-rss:8kB",
        ),
    ],
)
@pytest.mark.parametrize("end", ["", "\n", "\n \n"], ids=["single", "doubled", "with a blank"])
def test_broken_kill_line_is_joined(lines: tuple[str, ...], end: str) -> None:
    assert read_texts(*f"\n{end}".join(lines).split("\n")) == [GLOBAL_KILL]


def test_blank_line_is_none_of_a_report() -> None:
    assert read_texts(f"[ 1.5] {GLOBAL_KILL}", "", "a", " ", "b") == [GLOBAL_KILL, "a", "b"]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            ("[ 1.5] tar invoked oom-killer:", "gfp_mask=0xcc0(GFP_KERNEL),", "order=0, oom_score_adj=0"),
            "tar invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        ),
        (
            ("[ 1.5] tar invoked", "oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
            "tar invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        ),
        (
            ("[ 1.5] tar invoked oom-", "killer:", "gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"),
            "tar invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
        ),
        (
            (
                "[ 1.5] oom-",
                "kill:constraint=CONSTRAINT_NONE,nodemask=(null),mems_allowed=0-",
                "1,global_oom,pid=1,uid=0",
            ),
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),mems_allowed=0-1,global_oom,pid=1,uid=0",
        ),
        (
            ("[ 1.5] Pid: 56, comm:", "my job Tainted: P            2.6.38-rc7 #1"),
            "Pid: 56, comm: my job Tainted: P            2.6.38-rc7 #1",
        ),
        (("[ 1.5] Pid: 56,", "comm: tar Not tainted 2.6.38-rc7 #1"), "Pid: 56, comm: tar Not tainted 2.6.38-rc7 #1"),
        (
            ("[ 1.5] Node 0 DMA32", "free:15868kB min:64kB low:80kB present:15964kB all_unreclaimable? no"),
            "Node 0 DMA32 free:15868kB min:64kB low:80kB present:15964kB all_unreclaimable? no",
        ),
        (
            ("[ 1.5] CPU: 64 UID: 1000 PID: 56 Comm: cc1 Not", "tainted 6.11.0-rc6+ #34"),
            "CPU: 64 UID: 1000 PID: 56 Comm: cc1 Not tainted 6.11.0-rc6+ #34",
        ),
        (
            ("[ 1.5] Node 0 DMA free:15868kB min:64kB", "low:80kB high:96kB present:15964kB free_c", "ma:0kB"),
            "Node 0 DMA free:15868kB min:64kB low:80kB high:96kB present:15964kB free_cma:0kB",
        ),
        (
            ("[ 1.5] Node 0 DMA: 1*4kB (U)", "1*8kB (UM) 0*16kB", "(E) = 12kB"),
            "Node 0 DMA: 1*4kB (U) 1*8kB (UM) 0*16kB (E) = 12kB",
        ),
        (
            ("[ 1.5] [  pid  ]   uid  tgid total_vm      rss rss_anon ", "rss_file oom_score_ad", "j name"),
            "[  pid  ]   uid  tgid total_vm      rss rss_anon rss_file oom_score_adj name",
        ),
        (
            ("[ 1.5] [    812]    33   812    90000     2000", "131072      300             0 httpd"),
            "[    812]    33   812    90000     2000 131072      300             0 httpd",
        ),
        (
            ("[ 1.5] memory+swap: usage 8kB, limit", "9007199254740988kB, failcnt 0"),
            "memory+swap: usage 8kB, limit 9007199254740988kB, failcnt 0",
        ),
        (
            (
                "[ 1.5] ",
                "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom",
                "_memcg=/a,task_m",
                "emcg=/a,task=b,pid=1,uid=0",
            ),
            "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),oom_memcg=/a,task_memcg=/a,task=b,pid=1,uid=0",
        ),
        (
            (
                "[ 1.5] Out of memory: Killed process 8 (a) total-",
                "vm:",
                "90kB, anon-rss:10kB, file-rss:",
                "4kB, UID:0",
            ),
            "Out of memory: Killed process 8 (a) total-vm: 90kB, anon-rss:10kB, file-rss: 4kB, UID:0",
        ),
        (
            ("[ 1.5] Out of memory: Kill process 812 (sys.fcgi) score 640 or ", "sacrifice child"),
            "Out of memory: Kill process 812 (sys.fcgi) score 640 or sacrifice child",
        ),
        (
            ("[ 1.5] Out of memory: kill", "process 812 (sys.fcgi) score 640 or a", "child"),
            "Out of memory: kill process 812 (sys.fcgi) score 640 or a child",
        ),
        (
            ("[ 1.5] Tasks in /a are going to be killed due", "to memory.oom.group set"),
            "Tasks in /a are going to be killed due to memory.oom.group set",
        ),
    ],
)
def test_broken_line_is_joined(lines: tuple[str, ...], text: str) -> None:
    assert read_texts(*lines) == [text]


@pytest.mark.parametrize("after", ["So this happened again.", "```", "[ 1.6] next", "order=0"])
def test_complete_kill_line_is_not_continued(after: str) -> None:
    assert read_texts(f"[ 1.5] {GLOBAL_KILL}", after)[0] == GLOBAL_KILL


@pytest.mark.parametrize(
    "cut",
    [
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=a",
        "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL)",
        "Killed process 7 (b) total-vm:4kB, anon-rss:",
    ],
)
@pytest.mark.parametrize("after", [GLOBAL_KILL, GLOBAL_TRIGGER])
def test_truncated_line_is_not_continued_by_a_new_one(cut: str, after: str) -> None:
    assert read_texts(cut, after) == [cut, after]


def test_lines_of_one_record_share_its_time() -> None:
    log = ["Jun  1 07:00:00 web1 kernel: [ 1.5] active_anon:1", "                active_file:2"]
    assert [line._replace(printed=None) for line in read_log(log)] == [
        Line("active_anon:1", None, 1500000, "1", Origin(None, "web1", "kernel")),
        Line("active_file:2", None, 1500000, "2", Origin(None, "web1", "kernel")),
    ]


def test_message_can_be_broken_from_its_prefix() -> None:
    log = ["Jun  1 07:00:00 web1 kernel:", GLOBAL_KILL, "Jun  1 07:00:01 web1 kernel: a"]
    assert [line._replace(printed=None) for line in read_log(log)] == [
        Line(GLOBAL_KILL, cursor="1", origin=Origin(None, "web1", "kernel")),
        Line("a", cursor="3", origin=Origin(None, "web1", "kernel")),
    ]
