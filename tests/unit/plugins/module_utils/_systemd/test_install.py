# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing, removing and restoring a drop-in file."""

from __future__ import annotations

import pathlib
import stat

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.install import (
    check_place,
    install_dropin,
    restore_file,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import Plan

OLD = "[Service]\nOOMPolicy=stop\n"
NEW = "[Service]\nOOMPolicy=continue\n"


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "a.service.d/50-oomguard.conf"


@pytest.fixture
def old_file(path: pathlib.Path) -> pathlib.Path:
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o600)
    return path


def test_new_file_replaces_none(path: pathlib.Path) -> None:
    former = install_dropin(Plan(path=path, before=None, after=NEW))
    assert (former, path.read_text()) == (None, NEW)


def test_replaced_file_is_returned(old_file: pathlib.Path) -> None:
    former = install_dropin(Plan(path=old_file, before=OLD, after=NEW))
    assert former is not None
    assert (former.text, stat.S_IMODE(former.status.st_mode), old_file.read_text()) == (OLD, 0o600, NEW)


def test_backup_is_kept_beside_new_file(old_file: pathlib.Path) -> None:
    install_dropin(Plan(path=old_file, before=OLD, after=NEW, backup=True))
    assert [backup.read_text() for backup in old_file.parent.glob("50-oomguard.conf.*~")] == [OLD]


def test_leftover_beside_unchanged_file_is_removed(old_file: pathlib.Path) -> None:
    (old_file.parent / ".50-oomguard.conf.oomguard").touch()
    install_dropin(Plan(path=old_file, before=OLD, after=OLD, tidy=True))
    assert [file.name for file in old_file.parent.iterdir()] == [old_file.name]


def test_leftover_that_cannot_be_removed_is_an_error(old_file: pathlib.Path) -> None:
    leftover = old_file.parent / ".50-oomguard.conf.oomguard"
    leftover.mkdir()
    with pytest.raises(FileError, match=f"^Could not remove {leftover}: "):
        install_dropin(Plan(path=old_file, before=OLD, after=OLD, tidy=True))


def test_empty_folder_that_was_left_is_removed(path: pathlib.Path) -> None:
    path.parent.mkdir()
    install_dropin(Plan(path=path, before=None, after=None, tidy=True))
    assert not path.parent.exists()


def test_restored_file_has_old_text_and_mode(old_file: pathlib.Path) -> None:
    former = install_dropin(Plan(path=old_file, before=OLD, after=NEW))
    restore_file(old_file, former)
    assert (old_file.read_text(), stat.S_IMODE(old_file.stat().st_mode)) == (OLD, 0o600)


def test_new_file_is_removed_with_its_folder_if_there_was_none(path: pathlib.Path) -> None:
    restore_file(path, install_dropin(Plan(path=path, before=None, after=NEW)))
    assert not path.parent.exists()


@pytest.mark.parametrize("after", [NEW, None])
def test_place_that_cannot_be_changed_is_refused(path: pathlib.Path, after: str | None) -> None:
    path.parent.touch()
    with pytest.raises(FileError, match=r"a\.service\.d is not a directory\. Nothing was changed\."):
        check_place(Plan(path=path, before=OLD, after=after))


def test_place_of_a_leftover_that_cannot_be_removed_is_refused(path: pathlib.Path) -> None:
    path.parent.touch()
    with pytest.raises(FileError, match=r"/\.50-oomguard\.conf\.oomguard: .* is not a directory\."):
        check_place(Plan(path=path, before=OLD, after=OLD, tidy=True))


def test_place_of_an_unchanged_file_is_not_checked(path: pathlib.Path) -> None:
    path.parent.touch()
    check_place(Plan(path=path, before=OLD, after=OLD, reload=True))
