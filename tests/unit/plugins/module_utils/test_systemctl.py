# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Output, calls and failures of systemctl."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._systemctl import Systemctl, is_booted, parse_show


class Calls:
    """Gives the same answer to each call of systemctl, and remembers the call."""

    def __init__(self, stdout: str = "", *, returncode: int = 0) -> None:
        self.answer = stdout
        self.returncode = returncode
        self.argvs: list[list[str]] = []
        self.environments: list[t.Mapping[str, str] | None] = []
        self.timeouts: list[float] = []

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        self.argvs.append(list(argv))
        self.environments.append(environment)
        self.timeouts.append(timeout)
        return Completed(tuple(argv), self.returncode, self.answer, "Access denied")


def test_host_with_systemds_folder_is_booted(tmp_path: pathlib.Path) -> None:
    assert not is_booted(tmp_path)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert is_booted(tmp_path)


def test_show_separates_units_and_joins_repeated_properties() -> None:
    text = "Id=a.service\nExecStart=one\nExecStart=two=2\n\nId=b.service\nno property\n"
    assert parse_show(text) == [{"Id": "a.service", "ExecStart": "one\ntwo=2"}, {"Id": "b.service"}]


def test_show_asks_for_units_and_properties_in_one_call() -> None:
    calls = Calls("Id=a.service\n")
    systemctl = Systemctl(calls, options=("--user",), environment={"SYSTEMD_COLORS": "0"})
    assert systemctl.show(["a.service"], ["Id", "Result"], attempt="ask") == [{"Id": "a.service"}]
    assert calls.argvs == [["systemctl", "--user", "show", "--no-pager", "--property=Id,Result", "--", "a.service"]]
    assert calls.environments == [{"SYSTEMD_COLORS": "0"}]


def test_show_without_units_asks_the_manager() -> None:
    calls = Calls("Version=257\n")
    assert Systemctl(calls).show([], ["Version"], attempt="ask") == [{"Version": "257"}]
    assert calls.argvs == [["systemctl", "show", "--no-pager", "--property=Version"]]


def test_show_that_fails_says_what_it_was_for() -> None:
    with pytest.raises(CommandError, match=r"^Could not ask systemd about a.service: systemctl ended with status 1"):
        Systemctl(Calls(returncode=1)).show(["a.service"], ["Id"], attempt="ask systemd about a.service")


def test_reload_waits_for_a_host_that_swaps() -> None:
    calls = Calls()
    Systemctl(calls).reload()
    assert (calls.argvs, calls.timeouts) == ([["systemctl", "daemon-reload"]], [600])


def test_reload_that_fails_is_an_error() -> None:
    with pytest.raises(CommandError, match=r"^Could not reload systemd's unit files: "):
        Systemctl(Calls(returncode=1)).reload()
