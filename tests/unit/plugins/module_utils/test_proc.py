# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of /proc."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._proc import (
    Stat,
    find_memory_cgroup,
    find_unit_cgroup,
    parse_cgroups,
    parse_meminfo,
    parse_stat,
)

FIELDS = "460 458 458 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 27000 8491008 1363"


def test_sizes_are_bytes_and_counts_are_counts() -> None:
    text = "MemTotal:         475312 kB\nActive(file):          8 kB\nHugePages_Total:       3\n"
    assert parse_meminfo(text) == {"MemTotal": 475312 * 1024, "Active(file)": 8192, "HugePages_Total": 3}


@pytest.mark.parametrize("name", ["perl.fcgi", "a) S 1 (b"])
def test_stat_has_name_parent_and_start(name: str) -> None:
    assert parse_stat(f"517 ({name}) S {FIELDS}\n") == Stat(name, 460, 27000)


@pytest.mark.parametrize("text", ["", "9", "9 (a) S 1 2"])
def test_stat_that_is_cut_short_is_unknown(text: str) -> None:
    assert parse_stat(text) is None


@pytest.mark.parametrize(
    ("text", "memory", "unit"),
    [
        ("0::/a\n", "/a", "/a"),
        ("0::/a b:c\n", "/a b:c", "/a b:c"),
        ("0::/a\u2028b\rc\n", "/a\u2028b\rc", "/a\u2028b\rc"),
        ("5:cpu,memory:/m\n0::/a\n", "/m", "/a"),
        ("9:memory:/m\n1:name=systemd:/a\n", "/m", "/a"),
        ("1:name=systemd:/a\n", None, "/a"),
        ("", None, None),
    ],
    ids=["v2", "colon", "line separator", "hybrid", "v1", "no memory controller", "none"],
)
def test_cgroups_of_memory_and_unit(text: str, memory: str | None, unit: str | None) -> None:
    paths = parse_cgroups(text)
    assert (find_memory_cgroup(paths), find_unit_cgroup(paths)) == (memory, unit)
