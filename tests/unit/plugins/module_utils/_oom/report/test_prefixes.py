# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The known prefixes of lines in text logs."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix, split_prefix
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import GLOBAL_KILL

JUNE = 1654066800 * 1000000


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
        pytest.param(
            "Jun  1 07:00:00 *** kernel: ", Prefix(GLOBAL_KILL, None, None, "***", "kernel"), id="hidden host"
        ),
        pytest.param(
            "Jun  1 07:00:00 <my host> kernel: ",
            Prefix(GLOBAL_KILL, None, None, "<my host>", "kernel"),
            id="host in angle brackets",
        ),
        pytest.param(
            "Jun  1 07:00:00 [web1] kernel: [   37.112233] ",
            Prefix(GLOBAL_KILL, None, 37112233, "[web1]", "kernel"),
            id="host in brackets",
        ),
        pytest.param(
            "2022-06-01T07:00:00Z [   37.112233] ", Prefix(GLOBAL_KILL, JUNE, 37112233), id="an uptime is not a host"
        ),
        pytest.param(
            "Jun  1 07:00:00 web1/192.0.2.7 kernel: ",
            Prefix(GLOBAL_KILL, None, None, "web1/192.0.2.7", "kernel"),
            id="host and address",
        ),
        pytest.param(
            "01.06.2022 07:00:00 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="German date"
        ),
        pytest.param(
            "2022/06/01 07:00:00.123 web1 kernel: ", Prefix(GLOBAL_KILL, None, None, "web1", "kernel"), id="slashes"
        ),
        pytest.param(
            '<4>1 2022-06-01T07:00:00Z web1 kernel - - [meta sequenceId="7"][a@1 b="c"] ',
            Prefix(GLOBAL_KILL, JUNE, None, "web1", "kernel"),
            id="RFC 5424, structured data",
        ),
        pytest.param(
            "<29>1 2022-06-01T07:00:00Z web1 app 812 ID7 - ",
            Prefix(GLOBAL_KILL, JUNE, None, "web1", "app"),
            id="RFC 5424, process",
        ),
        pytest.param(
            "Wed 2022-06-01 07:00:00 UTC web1 earlyoom.service[7]: ",
            Prefix(GLOBAL_KILL, JUNE, None, "web1", "earlyoom"),
            id="with-unit",
        ),
        pytest.param(
            "[   37.112233] web1 systemd-oomd[7]: ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "systemd-oomd"),
            id="short-monotonic, a userspace killer",
        ),
        pytest.param(
            "[   37.112233] earlyoom[7]: ",
            Prefix(GLOBAL_KILL, None, 37112233, None, "earlyoom"),
            id="short-monotonic without host, a userspace killer",
        ),
        pytest.param(
            "[   37.112233] kernel: ",
            Prefix(GLOBAL_KILL, None, 37112233, None, "kernel"),
            id="short-monotonic without host",
        ),
        pytest.param(
            "[   37.112233                ] web1 kernel: ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="short-delta, the first line",
        ),
        pytest.param(
            "[   37.112233 <    0.000031 >] web1 kernel: ",
            Prefix(GLOBAL_KILL, None, 37112233, "web1", "kernel"),
            id="short-delta",
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


@pytest.mark.parametrize("text", [GLOBAL_KILL, "Kill process 7 (hog) score 9 or sacrifice child"])
def test_kernel_has_no_blank_after_its_name_on_a_terminal(text: str) -> None:
    assert split_prefix(f" kernel:{text}") == Prefix(text, source="kernel")


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


def test_process_named_like_a_tag_is_a_process() -> None:
    text = "kernel: x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
    assert split_prefix(f"[   37.112233] {text}") == Prefix(text, monotonic_us=37112233)
