# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text logs with the reports of real kills, plain and compressed."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import json
import lzma
import os
import pathlib
import re
import tracemalloc
import types
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom import in_logs, log_file, result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import find_in_logs, search_logs
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.log_file import LogError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import captured

FIXTURES = pathlib.Path(__file__).parent / "fixtures"


def log(name: str) -> str:
    records = [one for one in captured(name) if one["_TRANSPORT"] == "kernel" and one.get("SYSLOG_FACILITY") == "0"]
    return "".join(f"[{int(one['__MONOTONIC_TIMESTAMP']) / 1e6:12.6f}] {one['MESSAGE']}\n" for one in records)


@contextlib.contextmanager
def memory_below(most: int) -> t.Iterator[None]:
    """Assert that no more bytes of memory than that are in use at any time."""
    tracemalloc.start()
    try:
        yield
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


@pytest.mark.parametrize(
    ("suffix", "compress"), [("log", bytes), ("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
def test_the_kills_in_a_text_log_are_found(
    suffix: str, compress: t.Callable[[bytes], bytes], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / f"dmesg.{suffix}"
    path.write_bytes(compress(log("bullseye").encode()))
    findings = search_logs([str(path)], limit=2)
    assert [incident.place.unit for incident in findings.incidents] == ["w-kill.service", "apache2.service"]


def test_an_event_has_the_prefix_of_its_first_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kern.log"
    path.write_text("Nov 23 06:48:46 web1 kernel: Out of memory: Killed process 7 (hog)\n")
    (event,) = find_in_logs([str(path)], boot="all", limit=1, tasks="none", top=0)["events"]
    assert event["log"] == {"path": str(path), "line": 1, "stamp": "Nov 23 06:48:46 web1 kernel:"}


def test_zst_is_read_if_python_can_read_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dmesg.zst"
    path.write_text(log("bullseye"), encoding="utf-8")
    monkeypatch.setattr(log_file, "_zstd", types.SimpleNamespace(open=lambda file, _mode: file))
    assert len(search_logs([str(path)], limit=2).incidents) == 2


def test_zst_is_an_error_if_python_cannot_read_it(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "_zstd", None)
    path = tmp_path / "dmesg.zst"
    path.touch()
    message = (
        f"Could not read the log {path}: decompressing .zst requires Python 3.14 on the host. "
        "Decompress it with zstd -d, and name the result in log_files."
    )
    with pytest.raises(LogError, match=re.escape(message)):
        search_logs([str(path)], limit=1)


@pytest.mark.parametrize(("suffix", "compress"), [("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)])
@pytest.mark.parametrize("damage", [slice(0, 40), slice(20, None)], ids=["cut", "beheaded"])
def test_a_damaged_archive_is_an_error(
    suffix: str, compress: t.Callable[[bytes], bytes], damage: slice, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / f"dmesg.{suffix}"
    path.write_bytes(compress(log("bullseye").encode())[damage])
    with pytest.raises(LogError, match=re.escape(f"Could not read the log {path}: ")):
        search_logs([str(path)], limit=1)


def test_a_garbled_archive_is_an_error(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.gz"
    data = bytearray(gzip.compress(log("bullseye").encode()))
    data[100:140] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(LogError, match=re.escape(f"Could not read the log {path}: ")):
        search_logs([str(path)], limit=1)


def test_a_missing_log_is_an_error(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    message = f"Could not read the log {path}: No such file or directory. Check log_files."
    with pytest.raises(LogError, match=re.escape(message)):
        search_logs([str(path)], limit=1)


def test_an_unreadable_log_is_an_error(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(log_file, "_open_descriptor", refuse)
    path = tmp_path / "kern.log"
    path.touch()
    message = (
        f"Could not read the log {path}: Permission denied. Run the task with become, or as a user who may read it."
    )
    with pytest.raises(LogError, match=re.escape(message)):
        search_logs([str(path)], limit=1)


def test_no_log_is_an_error() -> None:
    message = (
        "Could not search text logs for OOM kills: log_files is empty. "
        "Name at least one file, or omit log_files to read the journal."
    )
    with pytest.raises(LogError, match=re.escape(message)):
        search_logs([], limit=1)


@pytest.mark.parametrize("path", ["/dev/null", "/proc/kmsg"])
def test_a_device_is_refused(path: str) -> None:
    message = (
        f"Could not read the log {path}: it is a device, not a regular file. Write the output of dmesg to a file and"
        " name that file in log_files, or omit log_files to read the journal."
    )
    with pytest.raises(LogError, match=re.escape(message)):
        search_logs([path], limit=1)


@pytest.mark.parametrize("suffix", ["log", "gz"])
def test_a_fifo_is_refused(suffix: str, tmp_path: pathlib.Path) -> None:
    path = tmp_path / f"dmesg.{suffix}"
    os.mkfifo(path)
    with pytest.raises(LogError, match=re.escape(f"{path}: it is a FIFO, not a regular file.")):
        search_logs([str(path)], limit=1)


def test_a_directory_is_refused(tmp_path: pathlib.Path) -> None:
    with pytest.raises(LogError, match=re.escape(f"{tmp_path}: it is a directory, not a regular file.")):
        search_logs([str(tmp_path)], limit=1)


def test_a_symlink_is_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dmesg.log").write_text(log("bullseye"), encoding="utf-8")
    link = tmp_path / "link.log"
    link.symlink_to(tmp_path / "dmesg.log")
    assert len(search_logs([str(link)], limit=2).incidents) == 2


@pytest.mark.parametrize(
    ("suffix", "compress"), [("log", bytes), ("gz", gzip.compress), ("bz2", bz2.compress), ("xz", lzma.compress)]
)
@pytest.mark.parametrize("filling", [b"\0", b"a"], ids=["nuls", "letters"])
def test_a_line_without_an_end_takes_no_memory(
    filling: bytes, suffix: str, compress: t.Callable[[bytes], bytes], tmp_path: pathlib.Path
) -> None:
    path = tmp_path / f"kern.{suffix}"
    path.write_bytes(compress(filling * 20_000_000 + b"\n" + log("bullseye").encode()))
    with memory_below(10_000_000):
        assert len(search_logs([str(path)], limit=2).incidents) == 2


def test_reports_beyond_the_limit_take_little_memory(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    row = "[  100.000000] [    813]     0   813      225       25    65536        3             0 hog\n"
    text = "".join(line + row * 1000 * ("oom_score_adj name" in line) for line in log("bullseye").splitlines(True))
    path.write_text(text * 30, encoding="utf-8")
    with memory_below(6_000_000):
        findings = search_logs([str(path)], limit=1)
    assert findings.tally is not None
    assert (len(findings.incidents), findings.tally.count) == (1, 89)


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_events_beyond_the_limit_are_counted(limit: int, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    path.write_text(log("bullseye"), encoding="utf-8")
    whole, some = (
        build_result(search_logs([str(path)], limit=most), tasks="none", top=0)["summary"] for most in (100, limit)
    )
    assert some == whole


KILL = "Out of memory: Killed process {pid} (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB"


def search_kill_lines(folder: pathlib.Path, *logs: t.Sequence[str], limit: int = 100) -> Findings:
    """Search logs of kill lines behind these prefixes, whose last word is the pid."""
    paths = [folder / f"kern.log.{number}" for number in range(len(logs))]
    for path, prefixes in zip(paths, logs, strict=True):
        lines = [(prefix, pid) for prefix, _blank, pid in (text.rpartition(" ") for text in prefixes)]
        path.write_text("".join(f"{prefix} {KILL.format(pid=pid)}\n" for prefix, pid in lines), encoding="utf-8")
    return search_logs(list(map(str, paths)), limit=limit)


def pids(incidents: t.Iterable[Incident]) -> list[int]:
    return [incident.report.victims[0].pid for incident in incidents]


@pytest.mark.parametrize(
    ("logs", "expected"),
    [
        ([["2026-11-23T06:00:00Z web1 kernel: 3"], ["2026-11-22T06:00:00Z web1 kernel: 2"]], [2, 3]),
        ([["Nov 23 06:00:00 web1 kernel: 3"], ["Nov 22 06:00:00 web1 kernel: 2"]], [3, 2]),
        (
            [
                ["2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T08:00:00Z web1 kernel: 5"],
                ["2026-11-23T07:00:00Z web1 kernel: 4"],
            ],
            [3, 4, 5],
        ),
        ([["2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T05:00:00Z web1 kernel: 2"]], [3, 2]),
        ([["2026-11-23T06:00:00Z web1 kernel: 3"], ["[ 12.5] 9"], ["2026-11-22T06:00:00Z web1 kernel: 2"]], [2, 3, 9]),
    ],
    ids=["newest first", "without times", "at once", "a clock that was set back", "one without times"],
)
@pytest.mark.parametrize("limit", [0, 1, 2, 100])
def test_events_are_sorted_by_time(
    logs: list[list[str]], expected: list[int], limit: int, tmp_path: pathlib.Path
) -> None:
    findings = search_kill_lines(tmp_path, *logs, limit=limit)
    cut = max(len(expected) - limit, 0)
    assert findings.tally is not None
    assert (findings.tally.count, pids(findings.incidents)) == (cut, expected[cut:])


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ("2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T06:00:00Z web1 kernel: 3", 1),
        ("Nov 23 06:00:00 web1 kernel: [ 12.500000] 3", "Nov 23 06:00:00 web1 kernel: [ 12.500000] 3", 1),
        ("2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T06:00:01Z web1 kernel: 3", 2),
        ("2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T06:00:00Z web2 kernel: 3", 2),
        ("2026-11-23T06:00:00Z web1 kernel: 3", "2026-11-23T06:00:00Z web1 kernel: 4", 2),
        ("Nov 23 06:00:00 web1 kernel: 3", "Nov 23 06:00:00 web1 kernel: 3", 2),
    ],
    ids=["alike", "alike by the uptime", "another time", "another host", "another victim", "no time"],
)
@pytest.mark.parametrize("limit", [0, 100])
def test_an_event_in_two_files_is_returned_once(
    one: str, other: str, count: int, limit: int, tmp_path: pathlib.Path
) -> None:
    findings = search_kill_lines(tmp_path, [one], [other], limit=limit)
    note = "Events found in several files, each counted once: 1."
    assert findings.tally is not None
    found = len(findings.incidents) + findings.tally.count
    assert (found, findings.coverage.notes) == (count, (note,) if count == 1 else ())


def test_an_event_twice_in_one_file_is_two_events(tmp_path: pathlib.Path) -> None:
    twice = [f"2026-11-23T06:00:00Z web1 kernel: {pid}" for pid in (3, 4, 3)]
    assert pids(search_kill_lines(tmp_path, twice, twice).incidents) == [3, 4, 3]


def test_a_file_named_twice_is_read_once(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    path.write_text(f"{KILL.format(pid=3)}\n", encoding="utf-8")
    assert len(search_logs([str(path)] * 2, limit=2).incidents) == 1


GROUP = "Tasks in /shop are going to be killed due to memory.oom.group set"


def write_group_kill(path: pathlib.Path, victims: int) -> None:
    """Write a log of a cgroup that was killed as a whole."""
    lines = [KILL.format(pid=1), GROUP, *(KILL.format(pid=pid) for pid in range(2, victims + 1))]
    path.write_text("".join(f"[ 12.500000] {line}\n" for line in lines), encoding="utf-8")


def test_victims_of_a_large_group_are_all_counted(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    write_group_kill(path, 5000)
    found = find_in_logs([str(path)], boot="all", limit=100, tasks="top", top=10)
    (event,) = found["events"]
    assert (len(event["victims"]), event["victims_count"]) == (1000, 5000)
    assert (found["summary"]["by_victim"], found["coverage"]["unparsed"]) == ({"hog": 5000}, 0)
    assert "hog (pid 1) and 4999 more in its cgroup" in event["diagnosis"]["summary"]


def write_storm(path: pathlib.Path, kills: int) -> None:
    """Write a log of kills without reports."""
    lines = [KILL.format(pid=pid).replace("hog", f"hog{pid}") for pid in range(kills)]
    path.write_text("".join(f"[ 12.500000] {line}\n" for line in lines), encoding="utf-8")


def write_long_rows(path: pathlib.Path, rows: int) -> None:
    """Write a log of a report whose task table has long rows."""
    row = f"[  100.000000] [    813]     0   813      225       25    65536        3             0 {'x' * 8000}\n"
    text = "".join(line + row * rows * ("oom_score_adj name" in line) for line in log("bullseye").splitlines(True))
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("write", "number"),
    [(write_group_kill, 12_000), (write_storm, 12_000), (write_long_rows, 600)],
    ids=["victims", "kills", "long rows"],
)
def test_memory_does_not_grow_with_the_log(
    write: t.Callable[[pathlib.Path, int], None], number: int, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "dmesg.log"
    write(path, number)
    with memory_below(8_000_000):
        find_in_logs([str(path)], boot="all", limit=100, tasks="top", top=10)


def test_events_that_are_too_large_together_are_counted(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "dmesg.log"
    path.write_text(log("bullseye"), encoding="utf-8")
    whole = find_in_logs([str(path)], boot="all", limit=100, tasks="top", top=10)
    monkeypatch.setattr(in_logs, "_MAX_PARTS", 10)
    some = find_in_logs([str(path)], boot="all", limit=100, tasks="top", top=10)
    missing = len(whole["events"]) - len(some["events"])
    assert missing > 0
    assert some["summary"] == whole["summary"]
    note = f"Large events that are counted but not returned, because newer ones took all space: {missing}."
    assert note in some["coverage"]["notes"]


def test_a_result_has_a_limited_number_of_rows(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dmesg.log"
    path.write_text(log("bullseye"), encoding="utf-8")
    monkeypatch.setattr(result, "_MAX_ROWS", 12)
    events = find_in_logs([str(path)], boot="all", limit=100, tasks="all", top=10)["events"]
    rows = [len(event["tasks"]["rows"]) for event in events if event["tasks"]]
    assert (sum(rows), rows[-1]) == (12, min(12, events[-1]["tasks"]["count"]))


def make_records(number: int) -> list[dict[str, str]]:
    return [{"MESSAGE": KILL.format(pid=pid), "_TRANSPORT": "kernel", "filling": "x" * 200} for pid in range(number)]


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["dense", "with blanks"])
def test_an_array_on_one_line_is_read_whole(separators: tuple[str, str], tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kernel.json"
    path.write_text(json.dumps(make_records(9000), separators=separators), encoding="utf-8")
    found = find_in_logs([str(path)], boot="all", limit=1, tasks="top", top=10)
    assert (found["summary"]["count"], found["coverage"]["unparsed"]) == (9000, 0)
    assert not [note for note in found["coverage"]["notes"] if "were not read" in note]


def test_a_record_that_is_too_long_is_named(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "kernel.json"
    path.write_text("a\n" + json.dumps({"hits": make_records(9000)}), encoding="utf-8")
    notes = find_in_logs([str(path)], boot="all", limit=1, tasks="top", top=10)["coverage"]["notes"]
    named = f"Records of more than 1 MiB, which were not read: {path} line 2."
    assert f"{named} Write one record to a line, as jq -c does." in notes


def test_reversed_log_has_the_same_event_with_its_line(tmp_path: pathlib.Path) -> None:
    lines = (FIXTURES / "trixie-6.12-memcg.log").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "reversed.log"
    path.write_text("\n".join(reversed(lines)), encoding="utf-8")
    (incident,) = search_logs([str(path)], limit=9).incidents
    (expected,) = search_logs([str(FIXTURES / "trixie-6.12-memcg.log")], limit=9).incidents
    assert incident.report.victims == expected.report.victims
    assert incident.report.tasks == expected.report.tasks
    assert incident.report.first.cursor == str(len(lines))
