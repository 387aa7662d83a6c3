# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler at work on real processes, whose sockets come from a folder that lines like /proc."""

from __future__ import annotations

import collections.abc
import dataclasses
import errno
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Row, Worker, WorkerError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.workers import Workers
from ansible_collections.oomguard.linux.plugins.module_utils._recycler import messages, service
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.service import Recycler
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import (
    Bounds,
    RecyclerError,
    ScriptBounds,
    Settings,
    render,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.proc import SOCKETS, FakeProc

SETTINGS = Settings(bounds=Bounds(64 << 20), min_idle=5, drain=False)
DRAINING = dataclasses.replace(SETTINGS, drain=True)


class Bench:
    """A recycler with its log and its clock, and a process that plays a worker over its limit."""

    def __init__(self, folder: pathlib.Path, process: subprocess.Popen[bytes], settings: Settings) -> None:
        self.proc = FakeProc(folder / "proc")
        self.process = process
        self.proc.worker(0, pid=process.pid)
        self.now = 0.0
        self.logged: list[t.Mapping[str, str]] = []
        self.workers = Workers(str(self.proc.folder), apache=lambda _exe: True)
        self.recycler = Recycler(
            settings,
            self.workers,
            log=self.logged.append,
            fetch=lambda _url: {},
            clock=lambda: self.now,
        )

    def check(self, now: float) -> str:
        self.now = now
        return self.recycler.run_once()


@pytest.fixture
def process() -> collections.abc.Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_idle_worker_is_signalled_and_logged(tmp_path: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.check(0)
    assert bench.check(5) == "1 workers, 1 over their limit, 1 retired so far"
    assert process.wait(60) == -signal.SIGTERM
    assert [fields["OOMGUARD_PID"] for fields in bench.logged] == [str(process.pid)]


def test_start_is_compared_without_a_process_descriptor(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_pid: int) -> t.NoReturn:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    bench = Bench(tmp_path, process, SETTINGS)
    bench.check(0)
    bench.check(5)
    assert process.wait(60) == -signal.SIGTERM


def test_worker_with_a_request_before_the_signal_is_left_alone(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.check(0)
    one = bench.workers.find_again

    def connect_first(worker: Worker) -> t.Any:
        bench.proc.connect(0)
        return one(worker)

    monkeypatch.setattr(bench.workers, "find_again", connect_first)
    bench.check(5)
    assert (bench.logged, process.poll()) == ([], None)


@pytest.mark.parametrize("changes", [{"started": 101}, {"switches": 41}], ids=["another process", "ran meanwhile"])
def test_worker_that_has_changed_is_left_alone(
    tmp_path: pathlib.Path,
    process: subprocess.Popen[bytes],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, int],
) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.check(0)
    one = bench.workers.find_again

    def change_first(worker: Worker) -> t.Any:
        bench.proc.process(worker.pid, parent=460, link="", command=["/srv/a.fcgi"], **changes)
        return one(worker)

    monkeypatch.setattr(bench.workers, "find_again", change_first)
    bench.check(5)
    assert (bench.logged, process.poll()) == ([], None)


def test_process_that_has_ended_is_no_error(tmp_path: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.check(0)
    process.kill()
    process.wait(60)
    bench.check(5)
    assert bench.logged == []


def test_busy_worker_is_signalled_only_after_the_grace_time(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes]
) -> None:
    bench = Bench(tmp_path, process, dataclasses.replace(SETTINGS, bounds=Bounds(None, 64 << 20), grace=30))
    bench.proc.connect(0)
    bench.check(0)
    bench.check(29)
    assert (bench.logged, process.poll()) == ([], None)
    bench.check(30)
    assert process.wait(60) == -signal.SIGTERM


@pytest.mark.parametrize("drain", [True, False])
def test_dry_run_logs_once_and_does_nothing(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], *, drain: bool
) -> None:
    bench = Bench(tmp_path, process, dataclasses.replace(SETTINGS, dry_run=True, drain=drain))
    for now in (0, 5, 10):
        bench.check(now)
    assert ([fields["OOMGUARD_DRY_RUN"] for fields in bench.logged], process.poll()) == (["1"], None)


@pytest.fixture
def named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Return the folder of the worker's socket."""
    folder = tmp_path / "sock"
    folder.mkdir()
    monkeypatch.setattr(
        "ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.proc.SOCKETS", str(folder)
    )
    return folder


def test_draining_removes_the_socket(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path
) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(named / "460.0"))
        bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
        bench.check(0)
    assert (list(named.iterdir()), bench.logged, process.poll()) == ([], [], None)


def test_drained_worker_that_mod_fcgid_ends_is_logged_once(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path
) -> None:
    bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
    bench.check(0)
    shutil.rmtree(bench.proc.folder / str(process.pid))
    assert bench.check(1) == "0 workers, 0 over their limit, 1 retired so far"
    bench.check(2)
    assert [fields["MESSAGE"].rpartition(", ")[2] for fields in bench.logged] == ["drained and gone"]


def test_socket_in_a_hidden_folder_is_logged_and_not_drained(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path
) -> None:
    bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
    named.rmdir()
    bench.check(0)
    assert [fields["MESSAGE"] for fields in bench.logged] == [
        f"Workers in {named} cannot be drained: the recycler cannot see that directory."
    ]
    shutil.rmtree(bench.proc.folder / str(process.pid))
    assert bench.check(1) == "0 workers, 0 over their limit, 0 retired so far"


def test_draining_is_repeated_until_it_succeeds(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path
) -> None:
    (named / "460.0").write_text("no socket yet")
    bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
    bench.check(0)
    (named / "460.0").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(named / "460.0"))
        bench.check(1)
    assert list(named.iterdir()) == []


def test_read_only_folder_requires_a_restart(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: pathlib.Path) -> t.NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(named / "460.0"))
        bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
        monkeypatch.setattr(pathlib.Path, "unlink", refuse)
        with pytest.raises(RecyclerError, match=r"did not exist when the recycler was started"):
            bench.check(0)


@pytest.mark.parametrize(
    ("raised", "status"), [(RecyclerError("It cannot write."), 1), (WorkerError("It cannot look."), 0)]
)
def test_recycler_ends_only_if_a_restart_helps(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, raised: Exception, status: int
) -> None:
    lines: list[str] = []

    def run_once(_recycler: Recycler) -> str:
        lines.append("a line")
        if len(lines) == 2:
            raise raised
        return lines[-1]

    configuration, metrics = tmp_path / "conf", tmp_path / "a.prom"
    configuration.write_text(render(dataclasses.replace(SETTINGS, interval=1, metrics_file=str(metrics))))
    metrics.write_text("of an earlier check")
    monkeypatch.setattr(Recycler, "run_once", run_once)
    monkeypatch.setattr(signal, "pthread_sigmask", lambda _how, _signals: set())
    monkeypatch.setattr(signal, "sigtimedwait", lambda _signals, _seconds: len(lines) == 3)
    monkeypatch.setattr(sys, "argv", [__file__])
    monkeypatch.setattr(messages, "send", lambda _path, _data: None)
    assert (service.main([str(configuration)]), metrics.exists()) == (status, False)


def test_only_a_socket_is_removed(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], named: pathlib.Path
) -> None:
    (named / "460.0").write_text("precious")
    bench = Bench(tmp_path, process, dataclasses.replace(DRAINING, socket_directories=(str(named),)))
    bench.check(0)
    assert (named / "460.0").read_text() == "precious"


def test_socket_elsewhere_is_logged_once_and_left_alone(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes]
) -> None:
    bench = Bench(tmp_path, process, DRAINING)
    bench.proc.worker(1)
    bench.check(0)
    assert [fields["MESSAGE"] for fields in bench.logged] == [
        f"Workers in {SOCKETS} cannot be drained: it is not one of the socket_directories."
    ]


def test_sockets_are_enough_without_the_page(tmp_path: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    bench = Bench(tmp_path, process, SETTINGS)

    def fail(_url: str) -> t.NoReturn:
        raise WorkerError("Could not read mod_status's page.")

    recycler = Recycler(
        dataclasses.replace(SETTINGS, min_idle=0, status_url="http://127.0.0.1/"),
        bench.workers,
        log=bench.logged.append,
        fetch=fail,
        clock=lambda: 0,
    )
    recycler.run_once()
    recycler.run_once()
    assert [fields["MESSAGE"][:12] for fields in bench.logged] == [
        "Could not re",
        "Retired pid ",
    ]


@pytest.mark.parametrize("state", ["Working", "Exiting(idle timeout)"])
def test_replaced_page_keeps_no_worker(tmp_path: pathlib.Path, process: subprocess.Popen[bytes], state: str) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    page = {process.pid: Row("/srv/fcgi/perl.fcgi", 0, 1, state)}
    recycler = Recycler(
        dataclasses.replace(SETTINGS, min_idle=0, status_url="http://127.0.0.1/"),
        bench.workers,
        log=bench.logged.append,
        fetch=lambda _url: page,
        clock=lambda: 0,
    )
    recycler.run_once()
    assert [fields["OOMGUARD_STATE"] for fields in bench.logged] == ["idle"]


def test_page_that_names_another_script_changes_no_limit(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes]
) -> None:
    settings = dataclasses.replace(
        SETTINGS,
        bounds=Bounds(1 << 40),
        scripts=(ScriptBounds("/srv/fcgi/small.fcgi", Bounds(1 << 20)),),
        status_url="http://127.0.0.1/",
    )
    bench = Bench(tmp_path, process, settings)
    page = {process.pid: Row("/srv/fcgi/small.fcgi", 600, 1, "Ready")}
    recycler = Recycler(
        settings, bench.workers, log=bench.logged.append, fetch=lambda _url: page, clock=lambda: bench.now
    )
    for now in (0, 5, 10):
        bench.now = now
        assert recycler.run_once() == "1 workers, 0 over their limit, 0 retired so far"
    assert (bench.logged, process.poll()) == ([], None)


def test_pages_that_fail_in_many_ways_are_logged_once(tmp_path: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    for number in range(3):
        bench.recycler.log_problem(f"The page says {number}.", topic="page")
    assert [fields["MESSAGE"] for fields in bench.logged] == ["The page says 0."]


def test_worker_with_processes_of_its_own_is_retired_by_one_signal(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes]
) -> None:
    with subprocess.Popen(["sleep", "600"]) as child:
        bench = Bench(tmp_path, process, dataclasses.replace(SETTINGS, bounds=Bounds(200 << 20)))
        bench.proc.child(child.pid, parent=process.pid)
        bench.check(0)
        bench.check(5)
        assert (process.wait(60), child.poll()) == (-signal.SIGTERM, None)
        child.kill()
    (fields,) = bench.logged
    assert (fields["OOMGUARD_PROCESSES"], " in 2 processes, its limit" in fields["MESSAGE"]) == ("2", True)


@pytest.mark.parametrize("outlives", [True, False])
def test_processes_that_outlive_the_signalled_one_are_logged(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], *, outlives: bool
) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.proc.child(2_000_000_000, parent=process.pid)
    bench.check(0)
    bench.check(5)
    process.wait(60)
    shutil.rmtree(bench.proc.folder / str(process.pid))
    bench.proc.child(2_000_000_000, parent=1, started=100 if outlives else 101)
    bench.check(6)
    bench.check(7)
    problems = [fields["MESSAGE"] for fields in bench.logged if fields["MESSAGE_ID"] == messages.PROBLEM]
    expected = (
        f"1 processes of pid {process.pid} (/srv/fcgi/perl.fcgi) did not end with it. End its wrapper with exec,"
        " so that mod_fcgid and the recycler signal the program itself."
    )
    assert problems == [expected] * outlives


def test_worker_whose_process_runs_before_the_signal_is_left_alone(
    tmp_path: pathlib.Path, process: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Bench(tmp_path, process, SETTINGS)
    bench.proc.child(2_000_000_000, parent=process.pid)
    bench.check(0)
    one = bench.workers.find_again

    def run_first(worker: Worker) -> t.Any:
        bench.proc.child(2_000_000_000, parent=worker.pid, switches=41)
        return one(worker)

    monkeypatch.setattr(bench.workers, "find_again", run_first)
    bench.check(5)
    assert (bench.logged, process.poll()) == ([], None)


def test_metrics_are_written(tmp_path: pathlib.Path, process: subprocess.Popen[bytes]) -> None:
    path = tmp_path / "oomguard.prom"
    bench = Bench(tmp_path, process, dataclasses.replace(SETTINGS, metrics_file=str(path)))
    bench.check(0)
    bench.check(5)
    assert 'oomguard_fcgid_retired_total{reason="limit"} 1\n' in path.read_text()
