# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's view, read from a folder in the place of the root."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.cgroup import (
    read_host,
    read_limits,
    read_memory,
    write_limit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Limit, Totals

FILES = {"MemoryMax": "memory.max", "MemoryZSwapMax": "memory.zswap.max"}


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    files = {
        "proc/meminfo": "MemTotal:     1024 kB\nSwapTotal:       0 kB\nHugePages_Total:       0\n",
        "proc/sys/kernel/pid_max": "4194304\n",
        "proc/sys/kernel/threads-max": "3698\n",
        "sys/fs/cgroup/cgroup.controllers": "cpu memory\n",
        "sys/fs/cgroup/a.slice/memory.max": "4096\n",
        "sys/fs/cgroup/a.slice/b.service/memory.max": "max\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_limits_are_read_up_to_root(root: pathlib.Path) -> None:
    file = root / "sys/fs/cgroup/a.slice/b.service/memory.max"
    assert read_limits("/a.slice/b.service", FILES, root) == {
        "MemoryMax": Limit(file=file, value=None, above=(("/a.slice", 4096),))
    }


@pytest.mark.parametrize("cgroup", ["", "/", "/gone.slice"])
def test_missing_cgroup_has_no_limits(root: pathlib.Path, cgroup: str) -> None:
    assert read_limits(cgroup, FILES, root) == {}


def test_droppable_memory_is_not_in_use(root: pathlib.Path) -> None:
    stat = "anon 700\nfile 260\nshmem 60\ninactive_file 150\nactive_file 50\nslab_reclaimable 20\nslab 50\n"
    (root / "sys/fs/cgroup/a.slice/memory.current").write_text("1000\n")
    (root / "sys/fs/cgroup/a.slice/memory.stat").write_text(stat)
    assert read_memory("/a.slice", root) == 780


@pytest.mark.parametrize("cgroup", ["", "/", "/a.slice"])
def test_memory_is_unknown_without_files(root: pathlib.Path, cgroup: str) -> None:
    (root / "sys/fs/cgroup/memory.current").write_text("1000\n")
    assert read_memory(cgroup, root) is None


def test_host_is_read(root: pathlib.Path) -> None:
    found = read_host(root)
    assert (found.totals, found.swap_bytes, found.unified) == (Totals(ram_bytes=1048576, tasks=3698), 0, True)


def test_container_limit_reduces_ram(root: pathlib.Path) -> None:
    (root / "sys/fs/cgroup/memory.max").write_text("65536\n")
    assert read_host(root).totals.ram_bytes == 65536


def test_host_without_files_is_unknown(tmp_path: pathlib.Path) -> None:
    found = read_host(tmp_path)
    assert (found.totals, found.swap_bytes, found.unified) == (Totals(), None, False)


def test_required_limit_that_kernel_refuses_is_an_error(root: pathlib.Path) -> None:
    with pytest.raises(DropinError, match=r"^Could not write 5 to .*: Is a directory\.$"):
        write_limit(root / "sys/fs/cgroup/a.slice", "5", required=True)


def test_optional_limit_that_kernel_refuses_is_ignored(root: pathlib.Path) -> None:
    write_limit(root / "sys/fs/cgroup/a.slice", "5", required=False)


def test_missing_cgroup_needs_no_limit(root: pathlib.Path) -> None:
    write_limit(root / "sys/fs/cgroup/gone/memory.max", "5", required=True)
