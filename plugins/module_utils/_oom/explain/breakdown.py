# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the RAM was used for at the moment of a kill, in parts that add up to it."""

from __future__ import annotations

import typing as t

from ..report.model import Memory

# Every page of a process or of a file is on one of these lists (vmscan.c); before 2.6.28 there were two.
_LRU = (
    "active_anon",
    "inactive_anon",
    "isolated_anon",
    "active_file",
    "inactive_file",
    "isolated_file",
    "unevictable",
    "active",
    "Active",
    "inactive",
)


class Breakdown(t.NamedTuple):
    """The parts of the RAM in bytes, which add up to it; None for a part that the kernel does not tell."""

    anonymous_bytes: int | None
    """Memory of processes, that in the swap cache included."""
    page_cache_bytes: int | None
    """Pages of files, without shared memory and the swap cache."""
    shmem_bytes: int | None
    """Shared memory and the files of tmpfs."""
    slab_reclaimable_bytes: int | None
    slab_unreclaimable_bytes: int | None
    page_tables_bytes: int | None
    kernel_stacks_bytes: int | None
    huge_pages_bytes: int | None
    """Pages of hugetlbfs, in use or not."""
    free_bytes: int
    reserved_bytes: int | None
    """What the kernel never hands out: its own code, the map of pages, firmware."""
    unaccounted_bytes: int
    """The rest: drivers, vmalloc, network buffers, a balloon, zram. The counters of the parts are not read at one
    moment, so that it can be a little below 0."""

    @property
    def missing_bytes(self) -> int:
        """What is unaccounted for, 0 where the kernel does not tell the large parts: before 2.6.28 it did not."""
        return 0 if None in (self.anonymous_bytes, self.slab_unreclaimable_bytes) else self.unaccounted_bytes

    def parts(self) -> dict[str, int]:
        """Return the parts that are known by their names in words."""
        fields = self._asdict()
        return {name[: -len("_bytes")].replace("_", " "): size for name, size in fields.items() if size is not None}


def break_down(memory: Memory) -> Breakdown | None:
    """Return the parts of the RAM; None where the report does not tell how much RAM there is, or how much is free."""
    ram, counters = memory.ram_bytes, memory.counters
    if ram is None or memory.free_bytes is None:
        return None
    lists = [counters[name] for name in _LRU if name in counters]
    # The kernel counts as page cache what is on the lists and not anonymous (shared memory is), and the swap cache.
    cached = _less(memory.page_cache_bytes, memory.swap_cache_bytes or 0)
    tables = [counters[name] for name in ("pagetables", "sec_pagetables") if name in counters]
    known: dict[str, int | None] = {
        "anonymous_bytes": _less(sum(lists), cached) if lists and cached is not None else None,
        "page_cache_bytes": _less(cached, memory.shmem_bytes or 0),
        "shmem_bytes": memory.shmem_bytes,
        "slab_reclaimable_bytes": memory.slab_reclaimable_bytes,
        "slab_unreclaimable_bytes": memory.slab_unreclaimable_bytes,
        "page_tables_bytes": sum(tables) if tables else None,
        "kernel_stacks_bytes": memory.kernel_stack_bytes,
        "huge_pages_bytes": memory.huge_pages_bytes,
        "reserved_bytes": memory.reserved_bytes,
    }
    free = memory.free_bytes + counters.get("free_pcp", 0)
    accounted = free + sum(size for size in known.values() if size is not None)
    return Breakdown(**known, free_bytes=free, unaccounted_bytes=ram - accounted)


def _less(whole: int | None, part: int) -> int | None:
    return None if whole is None else max(whole - part, 0)


def share(part: int | None, memory: Memory) -> float:
    """Return which share of the RAM `part` is, 0 where that is not known."""
    return part / memory.ram_bytes if part and memory.ram_bytes else 0.0
