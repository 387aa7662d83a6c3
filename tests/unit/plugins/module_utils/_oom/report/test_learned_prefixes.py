# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Unknown prefixes, and texts that must not be learned as such."""

from __future__ import annotations

import io
import re
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import (
    find_stamp,
    read_log,
    read_numbered,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_text import LogText
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import Mentions
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CONSTRAINT,
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    KILL,
    build_memcg_report,
)

FIXTURES = Path(__file__).parents[1] / "fixtures"
UPTIME = re.compile(r"(?:.*? kernel: ?)?\[ *\d+\.\d+\] ?(?:\[ *[TC]\d+\] ?)?")
KERNEL = "Jun  1 07:00:{0:02} web1 kernel: "


def read_kills(lines: t.Iterable[str]) -> list[OomReport]:
    return [item for item in read_reports(read_log(lines)) if isinstance(item, OomReport)]


def read_text_kills(lines: t.Iterable[str]) -> list[OomReport]:
    """Return the reports in lines of a file, whose decorations are removed."""
    text = LogText(io.StringIO("".join(f"{line}\n" for line in lines)), Mentions())
    return [item for item in read_reports(read_numbered(text.read())) if isinstance(item, OomReport)]


def read_fixture(name: str) -> list[str]:
    """Return the messages of a fixture without their prefixes, and each line of a longer message as one."""
    text = (FIXTURES / f"{name}.log").read_text(encoding="utf-8")
    return [re.sub(r"^ {8,}", "", UPTIME.sub("", line, count=1)) for line in text.splitlines()]


PREFIXES = {
    "grep -H": "/var/log/messages-20220601:" + KERNEL,
    "grep -n": "{1}:" + KERNEL,
    "zgrep -Hn": "messages.2.gz:{1}:" + KERNEL,
    "pdsh": "node17: " + KERNEL,
    "pdsh, dmesg": "node17: [ 1187.{1:06}] ",
    "pdsh, dmesg -t": "node17: ",
    "nl": "{1:6}\t" + KERNEL,
    "nl, dmesg": "{1:6}\t[ 1187.{1:06}] ",
    "nl, dmesg -t": "{1:6}\t",
    "editor": "{1:4} | " + KERNEL,
    "editor, dmesg": "{1:4}: [ 1187.{1:06}] ",
    "bar": "| [ 1187.{1:06}] ",
    "bar, dmesg -t": "| ",
    "Docker Compose": "web_1  | [ 1187.{1:06}] ",
    "CRI": "2022-06-01T07:00:{0:02}.000000000Z stdout F " + KERNEL,
    "VMware": "2022-06-01T07:00:{0:02}.125Z In(05) vcpu-5 - Guest: <4>[ 1187.{1:06}] ",
    "unknown host": "Jun  1 07:00:{0:02} ~we!b~ kernel: ",
    "unknown date": "1 VI 2022, 7h00m{0:02} web1 kernel: ",
    "short-monotonic without host": "[ 1187.{1:06}] kernel: ",
    "Loki": '2022-06-01T07:00:{0:02}Z {{host="web1", service_name="syslog"}} ' + KERNEL,
    "structured data": '<4>1 2022-06-01T07:00:{0:02}Z web1 kernel - - [meta sequenceId="{1}"] ',
    "CRI, /dev/kmsg": "2022-06-01T07:00:{0:02}.000000000Z stderr F 4,{1},1187{1:06},-;",
    "Markdown table": "|2022-06-01T07:00:{0:02}.{1:06}Z|",
    "tab after the time": "[ 1187.{1:06}]\t",
    "bar in mail": ">  | [ 1187.{1:06}][T{1:05}] ",
}


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    "name", ["trixie-6.12-global", "bullseye-5.10-memcg", "bookworm-6.1-hostile", "handmade-rhel7"]
)
def test_unknown_prefix_is_learned(name: str, prefix: str) -> None:
    texts = read_fixture(name)
    plain = read_kills(f"[ 1187.{number:06}] {text}" for number, text in enumerate(texts))
    found = read_kills(PREFIXES[prefix].format(number // 100, number) + text for number, text in enumerate(texts))
    assert [get_facts(report) for report in found] == [get_facts(report) for report in plain]


def get_facts(report: OomReport) -> tuple[object, ...]:
    """Return what a report says apart from times."""
    return (report.trigger, report.victims, report.chosen, report.limit, report.memory, report.tasks, report.complete)


@pytest.mark.parametrize(
    "prefix",
    ["/var/log/messages:" + KERNEL, "node1: [ 1187.5] ", "node1 login: [ 1187.5] ", "Jun  1 07:00:00 ~a~ kernel: "],
)
@pytest.mark.parametrize("text", [GLOBAL_KILL, KILL.format("a", 812), CONSTRAINT.format("a", 812)])
def test_kill_line_alone_shows_its_prefix(prefix: str, text: str) -> None:
    (report,) = read_kills([prefix.format(0) + text])
    assert find_stamp(report.first) == prefix.format(0).strip()


@pytest.mark.parametrize(
    ("mark", "prefix"),
    [
        ("", ""),
        ("", "[ 1187.5] "),
        ("<li>", ""),
        ("<li>", "[ 1187.5] "),
        ("<li>", "[ 1187.500000] "),
        ("<li>", KERNEL),
        ("<li>", KERNEL + "[ 1187.500000] "),
    ],
)
@pytest.mark.parametrize("name", ["trixie-6.12-group", "handmade-centos7"])
def test_annotation_after_each_line_is_removed(name: str, mark: str, prefix: str) -> None:
    texts = read_fixture(name)
    plain = read_kills(f"[ 1187.5] {text}" for text in texts)
    found = read_text_kills(f"{mark}{prefix.format(0)}{text}</li>" for text in texts)
    assert [get_facts(report) for report in found] == [get_facts(report) for report in plain]


def test_time_before_another_prefix_is_used() -> None:
    (report,) = read_kills([f"2022-06-01T07:00:00Z stdout F {KERNEL.format(0)}{GLOBAL_KILL}"])
    assert (report.first.realtime_us, report.first.hostname) == (1654066800 * 1000000, "web1")


def test_two_prefixes_of_one_log_are_learned() -> None:
    texts = build_memcg_report()
    logs = [f"{name}: {KERNEL.format(0)}{text}" for name in ("a", "b", "a") for text in texts]
    assert [len(report.tasks) for report in read_kills(logs)] == [1, 1, 1]


@pytest.mark.parametrize(
    "before",
    [
        "Jun  1 07:00:00 ~a~ sshd[7]: Invalid user ",
        "Jun  1 07:00:00 ~a~ sshd[7]: Invalid user kernel: ",
        "Jun  1 07:00:00 ~a~ sshd[7]: [ 1187.5] ",
        "Jun  1 07:00:00 ~a~ su: kernel: ",
        "Jun  1 07:00:00 ~a~ su: [ 1187.5] ",
        "Jun  1 07:00:00 web1 su: node1: kernel: [ 1187.5] ",
        "node1: su: kernel: ",
        "app: ",
        "app: user said ",
        "app login: user said ",
        '{container="app"} kernel: ',
        '{app="web"} [ 1187.5] ',
        "sudo:  bob : COMMAND=/bin/echo kernel: ",
        "I looked into the log and found kernel: ",
        '    pr_err("[ 1187.5] ',
        "// [ 1187.5] ",
        "# kernel: ",
        "[ 1187.5] Memory cgroup stats for /user.slice/kernel: ",
        "[ 1187.5] Tasks in /user.slice/[ 1187.5] ",
        "[ 1187.5] usb 1-1: Product: kernel: ",
    ],
)
@pytest.mark.parametrize("text", [GLOBAL_KILL, KILL.format("init", 1), CONSTRAINT.format("init", 1)])
def test_quoting_program_or_person_is_not_the_kernel(before: str, text: str) -> None:
    assert read_kills([before + text] * 3) == []


def test_other_program_does_not_pass_for_the_kernel_after_a_prefix_was_learned() -> None:
    prefix = "Jun  1 07:00:00 ~a~ "
    lines = [f"{prefix}kernel: {text}" for text in build_memcg_report()]
    lines += [f"{prefix}{tag}: {text}" for tag in ("su", "sshd[7]") for text in build_memcg_report("init", 1)]
    lines += [f"{prefix}{tag}: kernel: {text}" for tag in ("su", "sshd[7]") for text in build_memcg_report("init", 1)]
    assert [report.victims[0].pid for report in read_kills(lines)] == [812]


@pytest.mark.parametrize("name", ["kernel: x", "a: b", "| a", "12 a", "kernel:", "[ 1.5] a", "a: [1.5] b"])
@pytest.mark.parametrize("prefix", ["[ 1187.5] ", "Jun  1 07:00:00 web1 kernel: "])
def test_name_of_trigger_is_not_a_prefix(name: str, prefix: str) -> None:
    lines = [f"{prefix}{text}" for text in build_memcg_report(name)]
    assert [report.victims[0].pid for report in read_kills([*lines, *lines])] == [812, 812]


def test_name_of_trigger_in_second_line_of_old_kernel_is_not_a_prefix() -> None:
    first, *rest = build_memcg_report("Web Content")
    (report,) = read_kills([first, "Web Content cpuset=/ mems_allowed=0", *rest])
    assert report.trigger is not None
    assert report.trigger.name == "Web Content"


@pytest.mark.parametrize("name", ["kernel: x", "a: b", "| a", "12 a"])
def test_name_of_trigger_stays_whole(name: str) -> None:
    for prefix in ("[ 1187.5] ", "Jun  1 07:00:00 web1 kernel: "):
        (report,) = read_kills([f"{prefix}{text}" for text in build_memcg_report(name)])
        assert report.trigger is not None
        assert report.trigger.name == name


ADVERSARIAL = {
    "repeated triggers": lambda size: "a: [ 1.5] x" + " invoked oom-killer: gfp_mask=0x1, order=0, oom_adj=0" * size,
    "triggers": lambda size: "a: " * size + GLOBAL_TRIGGER,
    "tags": lambda size: "a " * 60 + "kernel: " * size + GLOBAL_KILL,
    "uptimes": lambda size: "x [ 1.5] " * size + GLOBAL_KILL,
    "kills": lambda size: "a " + "Out of memory " * size,
    "structured data": lambda size: "2022-06-01T07:00:00Z web1 kernel - - " + "[a b]" * size,
    "brackets": lambda size: "2022-06-01T07:00:00Z " + "[a" * size,
    "host": lambda size: "Jun  1 07:00:00 <" + "a <" * size,
    "numbers": lambda size: "1 2:3 " * size + GLOBAL_TRIGGER,
    "quotations": lambda size: "> " * size + "| [ 1.5] " + GLOBAL_KILL,
    "earlyoom": lambda size: 'sending SIGTERM to process 1 "' + '": badness 1, ' * size,
    "names": lambda size: "Killing process '" + "' with signal 1, pid: 1" * size,
}


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_time_is_linear_in_the_length_of_a_line(name: str) -> None:
    times = []
    for size in (500, 1000, 2000):
        lines = [ADVERSARIAL[name](size)] * 40
        started = time.process_time()
        read_kills(lines)
        times.append(time.process_time() - started)

    assert times[2] < 6 * times[0] + 0.05


def test_broken_line_repeats_no_name_of_the_trigger() -> None:
    lines = [
        "> [ 1187.000001] kworker/1:0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL),",
        "> order=-1, oom_score_adj=0",
    ]
    (line, *_rest) = read_log([*lines, "> [ 1187.000002] CPU: 1 PID: 28 Comm: kworker/1:0 Tainted: G"])
    assert line.text == "kworker/1:0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=-1, oom_score_adj=0"


def test_blank_line_after_the_trigger_does_not_hide_the_prefix() -> None:
    lines = [f"\tHere: {GLOBAL_TRIGGER}", "", f"\tCPU: 0 PID: 7 Comm: {GLOBAL_TRIGGER.split()[0]} Not tainted 6.1.0"]
    (trigger, *_rest) = read_log(lines)
    assert trigger.text == GLOBAL_TRIGGER
