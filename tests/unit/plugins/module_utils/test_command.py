# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real programs that are run: what is returned, and how a failure is reported."""

from __future__ import annotations

import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed, run


def test_output_and_status_are_returned() -> None:
    done = run(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_programs_run_in_the_c_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert run(["sh", "-c", "echo $LC_ALL"]).stdout == "C\n"


def test_programs_in_sbin_are_found_with_the_path_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert run(["mkswap", "--version"]).returncode == 0


def test_bytes_that_are_not_utf_8_become_surrogates() -> None:
    assert run(["printf", "caf\\351"]).stdout == "caf\udce9"


def test_missing_program_is_an_error() -> None:
    with pytest.raises(CommandError) as error:
        run(["/nonexistent/journalctl"])
    assert str(error.value) == (
        "Could not run /nonexistent/journalctl: No such file or directory."
        " Install the package that contains /nonexistent/journalctl."
    )


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
