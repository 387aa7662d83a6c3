# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.console_lines import (
    correct_held,
    find_console_line,
    is_on_console,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

KILL = "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
TRIGGER = "hog invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
HEADING = "[   34.700001] CPU: 0 PID: 5 Comm: hog Not tainted 6.1.0"
CONSOLE = (
    "Creating journal (262144 blocks): ",
    "Writing tables:  12/7453",
    "100% ",
    "[  OK  ] Started a service.",
    "web1 login: ",
    "Password: ",
    "root@web1:~# ",
    "         Starting a service...",
)
PROGRAMS = ("evil[5]: ", "web1 evil: ", "web1 evil(pam)[5]: ", '"GET / ', "> evil[5]: ", "[x] evil[5]: ")


def read(*lines: str) -> list[OomReport]:
    found = read_reports(read_log(lines))
    return [report for report in found if isinstance(report, OomReport)]


def find_facts(reports: t.Iterable[OomReport]) -> list[t.Any]:
    return [
        (report.trigger and report.trigger.name, [victim.pid for victim in report.victims], report.first.monotonic_us)
        for report in reports
    ]


@pytest.mark.parametrize("before", CONSOLE)
def test_kill_line_after_other_text_is_read(before: str) -> None:
    found = read("[   34.600000] usb 1-1: new device", f"{before}[   34.700000] {KILL}", "[   34.800000] a")
    assert find_facts(found) == [(None, [7], 34700000)]


@pytest.mark.parametrize("before", CONSOLE)
def test_trigger_line_after_other_text_is_read(before: str) -> None:
    found = read(f"{before}[   34.700000] {TRIGGER}", HEADING, f"[   34.8] {KILL}")
    assert find_facts(found) == [("hog", [7], 34700000)]


@pytest.mark.parametrize("before", CONSOLE)
def test_broken_trigger_line_after_other_text_is_read(before: str) -> None:
    words = TRIGGER.split(" ", 2)
    broken = (f"{before}[   34.700000] {' '.join(words[:2])}", words[2])
    found = read(*broken, HEADING, f"[   34.800000] {KILL}")
    assert find_facts(found) == [("hog", [7], 34700000)]


@pytest.mark.parametrize("before", PROGRAMS)
@pytest.mark.parametrize("text", [KILL, TRIGGER])
def test_program_does_not_pass_for_the_kernel(before: str, text: str) -> None:
    assert not read("[   34.600000] a", f"{before}[   34.700000] {text}", "[   34.800000] b")


@pytest.mark.parametrize("other", ["a", "[ 3400.600000] a", "Jul 15 23:44:32 web1 kernel: [   34.600000] a", ""])
def test_without_a_near_stamp_nothing_is_read(other: str) -> None:
    assert not read(other, f"Writing tables: 1/2[   34.700000] {KILL}", other)


def test_message_without_escapes_is_corrected() -> None:
    console = find_console_line("a b[   34.700000] c")
    assert console
    assert is_on_console(console, Prefix("", monotonic_us=34000000))
    assert correct_held(console, Line("a b[   34.700000] cd")) == Line(
        "cd", monotonic_us=34700000, printed="[   34.700000] c"
    )


def test_lines_after_a_console_line_take_the_same_way() -> None:
    lines = list(read_log(["a b[   34.700000] c", "d", "[   34.800000] e", "[   34.900000] f"]))
    assert [(line.text, line.monotonic_us) for line in lines] == [
        ("a b[   34.700000] c", None),
        ("d", None),
        ("e", 34800000),
        ("f", 34900000),
    ]
