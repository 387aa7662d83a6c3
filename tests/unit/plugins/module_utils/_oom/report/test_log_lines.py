# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The prefixes, escapes and marks of text logs."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report import log_lines
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import (
    Prefix,
    find_stamp,
    read_lines,
    read_log,
    split_prefix,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import QUOTED, Line
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    read_texts,
)

JUNE = 1654066800 * 1000000
FOLDERS = [Path(__file__).parents[1] / "fixtures", *map(Path, filter(None, [os.environ.get("OOMGUARD_CORPUS")]))]
LOGS = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.log"))}


@pytest.mark.parametrize(
    ("before", "prefix"),
    [
        pytest.param("[7934037.757829] ", Prefix(GLOBAL_KILL, monotonic_us=7934037757829), id="dmesg"),
        pytest.param("[3-37.1122] ", Prefix(GLOBAL_KILL, monotonic_us=37112200), id="a CPU before it"),
        pytest.param("[    5.5] ", Prefix(GLOBAL_KILL, monotonic_us=5500000), id="dmesg, young"),
        pytest.param("     [41369.847965] ", Prefix(GLOBAL_KILL, monotonic_us=41369847965), id="indented"),
        pytest.param(
            "[   12.345678 <    0.000012>] ", Prefix(GLOBAL_KILL, monotonic_us=12345678), id="dmesg --show-delta"
        ),
        pytest.param("[   37.112233][ T9185] ", Prefix(GLOBAL_KILL, monotonic_us=37112233), id="caller"),
        pytest.param("[   37.112233] [    C0] ", Prefix(GLOBAL_KILL, monotonic_us=37112233), id="caller, an interrupt"),
        pytest.param("<4>[   37.112233] ", Prefix(GLOBAL_KILL, monotonic_us=37112233), id="level"),
        pytest.param("kern  :err   : [   37.112233] ", Prefix(GLOBAL_KILL, monotonic_us=37112233), id="dmesg --decode"),
        pytest.param("[Wed Jun  1 07:00:00 2022] ", Prefix(GLOBAL_KILL), id="dmesg -T"),
        pytest.param("[Di Aug 12 03:54:03 2025] ", Prefix(GLOBAL_KILL), id="dmesg -T in German"),
        pytest.param("[mer. juin  1 07:00:00 2022] ", Prefix(GLOBAL_KILL), id="dmesg -T in French"),
        pytest.param("[2022年 6月 1日 水曜日 07:00:00] ", Prefix(GLOBAL_KILL), id="dmesg -T in Japanese"),
        pytest.param("[Jun 1 07:00] ", Prefix(GLOBAL_KILL), id="dmesg --human"),
        pytest.param("[  +0.000012] ", Prefix(GLOBAL_KILL), id="dmesg --human, later lines"),
        pytest.param(
            "2022-06-01T07:00:00,250000+00:00 ", Prefix(GLOBAL_KILL, JUNE + 250000), id="dmesg --time-format=iso"
        ),
        pytest.param("Jun  1 07:00:00 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="syslog"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel:[   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="no space",
        ),
        pytest.param(" kernel:[   37.112233] ", Prefix(GLOBAL_KILL, None, 37112233, None, "kernel"), id="wall"),
        pytest.param(
            "<3>1 2022-06-01T07:00:00.250000Z web1 kernel - - - [   37.112233] ",
            Prefix(GLOBAL_KILL, JUNE + 250000, 37112233, "web1", "kernel"),
            id="RFC 5424",
        ),
        pytest.param(
            "Jun 01 07:00:00.250000 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="precise"
        ),
        pytest.param("juin 01 07:00:00 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="French"),
        pytest.param("6月 01 07:00:00 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="Japanese"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="kern.log",
        ),
        pytest.param(
            "2022-06-01T09:00:00.250000+02:00 web1 kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, JUNE + 250000, 37112233, "web1", "kernel"),
            id="RFC 3339",
        ),
        pytest.param(
            "2022-06-01T07:00:00+0000 web1 kernel: ", Prefix(GLOBAL_KILL, JUNE, None, "web1", "kernel"), id="short-iso"
        ),
        pytest.param(
            "Wed 2022-06-01 07:00:00 UTC web1 kernel: ",
            Prefix(GLOBAL_KILL, JUNE, None, "web1", "kernel"),
            id="short-full",
        ),
        pytest.param(
            "Wed 2022-06-01 09:00:00 CEST web1 kernel: ",
            Prefix(GLOBAL_KILL, None, None, "web1", "kernel"),
            id="short-full, a zone that only its own country knows",
        ),
        pytest.param(
            "1654066800.250000 web1 kernel: ",
            Prefix(GLOBAL_KILL, JUNE + 250000, None, "web1", "kernel"),
            id="short-unix",
        ),
        pytest.param(
            "[   37.112233] web1 kernel: ", Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"), id="short-monotonic"
        ),
        pytest.param(
            "0001-01-01T00:00:00+14:00 web1 kernel: ",
            Prefix(GLOBAL_KILL, None, None, "web1", "kernel"),
            id="the year 0",
        ),
        pytest.param(
            "9999-12-31T23:59:59-14:00 web1 kernel: ",
            Prefix(GLOBAL_KILL, None, None, "web1", "kernel"),
            id="the year 10000",
        ),
        pytest.param("kernel: ", Prefix(GLOBAL_KILL, None, None, None, "kernel"), id="a tag alone"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: : [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="rsyslog 5",
        ),
        pytest.param(
            "web1 kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="no time, but the host",
        ),
        pytest.param(
            "Wed Jun  1 07:00:00 2022 kern.err kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, None, "kernel"),
            id="OpenWrt",
        ),
        pytest.param("07:00:00 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="the time alone"),
        pytest.param(
            "Jan  1 00:00:10 (none) kern.err kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "(none)", "kernel"),
            id="BusyBox",
        ),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: [   37.112233] <4>",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="klogd",
        ),
        pytest.param("3,19685768,241227988581,-;", Prefix(GLOBAL_KILL, monotonic_us=241227988581), id="/dev/kmsg"),
        pytest.param(
            "3,1968,37112233,c,caller=T12845;", Prefix(GLOBAL_KILL, monotonic_us=37112233), id="/dev/kmsg, caller"
        ),
        pytest.param(
            "Jun  1 07:00:00 web1 app[12]: ", Prefix(GLOBAL_KILL, None, None, "web1", "app"), id="a program that quotes"
        ),
        pytest.param(
            "Jun  1 07:00:00 web1 app[12]: kernel: [ 7.1] ",
            Prefix(f"kernel: [ 7.1] {GLOBAL_KILL}", None, None, "web1", "app"),
            id="a program that quotes with prefix",
        ),
    ],
)
def test_prefix_is_parsed(before: str, prefix: Prefix) -> None:
    assert split_prefix(f"{before}{GLOBAL_KILL}") == prefix


@pytest.mark.parametrize("before", ["07:00:00 ", "Jun  1 07:00:00 ", "2022-06-01T07:00:00Z "])
@pytest.mark.parametrize("text", ["CPU: 1 PID: 8 Comm: a", "memory: usage 4kB", "DMA32: 1*4kB", "a: b[1]: c"])
def test_message_without_host_is_not_a_program(before: str, text: str) -> None:
    prefix = split_prefix(f"{before}kernel: {text}")
    assert prefix is not None
    assert prefix[-2:] + prefix[:1] == (None, "kernel", text)


@pytest.mark.parametrize(
    "text",
    [
        GLOBAL_KILL,
        "",
        " active_file:0 inactive_file:1",
        "[ 128825]  1000 128825  3449 864 65536 192 200 rsync",
        "DMA: 1*4kB",
    ],
)
def test_text_without_prefix_has_none(text: str) -> None:
    assert split_prefix(text) is None


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("Jun 1 07:00:00 web1 kernel: Mem-Info:#012 active_anon:1#011b", "Mem-Info:\n active_anon:1\tb"),
        (r"4,1,2,-;task \x0a \x1b \x5cx2d \xc3\xa4", "task \n \x1b \\x2d ä"),
        (r"[ 1.5] task=a\x0ab,pid=1 /system-serial\x2dgetty.slice", "task=a\nb,pid=1 /system-serial\\x2dgetty.slice"),
    ],
)
def test_escapes_are_undone(line: str, text: str) -> None:
    prefix = split_prefix(line)
    assert prefix is not None
    assert prefix.text == text


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


@pytest.mark.parametrize("length", [0, 1, 16383, 16384, 16385, 16400, 32768, 100_000])
def test_nuls_before_a_line_are_removed(length: int) -> None:
    nuls = "\0" * length
    assert list(read_lines(io.StringIO(f"a\n{nuls}{GLOBAL_KILL}\nb\n{nuls}"))) == ["a\n", f"{GLOBAL_KILL}\n", "b\n"]


@pytest.mark.parametrize("length", [16383, 16384, 16385, 32767, 32768, 100_000])
@pytest.mark.parametrize("end", ["\n", "\nb\n"])
def test_long_line_is_truncated(length: int, end: str) -> None:
    lines = list(read_lines(io.StringIO("a" * length + end)))
    assert (len(lines[0].rstrip("\n")), lines[1:]) == (min(length, 16384), ["b\n"] if end[1:] else [])


def test_colours_are_removed() -> None:
    assert read_texts("\x1b[32m[    1.500000] \x1b[0m\x1b[31ma b\x1b[0m") == ["a b"]


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
