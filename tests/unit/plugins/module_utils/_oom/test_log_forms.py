# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Forms that text logs have: each is read, or what was lost in it is said."""

from __future__ import annotations

import base64
import json
import os
import pathlib
import random
import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import find_stamp
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom import pasted_forms, wrappers

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
NAMES = ("bookworm-6.1-memcg", "bullseye-5.10-global", "trixie-6.12-group", "handmade-centos7")
CASES = int(os.environ.get("OOMGUARD_WRAPPERS", "300"))
NOISE = "abcxyzKILOR 0123456789.:;,/|<>[](){}#*%&$!?\"'`~^_+=-\t\\é"
SEED = int(os.environ.get("OOMGUARD_SEED", "1"))

Lines = t.Sequence[str]


def read_lines(name: str) -> list[str]:
    """Return the lines of a fixture without their uptimes."""
    text = (FIXTURES / f"{name}.log").read_text(encoding="utf-8")
    return [line.partition("] ")[2] for line in text.splitlines()]


def read_reports(path: pathlib.Path, data: str | bytes) -> tuple[list[OomReport], LogFile]:
    """Write a log, and return its reports."""
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    log = LogFile(str(path))
    return list(log.read_reports()), log


def find_facts(reports: t.Iterable[OomReport]) -> list[t.Any]:
    """Return what a report says, without times, hosts and positions."""
    return [(report.trigger, report.victims, report.tasks, report.scope, report.cgroup) for report in reports]


def list_records(lines: Lines) -> list[dict[str, t.Any]]:
    return [
        {
            "__REALTIME_TIMESTAMP": str(1689432272000000 + number),
            "_BOOT_ID": "3f1a2b4c5d6e47f8a9b0c1d2e3f40516",
            "_TRANSPORT": "kernel",
            "SYSLOG_IDENTIFIER": "kernel",
            "_HOSTNAME": "web1",
            "MESSAGE": line,
        }
        for number, line in enumerate(lines)
    ]


def as_json(lines: Lines) -> str:
    return "".join(json.dumps(record) + "\n" for record in list_records(lines))


def as_json_pretty(lines: Lines) -> str:
    return "".join(json.dumps(record, indent="\t", separators=(",", " : ")) + "\n" for record in list_records(lines))


def as_json_bytes(lines: Lines) -> str:
    """Return JSON as journalctl prints it for messages with control characters."""
    records = [{**record, "MESSAGE": list(record["MESSAGE"].encode())} for record in list_records(lines)]
    return "".join(json.dumps(record, indent="\t", separators=(",", " : ")) + "\n" for record in records)


def as_json_sse(lines: Lines) -> str:
    return "".join(f"data: {json.dumps(record)}\n\n" for record in list_records(lines))


def as_export(lines: Lines) -> str:
    texts = ["".join(f"{name}={value}\n" for name, value in record.items()) for record in list_records(lines)]
    return "\n".join(texts)


def as_verbose(lines: Lines) -> str:
    cursor = f"s={'0' * 32};i=1;b={'1' * 32};m=1;t=600879a71d425;x=1"
    heading = f"Sat 2023-07-15 23:44:32.000037 JST [{cursor}]\n"
    fields = "    _TRANSPORT=kernel\n    SYSLOG_IDENTIFIER=kernel\n    MESSAGE="
    return "".join(f"{heading}{fields}{line}\n" for line in lines)


def as_dmesg_json(lines: Lines) -> str:
    return json.dumps({"dmesg": [{"pri": 4, "time": 12.5, "msg": line} for line in lines]}, indent=3)


def as_dmesg_json_with_later_messages(lines: Lines) -> str:
    """Return JSON as dmesg of util-linux 2.38 prints it: each message has all later ones after it."""
    raws = [f"<4>[   12.500000] {line}" for line in lines]
    later = ["\n".join([line, *raws[number + 1 :]]) for number, line in enumerate(lines)]
    return as_dmesg_json(later)


def as_docker(lines: Lines) -> str:
    return "".join(
        json.dumps({"log": f"{line}\n", "stream": "stdout", "time": "2023-07-15T14:44:32.000037123Z"}) + "\n"
        for line in lines
    )


def as_docker_syslog(lines: Lines) -> str:
    return as_docker([f"Jul 15 23:44:32 web1 kernel: {line}" for line in lines])


def as_cloud(lines: Lines) -> str:
    entries = [
        {"jsonPayload": record, "timestamp": "2023-07-15T14:44:32Z", "labels": {"zone": "a"}}
        for record in list_records(lines)
    ]
    return json.dumps(entries, indent=2)


def as_hits(lines: Lines) -> str:
    """Return the answer of a search, the newest line first."""
    hits = [
        {"_source": {"message": line, "@timestamp": f"2023-07-15T14:44:{number // 60:02}.{number % 60:03}Z"}}
        for number, line in enumerate(lines)
    ]
    return json.dumps({"took": 3, "hits": {"hits": hits[::-1]}})


def as_loki(lines: Lines) -> str:
    values = [[str(1689432272000000000 + number), line] for number, line in enumerate(lines)]
    return json.dumps({"data": {"result": [{"stream": {"job": "kernel"}, "values": values[::-1]}]}})


def as_csv(lines: Lines) -> str:
    quoted = [line.replace('"', '""') for line in lines]
    return "".join(["Time,Host,Message\n", *(f'2023-07-15T14:44:32Z,web1,"{line}"\n' for line in quoted)])


def as_unknown_json(lines: Lines) -> str:
    return "".join(json.dumps({"severity": "warn", "kmsg_record": line}) + "\n" for line in lines)


def as_json_in_json(lines: Lines) -> str:
    return "".join(json.dumps({"log": json.dumps(record)}) + "\n" for record in list_records(lines))


def as_vmware(lines: Lines) -> str:
    return "".join(f"2023-12-04T10:49:30.125Z In(05) vcpu-5 - Guest: <4>[   12.500000] {line}\n" for line in lines)


def as_syslog(lines: Lines) -> str:
    return "".join(f"Jul 15 23:44:32 web1 kernel: {line}\n" for line in lines)


FORMS = (
    as_json,
    as_json_pretty,
    as_json_bytes,
    as_json_sse,
    as_export,
    as_verbose,
    as_dmesg_json,
    as_dmesg_json_with_later_messages,
    as_docker,
    as_docker_syslog,
    as_cloud,
    as_hits,
    as_loki,
    as_csv,
    as_unknown_json,
    as_json_in_json,
    as_vmware,
)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_form_has_the_same_reports(form: t.Callable[[Lines], str], name: str, tmp_path: pathlib.Path) -> None:
    lines = read_lines(name)
    plain, _log = read_reports(tmp_path / "plain.log", as_syslog(lines))
    found, log = read_reports(tmp_path / "kern.log", form(lines))
    assert (find_facts(found), log.unparsed, log.unrecognised) == (find_facts(plain), 0, 0)


def is_said(found: t.Sequence[OomReport], log: LogFile) -> bool:
    return bool(log.unparsed) or not all(report.complete for report in found)


# Who wrote the line, or where its prefix ends, is not certain.
ONLY_SAID = frozenset(
    ("Heroku", "Splunk raw", "uptime, host with colon", "JSON behind syslog", "CSV, unclosed quote", "Python list")
)


@pytest.mark.parametrize("name", [*NAMES, "bookworm-6.1-hostile"])
@pytest.mark.parametrize("form", pasted_forms.FORMS)
def test_pasted_form_has_the_same_reports(form: str, name: str, tmp_path: pathlib.Path) -> None:
    lines = read_lines(name)
    plain, _log = read_reports(tmp_path / "plain.log", as_syslog(lines))
    found, log = read_reports(tmp_path / "kern.log", pasted_forms.FORMS[form](lines))
    is_right = (find_facts(found), log.unparsed) == (find_facts(plain), 0)
    has_no_other_kill = set(list_kills(found)) <= set(list_kills(plain))
    assert is_right or (form in ONLY_SAID and has_no_other_kill and is_said(found, log))


GUEST = "Guest: <3>[    1.000000] "
IMPOSTORS = [
    f"{before}{tag}{inner}"
    for before in ("", "[   12.500000] ", "Jul 15 23:44:32 ", "2023-07-15T23:44:32Z ", "<14>", "> ")
    for tag in ("evil[5]: ", "evil(pam)[5]: ", "web1 evil[5]: ", "/usr/bin/evil[5]: ")
    for inner in ("", GUEST, "OOMKilling node/web1 ", "kernel: ", "[    1.000000] ", "Jul 15 23:44:32 web1 kernel: ")
] + [
    f"{before}evil: {inner}"
    for before in ("", "<14>", "> ")
    for inner in (GUEST, "OOMKilling ", "OOMKilling node/web1 ")
]


@pytest.mark.parametrize("impostor", IMPOSTORS)
def test_program_does_not_pass_for_the_kernel(impostor: str, tmp_path: pathlib.Path) -> None:
    for text in (KILL, TRIGGER, CONSTRAINT):
        found, log = read_reports(tmp_path / "kern.log", f"{impostor}{text}\n" * 2)
        assert (found, log.unparsed) == ([], 2)


TRIGGER = "evil invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0"
CONSTRAINT = (
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,task_memcg=/,task=a,pid=7,uid=0"
)


@pytest.mark.parametrize("log", ["evil", "evil%2Fkernel.x", "kernelx/kernel"])
def test_log_of_another_program_in_the_cloud_is_no_kill(log: str, tmp_path: pathlib.Path) -> None:
    record = {"textPayload": KILL, "logName": f"projects/p/logs/{log}"}
    found, text = read_reports(tmp_path / "kern.log", json.dumps(record))
    assert (found, text.unparsed) == ([], 1)


@pytest.mark.parametrize(
    "before", ["INFO evil - ", '"GET / HTTP/1.1" 200 "', "web1 evil: ", "msg=", "Jul 15 23:44:32 web1 "]
)
def test_trigger_line_alone_with_an_unknown_prefix_is_said(before: str, tmp_path: pathlib.Path) -> None:
    found, log = read_reports(tmp_path / "kern.log", f"{before}{TRIGGER}\n")
    assert (found, log.unparsed) == ([], 1)


@pytest.mark.parametrize(
    "before",
    [
        "Jul 15 23:44:32 ",
        "15.07.2023 23:44:32 ",
        "2023-07-15 23:44:32 ",
        "2023-07-15T23:44:32.000000001Z stdout F ",
    ],
)
def test_kill_line_after_a_time_alone_is_read(before: str, tmp_path: pathlib.Path) -> None:
    report = "".join(f"Jul 15 23:44:40 web1 kernel: {line}\n" for line in read_lines(NAMES[1]))
    for text in (KILL, CONSTRAINT):
        found, log = read_reports(tmp_path / "kern.log", f"{before}{text}\n{report}")
        plain, _log = read_reports(tmp_path / "plain.log", f"Jul 15 23:44:32 web1 kernel: {text}\n{report}")
        assert sorted(map(str, find_kills(found))) == sorted(map(str, find_kills(plain)))
        assert log.unparsed == 0


def find_kills(reports: t.Iterable[OomReport]) -> list[t.Any]:
    return [(report.trigger, report.victims, report.chosen, len(report.tasks)) for report in reports]


@pytest.mark.parametrize("other", ["web1 evil[5]: ", "evil[5]: "])
def test_time_alone_is_no_prefix_of_other_programs(other: str, tmp_path: pathlib.Path) -> None:
    lines = [f"Jul 15 23:44:32 {line}" for line in read_lines(NAMES[0])]
    lines += [f"Jul 15 23:44:33 {other}{text}" for text in ("a", "b", "c", "d", TRIGGER, KILL, CONSTRAINT)]
    found, log = read_reports(tmp_path / "kern.log", "".join(f"{line}\n" for line in lines))
    assert (len(found), log.unparsed) == (1, 3)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"], ids=str)
def test_encoding_is_recognised(encoding: str, tmp_path: pathlib.Path) -> None:
    text = as_syslog(read_lines(NAMES[0]))
    plain, _log = read_reports(tmp_path / "plain.log", text)
    found, log = read_reports(tmp_path / "kern.log", text.encode(encoding))
    assert (find_facts(found), log.unparsed) == (find_facts(plain), 0)


def test_utf_16_after_other_text_is_read(tmp_path: pathlib.Path) -> None:
    text = as_syslog(read_lines(NAMES[0]))
    found, _log = read_reports(tmp_path / "kern.log", b"a\n" * 4000 + text.encode("utf-16-le"))
    assert [report.victims[0].pid for report in found] == [
        report.victims[0].pid for report in read_reports(tmp_path / "plain.log", text)[0]
    ]


@pytest.mark.parametrize("form", [as_json, as_json_pretty, as_export], ids=lambda form: form.__name__)
def test_record_has_the_line_of_its_message(form: t.Callable[[Lines], str], tmp_path: pathlib.Path) -> None:
    text = "\n" * 3 + form(read_lines(NAMES[0]))
    (report,), _log = read_reports(tmp_path / "kern.log", text)
    number = next(number for number, line in enumerate(text.split("\n"), 1) if "invoked oom-killer" in line)
    assert report.first.cursor == str(number)


def test_record_has_its_time_and_host(tmp_path: pathlib.Path) -> None:
    (report,), _log = read_reports(tmp_path / "kern.log", as_json(read_lines(NAMES[0])))
    first = report.first
    assert (first.realtime_us, first.hostname, first.source) == (1689432272000000, "web1", "kernel")


@pytest.mark.parametrize("identifier", ["php", "kernel"])
def test_record_of_another_program_is_no_kill(identifier: str, tmp_path: pathlib.Path) -> None:
    record = {"_TRANSPORT": "stdout", "SYSLOG_IDENTIFIER": identifier, "MESSAGE": KILL}
    found, log = read_reports(tmp_path / "kern.log", json.dumps(record))
    assert (found, log.unparsed, log.first_unparsed) == ([], 1, [1])


KILL = "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"


def test_row_of_kubernetes_has_both_messages(tmp_path: pathlib.Path) -> None:
    choice = "Out of memory: Kill process 7 (hog) score 205 or sacrifice child"
    kill = "Killed process 7 (hog), UID 0, total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"
    row = f"default  Warning  node1.16  2026-11-27T19:01:27+08:00  OOMKilling  {choice} {kill}\n"
    (report,), log = read_reports(tmp_path / "events.txt", f"default  Normal  a  b  Pulled  c\n{row}")
    assert (report.chosen and report.chosen.score, report.victims[0].pid, log.unparsed) == (205, 7, 0)
    assert report.first.realtime_us == 1795777287000000


UNREADABLE = {
    "random bytes": bytes(random.Random(1).randrange(256) for _byte in range(50_000)),
    "random bytes in one line": bytes(random.Random(2).choice(range(11, 256)) for _byte in range(50_000)),
    "NULs": b"\0" * 50_000,
    "NULs in lines": b"\0\n" * 5000,
    "one byte": b"\xff",
    "blank lines": b"\n\n",
    "EBCDIC": (f"Jul 15 23:44:32 web1 kernel: {KILL}\n" * 50).encode("cp500"),
    "base64": base64.b64encode(KILL.encode() * 50),
    "hexadecimal": KILL.encode().hex().encode(),
    "UTF-16, cut": f"Jul 15 23:44:32 web1 kernel: {KILL}\n".encode("utf-16-be")[:31],
}


@pytest.mark.parametrize("data", UNREADABLE.values(), ids=UNREADABLE)
def test_log_without_any_readable_line_is_said(data: bytes, tmp_path: pathlib.Path) -> None:
    found, log = read_reports(tmp_path / "kern.log", data)
    assert (found, log.unparsed, log.unrecognised >= 1) == ([], 0, True)


def test_copies_of_a_kill_are_no_other_kills(tmp_path: pathlib.Path) -> None:
    event = f"Events:[{{Severity:warn Reason:OOMKilling Message:{KILL}}}]"
    lines = [
        f"Jul 15 23:44:32 node1 kernel: {KILL}",
        f"Jul 15 23:44:33 node1 node-problem-detector[9]: New status generated: &{{Source:kernel-monitor {event}}}",
        f"default  Warning  node1.16  2023-07-15T23:44:33Z  OOMKilling  {KILL}",
    ]
    found, log = read_reports(tmp_path / "kern.log", "".join(f"{line}\n" for line in lines))
    assert (len(found), log.unparsed) == (1, 0)


def test_message_with_a_prefix_in_a_record_has_a_stamp(tmp_path: pathlib.Path) -> None:
    (report,), _log = read_reports(tmp_path / "kern.log", as_docker_syslog([KILL]))
    assert find_stamp(report.first) == "Jul 15 23:44:32 web1 kernel:"


@pytest.mark.parametrize("form", ["introduction", "no host", "headerless CSV", "bold", "ansible -m shell"])
def test_event_in_an_unknown_form_has_a_stamp(form: str, tmp_path: pathlib.Path) -> None:
    (report,), _log = read_reports(tmp_path / "kern.log", pasted_forms.FORMS[form](read_lines(NAMES[0])))
    assert find_stamp(report.first)


@pytest.mark.parametrize(
    "line",
    [
        f"cron[12]: {KILL}",
        f"%%% {KILL}",
        "?? hog invoked oom-killer: nothing known",
        "a oom-kill:constraint=CONSTRAINT_NONE",
        "a OOM killed process 7 (hog)",
        json.dumps({"message": "a", "extra": KILL}),
        json.dumps({"message": "a", "extra": {"deep": [KILL]}}, indent=1).replace("\n", " \n"),
        "x" * 70_000 + KILL,
        "x" * 16_380 + KILL,
        '{"a": "' + "x" * 1_100_000 + KILL,
    ],
)
def test_lost_kill_is_said(line: str, tmp_path: pathlib.Path) -> None:
    found, log = read_reports(tmp_path / "kern.log", f"a\n{line}\nb\n")
    assert (found, log.unparsed, log.first_unparsed[0] >= 2) == ([], 1, True)


def make_wrapper(chance: random.Random) -> t.Callable[[str], str]:
    """Return a function that wraps a line in something that no reader knows."""

    def make_noise(most: int) -> str:
        return "".join(chance.choices(NOISE, k=chance.randrange(most)))

    before = make_noise(40)
    after = make_noise(20)
    name = make_noise(10).replace('"', "")
    wrappers: list[t.Callable[[str], str]] = [
        lambda line: f"{before}{line}",
        lambda line: f"{line}{after}",
        lambda line: f"{before}{line}{after}",
        lambda line: f'{before}"{line}",',
        lambda line: f"{before}{line!r}",
        lambda line: json.dumps({name: line}),
        lambda line: json.dumps({"message": before, name: {"list": [after, line]}}),
        lambda line: json.dumps({before: {name: {"message": line}}}, indent=1),
        lambda line: before + json.dumps({"message": line}) + after,
        lambda line: f"<li>{line}</li>",
        lambda line: f"{before},{line},{after}",
        lambda line: f"{name}={line}",
    ]
    return chance.choice(wrappers)


@pytest.mark.parametrize("case", range(CASES))
def test_report_in_an_unknown_wrapper_is_right_or_said(case: int, tmp_path: pathlib.Path) -> None:
    chance = random.Random(f"{SEED} {case}")
    lines = read_lines(chance.choice(NAMES))
    wrap = make_wrapper(chance)
    text = "".join(f"{wrap(line)}\n" for line in lines)
    problem = wrappers.find_problem(tmp_path / "kern.log", lines, text.encode())
    assert problem is None, f"seed {SEED}, case {case}: {problem}: {wrap('LINE')!r}"


@pytest.mark.parametrize("case", range(CASES))
def test_report_in_a_composed_wrapper_is_right_or_said(case: int, tmp_path: pathlib.Path) -> None:
    problem, data, _lines = wrappers.try_case(SEED, case, tmp_path / "kern.log")
    assert problem is None, f"seed {SEED}, case {case}: {problem}: {data[:500]!r}"


@pytest.mark.parametrize(
    "unit",
    [
        "{",
        "}",
        '{"a":',
        "[",
        "[1,",
        '{"msg":"',
        "oom-kill:constraint= ",
        "illed process ",
        '{"a": {"b": "Killed process 1 ("}}\n',
        '"msg": "invoked oom-killer"\n',
        "{\n",
        '{\n"a": "b",\n',
        'MESSAGE=\nA="\n',
        "Guest: <OOMKilling ",
    ],
)
@pytest.mark.parametrize("start", ["", '{"list": [', "Time,Message\n", "MESSAGE=a\n"])
def test_time_is_linear(start: str, unit: str, tmp_path: pathlib.Path) -> None:
    seconds = []
    for size in (200_000, 800_000):
        text = start + unit * (size // len(unit))
        begun = time.process_time()
        read_reports(tmp_path / "kern.log", text)
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 8 * seconds[0] + 0.5


def list_kills(reports: t.Iterable[OomReport]) -> list[t.Any]:
    """Return what the kill lines say but for their last figures, which a suffix can continue."""
    victims = [victim for report in reports for victim in report.victims]
    return [(victim.pid, victim.name, victim.total_vm_bytes, victim.anon_rss_bytes) for victim in victims]
