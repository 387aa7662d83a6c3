# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's installation on a host: carried out, and verified."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.change import RecyclerChange
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.files import UNIT
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.install import (
    Host,
    State,
    Wanted,
    make_wanted,
)
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.settings import RecyclerError, make_settings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import VALUES

WANTED = make_wanted(make_settings(VALUES), python="/usr/bin/python3")
ABSENT = make_wanted(None, python="/usr/bin/python3")


class Systemd:
    """A systemctl that remembers its calls and the state of the unit."""

    def __init__(self, root: pathlib.Path, *, status: str = f"{WANTED.version}: ready", fails: str = "") -> None:
        self.called: list[str] = []
        self._root = root
        self._status = status
        self._fails = fails
        self._active = "inactive"
        (root / "run/systemd/system").mkdir(parents=True)

    def __call__(self, argv: t.Sequence[str], **_options: t.Any) -> Completed:
        words = [word for word in argv[1:] if not word.startswith("--")]
        link = self._root / "etc/systemd/system/multi-user.target.wants" / UNIT
        if words[0] == "show":
            text = f"ActiveState={self._active}\nStatusText={self._status}\nNeedDaemonReload=no\nResult=success\n"
            return Completed(tuple(argv), 0, text, "")
        self.called.append(words[0])
        if words[0] == self._fails:
            return Completed(tuple(argv), 1, "", "it timed out")
        if words[0] == "enable":
            link.parent.mkdir(parents=True)
            link.symlink_to(UNIT)
        elif words[0] == "disable":
            link.unlink()
        self._active = {"restart": "active", "stop": "inactive"}.get(words[0], self._active)
        return Completed(tuple(argv), 0, "", "")


def converge(host: Host, wanted: Wanted) -> State:
    state, _plan = bring(RecyclerChange(host, wanted), check_mode=False)
    return state


def test_recycler_is_installed_and_removed(tmp_path: pathlib.Path) -> None:
    systemd = Systemd(tmp_path)
    host = Host(systemd, tmp_path)
    assert converge(host, WANTED).files == WANTED.files
    _state, plan = bring(RecyclerChange(host, WANTED), check_mode=True)
    assert not plan.changed
    assert converge(host, ABSENT).files == ABSENT.files
    assert systemd.called == ["daemon-reload", "enable", "restart", "stop", "disable", "daemon-reload"]


def test_service_that_does_not_start_is_an_error(tmp_path: pathlib.Path) -> None:
    host = Host(Systemd(tmp_path, fails="restart"), tmp_path)
    with pytest.raises(RecyclerError) as caught:
        converge(host, WANTED)
    assert str(caught.value) == (
        f"Could not restart {UNIT}: systemctl ended with status 1 (it timed out)."
        f" Run `journalctl --unit {UNIT}` for details."
    )


def test_service_that_runs_another_version_is_an_error(tmp_path: pathlib.Path) -> None:
    host = Host(Systemd(tmp_path, status="0123: ready"), tmp_path)
    with pytest.raises(RecyclerError) as caught:
        converge(host, WANTED)
    assert str(caught.value) == (
        f"{UNIT} does not run with its current settings (ActiveState=active, StatusText=0123: ready,"
        f" NeedDaemonReload=no, Result=success). Run `journalctl --unit {UNIT}` for details."
    )


@pytest.mark.parametrize("name", ["fcgid-recycler.pyz", "fcgid-recycler.conf", UNIT])
def test_check_mode_predicts_that_a_file_cannot_be_written(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def refuse(path: pathlib.Path, text: str | None) -> None:
        if path.name == name and text:
            raise FileError(f"Could not change {path}.")

    host = Host(Systemd(tmp_path), tmp_path)
    monkeypatch.setattr(f"{Host.__module__}.check_change", refuse)
    with pytest.raises(FileError, match=name):
        bring(RecyclerChange(host, WANTED), check_mode=True)


def test_check_mode_predicts_that_a_file_cannot_be_removed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: pathlib.Path) -> t.NoReturn:
        raise FileError(f"Could not change {path}.")

    host = Host(Systemd(tmp_path), tmp_path)
    converge(host, WANTED)
    monkeypatch.setattr(f"{Host.__module__}.check_removable", refuse)
    with pytest.raises(FileError, match="Could not change"):
        bring(RecyclerChange(host, ABSENT), check_mode=True)


def test_settings_are_the_service_and_its_bounds(tmp_path: pathlib.Path) -> None:
    host = Host(Systemd(tmp_path), tmp_path)
    change = RecyclerChange(host, WANTED)
    before = [setting.what for setting in change.list_settings(host.observe())]
    after = [setting.what for setting in change.list_settings(converge(host, WANTED))]
    assert (before, after[:3]) == (["recycler"], ["recycler", "limit", "hard_limit"])
