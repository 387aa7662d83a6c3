# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.files import replace_file


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "file"


def test_reader_keeps_the_old_file(path: pathlib.Path) -> None:
    path.write_text("old", "utf-8")
    with path.open(encoding="utf-8") as reader:
        replace_file(path, "new")
        assert [reader.read(), path.read_text("utf-8")] == ["old", "new"]


def test_file_is_for_its_owner_alone_by_default(path: pathlib.Path) -> None:
    replace_file(path, "")
    assert path.stat().st_mode & 0o777 == 0o600


def test_file_has_its_mode_whatever_the_old_one_had(path: pathlib.Path) -> None:
    path.touch(0o600)
    replace_file(path, "", mode=0o644)
    assert path.stat().st_mode & 0o777 == 0o644


def test_failure_leaves_nothing(path: pathlib.Path) -> None:
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        replace_file(path, "")
    assert [*path.parent.iterdir()] == [path]
