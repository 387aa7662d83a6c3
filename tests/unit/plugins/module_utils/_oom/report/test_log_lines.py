# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prefixes, escapes and marks of text logs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report import log_lines
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import (
    find_stamp,
    read_log,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import QUOTED, Line
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix, split_prefix
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    read_texts,
)

FOLDERS = [Path(__file__).parents[1] / "fixtures", *map(Path, filter(None, [os.environ.get("OOMGUARD_CORPUS")]))]
LOGS = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.log"))}


@pytest.mark.parametrize(
    ("log", "stamp"),
    [
        (["[   37.112233] a b"], "[   37.112233]"),
        (["Jun  1 07:00:00 web1 kernel: [   37.112233] a b\r\n"], "Jun  1 07:00:00 web1 kernel: [   37.112233]"),
        (["2022-06-01T07:00:00+00:00 web1 earlyoom[7]: a b"], "2022-06-01T07:00:00+00:00 web1 earlyoom[7]:"),
        (["[Di Aug 12 03:54:03 2025] a b"], "[Di Aug 12 03:54:03 2025]"),
        (["[   37.112233] [    C0] a b"], "[   37.112233] [    C0]"),
        (["4,1,2,-;a \\x0a b"], "4,1,2,-;"),
        (["Jun  1 07:00:00 web1 kernel: a#012b"], "Jun  1 07:00:00 web1 kernel:"),
        (["[ 1.5]\xa0a\xa0b"], "[ 1.5]"),
        (["\x1b[32m[    1.500000] \x1b[0m\x1b[31ma b\x1b[0m"], "[    1.500000]"),
        (["> [ 1.5] a b"], "[ 1.5]"),
        (["**[ 1.5] a b**"], "[ 1.5]"),
        (["**Jun  1 07:00:00 web1 kernel: a b"], "Jun  1 07:00:00 web1 kernel:"),
        (["[ 1.5] a", "[ 1.600000] b", "[ 1.700000] c\n"], "[ 1.700000]"),
        (["Jun  1 07:00:00 web1 kernel:", GLOBAL_KILL], "Jun  1 07:00:00 web1 kernel:"),
        (["[ 1.5] Killed process 7 (a)", "total-vm:8kB, anon-rss:8kB, file-rss:0kB"], "[ 1.5]"),
        (["[ 1.5] a", "Mem-Info:"], None),
        ([GLOBAL_KILL], None),
    ],
)
def test_stamp_is_the_printed_prefix(log: list[str], stamp: str | None) -> None:
    assert [find_stamp(line) for line in read_log(log)][-1] == stamp


def test_boot_separator_sets_boot_id() -> None:
    log = ["[ 1.5] a", f"-- Boot {'ab' * 16} --", "[ 1.5] b"]
    assert [line.boot_id for line in read_log(log)] == [None, "ab" * 16]


def test_windows_line_ends_and_no_break_spaces_are_normalized() -> None:
    assert read_texts("[ 1.5] a\xa0b\r\n") == ["a b"]


def test_lines_after_a_fence_are_quoted() -> None:
    log = ["[ 1.5] a", "```", "[ 1.5] b", "Jun  1 07:00:00 web1 app[1]: c"]
    assert [(line.text, line.source) for line in read_log(log)] == [("a", None), ("b", QUOTED)]


LONG = {
    f"{number}: {text[:20]}": text
    for number, text in enumerate(
        (
            "oom_sco" * 150000 + " invoked oom-killer",
            "x invoked oom-killer" * 50000,
            "Out of memory: Killed process 1 (" + ") total-vm:" * 100000,
            "Out of memory: Killed process 1 (" + "a" * 1000000,
            "oom-kill:constraint=A,nodemask=(null)" + ",task_memcg=/" * 80000 + ",task=a,pid=1,uid=0",
            "oom-kill:constraint=A,nodemask=(null)" + ",oom_memcg=/" * 80000 + ",task=a,pid=1,uid=0",
            "CPU: 1 PID: 1 Comm: x Tainted: " + " " * 1000000,
            "x cpuset=" * 100000,
            "[" + " " * 1000000,
            "[ 1] 1 1 1 1 " + "a" * 1000000,
            "[ pid ] " + "a " * 500000,
            "Node 0 Normal free:" + "1kB free:" * 100000,
            "Node 0 Normal: " + "1*4kB " * 200000,
            "active_anon:1 " * 80000,
            "4,1,1,-;" + r"\x0a" * 250000,
            "Jan 1 00:00:00 " + "a." * 500000,
            "[" + "a" * 30 + "00:00:0" * 100000,
        )
    )
}


@pytest.mark.parametrize("name", LONG)
def test_long_lines_are_read_quickly(name: str) -> None:
    assert len(list(read_reports(read_log([GLOBAL_TRIGGER, *[LONG[name]] * 20])))) <= 21


@pytest.mark.parametrize("name", LONG)
def test_long_messages_are_read_quickly(name: str) -> None:
    assert len(list(read_reports([Line(GLOBAL_TRIGGER), Line(LONG[name])]))) <= 2


def test_colours_are_removed() -> None:
    assert read_texts("\x1b[32m[    1.500000] \x1b[0m\x1b[31ma b\x1b[0m") == ["a b"]


@pytest.mark.parametrize("line", ["`[ 1.5] a`", "- `[ 1.5] a`", "* `[ 1.5] a` "])
def test_line_as_code_is_a_message(line: str) -> None:
    assert read_texts(line) == ["a"]


@pytest.mark.parametrize("dropped", ["** 3 printk messages dropped ** ", "> ** 1516 printk messages dropped ** "])
def test_mark_of_dropped_messages_is_removed(dropped: str) -> None:
    assert read_texts(f"{dropped}[ 1.5] a") == ["a"]


def test_line_about_dropped_messages_is_a_message() -> None:
    assert read_texts("** 3 printk messages dropped **") == ["** 3 printk messages dropped **"]


@pytest.mark.parametrize("mark", ["> ", ">> ", "> > >", " > > "])
def test_marked_lines_of_mail_are_quoted(mark: str) -> None:
    assert [(line.text, line.source) for line in read_log([f"{mark}[ 1.5] a"])] == [("a", QUOTED)]


@pytest.mark.parametrize("before", ["", "Jun  1 07:00:00 web1 kernel: ", "2022-06-01T07:00:00+00:00 web1 kernel: "])
@pytest.mark.parametrize("name", LOGS)
def test_fast_path_returns_the_same_lines(name: str, before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LOGS[name].read_bytes().decode("utf-8", "surrogateescape")
    texts = [f"{before}{line}" for line in text.splitlines(keepends=True)]
    quick = list(read_log(texts))
    monkeypatch.setattr(log_lines, "_SIMILAR", re.compile("(?!)"))
    assert quick == list(read_log(texts))


def test_most_lines_take_the_fast_path() -> None:
    texts = LOGS["trixie-6.12-global"].read_text(encoding="utf-8").splitlines(keepends=True)
    log = log_lines._LogReader()
    assert sum(log.parse_similar(text, 1) is not None for text in texts) > 0.8 * len(texts)


def test_quotation_ends_with_its_fence() -> None:
    log = ["```", "Mem-Info:", "```", "Mem-Info:"]
    assert [line.source for line in read_log(log)] == [QUOTED, None]


def test_lines_of_userspace_killers_are_read_in_quotations() -> None:
    log = ["```console", "Jun  1 07:00:00 web1 earlyoom[7]: a", "```", "> Jun  1 07:00:00 web1 systemd-oomd[7]: b"]
    assert [(line.text, line.source) for line in read_log(log)] == [("a", "earlyoom"), ("b", "systemd-oomd")]


def test_mark_of_utf8_is_removed() -> None:
    assert read_texts("\ufeff[ 1.5] a", "[ 1.6] b") == ["a", "b"]


@pytest.mark.parametrize("before", ["", "Jun 12 06:39:16: ", "2022-06-01 07:00:00,123: "])
@pytest.mark.parametrize(
    ("text", "source"),
    [
        ('sending SIGTERM to process 696 uid 1001 "ipfs": badness 757, VmRSS 637 MiB', "earlyoom"),
        ("Killing process 'a' with signal 15, pid: 7, badness: 1, VmRSS: 2 MiB", "earlyoom"),
        ("PID: 903309, name: mysqld, badness: 849", "nohang"),
    ],
)
def test_output_of_userspace_killer_without_its_name(before: str, text: str, source: str) -> None:
    (line,) = read_log([before + text])
    assert (line.text, line.source) == (text, source)


@pytest.mark.parametrize(
    "message",
    [
        "systemd[1]: shop.service: Failed with result 'oom-kill'.",
        "systemd-oomd.service[5]: Killed /shop due to memory pressure",
        "web1 systemd[1]: Started shop.service.",
        "systemd[1]: <5>x",
        "kernel[1]: x",
        "(sd-pam)[7]: x",
        "a b[7]: x",
        "a[b]: x",
        "active_anon:1 x[7]: y",
    ],
)
def test_line_of_process_after_the_same_uptime_has_its_prefix_parsed(message: str) -> None:
    text = f"[    2.000000] {message}"
    line = list(read_log(["[    1.000000] a", text]))[1]
    assert Prefix(line.text, line.realtime_us, line.monotonic_us, line.hostname, line.source) == split_prefix(text)


@pytest.mark.parametrize("version", ["#1 SMP", "#011SMP"])
def test_number_sign_is_an_escape_only_before_a_control_character(version: str) -> None:
    line = list(read_log(["[    1.000000] a", f"[    2.000000] CPU: 1 {version}"]))[1]
    assert line.text == f"CPU: 1 {version}".replace("#011", "\t")
