# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes of text logs, and lines that mail broke."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report import log_lines
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import (
    Prefix,
    lines_of,
    read_log,
    split_prefix,
    stamp_of,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import QUOTED, Line, Origin
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

TEXT = "Out of memory: Killed process 812 (sys.fcgi) total-vm:900kB, anon-rss:100kB, file-rss:4kB, shmem-rss:8kB"
REPORT = "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
JUNE = 1654066800 * 1000000
FOLDERS = [Path(__file__).parents[1] / "fixtures", *map(Path, filter(None, [os.environ.get("OOMGUARD_CORPUS")]))]
LOGS = {path.stem: path for folder in FOLDERS for path in sorted(folder.glob("*.log"))}


@pytest.mark.parametrize(
    ("before", "prefix"),
    [
        pytest.param("[7934037.757829] ", Prefix(TEXT, monotonic_us=7934037757829), id="dmesg"),
        pytest.param("[3-37.1122] ", Prefix(TEXT, monotonic_us=37112200), id="a CPU before it"),
        pytest.param("[    5.5] ", Prefix(TEXT, monotonic_us=5500000), id="dmesg, young"),
        pytest.param("     [41369.847965] ", Prefix(TEXT, monotonic_us=41369847965), id="indented"),
        pytest.param("[   12.345678 <    0.000012>] ", Prefix(TEXT, monotonic_us=12345678), id="dmesg --show-delta"),
        pytest.param("[   37.112233][ T9185] ", Prefix(TEXT, monotonic_us=37112233), id="caller"),
        pytest.param("[   37.112233] [    C0] ", Prefix(TEXT, monotonic_us=37112233), id="caller, an interrupt"),
        pytest.param("<4>[   37.112233] ", Prefix(TEXT, monotonic_us=37112233), id="level"),
        pytest.param("kern  :err   : [   37.112233] ", Prefix(TEXT, monotonic_us=37112233), id="dmesg --decode"),
        pytest.param("[Wed Jun  1 07:00:00 2022] ", Prefix(TEXT), id="dmesg -T"),
        pytest.param("[Di Aug 12 03:54:03 2025] ", Prefix(TEXT), id="dmesg -T in German"),
        pytest.param("[mer. juin  1 07:00:00 2022] ", Prefix(TEXT), id="dmesg -T in French"),
        pytest.param("[2022年 6月 1日 水曜日 07:00:00] ", Prefix(TEXT), id="dmesg -T in Japanese"),
        pytest.param("[Jun 1 07:00] ", Prefix(TEXT), id="dmesg --human"),
        pytest.param("[  +0.000012] ", Prefix(TEXT), id="dmesg --human, later lines"),
        pytest.param("2022-06-01T07:00:00,250000+00:00 ", Prefix(TEXT, JUNE + 250000), id="dmesg --time-format=iso"),
        pytest.param("Jun  1 07:00:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="syslog"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel:[   37.112233] ", Prefix(TEXT, None, 37112233, "web1", "kernel"), id="no space"
        ),
        pytest.param(" kernel:[   37.112233] ", Prefix(TEXT, None, 37112233, None, "kernel"), id="wall"),
        pytest.param(
            "<3>1 2022-06-01T07:00:00.250000Z web1 kernel - - - [   37.112233] ",
            Prefix(TEXT, JUNE + 250000, 37112233, "web1", "kernel"),
            id="RFC 5424",
        ),
        pytest.param("Jun 01 07:00:00.250000 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="precise"),
        pytest.param("juin 01 07:00:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="French"),
        pytest.param("6月 01 07:00:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="Japanese"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: [   37.112233] ",
            Prefix(TEXT, None, 37112233, "web1", "kernel"),
            id="kern.log",
        ),
        pytest.param(
            "2022-06-01T09:00:00.250000+02:00 web1 kernel: [   37.112233] ",
            Prefix(TEXT, JUNE + 250000, 37112233, "web1", "kernel"),
            id="RFC 3339",
        ),
        pytest.param(
            "2022-06-01T07:00:00+0000 web1 kernel: ", Prefix(TEXT, JUNE, None, "web1", "kernel"), id="short-iso"
        ),
        pytest.param(
            "Wed 2022-06-01 07:00:00 UTC web1 kernel: ", Prefix(TEXT, JUNE, None, "web1", "kernel"), id="short-full"
        ),
        pytest.param(
            "Wed 2022-06-01 09:00:00 CEST web1 kernel: ",
            Prefix(TEXT, None, None, "web1", "kernel"),
            id="short-full, a zone that only its own country knows",
        ),
        pytest.param(
            "1654066800.250000 web1 kernel: ", Prefix(TEXT, JUNE + 250000, None, "web1", "kernel"), id="short-unix"
        ),
        pytest.param(
            "[   37.112233] web1 kernel: ", Prefix(TEXT, None, 37112233, "web1", "kernel"), id="short-monotonic"
        ),
        pytest.param(
            "0001-01-01T00:00:00+14:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="the year 0"
        ),
        pytest.param(
            "9999-12-31T23:59:59-14:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="the year 10000"
        ),
        pytest.param("kernel: ", Prefix(TEXT, None, None, None, "kernel"), id="a tag alone"),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: : [   37.112233] ",
            Prefix(TEXT, None, 37112233, "web1", "kernel"),
            id="rsyslog 5",
        ),
        pytest.param(
            "web1 kernel: [   37.112233] ", Prefix(TEXT, None, 37112233, "web1", "kernel"), id="no time, but the host"
        ),
        pytest.param(
            "Wed Jun  1 07:00:00 2022 kern.err kernel: [   37.112233] ",
            Prefix(TEXT, None, 37112233, None, "kernel"),
            id="OpenWrt",
        ),
        pytest.param("07:00:00 web1 kernel: ", Prefix(TEXT, None, None, "web1", "kernel"), id="the time alone"),
        pytest.param(
            "Jan  1 00:00:10 (none) kern.err kernel: [   37.112233] ",
            Prefix(TEXT, None, 37112233, "(none)", "kernel"),
            id="BusyBox",
        ),
        pytest.param(
            "Jun  1 07:00:00 web1 kernel: [   37.112233] <4>",
            Prefix(TEXT, None, 37112233, "web1", "kernel"),
            id="klogd",
        ),
        pytest.param("3,19685768,241227988581,-;", Prefix(TEXT, monotonic_us=241227988581), id="/dev/kmsg"),
        pytest.param("3,1968,37112233,c,caller=T12845;", Prefix(TEXT, monotonic_us=37112233), id="/dev/kmsg, caller"),
        pytest.param(
            "Jun  1 07:00:00 web1 app[12]: ", Prefix(TEXT, None, None, "web1", "app"), id="a program that quotes"
        ),
        pytest.param(
            "Jun  1 07:00:00 web1 app[12]: kernel: [ 7.1] ",
            Prefix(f"kernel: [ 7.1] {TEXT}", None, None, "web1", "app"),
            id="a program that quotes with prefix",
        ),
    ],
)
def test_a_prefix_is_taken_off(before: str, prefix: Prefix) -> None:
    assert split_prefix(f"{before}{TEXT}") == prefix


@pytest.mark.parametrize("before", ["07:00:00 ", "Jun  1 07:00:00 ", "2022-06-01T07:00:00Z "])
@pytest.mark.parametrize("text", ["CPU: 1 PID: 8 Comm: a", "memory: usage 4kB", "DMA32: 1*4kB", "a: b[1]: c"])
def test_without_a_host_the_message_is_no_program(before: str, text: str) -> None:
    prefix = split_prefix(f"{before}kernel: {text}")
    assert prefix is not None
    assert prefix[-2:] + prefix[:1] == (None, "kernel", text)


@pytest.mark.parametrize(
    "text",
    [TEXT, "", " active_file:0 inactive_file:1", "[ 128825]  1000 128825  3449 864 65536 192 200 rsync", "DMA: 1*4kB"],
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


def texts(*lines: str) -> list[str]:
    return [line.text for line in read_log(lines)]


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
def test_a_broken_kill_line_is_whole_again(lines: tuple[str, ...]) -> None:
    assert texts(*lines) == [TEXT]


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
def test_a_broken_line_is_whole_again(lines: tuple[str, ...], text: str) -> None:
    assert texts(*lines) == [text]


@pytest.mark.parametrize("after", ["So this happened again.", "```", "[ 1.6] next", "order=0"])
def test_a_whole_kill_line_takes_nothing_in(after: str) -> None:
    assert texts(f"[ 1.5] {TEXT}", after)[0] == TEXT


@pytest.mark.parametrize(
    "cut",
    [
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),global_oom,task=a",
        "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL)",
        "Killed process 7 (b) total-vm:4kB, anon-rss:",
    ],
)
@pytest.mark.parametrize("after", [TEXT, REPORT])
def test_a_cut_line_takes_no_other_in(cut: str, after: str) -> None:
    assert texts(cut, after) == [cut, after]


def test_lines_of_one_record_share_its_time() -> None:
    log = ["Jun  1 07:00:00 web1 kernel: [ 1.5] active_anon:1", "                active_file:2"]
    assert [line._replace(printed=None) for line in read_log(log)] == [
        Line("active_anon:1", None, 1500000, "1", Origin(None, "web1", "kernel")),
        Line("active_file:2", None, 1500000, "2", Origin(None, "web1", "kernel")),
    ]


def test_a_message_may_be_broken_from_its_prefix() -> None:
    log = ["Jun  1 07:00:00 web1 kernel:", TEXT, "Jun  1 07:00:01 web1 kernel: a"]
    assert [line._replace(printed=None) for line in read_log(log)] == [
        Line(TEXT, cursor="1", origin=Origin(None, "web1", "kernel")),
        Line("a", cursor="3", origin=Origin(None, "web1", "kernel")),
    ]


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
        (["Jun  1 07:00:00 web1 kernel:", TEXT], "Jun  1 07:00:00 web1 kernel:"),
        (["[ 1.5] Killed process 7 (a)", "total-vm:8kB, anon-rss:8kB, file-rss:0kB"], "[ 1.5]"),
        (["[ 1.5] a", "Mem-Info:"], None),
        ([TEXT], None),
    ],
)
def test_the_stamp_of_a_line_is_its_prefix_as_printed(log: list[str], stamp: str | None) -> None:
    assert [stamp_of(line) for line in read_log(log)][-1] == stamp


def test_boots_are_told_apart() -> None:
    log = ["[ 1.5] a", f"-- Boot {'ab' * 16} --", "[ 1.5] b"]
    assert [line.boot_id for line in read_log(log)] == [None, "ab" * 16]


def test_windows_line_ends_and_no_break_spaces_are_plain() -> None:
    assert texts("[ 1.5] a\xa0b\r\n") == ["a b"]


def test_a_document_quotes_what_stands_after_a_fence() -> None:
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
def test_long_lines_of_a_log_take_no_time(name: str) -> None:
    assert len(list(read_reports(read_log([REPORT, *[LONG[name]] * 20])))) <= 21


@pytest.mark.parametrize("name", LONG)
def test_long_messages_take_no_time(name: str) -> None:
    assert len(list(read_reports([Line(REPORT), Line(LONG[name])]))) <= 2


@pytest.mark.parametrize("length", [0, 1, 16383, 16384, 16385, 16400, 32768, 100_000])
def test_nuls_before_a_line_are_taken_off(length: int) -> None:
    nuls = "\0" * length
    assert list(lines_of(io.StringIO(f"a\n{nuls}{TEXT}\nb\n{nuls}"))) == ["a\n", f"{TEXT}\n", "b\n"]


@pytest.mark.parametrize("length", [16383, 16384, 16385, 32767, 32768, 100_000])
@pytest.mark.parametrize("end", ["\n", "\nb\n"])
def test_a_long_line_is_cut_off(length: int, end: str) -> None:
    lines = list(lines_of(io.StringIO("a" * length + end)))
    assert (len(lines[0].rstrip("\n")), lines[1:]) == (min(length, 16384), ["b\n"] if end[1:] else [])


def test_colours_are_taken_off() -> None:
    assert texts("\x1b[32m[    1.500000] \x1b[0m\x1b[31ma b\x1b[0m") == ["a b"]


@pytest.mark.parametrize("dropped", ["** 3 printk messages dropped ** ", "> ** 1516 printk messages dropped ** "])
def test_what_a_slow_console_dropped_is_no_part_of_the_next_message(dropped: str) -> None:
    assert texts(f"{dropped}[ 1.5] a") == ["a"]


def test_that_messages_were_dropped_is_a_message() -> None:
    assert texts("** 3 printk messages dropped **") == ["** 3 printk messages dropped **"]


@pytest.mark.parametrize("mark", ["> ", ">> ", "> > >", " > > "])
def test_mail_quotes_what_it_answers(mark: str) -> None:
    assert [(line.text, line.source) for line in read_log([f"{mark}[ 1.5] a"])] == [("a", QUOTED)]


@pytest.mark.parametrize("before", ["", "Jun  1 07:00:00 web1 kernel: ", "2022-06-01T07:00:00+00:00 web1 kernel: "])
@pytest.mark.parametrize("name", LOGS)
def test_lines_alike_are_read_as_any_other(name: str, before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LOGS[name].read_bytes().decode("utf-8", "surrogateescape")
    texts = [f"{before}{line}" for line in text.splitlines(keepends=True)]
    quick = list(read_log(texts))
    monkeypatch.setattr(log_lines, "_PLAIN", re.compile("(?!)"))
    assert quick == list(read_log(texts))


def test_most_lines_are_alike() -> None:
    texts = LOGS["trixie-6.12-global"].read_text(encoding="utf-8").splitlines(keepends=True)
    log = log_lines._Log()
    assert sum(log.plain_line(text, 1) is not None for text in texts) > 0.8 * len(texts)
