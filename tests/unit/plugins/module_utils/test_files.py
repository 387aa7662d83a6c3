# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durable files and locks, on a real file system."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._files import (
    FileError,
    lock,
    read_file,
    remove_file,
    write_file,
)


def test_written_text_is_read_back(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "new" / "file", "caf\udce9\n")
    assert read_file(tmp_path / "new" / "file") == "caf\udce9\n"


def test_file_has_the_given_mode(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "", mode=0o600)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o600


def test_created_folders_are_readable_by_all(tmp_path: pathlib.Path) -> None:
    (tmp_path / "old").mkdir(mode=0o700)
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "old" / "new" / "newer" / "file", "")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("old", "old/new", "old/new/newer")]
    assert modes == [0o700, 0o755, 0o755]


def test_nothing_is_left_beside_the_file(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "old")
    write_file(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_leftover_of_a_killed_run_is_replaced(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".file.oomguard").write_text("half")
    write_file(tmp_path / "file", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_leftover_that_is_a_link_is_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / ".file.oomguard").symlink_to("precious")
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "precious").read_text() == "precious"


def test_failed_write_leaves_only_the_old_file(tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(FileError, match=r"^Could not write .*/target: Is a directory\. It was not changed\. "):
        write_file(tmp_path / "target", "new")
    assert [path.name for path in tmp_path.iterdir()] == ["target"]


def test_missing_file_is_none(tmp_path: pathlib.Path) -> None:
    assert read_file(tmp_path / "absent") is None


def test_file_can_be_removed_twice(tmp_path: pathlib.Path) -> None:
    write_file(tmp_path / "file", "")
    remove_file(tmp_path / "file")
    remove_file(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_lock_is_free_after_use(tmp_path: pathlib.Path) -> None:
    with lock("swap", folder=tmp_path):
        pass
    with lock("swap", folder=tmp_path, timeout=0):
        pass


def test_second_holder_has_an_error_with_the_lock(tmp_path: pathlib.Path) -> None:
    with lock("swap", folder=tmp_path), pytest.raises(FileError) as error, lock("swap", folder=tmp_path, timeout=0):
        pass
    assert str(error.value) == (
        f"Another run has held the lock {tmp_path}/oomguard-swap.lock for 0 s. Run the task again after it has ended."
    )


def test_lock_of_root_has_an_error_with_a_hint(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> t.NoReturn:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(FileError) as error, lock("swap", folder=tmp_path):
        pass
    assert str(error.value) == (
        f"Could not open the lock {tmp_path}/oomguard-swap.lock: Permission denied. Run the task with become: true."
    )
