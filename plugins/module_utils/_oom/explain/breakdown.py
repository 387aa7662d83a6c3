# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the RAM was used for at the moment of a kill, in parts that add up to it."""

from __future__ import annotations

import typing as t

from ..report.model import Memory
from .unknown import subtract_part, sum_known, zero_if_unknown

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
_PAGE_TABLES = ("pagetables", "sec_pagetables")


class Breakdown(t.NamedTuple):
    """The parts of the RAM in bytes, which add up to it; None for a part that the kernel does not print."""

    anonymous_bytes: int | None
    """Memory of processes, including the part in the swap cache."""
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
    """Memory that the kernel never hands out: its own code, the map of pages, firmware."""
    unaccounted_bytes: int
    """The rest: drivers, vmalloc, network buffers, a balloon, zram.

    The kernel does not read all counters at the same moment, so this can be slightly below 0.
    """

    @property
    def missing_bytes(self) -> int:
        """The unaccounted memory; 0 if the kernel does not print the large parts, as before 2.6.28."""
        if None in (self.anonymous_bytes, self.slab_unreclaimable_bytes):
            return 0

        return self.unaccounted_bytes

    def list_parts(self, *, at_least: float) -> dict[str, int]:
        """Return the parts of at least that many bytes, keyed by their names in words; an unknown part counts as 0."""
        parts = {}
        for field, known_or_none in self._asdict().items():
            size = zero_if_unknown(known_or_none)
            if size >= at_least:
                name = field[: -len("_bytes")].replace("_", " ")
                parts[name] = size

        return parts


def break_down(memory: Memory) -> Breakdown | None:
    """Return the parts of the RAM; None if the report does not say how much RAM there is, or how much is free."""
    ram = memory.ram_bytes
    if ram is None or memory.free_bytes is None:
        return None

    counters = memory.counters
    # The kernel counts as page cache the pages on the lists that are not anonymous (shared memory is not), and the swap
    # cache.
    cached = subtract_part(memory.page_cache_bytes, memory.swap_cache_bytes)
    known: dict[str, int | None] = {
        "anonymous_bytes": _find_anonymous(counters, cached),
        "page_cache_bytes": subtract_part(cached, memory.shmem_bytes),
        "shmem_bytes": memory.shmem_bytes,
        "slab_reclaimable_bytes": memory.slab_reclaimable_bytes,
        "slab_unreclaimable_bytes": memory.slab_unreclaimable_bytes,
        "page_tables_bytes": sum_known(map(counters.get, _PAGE_TABLES)),
        "kernel_stacks_bytes": memory.kernel_stack_bytes,
        "huge_pages_bytes": memory.huge_pages_bytes,
        "reserved_bytes": memory.reserved_bytes,
    }
    free = memory.free_bytes + counters.get("free_pcp", 0)
    accounted = free + sum(map(zero_if_unknown, known.values()))

    return Breakdown(**known, free_bytes=free, unaccounted_bytes=ram - accounted)


def _find_anonymous(counters: t.Mapping[str, int], cached: int | None) -> int | None:
    if cached is None:
        return None

    on_lists = sum_known(map(counters.get, _LRU))
    return subtract_part(on_lists, cached)


def compute_share(part: int | None, memory: Memory) -> float:
    """Return `part` as a share of the RAM, 0 if one of them is unknown."""
    if not memory.ram_bytes:
        return 0.0

    return zero_if_unknown(part) / memory.ram_bytes
