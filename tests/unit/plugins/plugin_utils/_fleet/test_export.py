# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import pathlib
import resource
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.export import (
    ExportError,
    append_events,
    write_metrics,
)


def make_events(*ids: str, host: str = "web1") -> list[dict[str, t.Any]]:
    return [{"host": {"name": host}, "event": {"id": event_id}} for event_id in ids]


def read_ids(log: pathlib.Path) -> list[str]:
    return [json.loads(line)["event"]["id"] for line in log.read_text("utf-8").splitlines()]


@contextlib.contextmanager
def limit(kind: int, size: int) -> t.Iterator[None]:
    """Limit what this process can use."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@pytest.fixture(autouse=True)
def memory() -> t.Iterator[None]:
    """Let an endless read fail before the machine has no memory."""
    with limit(resource.RLIMIT_DATA, 1 << 30):
        yield


@pytest.fixture
def log(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "log" / "events.jsonl"


def test_metrics_replace_the_old_ones(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "new" / "oomguard.prom"
    write_metrics(path, "# EOF\n" * 1000)
    write_metrics(path, "# EOF\n")
    assert path.read_text("utf-8") == "# EOF\n"
    assert [*path.parent.iterdir()] == [path]


def test_metrics_can_be_read_by_node_exporter(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "oomguard.prom"
    write_metrics(path, "# EOF\n")
    assert path.stat().st_mode & 0o777 == 0o644


def test_metrics_that_cannot_be_written_leave_the_old_ones(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "oomguard.prom"
    path.mkdir()
    with pytest.raises(ExportError, match=f"Could not write {path}: Is a directory"):
        write_metrics(path, "# EOF\n")
    assert [*tmp_path.iterdir()] == [path]


def test_event_is_a_line(log: pathlib.Path) -> None:
    assert append_events(log, make_events("1", "2")) == 2
    assert log.read_text("utf-8") == (
        '{"event":{"id":"1"},"host":{"name":"web1"}}\n{"event":{"id":"2"},"host":{"name":"web1"}}\n'
    )


def test_event_is_written_once(log: pathlib.Path) -> None:
    append_events(log, make_events("1", "1"))
    assert append_events(log, make_events("1", "2")) == 1
    assert read_ids(log) == ["1", "2"]


def test_same_id_on_another_host_is_another_event(log: pathlib.Path) -> None:
    append_events(log, make_events("1"))
    assert append_events(log, make_events("1", host="web2")) == 1


def test_log_is_not_touched_without_new_events(log: pathlib.Path) -> None:
    append_events(log, make_events("1"))
    before = log.stat()
    append_events(log, make_events("1"))
    assert log.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize("rotate", [lambda log: log.rename(f"{log}.1"), lambda log: os.truncate(log, 0), os.remove])
def test_event_is_written_once_over_rotations(log: pathlib.Path, rotate: t.Callable[[pathlib.Path], None]) -> None:
    append_events(log, make_events("1"))
    rotate(log)
    assert append_events(log, make_events("1", "2")) == 1
    assert read_ids(log) == ["2"]


def test_interrupted_run_is_completed(log: pathlib.Path) -> None:
    append_events(log, make_events("1", "2"))
    log.with_name("events.jsonl.ids").unlink()
    assert append_events(log, make_events("1", "2", "3")) == 1


def test_unfinished_line_is_ended_and_its_event_written(log: pathlib.Path) -> None:
    append_events(log, make_events("1", "2"))
    log.with_name("events.jsonl.ids").unlink()
    os.truncate(log, log.stat().st_size - 10)
    assert append_events(log, make_events("1", "2")) == 1
    lines = log.read_text("utf-8").splitlines()
    assert [len(lines), json.loads(lines[-1])["event"]["id"]] == [3, "2"]


def test_lines_of_other_programs_are_no_obstacle(log: pathlib.Path) -> None:
    log.parent.mkdir()
    log.write_bytes(b'{"event": {"id": 7}}\n[]\n\xff\n{}\nnull\n')
    assert append_events(log, make_events("1")) == 1


def test_log_of_many_gigabytes_is_not_read_whole(log: pathlib.Path) -> None:
    log.parent.mkdir()
    log.touch()
    os.truncate(log, 10 << 30)
    append_events(log, make_events("1"))
    log.with_name("events.jsonl.ids").unlink()
    assert append_events(log, make_events("1", "2")) == 1


def test_deeply_nested_line_is_no_obstacle(log: pathlib.Path) -> None:
    log.parent.mkdir()
    log.write_bytes(b"[" * 100_000 + b"\n")
    assert append_events(log, make_events("1")) == 1


def test_log_keeps_its_mode(log: pathlib.Path) -> None:
    append_events(log, make_events("1"))
    assert log.stat().st_mode & 0o007 == 0
    log.chmod(0o644)
    append_events(log, make_events("2"))
    assert log.stat().st_mode & 0o777 == 0o644


def test_log_that_cannot_be_written_is_an_error(log: pathlib.Path) -> None:
    log.mkdir(parents=True)
    with pytest.raises(ExportError, match=f"Could not write {log}: Is a directory"):
        append_events(log, make_events("1"))


def test_log_that_is_no_file_is_refused(log: pathlib.Path) -> None:
    log.parent.mkdir()
    log.symlink_to("/dev/zero")
    with pytest.raises(ExportError, match=f"Could not write {log}: it is not a regular file"):
        append_events(log, make_events("1"))


def test_full_disk_is_an_error_and_nothing_is_lost(log: pathlib.Path) -> None:
    append_events(log, make_events("1"))
    # The second of two new lines does not fit, as on a full disk.
    too_small = limit(resource.RLIMIT_FSIZE, log.stat().st_size * 5 // 2)
    with too_small, pytest.raises(ExportError, match=f"Could not write {log}: File too large"):
        append_events(log, make_events("2", "3"))
    assert append_events(log, make_events("2", "3")) == 1
    assert [line for line in log.read_text("utf-8").splitlines() if line.endswith('"web1"}}')] == [
        f'{{"event":{{"id":"{number}"}},"host":{{"name":"web1"}}}}' for number in (1, 2, 3)
    ]


def test_runs_at_once_write_no_event_twice(log: pathlib.Path) -> None:
    ids = [str(number) for number in range(500)]
    code = f"""
import pathlib
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.export import append_events
events = [{{"host": {{"name": "web1"}}, "event": {{"id": number}}}} for number in {ids!r}]
append_events(pathlib.Path({str(log)!r}), events)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [sys.executable, "-c", code]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = [pool.submit(subprocess.run, run, env=environment, check=True) for _number in range(4)]
    for result in results:
        result.result()
    assert sorted(read_ids(log), key=int) == ids
