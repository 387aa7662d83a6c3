# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that explains text logs without Ansible."""

from __future__ import annotations

import io
import json
import os
import pathlib
import sys
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.log_file import LogError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.standalone import main, read_logs
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES

KILL = FIXTURES / "bookworm-6.1-memcg.log"
SENTENCE = "The kernel killed python3 (pid 437)"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> t.Callable[..., tuple[int, str, str]]:
    """Return a function that runs the program, and returns its status and what it printed."""

    def call(*arguments: str) -> tuple[int, str, str]:
        printed = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
        complaint = io.StringIO()
        monkeypatch.setattr(sys, "argv", ["oomguard-explain", *arguments])
        monkeypatch.setattr(sys, "stdout", printed)
        monkeypatch.setattr(sys, "stderr", complaint)
        status = main()
        printed.flush()
        return status, t.cast("t.Any", printed.buffer).getvalue().decode("ascii"), complaint.getvalue()

    return call


Program = t.Callable[..., t.Any]


def test_log_with_a_kill_is_explained(run: Program) -> None:
    status, printed, complaint = run(str(KILL))
    assert (status, complaint) == (1, "")
    assert SENTENCE in printed


def test_json_is_the_result_of_oom_info(run: Program) -> None:
    status, printed, _complaint = run("--json", str(KILL))
    assert status == 1
    assert json.loads(printed) == read_logs([str(KILL)])
    assert json.loads(printed)["summary"]["count"] == 1


def test_log_without_a_kill_has_status_0(run: Program, tmp_path: pathlib.Path) -> None:
    log = tmp_path / "dmesg.txt"
    log.write_text("[    1.000000] Linux version 6.1.0\n")
    assert run(str(log))[0] == 0


@pytest.mark.parametrize("text", [None, "[    1.000000] Out of memory: Killed process 1 ("])
def test_what_cannot_be_read_has_status_2(run: Program, tmp_path: pathlib.Path, text: str | None) -> None:
    log = tmp_path / "dmesg.txt"
    if text is not None:
        log.write_text(text)
    assert run(str(log))[0] == 2


def test_error_names_the_file_and_the_reason(run: Program) -> None:
    assert run("/nonexistent.log") == (2, "", "Could not read the log /nonexistent.log: No such file or directory.\n")


def test_names_in_a_log_do_no_harm(run: Program, tmp_path: pathlib.Path) -> None:
    log = tmp_path / "dmesg.txt"
    log.write_text(KILL.read_text().replace("python3", "p\u202e"))
    _status, printed, _complaint = run(str(log))
    assert r"killed p\u202e (pid 437)" in printed


def test_standard_input_is_a_log() -> None:
    descriptor = os.open(KILL, os.O_RDONLY)
    result = read_logs(["-"], standard_input=descriptor)
    assert result["events"][0]["log"]["path"] == "standard input"


def test_standard_input_and_files_are_read_together() -> None:
    result = read_logs(["-", str(KILL)], standard_input=str(FIXTURES / "bookworm-6.1-global.log"))
    assert {event["log"]["path"] for event in result["events"]} == {"standard input", str(KILL)}


def test_standard_input_that_cannot_be_read_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(LogError, match=r"^Could not read the standard input: Is a directory\.$"):
        read_logs(["-"], standard_input=str(tmp_path))


def test_error_in_the_standard_input_does_not_name_a_temporary_file(tmp_path: pathlib.Path) -> None:
    archive = tmp_path / "log.zip"
    archive.write_bytes(b"PK\x03\x04")
    with pytest.raises(LogError, match=r"^Could not read the log standard input: it is a zip archive\."):
        read_logs(["-"], standard_input=str(archive))
