# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Mem-Info part of a report: the machine's counters, its zones and their free lists.

Formats: show_free_areas() and show_mem() in mm/page_alloc.c, mm/show_mem.c and lib/show_mem.c of Linux 2.6.9 to 6.18.
"""

from __future__ import annotations

import re
import typing as t

from .model import Memory, Zone
from .task_table import is_number

PAGE_SIZES = tuple(4096 << shift for shift in range(7))
"""From 4 KiB to 256 KiB."""

# More counters, or lines of zones, than any kernel has: text that only looks like Mem-Info.
_MOST = 20_000

_COUNTER = re.compile(r"([A-Za-z_]+):(\d{1,20})")
_ZONE = re.compile(r"(?:Node (\d{1,20}) )?([A-Z]\w*)")
_NODE = re.compile(r"Node \d{1,20} active_anon:")
# A pattern that begins with a plain character is searched for several times as fast as one that does not.
_BLOCKS = re.compile(r" (\d{1,20})\*(\d{1,20})kB(?: \(([A-Z]+)\))?")
_BLOCK_SIZES = {str(4 << order): 4096 << order for order in range(16)}
_SWAP = re.compile(r"(Free|Total) swap *[=:] *(\d{1,20})kB")

# Of the 20 sizes in a zone's line, and what else new kernels put there, those that matter.
_ZONE_FIELDS = {
    name: f"{name}_bytes"
    for name in ("free", "min", "low", "high", "present", "managed", "reserved_highatomic", "free_cma")
}
_ZONE_SIZE = re.compile(rf" ({'|'.join(_ZONE_FIELDS)}):(\d{{1,20}})[kK]B")
_ANON_SIZE = re.compile(r" (?:in)?active_anon:(\d{1,20})kB")

_HUGE = re.compile(
    r" hugepages_total=(\d{1,20}) hugepages_free=(\d{1,20}) hugepages_surp=\d{1,20} hugepages_size=(\d{1,20})kB"
)

_PAGE_LINES = {
    "pages RAM": "ram",
    "pages of RAM": "ram",
    "pages HighMem/MovableOnly": "highmem",
    "pages of HIGHMEM": "highmem",
    "pages reserved": "reserved",
    "reserved pages": "reserved",
    "total pagecache pages": "page_cache",
    "pagecache pages": "page_cache",
    "pages in swap cache": "swap_cache",
    "pages swap cached": "swap_cache",
}


class _ZoneParts:
    """What the lines of one zone have told so far."""

    def __init__(self, node: str | None, name: str) -> None:
        self.node = int(node) if node else None
        self.name = name
        self.sizes: dict[str, int] = {}
        self.reserve: tuple[int, ...] = ()
        self.blocks: dict[int, int] = {}
        self.types: dict[int, str] = {}


class MemInfo:
    """Collects the lines of one Mem-Info block; sizes are known once the block is read to its end."""

    def __init__(self) -> None:
        self._counters: dict[str, str] = {}
        self._pages: dict[str, int] = {}
        self._swap: dict[str, int] = {}
        self._area_lines = 0
        self._zones: dict[str, _ZoneParts] = {}
        self._zone: _ZoneParts | None = None
        self._nodes: list[str] = []
        self._zone_lines: list[str] = []
        self._huge: list[str] = []
        self._first_block: int | None = None

    def __bool__(self) -> bool:
        return bool(self._counters or self._pages or self._zones)

    @property
    def page_size(self) -> int | None:
        """The first block of a buddy list; else what makes kB of nodes or zones out of the pages of all."""
        if self._first_block is not None:
            return self._first_block
        pages = int(self._counters.get("active_anon", 0)) + int(self._counters.get("inactive_anon", 0))
        if not pages:
            return None
        sizes = [int(size) for line in self._nodes or self._zone_lines for size in _ANON_SIZE.findall(line)]
        told = sum(sizes) * 1024 / pages
        return next((size for size in PAGE_SIZES if abs(told - size) < size / 20), None)

    def counters(self, text: str) -> bool:
        """Take lines such as `active_anon:1 inactive_anon:2`, in pages."""
        found = _COUNTER.findall(text)
        if not self._zones and len(self._counters) < _MOST:
            self._counters.update(found)
        return bool(found)

    def area(self, text: str) -> bool:
        """Take a line of a node, a zone or a buddy list."""
        self._area_lines += 1
        if self._area_lines > _MOST:
            return False
        name, is_zone, _sizes = text.partition(" free:")
        if is_zone:
            return self._zone_line(name, text)
        if _NODE.match(text):
            self._nodes.append(text)
        elif " hugepages_total=" in text:
            self._huge.append(text)
        else:
            return self._buddy_line(text)
        return True

    def _parts(self, name: str) -> _ZoneParts | None:
        """Return what is known of the zone of that name, such as `Node 0 DMA32`; None where it is no zone's."""
        parts = self._zones.get(name)
        match = _ZONE.fullmatch(name) if parts is None else None
        if match:
            parts = self._zones[name] = _ZoneParts(*match.groups())
        return parts

    def reserve(self, text: str) -> bool:
        """Take `lowmem_reserve[]: 0 1 2` (in pages), which speaks of the zone in the line before."""
        numbers = text.partition(":")[2].split()
        if self._zone is None or not all(map(is_number, numbers)):
            return False
        self._zone.reserve = tuple(map(int, numbers))
        return True

    def pages(self, text: str) -> bool:
        """Take a line such as `262144 pages RAM`."""
        number, _blank, words = text.partition(" ")
        key = _PAGE_LINES.get(words.rstrip())
        if key is None or not is_number(number):
            return False
        self._pages.setdefault(key, int(number))
        return True

    def swap(self, text: str) -> bool:
        """Take `Free swap  = 0kB` or `Total swap = 0kB`."""
        match = _SWAP.match(text)
        if match is None:
            return False
        self._swap.setdefault(match.group(1), int(match.group(2)) * 1024)
        return True

    def _zone_line(self, name: str, text: str) -> bool:
        parts = self._parts(name)
        if parts is None:
            return False
        self._zone = parts
        if not parts.sizes:
            parts.sizes = {_ZONE_FIELDS[name]: int(size) * 1024 for name, size in _ZONE_SIZE.findall(text)}
            self._zone_lines.append(text)
        return True

    def _buddy_line(self, text: str) -> bool:
        name, _colon, rest = text.partition(":")
        # The first block is the page.
        parts = self._parts(name) if _BLOCKS.match(rest) else None
        if parts is None:
            return False
        parts.blocks = blocks = {}
        parts.types = types = {}
        for count, kilobytes, letters in _BLOCKS.findall(rest):
            size = _BLOCK_SIZES.get(kilobytes) or int(kilobytes) * 1024
            blocks[size] = int(count)
            if letters:
                types[size] = letters
        if self._first_block is None:
            self._first_block = next(iter(blocks))
        return True

    def memory(self, page_size: int | None) -> Memory | None:
        """Return the machine's memory; counts of pages are None where the page size is unknown."""
        if not self:
            return None
        size = page_size or 0
        counters = {key: int(pages) * size for key, pages in self._counters.items()} if size else {}
        pages = {key: pages * size for key, pages in self._pages.items()} if size else {}
        # Kernel stacks are on the lines of nodes since 5.9, and on those of zones before.
        stacks = _kernel_stacks(self._nodes) or _kernel_stacks(self._zone_lines)
        huge = [
            (int(total) * int(kilobytes) * 1024, int(free) * int(kilobytes) * 1024)
            for total, free, kilobytes in _HUGE.findall("\n".join(self._huge))
        ]
        slabs = [counters[key] for key in ("slab_reclaimable", "slab_unreclaimable") if key in counters]
        return Memory(
            page_size=page_size,
            ram_bytes=pages.get("ram"),
            reserved_bytes=pages.get("reserved"),
            free_bytes=counters.get("free"),
            page_cache_bytes=pages.get("page_cache"),
            slab_bytes=sum(slabs) if slabs else counters.get("slab"),
            slab_reclaimable_bytes=counters.get("slab_reclaimable"),
            slab_unreclaimable_bytes=counters.get("slab_unreclaimable"),
            shmem_bytes=counters.get("shmem"),
            pagetables_bytes=counters.get("pagetables"),
            kernel_stack_bytes=sum(stacks) if stacks else None,
            huge_pages_bytes=sum(total for total, _free in huge) if huge else None,
            huge_pages_free_bytes=sum(free for _total, free in huge) if huge else None,
            swap_total_bytes=self._swap.get("Total"),
            swap_free_bytes=self._swap.get("Free"),
            swap_cache_bytes=pages.get("swap_cache"),
            counters=counters,
        )

    def zones(self, page_size: int | None) -> tuple[Zone, ...]:
        """Return the zones in the order of the text."""
        return tuple(_zone(parts, page_size or 0) for parts in self._zones.values())


def _kernel_stacks(lines: t.Iterable[str]) -> list[int]:
    sizes = [line.partition(" kernel_stack:")[2].partition("kB")[0] for line in lines]
    return [int(size) * 1024 for size in sizes if is_number(size)]


def _zone(parts: _ZoneParts, page_size: int) -> Zone:
    return Zone(
        node=parts.node,
        zone=parts.name,
        lowmem_reserve_bytes=tuple([pages * page_size for pages in parts.reserve]) if page_size else (),
        free_blocks=parts.blocks,
        block_types=parts.types,
        **parts.sizes,
    )
