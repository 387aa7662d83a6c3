# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the packages in the log of dpkg."""

from __future__ import annotations

import pathlib

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.packages import observe_packages

LINES = """\
2026-11-20 06:00:01 startup archives unpack
2026-11-20 06:00:02 upgrade libc6:amd64 2.41-1 2.41-2
2026-11-20 06:00:03 status half-configured libc6:amd64 2.41-1
2026-11-20 06:00:04 install tool:all <none> 1.0
2026-11-20 06:00:05 remove old 1.0 <none>
2026-11-20 06:00:06 configure tool:all 1.0
"""


def write_log(root: pathlib.Path, text: str) -> pathlib.Path:
    path = root / "var/log/dpkg.log"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return root


def test_changes_of_packages_are_found(tmp_path: pathlib.Path) -> None:
    found = observe_packages(write_log(tmp_path, LINES))
    assert [(happening.what, happening.name) for happening in found] == [
        ("package", "libc6"),
        ("package", "tool"),
        ("package", "old"),
    ]
    assert found[1].time_us - found[0].time_us == 2_000_000


def test_host_without_the_log_has_none(tmp_path: pathlib.Path) -> None:
    assert observe_packages(tmp_path) == []


def test_only_the_end_of_a_long_log_is_read(tmp_path: pathlib.Path) -> None:
    line = "2026-11-20 06:00:01 status installed tool:all 1.0\n"
    root = write_log(tmp_path, "2026-11-19 06:00:01 install first:all <none> 1.0\n" + line * 20_000 + LINES)
    found = observe_packages(root)
    assert isinstance(found[0], Happening)
    assert found[0].name == "libc6"
