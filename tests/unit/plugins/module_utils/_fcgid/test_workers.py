# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pass over /proc."""

from __future__ import annotations

import os
import pathlib
import shutil
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Row, WorkerError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.workers import Workers, is_apache
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.proc import SOCKETS, FakeProc


@pytest.fixture
def proc(tmp_path: pathlib.Path) -> FakeProc:
    return FakeProc(tmp_path)


def workers(proc: FakeProc) -> Workers:
    return Workers(
        str(proc.folder), boottime=lambda: 100 / os.sysconf("SC_CLK_TCK") + 60, apache=lambda exe: "/460/" in exe
    )


def test_worker_has_all_values(proc: FakeProc) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).find_all()
    shown = (found.pid, found.ppid, found.script, found.user, found.state, found.age_seconds, found.cgroup)
    assert shown == (pid, 460, "/srv/fcgi/perl.fcgi", "root", "idle", 60, "/system.slice/apache2.service")


def test_worker_with_a_connection_is_busy(proc: FakeProc) -> None:
    proc.worker(0)
    proc.worker(1)
    proc.connect(1)
    assert [worker.state for worker in workers(proc).find_all()] == ["idle", "busy"]


def test_page_gives_state_and_idle_time(proc: FakeProc) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).find_all({pid: Row("/srv/fcgi/perl.fcgi", 40, 3, "Ready")})
    assert (found.state_source, found.idle_seconds) == ("status_page", 40)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("/srv/site/starter", "/srv/site/starter"),
        ("/usr/bin/choom -n 500 -- /srv/fcgi/perl.fcgi", "/srv/fcgi/perl.fcgi"),
        ("", "/srv/fcgi/perl.fcgi"),
    ],
    ids=["path", "wrapper with words", "none"],
)
def test_page_names_the_program(proc: FakeProc, command: str, script: str) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).find_all({pid: Row(command, 40, 3, "Ready")})
    assert found.script == script


def test_proportional_set_size_is_read_on_request(proc: FakeProc) -> None:
    proc.worker(0)
    assert [workers(proc).find_all(pss=pss)[0].pss_bytes for pss in (False, True)] == [None, 3804 * 1024]


def test_user_without_a_name_is_a_number(proc: FakeProc) -> None:
    proc.worker(0, uid=4_000_000)
    assert workers(proc).find_all()[0].user == "4000000"


def test_children_of_other_processes_are_not_workers(proc: FakeProc) -> None:
    proc.worker(0)
    proc.socket(777, f"{SOCKETS}/461.0")
    proc.process(2000, parent=1, link="socket:[10000]")
    proc.process(2001, parent=460, link="/dev/null")
    proc.process(2002, parent=460, link="socket:[777]")
    assert [worker.pid for worker in workers(proc).find_all()] == [1000]


def test_forged_socket_makes_no_worker(proc: FakeProc) -> None:
    proc.process(2000, parent=1, link="socket:[777]")
    proc.socket(776, "@x\n0: 00000002 0 10000 1 1 777 /1.5")
    assert (workers(proc).find_all(), workers(proc).find_one(2000)) == ([], None)


@pytest.mark.parametrize(
    ("program", "owner", "found"),
    [
        ("/usr/sbin/apache2", 0, True),
        ("/usr/sbin/httpd", 0, True),
        ("/usr/sbin/httpd (deleted)", 0, True),
        ("/usr/sbin/httpd", 1000, False),
        ("/usr/sbin/sshd", 0, False),
        ("/usr/sbin/not-httpd", 0, False),
    ],
)
def test_apache_is_identified_by_its_program(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, program: str, owner: int, found: bool
) -> None:
    exe = tmp_path / "exe"
    exe.symlink_to(program)
    monkeypatch.setattr(os, "stat", lambda _path: os.stat_result((0o100755, 1, 1, 1, owner, *[0] * 5)))
    assert is_apache(str(exe)) is found


def test_program_that_root_cannot_inspect_is_not_apache(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", path)

    exe = tmp_path / "exe"
    exe.symlink_to("/home/user/mnt/apache2")
    monkeypatch.setattr(os, "stat", refuse)
    assert is_apache(str(exe)) is False


def test_process_without_a_program_is_not_apache(tmp_path: pathlib.Path) -> None:
    assert is_apache(str(tmp_path / "exe")) is False


def test_missing_right_to_inspect_a_manager_is_an_error(proc: FakeProc) -> None:
    def refuse(exe: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", exe)

    proc.worker(0)
    with pytest.raises(WorkerError) as caught:
        Workers(str(proc.folder), apache=refuse).find_all()
    assert str(caught.value) == (
        "Could not inspect process 460, which may be mod_fcgid's process manager: Permission denied."
        " Run the task with become: true."
    )


@pytest.mark.parametrize("name", ["stat", "fd/0", "status", "cmdline", "limits", "oom_score", "cgroup"])
def test_worker_that_ends_is_left_out(proc: FakeProc, name: str) -> None:
    pid = proc.worker(0)
    (proc.folder / str(pid) / name).unlink()
    assert workers(proc).find_all() == []


def test_missing_right_to_inspect_a_worker_is_an_error(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = proc.worker(0)

    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "readlink", refuse)
    with pytest.raises(WorkerError) as caught:
        workers(proc).find_all()
    assert str(caught.value) == (
        f"Could not inspect process {pid}, which may be a worker of mod_fcgid: Permission denied."
        " Run the task with become: true."
    )


def test_one_worker_is_found_by_pid(proc: FakeProc) -> None:
    pid = proc.worker(0)
    found = workers(proc).find_one(pid)
    assert found is not None
    assert found.pid == pid


def test_worker_that_has_ended_is_none(proc: FakeProc) -> None:
    pid = proc.worker(0)
    shutil.rmtree(proc.folder / str(pid))
    assert workers(proc).find_one(pid) is None
