# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of the kernel is a cause only if it is most of the memory, and its tables show what it is."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.breakdown import break_down
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.kernel_use import (
    describe_kernel_share,
    find_kernel_bytes,
    find_kernel_bytes_of_cgroup,
    name_largest_slabs,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Allocation,
    Limit,
    Memory,
    Slab,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    GIB,
    diagnose_incident,
)

MIB = 1 << 20
LEAKED = Memory(
    ram_bytes=GIB,
    reserved_bytes=GIB // 8,
    swap_total_bytes=0,
    swap_free_bytes=0,
    free_bytes=0,
    page_cache_bytes=0,
    shmem_bytes=0,
    slab_unreclaimable_bytes=GIB // 2,
    counters={"active_anon": GIB // 4},
)
SLABS = (Slab("demo_inode", 1, 300 * MIB), Slab("filp", 1, 200 * MIB), Slab("kmalloc-8", 1, MIB), Slab("x", 1, 1))
ALLOCATIONS = (Allocation("alloc_slab_page", None, "mm/slub.c:1", GIB, 7), Allocation("demo", "m", "a.c:1", MIB, 7))


def changed(**changes: t.Any) -> Memory:
    return LEAKED._replace(**changes)


@pytest.mark.parametrize(
    ("memory", "cause"),
    [
        (LEAKED, "kernel_memory"),
        (changed(slab_unreclaimable_bytes=GIB // 8), "kernel_memory"),
        (changed(counters={"active_anon": 5 * GIB // 8}), "kernel_memory"),
        (changed(slab_unreclaimable_bytes=GIB // 8, counters={"active_anon": GIB // 2}), "ram_exhausted_no_swap"),
        (changed(slab_unreclaimable_bytes=None, counters={"slab": GIB // 2}), "ram_exhausted_no_swap"),
        (changed(free_bytes=None), "ram_exhausted_no_swap"),
        (changed(swap_total_bytes=GIB, slab_unreclaimable_bytes=GIB // 8), "ram_and_swap_exhausted"),
        (changed(swap_total_bytes=GIB, swap_free_bytes=GIB), "kernel_memory"),
    ],
    ids=[
        "objects",
        "unaccounted",
        "objects, and processes seem to hold the rest",
        "processes",
        "old kernel",
        "cut",
        "zram can hold it",
        "objects beside free swap",
    ],
)
def test_only_most_of_the_ram_is_the_cause(memory: Memory, cause: str) -> None:
    assert diagnose_incident(memory=memory).cause == cause


def test_zram_is_not_memory_of_the_kernel() -> None:
    memory = changed(slab_unreclaimable_bytes=0, swap_total_bytes=GIB // 4)
    assert find_kernel_bytes(memory, break_down(memory)) == 3 * GIB // 8


def test_no_swap_is_suggested_for_memory_of_the_kernel() -> None:
    diagnosis = diagnose_incident(memory=LEAKED)
    assert [remedy.role for remedy in diagnosis.remedies if remedy.role == "swap"] == []
    assert "held by the kernel" in diagnosis.summary


def test_the_largest_caches_and_allocations_are_evidence() -> None:
    evidence = diagnose_incident(memory=changed(slabs=SLABS, allocations=ALLOCATIONS)).evidence
    assert (
        "The largest caches of kernel objects: demo_inode 300.0 MiB (inodes), filp 200.0 MiB (open files), kmalloc-8 "
        "1.0 MiB."
    ) in evidence
    assert "The functions of the kernel that allocated most: demo 1.0 MiB." in evidence


def test_the_advice_names_the_largest_caches() -> None:
    memory = changed(slabs=SLABS)
    (what, *_others) = [advice.what for advice in diagnose_incident(memory=memory).advice]
    assert what.endswith(f"whether they grow: {name_largest_slabs(memory)}.")


@pytest.mark.parametrize(
    ("limit", "size"),
    [
        (Limit(kmem_usage_bytes=7, stat={"slab": 5}), 7),
        (Limit(stat={"kernel": 6, "slab": 5}), 6),
        (Limit(stat={"slab": 5, "kernel_stack": 1, "percpu": 2, "anon": 100}), 8),
        (Limit(stat={"rss": 5}), None),
    ],
    ids=["v1", "v2", "before Linux 5.18", "old v1"],
)
def test_memory_of_the_kernel_for_a_cgroup_is_known(limit: Limit, size: int | None) -> None:
    assert find_kernel_bytes_of_cgroup(limit) == size


FILLED = Limit(usage_bytes=512 * MIB, limit_bytes=512 * MIB, memsw=True, kmem_usage_bytes=511 * MIB, stat={"rss": MIB})


def test_a_limit_filled_by_the_kernel_has_a_sentence() -> None:
    changes: dict[str, t.Any] = {"scope": "memcg", "cgroup": "/a", "limit_cgroup": "/a", "limit": FILLED}
    diagnosis = diagnose_incident(**changes)
    assert diagnosis.summary.endswith(
        "because the cgroup /a had reached its memory limit of 512.0 MiB, most of which was kernel memory."
    )
    assert "Memory of the cgroup: 1.0 MiB anonymous, 511.0 MiB kernel memory." in diagnosis.evidence
    assert (
        "511.0 MiB of the 512.0 MiB that the cgroup used was kernel memory, such as inodes, file names and page "
        "tables. It is not part of the size of any process, and ending a process may not free it."
    ) in diagnosis.evidence


@pytest.mark.parametrize("limit", [FILLED._replace(kmem_usage_bytes=MIB), FILLED._replace(usage_bytes=None), Limit()])
def test_little_memory_of_the_kernel_has_no_sentence(limit: Limit) -> None:
    assert list(describe_kernel_share(limit)) == []
