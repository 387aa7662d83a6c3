# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time to read a text grows with its length, whatever its lines are."""

from __future__ import annotations

import collections
import io
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_numbered
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_text import LogText
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import Mentions
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CONSTRAINT,
    GLOBAL_TRIGGER,
    GROUP,
    HEADING,
    KILL,
    ROW,
    TRIGGER,
    USAGE,
)

CHARACTERS = 16_000
PARTS = 8
# A line that takes a time that grows with the square of its length takes eight times as long as its parts.
MOST = 4
UNMEASURABLE_SECONDS = 0.006
TRIES = 5

OPENINGS = (
    "",
    "[ 12.500000] ",
    "Jun  1 07:00:00 web1 kernel: ",
    "2026-06-01T07:00:00Z web1 kernel: [ 12.500000] ",
    '{"MESSAGE":"',
    "MESSAGE=",
    "time,message",
    "> ",
    "Guest: <6>[ 12.5] ",
    "OOMKilling ",
    "active_anon:1 ",
    " active_file:1 ",
    "Node 0 active_anon:4kB ",
    "Node 0 DMA free:4kB ",
    "Node 0 DMA: 1*4kB ",
    "lowmem_reserve[]: ",
    "Unreclaimable slab info:",
    "Memory cgroup stats for /a: ",
    "Task in /a killed as a result of limit of /",
    "a cpuset=/ mems_allowed=0",
    "Out of memory: OOM killed process 5 (a)",
    "Kill process 5 (a) score 9 ",
    "sending SIGTERM to process 5 uid 0 ",
    "Killed /a due to memory ",
    "PID: 5, name: ",
    "[ pid ] ",
    *(line.format("a", 5) for line in (CONSTRAINT, GROUP, HEADING, KILL, ROW, TRIGGER, *USAGE)),
)
FILLINGS = (
    *'a1 =,:[({"\\>_-/',
    "a ",
    "a:1 ",
    "1 a",
    "a=1,",
    " 1*4kB (",
    "total_vm rss ",
    ",task_memcg=/a",
    ",task=a",
    "Killed process 5 (a",
    " invoked oom-killer: gfp_mask=0x1(",
    "kubepods/a0",
    "\\x20",
    "> ",
)
BEFORE = (GLOBAL_TRIGGER, "Mem-Info:", "active_anon:1 inactive_anon:2")


def measure(lines: list[str]) -> float:
    """Return the seconds that it takes to read the lines of a report."""
    text = "\n".join([*BEFORE, *lines, ""])
    begun = time.process_time()
    numbered = LogText(io.StringIO(text), Mentions()).read()
    collections.deque(read_reports(read_numbered(numbered)), maxlen=0)

    return time.process_time() - begun


def is_linear(opening: str, filling: str) -> bool:
    """Return whether a long line takes no longer than several short ones with as many characters."""
    whole = opening + filling * (CHARACTERS // len(filling))
    length = len(whole) // PARTS
    parts = [opening + whole[len(opening) : length]] * PARTS
    return any(measure([whole]) < max(UNMEASURABLE_SECONDS, MOST * measure(parts)) for _try in range(TRIES))


@pytest.mark.parametrize("opening", OPENINGS)
def test_long_lines_take_no_longer_than_short_ones(opening: str) -> None:
    assert [filling for filling in FILLINGS if not is_linear(opening, filling)] == []
