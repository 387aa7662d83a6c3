# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real programs that are run: what is returned, and how a failure is reported."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import (
    LONGEST_TIMEOUT,
    CommandError,
    Completed,
    is_installed,
    run,
)


def test_output_and_status_are_returned() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_programs_run_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert run(["sh", "-c", "echo $LC_ALL"]).stdout == "C\n"


@pytest.mark.parametrize(
    "name", ["LANG", "LANGUAGE", "LC_MESSAGES", "LD_PRELOAD", "PAGER", "SYSTEMD_LOG_LEVEL", "SYSTEMD_PAGER", "XDG_X"]
)
def test_variable_that_changes_output_is_not_inherited(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "x")
    assert f"{name}=" not in run(["env"]).stdout


@pytest.mark.parametrize("name", ["HOME", "TZ"])
def test_variable_of_the_user_is_inherited(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/x")
    assert f"{name}=/x\n" in run(["env"]).stdout


def test_given_environment_is_passed_on() -> None:
    assert "SYSTEMD_COLORS=0\n" in run(["env"], environment={"SYSTEMD_COLORS": "0"}).stdout


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "", "relative", "/nonexistent"])
def test_programs_in_sbin_are_found_with_any_path(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", path)
    assert run(["mkswap", "--version"]).returncode == 0


def test_programs_in_sbin_are_found_without_a_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PATH")
    assert run(["mkswap", "--version"]).returncode == 0


def test_relative_folder_of_path_is_not_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f".::bin:/opt/x{os.pathsep}")
    assert run(["sh", "-c", "echo $PATH"]).stdout.startswith("/opt/x:/usr/local/sbin:")


def test_bytes_that_are_not_utf_8_become_surrogates() -> None:
    assert run(["printf", "caf\\351"]).stdout == "caf\udce9"


def test_missing_program_is_an_error() -> None:
    with pytest.raises(CommandError) as error:
        run(["/nonexistent/journalctl"])
    assert str(error.value) == (
        "Could not run /nonexistent/journalctl: No such file or directory."
        " Install the package that contains /nonexistent/journalctl."
    )


def test_longest_timeout_is_accepted() -> None:
    assert run(["true"], timeout=LONGEST_TIMEOUT).returncode == 0


@pytest.mark.parametrize("timeout", [-1, LONGEST_TIMEOUT + 1, 10**400, float("nan"), float("inf")])
def test_timeout_out_of_range_is_refused(timeout: float) -> None:
    with pytest.raises(CommandError, match=r"^Could not run true with a timeout of .* s\. Use 0 to 2147483 s\.$"):
        run(["true"], timeout=timeout)


def test_hanging_program_is_killed_with_its_children() -> None:
    with pytest.raises(CommandError) as error:
        run(["sh", "-c", "sleep 600 & wait"], timeout=0.2)
    assert str(error.value) == (
        "sh -c sleep 600 & wait did not end within 0.2 s and was killed. "
        "Check whether the host is overloaded or a disk hangs."
    )


def test_child_that_has_left_the_group_is_not_waited_for() -> None:
    begin = time.monotonic()
    with pytest.raises(CommandError, match="did not end within"):
        run(["sh", "-c", "setsid sleep 20 & sleep 600"], timeout=0.2)
    assert time.monotonic() - begin < 15


def test_failure_has_attempt_status_and_output() -> None:
    done = Completed(
        argv=("swapon", "/swapfile"), returncode=255, stdout="", stderr="swapon: /swap:\n Invalid\x1b argument\n"
    )
    assert str(done.failed("enable /swapfile", hint="Look at it.")) == (
        "Could not enable /swapfile: swapon ended with status 255 (swapon: /swap: Invalid\\x1b argument). Look at it."
    )


@pytest.mark.parametrize(("program", "is_there"), [("sh", True), ("no-such-program", False)])
def test_installed_programs_are_found(program: str, *, is_there: bool) -> None:
    assert is_installed(program) is is_there
