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
    ("command", "accesses"),
    [
        ("/srv/fcgi/perl.fcgi", 3),
        ("/usr/bin/choom -n 500 -- /srv/fcgi/perl.fcgi", 3),
        ("/srv/site/starter", None),
        ("/srv/fcgi/big.fcgi", None),
        ("", None),
    ],
    ids=["path", "wrapper with words", "starter", "another script", "none"],
)
def test_row_counts_only_if_it_names_the_program_of_the_process(
    proc: FakeProc, command: str, accesses: int | None
) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).find_all({pid: Row(command, 40, 3, "Working")})
    shown = (found.row.accesses if found.row else None, found.state == "busy")
    assert (found.script, *shown) == ("/srv/fcgi/perl.fcgi", accesses, accesses is not None)


def test_row_of_a_process_that_is_no_worker_is_ignored(proc: FakeProc) -> None:
    pid = proc.worker(0)
    proc.process(2000, parent=1, link="/dev/null", command=["/srv/fcgi/perl.fcgi"])
    found = workers(proc).find_all({2000: Row("/srv/fcgi/perl.fcgi", 40, 3, "Ready")})
    assert [(worker.pid, worker.row) for worker in found] == [(pid, None)]


def test_worker_is_the_started_process_with_all_its_descendants(proc: FakeProc) -> None:
    pid = proc.worker(0, hwm=1000, switches=5)
    child = proc.child(2000, parent=pid, hwm=300, switches=6)
    proc.child(2001, parent=child, hwm=20, switches=7)
    proc.child(2002, parent=1, hwm=4000)
    (found,) = workers(proc).find_all(pss=True)
    assert sorted(process.pid for process in found.processes) == [pid, 2000, 2001]
    memory = found.memory
    assert (memory.vm_hwm_bytes, memory.rss_bytes, memory.swap_bytes) == (1320 << 10, 3 * 5452 << 10, 3 * 12 << 10)
    assert (found.pss_bytes, found.pid, found.processes[0].pid) == (3 * 3804 << 10, pid, pid)


def test_worker_is_found_again_with_those_of_its_processes_that_are_left(proc: FakeProc) -> None:
    pid = proc.worker(0)
    proc.child(2000, parent=pid)
    proc.child(2001, parent=pid)
    (worker,) = workers(proc).find_all()
    shutil.rmtree(proc.folder / "2001")
    found = workers(proc).find_again(worker)
    assert found is not None
    assert [process.pid for process in found.processes] == [pid, 2000]


def test_descendant_that_ends_is_left_out(proc: FakeProc) -> None:
    pid = proc.worker(0)
    proc.child(2000, parent=pid)
    (proc.folder / "2000/status").unlink()
    proc.child(2001, parent=pid)
    (proc.folder / "2001/status").write_text("Name:\tphp-cgi\nState:\tZ (zombie)\nUid:\t33\t33\t33\t33\n")
    (found,) = workers(proc).find_all()
    assert [process.pid for process in found.processes] == [pid]


def test_processes_that_appear_to_descend_from_one_another_end_the_search(proc: FakeProc) -> None:
    pid = proc.worker(0)
    proc.child(2000, parent=pid)
    proc.child(pid, parent=2000)
    assert workers(proc).find_all() == []


def test_hidden_processes_are_an_error(proc: FakeProc) -> None:
    proc.worker(0)
    shutil.rmtree(proc.folder / "1")
    with pytest.raises(WorkerError) as caught:
        workers(proc).find_all()
    assert str(caught.value) == (
        f"{proc.folder} does not show the processes of other users, so workers cannot be found."
        " It is mounted with hidepid. Run the task with become: true."
    )


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
    assert workers(proc).find_all() == []


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


def test_worker_is_found_again(proc: FakeProc) -> None:
    proc.worker(0)
    (worker,) = workers(proc).find_all()
    assert workers(proc).find_again(worker) == worker


def test_worker_that_has_ended_is_none(proc: FakeProc) -> None:
    pid = proc.worker(0)
    (worker,) = workers(proc).find_all()
    shutil.rmtree(proc.folder / str(pid))
    assert workers(proc).find_again(worker) is None
