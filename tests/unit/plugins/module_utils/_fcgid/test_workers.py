# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pass over /proc, and the way to mod_status's page."""

from __future__ import annotations

import contextlib
import http.server
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Row, WorkerError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.workers import (
    Workers,
    check_status_url,
    fetch_page,
    is_apache,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.proc import SOCKETS, FakeProc

PAGE = pathlib.Path(__file__).with_name("bookworm-status.txt").read_bytes()


@pytest.fixture
def proc(tmp_path: pathlib.Path) -> FakeProc:
    return FakeProc(tmp_path)


def workers(proc: FakeProc) -> Workers:
    return Workers(
        str(proc.folder), boottime=lambda: 100 / os.sysconf("SC_CLK_TCK") + 60, apache=lambda exe: "/460/" in exe
    )


def test_a_worker_with_all_that_is_known(proc: FakeProc) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).all()
    shown = (found.pid, found.ppid, found.script, found.user, found.state, found.age_seconds, found.cgroup)
    assert shown == (pid, 460, "/srv/fcgi/perl.fcgi", "root", "idle", 60, "/system.slice/apache2.service")


def test_a_request_in_hand_makes_it_busy(proc: FakeProc) -> None:
    proc.worker(0)
    proc.worker(1)
    proc.connect(1)
    assert [worker.state for worker in workers(proc).all()] == ["idle", "busy"]


def test_the_page_tells_about_a_worker(proc: FakeProc) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).all({pid: Row("/srv/fcgi/perl.fcgi", 40, 3, "Ready")})
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
def test_the_page_names_the_program(proc: FakeProc, command: str, script: str) -> None:
    pid = proc.worker(0)
    (found,) = workers(proc).all({pid: Row(command, 40, 3, "Ready")})
    assert found.script == script


def test_shared_memory_is_counted_when_asked_for(proc: FakeProc) -> None:
    proc.worker(0)
    assert [workers(proc).all(pss=pss)[0].pss_bytes for pss in (False, True)] == [None, 3804 * 1024]


def test_a_user_without_a_name_is_a_number(proc: FakeProc) -> None:
    proc.worker(0, uid=4_000_000)
    assert workers(proc).all()[0].user == "4000000"


def test_children_of_others_are_no_workers(proc: FakeProc) -> None:
    proc.worker(0)
    proc.socket(777, f"{SOCKETS}/461.0")
    proc.process(2000, parent=1, link="socket:[10000]")
    proc.process(2001, parent=460, link="/dev/null")
    proc.process(2002, parent=460, link="socket:[777]")
    assert [worker.pid for worker in workers(proc).all()] == [1000]


def test_a_child_of_what_is_not_apache_is_no_worker_whatever_a_socket_is_called(proc: FakeProc) -> None:
    proc.process(2000, parent=1, link="socket:[777]")
    proc.socket(776, "@x\n0: 00000002 0 10000 1 1 777 /1.5")
    assert (workers(proc).all(), workers(proc).one(2000)) == ([], None)


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
def test_apache_is_known_by_its_program(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, program: str, owner: int, found: bool
) -> None:
    exe = tmp_path / "exe"
    exe.symlink_to(program)
    monkeypatch.setattr(os, "stat", lambda _path: os.stat_result((0o100755, 1, 1, 1, owner, *[0] * 5)))
    assert is_apache(str(exe)) is found


def test_a_program_that_root_cannot_look_at_is_not_apache(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", path)

    exe = tmp_path / "exe"
    exe.symlink_to("/home/user/mnt/apache2")
    monkeypatch.setattr(os, "stat", refuse)
    assert is_apache(str(exe)) is False


def test_a_process_without_a_program_is_not_apache(tmp_path: pathlib.Path) -> None:
    assert is_apache(str(tmp_path / "exe")) is False


def test_without_the_right_to_look_at_a_manager_it_says_so(proc: FakeProc) -> None:
    def refuse(exe: str) -> t.NoReturn:
        raise PermissionError(13, "Permission denied", exe)

    proc.worker(0)
    with pytest.raises(WorkerError) as caught:
        Workers(str(proc.folder), apache=refuse).all()
    assert str(caught.value) == (
        "Could not look at process 460, which may be mod_fcgid's process manager: Permission denied."
        " Run this as root (become: true)."
    )


@pytest.mark.parametrize("name", ["stat", "fd/0", "status", "cmdline", "limits", "oom_score", "cgroup"])
def test_a_worker_that_vanishes_is_no_error(proc: FakeProc, name: str) -> None:
    pid = proc.worker(0)
    (proc.folder / str(pid) / name).unlink()
    assert workers(proc).all() == []


def test_without_the_right_to_look_it_says_so(proc: FakeProc, monkeypatch: pytest.MonkeyPatch) -> None:
    pid = proc.worker(0)

    def refuse(path: str) -> str:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "readlink", refuse)
    with pytest.raises(WorkerError) as caught:
        workers(proc).all()
    assert str(caught.value) == (
        f"Could not look at process {pid}, which may be a worker of mod_fcgid: Permission denied."
        " Run this as root (become: true)."
    )


def test_one_is_looked_at_again(proc: FakeProc) -> None:
    pid = proc.worker(0)
    found = workers(proc).one(pid)
    assert found is not None
    assert found.pid == pid


def test_one_that_is_gone_is_none(proc: FakeProc) -> None:
    pid = proc.worker(0)
    shutil.rmtree(proc.folder / str(pid))
    assert workers(proc).one(pid) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/server-status",
        "file:///etc/passwd",
        "http://127.0.0.1.example.org/",
        "http://[",
        "localhost",
        "http://127.0.0.1:port/",
        "http://127.0.0.1/ HTTP/1.0\r\nX: ",
    ],
)
def test_only_this_host_is_asked(url: str) -> None:
    with pytest.raises(WorkerError, match="is not a page of this host"):
        check_status_url(url)


@contextlib.contextmanager
def served(status: int, body: bytes, *, headers: t.Mapping[str, str]) -> t.Iterator[tuple[str, list[str]]]:
    """Serve one answer for everything; yield the URL and the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/server-status", asked
        server.shutdown()
        thread.join()


def test_the_page_is_read_whatever_proxy_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with served(200, PAGE, headers={}) as (url, _asked):
        assert sorted(fetch_page(url, timeout=60)) == [521, 602, 616, 829]


@contextlib.contextmanager
def dripping(head: bytes) -> t.Iterator[str]:
    """Answer with `head` and then with a byte each 50 ms, for 10 s or as long as somebody reads; yield the URL."""

    def serve(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.sendall(head)
            for _byte in range(200):
                connection.sendall(b".")
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/server-status"
        thread.join()


@pytest.mark.parametrize("head", [b"", b"HTTP/1.0 200 OK\r\n\r\n"], ids=["in the head", "in the page"])
def test_a_page_that_comes_too_slowly_is_not_waited_for(head: bytes) -> None:
    with dripping(head) as url, pytest.raises(WorkerError, match=r": timed out\.$"):
        fetch_page(url, timeout=0.5)


def test_this_host_is_found_by_its_name() -> None:
    with served(200, PAGE, headers={}) as (url, _asked):
        assert sorted(fetch_page(url.replace("127.0.0.1", "localhost"), timeout=60)) == [521, 602, 616, 829]


def test_what_takes_long_to_load_is_not_loaded() -> None:
    code = f"import sys, {fetch_page.__module__}; print(sorted({{'email', 'http', 'ssl'}} & set(sys.modules)))"
    loaded = subprocess.check_output([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)})
    assert loaded == b"[]\n"


def test_a_redirection_is_not_followed() -> None:
    with served(302, b"", headers={"Location": "/elsewhere"}) as (url, asked):
        with pytest.raises(WorkerError, match=r": the answer is 'HTTP/1.0 302 Found'\.$"):
            fetch_page(url, timeout=60)
        assert asked == ["/server-status"]


def test_https_is_not_spoken_in_the_clear() -> None:
    with served(200, PAGE, headers={}) as (url, asked):
        with pytest.raises(WorkerError, match=r"\[SSL: "):
            fetch_page(url.replace("http:", "https:"), timeout=60)
        assert asked == []


def test_nobody_who_answers_is_an_error_with_the_reason() -> None:
    with served(200, b"", headers={}) as (url, _asked):
        pass
    with pytest.raises(WorkerError, match="Connection refused"):
        fetch_page(url)
