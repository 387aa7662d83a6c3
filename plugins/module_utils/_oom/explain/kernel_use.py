# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory that the kernel itself held: of the whole host, and for a cgroup."""

from __future__ import annotations

import itertools
import typing as t

from ..._size import format_size
from ..report.model import Allocation, Limit, Memory, Slab
from .breakdown import Breakdown
from .unknown import sum_known, zero_if_unknown

# Shares from which on the kernel's memory is the cause, and from which on it is worth a sentence.
_MOST = 0.5
_MUCH = 0.25
_FEW = 3

# It has the pages of all slabs, whose objects the other places in the code have allocated.
_SLAB_PAGES = "alloc_slab_page"

# The kernel's memory for a cgroup in the statistics of version 2: its sum, or before Linux 5.18 its parts.
_SUM = "kernel"
_PARTS = ("kernel_stack", "pagetables", "percpu", "slab")

# What the objects of frequent caches are, by a part of the name. The first match counts.
_OBJECTS = {
    "kmemleak_object": "notes of the debugging option kmemleak; kmemleak=off turns it off",
    "filp": "open files",
    "dentry": "file names",
    "task_struct": "tasks",
    "vm_area_struct": "mappings of processes",
    "anon_vma": "mappings of processes",
    "nf_conntrack": "tracked connections",
    "skbuff": "network buffers",
    "sock_inode_cache": "sockets",
    "TCP": "TCP sockets",
    "UNIX": "Unix sockets",
    "kernfs_node": "files of /sys and of cgroups",
    "bio-": "disk requests",
    "xfs_ili": "inodes",
    "inode": "inodes",
}


def find_kernel_bytes(memory: Memory, parts: Breakdown | None) -> int:
    """Return the RAM that no process and no file held: objects that cannot be reclaimed, and what is unaccounted for.

    What is unaccounted for can be zram, which holds at most the swap that is used.
    """
    if parts is None:
        return 0

    swap_used = zero_if_unknown(memory.swap_total_bytes) - zero_if_unknown(memory.swap_free_bytes)
    unaccounted = max(parts.missing_bytes - swap_used, 0)

    return unaccounted + zero_if_unknown(parts.slab_unreclaimable_bytes)


def has_kernel_most(memory: Memory, parts: Breakdown | None) -> bool:
    """Return whether the kernel held most of the RAM that exists beyond its fixed reserve."""
    usable = zero_if_unknown(memory.ram_bytes) - zero_if_unknown(memory.reserved_bytes)

    return 0 < usable * _MOST < find_kernel_bytes(memory, parts)


def describe_slabs(memory: Memory) -> t.Iterator[str]:
    """Yield the largest caches of kernel objects, and the places in the kernel's code that allocated most."""
    if memory.slabs:
        yield f"The largest caches of kernel objects: {name_largest_slabs(memory)}."

    allocations = list(itertools.filterfalse(_has_slab_pages, memory.allocations))
    if allocations:
        largest = ", ".join(map(_describe_allocation, allocations[:_FEW]))
        yield f"The functions of the kernel that allocated most: {largest}."


def _has_slab_pages(allocation: Allocation) -> bool:
    return allocation.function == _SLAB_PAGES


def name_largest_slabs(memory: Memory) -> str:
    """Return the names and sizes of the largest caches, and what their objects are if that is known."""
    return ", ".join(map(_describe_slab, memory.slabs[:_FEW]))


def _describe_allocation(allocation: Allocation) -> str:
    return f"{allocation.function} {format_size(allocation.size_bytes)}"


def _describe_slab(slab: Slab) -> str:
    size = format_size(slab.total_bytes)
    objects = _name_objects(slab.name)
    if not objects:
        return f"{slab.name} {size}"

    return f"{slab.name} {size} ({objects})"


def _name_objects(name: str) -> str:
    """Return what the objects of a cache are, nothing if that is unknown."""
    for part, objects in _OBJECTS.items():
        if part in name:
            return objects

    return ""


def find_kernel_bytes_of_cgroup(limit: Limit) -> int | None:
    """Return the kernel's memory for a cgroup, None if the report does not show it."""
    if limit.kmem_usage_bytes is not None:
        return limit.kmem_usage_bytes

    total = limit.stat.get(_SUM)
    if total is not None:
        return total

    return sum_known(map(limit.stat.get, _PARTS))


def has_kernel_most_of_cgroup(limit: Limit | None) -> bool:
    """Return whether the kernel used most of the memory of a cgroup."""
    return _compute_share_of_cgroup(limit or Limit()) >= _MOST


def describe_kernel_share(limit: Limit) -> t.Iterator[str]:
    """Yield how much of a cgroup's memory the kernel used if that is much."""
    if _compute_share_of_cgroup(limit) < _MUCH:
        return

    size = format_size(zero_if_unknown(find_kernel_bytes_of_cgroup(limit)))
    usage = format_size(zero_if_unknown(limit.usage_bytes))
    yield (
        f"{size} of the {usage} that the cgroup used was kernel memory, such as inodes, file names and page tables. It "
        "is not part of the size of any process, and ending a process may not free it."
    )


def _compute_share_of_cgroup(limit: Limit) -> float:
    """Return the kernel's share of the memory of a cgroup, 0 if it is unknown."""
    if not limit.usage_bytes:
        return 0.0

    return zero_if_unknown(find_kernel_bytes_of_cgroup(limit)) / limit.usage_bytes
