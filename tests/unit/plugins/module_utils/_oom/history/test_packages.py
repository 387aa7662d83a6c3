# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the packages in the log of dpkg."""

from __future__ import annotations

import pathlib
import time

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening, Modification
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.packages import list_upgrades, read_packages

LINES = """\
2026-11-20 06:00:01 startup archives unpack
2026-11-20 06:00:02 upgrade libc6:amd64 2.41-1 2.41-2
2026-11-20 06:00:03 status half-configured libc6:amd64 2.41-1
2026-11-20 06:00:04 install tool:all <none> 1.0
2026-11-20 06:00:05 remove old 1.0 <none>
2026-11-20 06:00:06 configure tool:all 1.0
"""


def write_log(root: pathlib.Path, text: str, name: str = "dpkg.log") -> pathlib.Path:
    path = root / "var/log" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return root


def test_changes_of_packages_are_found(tmp_path: pathlib.Path) -> None:
    found = read_packages(write_log(tmp_path, LINES))
    assert [change[1:] for change in found] == [
        ("upgrade", "libc6", "2.41-1", "2.41-2"),
        ("install", "tool", "<none>", "1.0"),
        ("remove", "old", "1.0", "<none>"),
    ]
    assert found[0].to_happening() == Happening(found[0].time_us, "package", "libc6")
    assert found[1].time_us - found[0].time_us == 2_000_000


def test_host_without_the_log_has_none(tmp_path: pathlib.Path) -> None:
    assert read_packages(tmp_path) == []


def test_only_the_end_of_a_long_log_is_read(tmp_path: pathlib.Path) -> None:
    line = "2026-11-20 06:00:01 status installed tool:all 1.0\n"
    root = write_log(tmp_path, "2026-11-19 06:00:01 install first:all <none> 1.0\n" + line * 20_000 + LINES)
    assert read_packages(root)[0].package == "libc6"


def test_rotated_log_is_read_first(tmp_path: pathlib.Path) -> None:
    write_log(tmp_path, LINES)
    write_log(tmp_path, "2026-10-20 06:00:01 install first:all <none> 1.0\n", "dpkg.log.1")
    assert [change.package for change in read_packages(tmp_path)] == ["first", "libc6", "tool", "old"]


def test_line_without_a_time_is_left_out(tmp_path: pathlib.Path) -> None:
    assert read_packages(write_log(tmp_path, "2026-99-99 06:00:05 upgrade shop:all 1.5-1 1.6-1\n")) == []


def test_upgrades_of_the_package_of_a_unit_are_changes(tmp_path: pathlib.Path) -> None:
    root = write_log(
        tmp_path,
        "2026-11-03 06:00:02 upgrade shop:all 1.4-1 1.5-1\n"
        "2026-11-03 06:00:03 install shop:all <none> 1.5-1\n"
        "2026-11-03 06:00:04 upgrade shop-bin:amd64 1.4-1 1.5-1\n"
        "2026-11-03 06:00:05 upgrade shopping:all 1.4-1 1.5-1\n",
    )
    first, second = list_upgrades(read_packages(root), ["shop@1.service"])
    moment = time.strptime("2026-11-03 06:00:02", "%Y-%m-%d %H:%M:%S")
    assert first == Modification(
        int(time.mktime(moment)) * 1_000_000, "the package shop", "1.4-1", "1.5-1", "unknown", "shop@1.service"
    )
    assert second.what == "the package shop-bin"
