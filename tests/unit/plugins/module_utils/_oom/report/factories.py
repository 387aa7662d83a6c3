# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of reports, functions that read them, and names that try to deceive a parser."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Unparsed,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

HOSTILE_NAMES = (
    "a) total-vm:1kB",
    ") (",
    "",
    "531",
    " ",
    "a,b c",
    "x,task=init",
    ",pid=1,uid=0",
    ",task_memcg=/a",
    "a)\nOut of",
    "\x1b[31mred",
    "{{ 7*7 }}",
    "runc:[2:INIT]",
    "next-build (v16",
    "#jinja2:x",
    "müll-eimer",
)

GLOBAL_KILL = "Out of memory: Killed process 812 (sys.fcgi) total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:8kB"
GLOBAL_TRIGGER = "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
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


def build_memcg_report(name: str = "hog", pid: int = 812) -> list[str]:
    """Return the lines of a report about a cgroup that reached its limit."""
    lines = (TRIGGER, CPU, *USAGE, "Tasks state (memory values in pages):", HEADING, ROW, CONSTRAINT, KILL)
    return [line.format(name, pid) for line in lines]


def read_items(lines: t.Iterable[str | Line]) -> list[OomReport | Unparsed]:
    """Return everything that the reader finds in lines without prefixes."""
    return list(read_reports(line if isinstance(line, Line) else Line(line) for line in lines))


def read_only_reports(lines: t.Iterable[str | Line]) -> list[OomReport]:
    """Return the reports in lines without prefixes."""
    return [item for item in read_items(lines) if isinstance(item, OomReport)]


def read_pids(lines: t.Iterable[str | Line]) -> list[list[int]]:
    """Return the pids of the victims of each report."""
    return [[victim.pid for victim in report.victims] for report in read_only_reports(lines)]


def read_texts(*lines: str) -> list[str]:
    """Return the messages of a text log."""
    return [line.text for line in read_log(lines)]
