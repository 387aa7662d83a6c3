# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module fcgid_worker_info: its result, which is inert whatever a worker calls itself."""

from __future__ import annotations

import json
import pathlib
import socket
import typing as t

import pytest
from ansible.module_utils.testing import patch_module_args
from hypothesis import given

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.status_fetch import StatusPage
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import WorkerError
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.workers import Workers
from ansible_collections.oomguard.linux.plugins.modules import fcgid_worker_info
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._fcgid.proc import FakeProc
from ansible_collections.oomguard.linux.tests.unit.plugins.modules import hostile
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import documented, returned


@pytest.fixture
def proc(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> FakeProc:
    monkeypatch.setattr(fcgid_worker_info, "Workers", lambda: Workers(str(tmp_path), apache=lambda _exe: True))
    return FakeProc(tmp_path)


def run(capfd: pytest.CaptureFixture[str], **arguments: t.Any) -> dict[str, t.Any]:
    with patch_module_args({"status_url": "", **arguments}), pytest.raises(SystemExit):
        fcgid_worker_info.main()
    return dict(json.loads(capfd.readouterr().out))


def test_worker_has_all_values(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    pid = proc.worker(0)
    (worker,) = run(capfd)["workers"]
    assert {name: value for name, value in worker.items() if name != "age_seconds"} == {
        "pid": pid,
        "ppid": 460,
        "script": "/srv/fcgi/perl.fcgi",
        "command": ["/usr/bin/perl", "/srv/fcgi/perl.fcgi"],
        "process_count": 1,
        "class": None,
        "user": "root",
        "state": "idle",
        "state_source": "sockets",
        "idle_seconds": None,
        "accesses": None,
        "vm_hwm_bytes": 113124352,
        "rss_bytes": 5582848,
        "pss_bytes": None,
        "swap_bytes": 12288,
        "limits": {
            "open_files": {"soft": 8192, "hard": 524288},
            "address_space_bytes": {"soft": 268435456, "hard": None},
            "nice_priority": {"soft": 0, "hard": 0},
        },
        "oom_score": 674,
        "oom_score_adj": 0,
        "cgroup": "/system.slice/apache2.service",
        "socket": "/var/lib/apache2/fcgid/sock/460.0",
    }


def test_only_workers_of_the_given_scripts_are_listed(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    proc.worker(0)
    proc.worker(1, script="/srv/fcgi/other.fcgi")
    assert [worker["pid"] for worker in run(capfd, scripts=["*/other.*"])["workers"]] == [1001]


def test_name_of_a_worker_is_inert(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    proc.worker(0, script="/srv/{{ lookup('pipe', 'id') }}\x1b[2J")
    (worker,) = run(capfd)["workers"]
    assert worker["script"] == r"/srv/\x7b{ lookup('pipe', 'id') }}\x1b[2J"


def test_page_that_cannot_be_read_has_the_problem(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    proc.worker(0)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        found = run(capfd, status_url=f"http://127.0.0.1:{port}/server-status")
    assert (found["status_page"]["read"], "Connection refused" in found["status_page"]["problem"]) == (False, True)


def test_page_of_another_host_is_rejected(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    proc.worker(0)
    assert run(capfd, status_url="http://example.org/")["msg"] == (
        "'http://example.org/' is not a page of this host."
        " Use a URL that begins with http:// or https://, followed by 127.0.0.1, [::1] or localhost."
    )


def test_result_is_documented(proc: FakeProc, capfd: pytest.CaptureFixture[str]) -> None:
    proc.worker(0)
    contents = documented(fcgid_worker_info.RETURN)
    found = {name: value for name, value in run(capfd).items() if name not in ("changed", "invocation")}
    assert returned(found, contents) == contents


@pytest.fixture(scope="module")
def _one_worker(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[None]:
    """Let the module find one worker, and no page."""
    proc = FakeProc(tmp_path_factory.mktemp("proc"))
    proc.worker(0)

    def refuse(_url: str) -> t.NoReturn:
        raise WorkerError("Could not read mod_status's page.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fcgid_worker_info, "Workers", lambda: Workers(str(proc.folder), apache=lambda _exe: True))
        patch.setattr(f"{StatusPage.__module__}.fetch_page", refuse)
        yield


@pytest.mark.usefixtures("_one_worker")
@hostile.SETTINGS
@given(hostile.arguments(fcgid_worker_info, usual={"status_url": ["", "http://127.0.0.1:99999/"]}))
def test_any_arguments_end_in_words(arguments: dict[str, t.Any]) -> None:
    hostile.run(fcgid_worker_info, arguments)
