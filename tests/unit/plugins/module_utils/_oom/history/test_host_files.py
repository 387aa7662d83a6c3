# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that the files of a host show."""

from __future__ import annotations

import os
import pathlib
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.host_files import list_file_changes
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Modification


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "etc/systemd/system/shop@1.service.d").mkdir(parents=True)
    return tmp_path


def list_changes(root: pathlib.Path, unit: str = "shop@1.service") -> list[Modification]:
    return list_file_changes([unit], root)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("etc/fstab", ""),
        ("etc/systemd/system/shop@1.service", "shop@1.service"),
        ("etc/systemd/system/shop@1.service.d/limit.conf", "shop@1.service"),
    ],
)
def test_file_was_changed_when_it_was_written(root: pathlib.Path, name: str, unit: str) -> None:
    (root / name).touch()
    (change,) = list_changes(root)
    written = (root / name).stat().st_mtime_ns // 1000
    assert change == Modification(written, f"/{name}", None, None, "unknown", unit)


def test_file_that_was_copied_with_its_time_has_no_certain_time(root: pathlib.Path) -> None:
    path = root / "etc/fstab"
    path.touch()
    os.utime(path, (time.time(), time.time() - 3600))
    assert list_changes(root) == []


def test_link_is_no_file(root: pathlib.Path) -> None:
    (root / "etc/systemd/system/shop@1.service").symlink_to("/dev/null")
    assert list_changes(root) == []


@pytest.mark.parametrize("unit", ["", "..", "../../fstab", "/etc/fstab", "a\x00b", "x" * 300, "*"])
def test_name_that_is_no_unit_is_not_looked_up(root: pathlib.Path, unit: str) -> None:
    (root / "etc/systemd/fstab").touch()
    (root / "etc/systemd/system/shop@1.service").touch()
    assert list_changes(root, unit) == []
