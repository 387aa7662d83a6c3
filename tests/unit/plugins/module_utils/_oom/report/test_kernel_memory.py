# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of slab caches and of allocations are read, whoever chose the names in them."""

from __future__ import annotations

import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.kernel_memory import KernelMemory
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Allocation, Slab
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
    read_only_reports,
)

LINES = [
    GLOBAL_TRIGGER,
    "Mem-Info:",
    "active_anon:1 inactive_anon:2",
    "Node 0 Normal free:8kB min:4kB low:5kB high:6kB present:64kB managed:60kB",
    "Node 0 Normal: 2*4kB (U) = 8kB",
    "16 pages RAM",
    "2 pages hwpoisoned",
    "Memory allocations:",
    "     1048576      256 fs/demo/inode.c:82 [demo] func:demo_inode_alloc",
    "    2.50 MiB      512 mm/slub.c:2264 func:alloc_slab_page",
    "Unreclaimable slab info:",
    "Name                      Used          Total",
    "demo_inode              1024KB       2048KB",
    "demo_cache(12:a b)        16KB       4096KB ",
    "Tasks state (memory values in pages):",
    GLOBAL_KILL,
]


def test_the_slab_caches_of_a_report_are_read_the_largest_first() -> None:
    (report,) = read_only_reports(LINES)
    assert report.memory is not None
    assert report.memory.slabs == (
        Slab("demo_cache(12:a b)", 16 << 10, 4096 << 10),
        Slab("demo_inode", 1024 << 10, 2048 << 10),
    )


def test_the_allocations_of_a_report_are_read_the_largest_first() -> None:
    (report,) = read_only_reports(LINES)
    assert report.memory is not None
    assert report.memory.allocations == (
        Allocation("alloc_slab_page", None, "mm/slub.c:2264", 5 << 19, 512),
        Allocation("demo_inode_alloc", "demo", "fs/demo/inode.c:82", 1 << 20, 256),
    )


def test_both_tables_are_part_of_the_report() -> None:
    (report,) = read_only_reports(LINES)
    assert (report.unread, report.memory and report.memory.hwpoisoned_bytes) == ((), 8192)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("        4096        1 a.c:1 func:f", 4096),
        ("        0 B          1 a.c:1 func:f", 0),
        ("     512 B          1 a.c:1 func:f", 512),
        ("    1.5KiB          1 a.c:1 func:f", 1536),
        ("    3 GiB          1 a.c:1 [m] func:f", 3 << 30),
    ],
)
def test_a_size_can_have_a_unit(text: str, size: int) -> None:
    kernel = KernelMemory()
    assert kernel.take_allocation(text)
    assert [allocation.size_bytes for allocation in kernel.list_allocations()] == [size]


@pytest.mark.parametrize("text", ["", "a 1KB", "a 1kB 2kB", "1 2 3", "a.c:1 func:f", " 7 7 a.c:1", "x" * 9999])
def test_other_lines_are_no_rows(text: str) -> None:
    kernel = KernelMemory()
    assert (kernel.take_slab(text), kernel.take_allocation(text), bool(kernel)) == (False, False, False)


def test_the_number_of_rows_is_limited() -> None:
    kernel = KernelMemory()
    for number in range(3000):
        assert kernel.take_slab(f"a{number} 1KB 2KB")
    assert len(kernel.list_slabs()) == 2000


@pytest.mark.parametrize("body", ["a" + " " * 16_000 + "!", "a " + "1KB " * 4_000 + "!", "1" * 16_000])
def test_long_lines_take_little_time(body: str) -> None:
    kernel = KernelMemory()
    begin = time.perf_counter()
    assert not kernel.take_slab(body)
    assert not kernel.take_allocation(body)
    assert time.perf_counter() - begin < 0.02
