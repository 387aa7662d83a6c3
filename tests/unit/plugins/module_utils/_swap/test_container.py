# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The marks of containers."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.container import observe_container


@pytest.mark.parametrize(
    ("name", "text", "container"),
    [
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        ("run/systemd/container", "\n", "unknown"),
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("proc/1/environ", "PATH=/bin\0container=lxc\0", "lxc"),
        ("etc/hostname", "host\n", ""),
    ],
)
def test_marks(tmp_path: pathlib.Path, name: str, text: str, container: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert observe_container(tmp_path, tmp_path / "proc") == container


def test_without_the_right_to_look_there_is_no_container(tmp_path: pathlib.Path) -> None:
    (tmp_path / "1").mkdir()
    os.symlink("environ", tmp_path / "1/environ")
    assert observe_container(tmp_path, tmp_path) == ""
