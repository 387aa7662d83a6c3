# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text logs with the reports of real kills, plain and compressed."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import lzma
import os
import pathlib
import re
import tracemalloc
import types
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom import log_file
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import search_logs
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.log_file import LogError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import captured


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
    assert (len(findings.incidents), len(findings.older)) == (1, 89)


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
    assert (pids(findings.older), pids(findings.incidents)) == (expected[:cut], expected[cut:])


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
    found = len(findings.incidents) + len(findings.older)
    assert (found, findings.coverage.notes) == (count, (note,) if count == 1 else ())


def test_an_event_twice_in_one_file_is_two_events(tmp_path: pathlib.Path) -> None:
    twice = [f"2026-11-23T06:00:00Z web1 kernel: {pid}" for pid in (3, 4, 3)]
    assert pids(search_kill_lines(tmp_path, twice, twice).incidents) == [3, 4, 3]


def test_a_file_named_twice_is_read_once(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "dmesg.log"
    path.write_text(f"{KILL.format(pid=3)}\n", encoding="utf-8")
    assert len(search_logs([str(path)] * 2, limit=2).incidents) == 1
