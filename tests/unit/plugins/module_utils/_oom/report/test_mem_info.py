# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters, zones and buddy lists."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mem_info import MemInfo
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Zone

DMA = (
    "Node 0 DMA: 43*4kB (UME) 14*8kB (UME) 12*16kB (UE) 13*32kB (UME) 2*64kB (UE) 7*128kB (UME) 4*256kB (UME) "
    "3*512kB (UME) 0*1024kB 0*2048kB 0*4096kB = 4476kB"
)
DMA32 = (
    "Node 0 DMA32: 258*4kB (UME) 252*8kB (UME) 576*16kB (UME) 325*32kB (UME) 105*64kB (UME) 20*128kB (UME) "
    "8*256kB (UE) 3*512kB (UME) 5*1024kB (UME) 0*2048kB 1*4096kB (M) = 44744kB"
)


def read(*lines: str) -> MemInfo:
    info = MemInfo()
    for line in lines:
        assert (
            info.take_area(line)
            or info.take_reserve(line)
            or info.take_pages(line)
            or info.take_swap(line)
            or info.take_counters(line)
        )
    return info


@pytest.mark.parametrize(("line", "kilobytes"), [(DMA, 4476), (DMA32, 44744)])
def test_buddy_list_adds_up_to_its_printed_sum(line: str, kilobytes: int) -> None:
    (zone,) = read(line).build_zones(4096)
    assert sum(size * count for size, count in zone.free_blocks.items()) == kilobytes * 1024


@pytest.mark.parametrize(("line", "size"), [(DMA, 512), (DMA32, 4096)])
def test_largest_free_block_is_found(line: str, size: int) -> None:
    (zone,) = read(line).build_zones(4096)
    assert zone.largest_free_block_bytes == size * 1024


def test_zone_is_parsed() -> None:
    info = read(
        "Node 1 Normal free:61900kB boost:8192kB min:61948kB low:75384kB high:88820kB reserved_highatomic:2048KB "
        "active_anon:1kB inactive_anon:2kB active_file:3kB present:13096960kB managed:12774792kB mlocked:64kB "
        "free_pcp:5kB local_pcp:6kB free_cma:7kB new_thing:8kB",
        "lowmem_reserve[]: 0 1 2",
        "Node 1 Normal: 2*4kB (UM) 0*8kB 1*16kB (E) = 24kB",
    )
    assert info.build_zones(4096) == (
        Zone(
            node=1,
            zone="Normal",
            free_bytes=61900 * 1024,
            min_bytes=61948 * 1024,
            low_bytes=75384 * 1024,
            high_bytes=88820 * 1024,
            present_bytes=13096960 * 1024,
            managed_bytes=12774792 * 1024,
            reserved_highatomic_bytes=2048 * 1024,
            free_cma_bytes=7 * 1024,
            lowmem_reserve_bytes=(0, 4096, 8192),
            free_blocks={4096: 2, 8192: 0, 16384: 1},
            block_types={4096: "UM", 16384: "E"},
        ),
    )


def test_zone_without_numa_has_no_node() -> None:
    (zone,) = read(
        "DMA free:12456kB min:64kB low:128kB high:192kB active:0kB inactive:0kB present:16384kB"
    ).build_zones(None)
    assert (zone.node, zone.zone, zone.high_bytes) == (None, "DMA", 192 * 1024)


@pytest.mark.parametrize("kilobytes", [4, 16, 64])
def test_first_block_is_the_page_size(kilobytes: int) -> None:
    assert read(f"Node 0 Normal: 2*{kilobytes}kB (UM) 1*{2 * kilobytes}kB (E) = 1kB").page_size == kilobytes * 1024


def test_nodes_reveal_page_size_without_buddy_list() -> None:
    info = read(
        "active_anon:1000 inactive_anon:501 isolated_anon:0",
        "Node 0 active_anon:32000kB inactive_anon:32064kB kernel_stack:5kB all_unreclaimable? no",
        "Node 1 active_anon:32000kB inactive_anon:0kB kernel_stack:6kB all_unreclaimable? no",
    )
    assert info.page_size == 65536


def test_kernel_stacks_of_all_nodes_are_added() -> None:
    memory = read(
        "Node 0 active_anon:0kB kernel_stack:5kB all_unreclaimable? no",
        "Node 1 active_anon:0kB kernel_stack:6kB all_unreclaimable? no",
        "Node 0 Normal: 1*4kB (E) = 4kB",
    ).build_memory(4096)
    assert memory is not None
    assert memory.kernel_stack_bytes == 11 * 1024


@pytest.mark.parametrize(
    ("line", "field", "size"),
    [
        ("262144 pages RAM", "ram_bytes", 262144 * 4096),
        ("262144 pages of RAM", "ram_bytes", 262144 * 4096),
        ("9 pages reserved", "reserved_bytes", 9 * 4096),
        ("9 reserved pages", "reserved_bytes", 9 * 4096),
        ("9 total pagecache pages", "page_cache_bytes", 9 * 4096),
        ("9 pages in swap cache", "swap_cache_bytes", 9 * 4096),
        ("9 pages swap cached", "swap_cache_bytes", 9 * 4096),
        ("Free swap  = 84kB", "swap_free_bytes", 84 * 1024),
        ("Free swap:            0kB", "swap_free_bytes", 0),
        ("Total swap = 3842364kB", "swap_total_bytes", 3842364 * 1024),
        (" slab_reclaimable:9 slab_unreclaimable:5", "slab_bytes", 14 * 4096),
        ("Active:1 inactive:2 dirty:0 free:4438 slab:49 mapped:3 pagetables:4", "slab_bytes", 49 * 4096),
        (" mapped:1 shmem:9 pagetables:3 bounce:0", "shmem_bytes", 9 * 4096),
        (" mapped:1 shmem:9 pagetables:3 bounce:0", "pagetables_bytes", 3 * 4096),
        (" free:9 free_pcp:5 free_cma:7", "free_bytes", 9 * 4096),
    ],
)
def test_memory_field_is_parsed(line: str, field: str, size: int) -> None:
    memory = read("active_anon:1 inactive_anon:2", line).build_memory(4096)
    assert getattr(memory, field) == size


@pytest.mark.parametrize("mark", [">", "\u2026"])
def test_counter_that_a_terminal_has_cut_is_unknown(mark: str) -> None:
    memory = read("active_anon:1 inactive_anon:2", f" mapped:1 shmem:9{mark}").build_memory(4096)
    assert memory is not None
    assert memory.shmem_bytes is None


def test_counts_are_unknown_without_page_size() -> None:
    memory = read("active_anon:1 inactive_anon:2", "9 pages RAM", "Total swap = 8kB").build_memory(None)
    assert memory is not None
    assert (memory.ram_bytes, memory.counters, memory.swap_total_bytes) == (None, {}, 8192)


def test_huge_pages_of_all_nodes_are_added() -> None:
    memory = read(
        "active_anon:1",
        "Node 0 hugepages_total=4 hugepages_free=1 hugepages_surp=0 hugepages_size=2048kB",
        "Node 1 hugepages_total=2 hugepages_free=0 hugepages_surp=0 hugepages_size=1048576kB",
    ).build_memory(4096)
    assert memory is not None
    assert (memory.huge_pages_bytes, memory.huge_pages_free_bytes) == (2056 << 20, 2 << 20)


def test_no_huge_pages_are_none_of_any_size() -> None:
    memory = read("active_anon:1", "Node 0 hugepages_total=0 hugepages_free=0 hugepages_su>").build_memory(4096)
    assert memory is not None
    assert memory.huge_pages_bytes == 0


def test_rest_of_a_line_about_huge_pages_counts_once() -> None:
    info = read("active_anon:1", "Node 0 hugepages_total=4 hugepages_free=1")
    for _time in range(2):
        assert info.take_rest_of_huge_pages("hugepages_surp=0 hugepages_size=2048kB")
    memory = info.build_memory(4096)
    assert memory is not None
    assert memory.huge_pages_bytes == 8 << 20


def test_many_rests_of_lines_about_huge_pages_take_no_more_memory() -> None:
    info = MemInfo()
    for _number in range(1000):
        info.take_rest_of_huge_pages("hugepages_size=" * 20)
    assert len(info._broken_huge_pages) < 10_000


NORMAL = "Normal free:8kB min:4kB low:5kB high:6kB present:262144kB managed:240000kB"
HIGH = "HighMem free:8kB min:4kB low:5kB high:6kB present:262144kB managed:262144kB"
HALF = (512 << 20, 20_000 * 1024, 512 << 20)
WHOLE = (1 << 30, (512 << 20) + 20_000 * 1024, None)


@pytest.mark.parametrize(
    ("lines", "sizes"),
    [
        ((NORMAL, HIGH, "262144 pages RAM", "136072 pages reserved"), HALF),
        ((NORMAL, "262144 pages RAM", "136072 pages reserved"), WHOLE),
        ((NORMAL, HIGH[:40], "262144 pages RAM", "136072 pages reserved"), WHOLE),
        (("262144 pages RAM", "136072 pages reserved"), WHOLE),
        ((NORMAL, HIGH, "133000 pages RAM", "5000 pages reserved"), (133000 * 4096, 5000 * 4096, 0)),
        ((NORMAL, HIGH, "262144 pages RAM"), (1 << 30, None, None)),
    ],
    ids=["holes", "another node", "a truncated zone", "no zones", "a map of pages", "no reserve"],
)
def test_holes_between_the_ram_are_not_ram(lines: tuple[str, ...], sizes: tuple[int | None, ...]) -> None:
    memory = read("active_anon:1 inactive_anon:2", *reversed(lines)).build_memory(4096)
    assert memory is not None
    assert (memory.ram_bytes, memory.reserved_bytes, memory.holes_bytes) == sizes


COMPLETE = (
    "262144 pages RAM",
    "9 pages reserved",
    "active_anon:1 inactive_anon:2",
    NORMAL,
    "Normal: 2*4kB (UM) = 8kB",
)


@pytest.mark.parametrize("missing", [None, *COMPLETE])
def test_a_block_without_a_part_that_every_kernel_prints_is_cut(missing: str | None) -> None:
    info = read(*[line for line in COMPLETE if line != missing])
    assert info.is_cut is (missing is not None)


def test_a_zone_without_memory_has_no_buddy_list() -> None:
    assert not read(*COMPLETE, "HighMem free:0kB min:0kB low:0kB high:0kB present:0kB").is_cut
