# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the Mem-Info block of a report: the counters of the host, its zones and their buddy lists.

Formats: show_free_areas() and show_mem() in mm/page_alloc.c, mm/show_mem.c and lib/show_mem.c of Linux 2.6.9 to 6.18.
"""

from __future__ import annotations

import functools
import operator
import re
import typing as t

from .kernel_memory import KernelMemory
from .model import Memory, Zone
from .task_table import is_number

PAGE_SIZES = tuple(4096 << shift for shift in range(7))
"""From 4 KiB to 256 KiB."""

# No kernel has more counters or lines about zones, nor longer lines. Others only look like Mem-Info.
_MAX_LINES = 20_000
_LONGEST_LINE = 2048
_PARTS_OF_ZONE = 8

# The boundary and the limit keep the search linear in a long run of letters.
# A number that journalctl has cut at the width of a terminal is unknown.
_COUNTER = re.compile(r"\b([A-Za-z_]{1,40}):(\d{1,20})(?![\d>\u2026])")
_ZONE = re.compile(r"(?:Node (\d{1,20}) )?([A-Z]\w*)")
_NODE = re.compile(r"Node \d{1,20} active_anon:")
# Searching a pattern is several times as fast if it begins with a plain character.
# So is one with an alternative in place of a repetition.
_BLOCKS = re.compile(r" ([0-9]{1,20})\*([0-9]{1,20})kB(?: \(([A-Z]+)\)|)")
_SWAP = re.compile(r"(Free|Total) swap *[=:] *(\d{1,20})kB")

# The fields that are used. The line of a zone has some 20, and new kernels add more.
_ZONE_FIELDS = {
    name: f"{name}_bytes"
    for name in ("free", "min", "low", "high", "present", "managed", "reserved_highatomic", "free_cma")
}
_SIZES = tuple(_ZONE_FIELDS.values())
_ZONE_SIZE = re.compile(rf" ({'|'.join(_ZONE_FIELDS)}):([0-9]{{1,20}})[kK]B")
_KERNEL_STACK = re.compile(r" kernel_stack:(\d{1,20})kB")
_ANON_SIZE = re.compile(r" (?:in)?active_anon:(\d{1,20})kB")

# Of the size of a block and the letters of its types, which can be missing.
_get_types = operator.itemgetter(1)

_HUGE_PAGES_RESTS = ("hugepages_free=", "hugepages_surp=", "hugepages_size=")
_HUGE_PAGES = re.compile(
    r" hugepages_total=([0-9]{1,20}) hugepages_free=([0-9]{1,20}) hugepages_surp=[0-9]{1,20} "
    r"hugepages_size=([0-9]{1,20})kB"
)
_PAGES = re.compile(r"(\d{1,20}) ([A-Za-z/ ]{1,40}[A-Za-z])")
_SLAB_PARTS = ("slab_reclaimable", "slab_unreclaimable")

_ALWAYS_PRINTED = frozenset(("ram", "reserved"))

# Before Linux 3.9, the present memory lacks the map of pages, which takes less than this share.
_SMALLEST_HOLES = 0.05

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
    "pages hwpoisoned": "hwpoisoned",
}


class _ZoneParts:
    """The facts about one zone, collected line by line."""

    def __init__(self, node: str | None, name: str) -> None:
        self.node = int(node) if node else None
        self.name = name
        self.sizes: dict[str, int] = {}
        self.reserve: tuple[int, ...] = ()
        self.blocks: dict[int, int] = {}
        self.types: dict[int, str] = {}

    @property
    def is_cut(self) -> bool:
        """Return whether the line about sizes or the buddy list is missing. A zone without memory has no list."""
        if not self.sizes:
            return True

        return not self.blocks and self.sizes.get("present_bytes") != 0

    def build_zone(self, page_size: int | None) -> Zone:
        """Return the zone. Without a page size, it has no reserves."""
        reserve: tuple[int, ...] = ()
        if page_size:
            reserve = tuple([pages * page_size for pages in self.reserve])

        # This takes half the time of calling Zone.
        sizes = map(self.sizes.get, _SIZES)
        return Zone._make((self.node, self.name, *sizes, reserve, self.blocks, self.types))


class MemInfo:
    """Collects the lines of one Mem-Info block. The page size, and so most sizes, are known at its end.

    Each `take_*` method takes one line, and returns whether it belongs to the block.
    """

    def __init__(self) -> None:
        self._counters: dict[str, str] = {}
        self._pages: dict[str, int] = {}
        self._swap: dict[str, int] = {}
        self._area_lines = 0
        self._zones: dict[str, _ZoneParts] = {}
        self._zone: _ZoneParts | None = None
        self._nodes: list[str] = []
        self._zone_lines: list[str] = []
        self._huge_totals: list[int] = []
        self._huge_free: list[int] = []
        self._broken_huge_pages = ""
        self._first_block: int | None = None
        self.kernel = KernelMemory()

    def __bool__(self) -> bool:
        return any((self._counters, self._pages, self._zones, self.kernel))

    @property
    def size(self) -> int:
        """Return the number of parts, which says how much memory they take."""
        zones = len(self._zones) + len(self._nodes)

        return zones * _PARTS_OF_ZONE + len(self._counters) + self.kernel.size

    @property
    def is_cut(self) -> bool:
        """Return whether the block lacks parts that every kernel prints.

        These are its counters, its zones, and the numbers of all pages and of the reserved pages.
        """
        has_pages = _ALWAYS_PRINTED.issubset(self._pages)
        if not all((self._counters, self._zones, has_pages)):
            return bool(self)

        return any(parts.is_cut for parts in self._zones.values())

    @property
    def page_size(self) -> int | None:
        """Return the page size: the first block of a buddy list, or the ratio of kB to pages of anonymous memory."""
        if self._first_block is not None:
            return self._first_block

        pages = int(self._counters.get("active_anon", 0)) + int(self._counters.get("inactive_anon", 0))
        if not pages:
            return None

        kilobytes = 0
        for line in self._nodes or self._zone_lines:
            kilobytes += sum(map(int, _ANON_SIZE.findall(line)))

        return _find_nearest_page_size(kilobytes * 1024 / pages)

    def take_counters(self, text: str) -> bool:
        """Take a line such as `active_anon:1 inactive_anon:2`, in pages."""
        found = _COUNTER.findall(text)
        if not self._zones and len(self._counters) < _MAX_LINES:
            self._counters.update(found)

        return bool(found)

    def take_area(self, text: str) -> bool:
        """Take a line of a node, of a zone or of a buddy list."""
        self._area_lines += 1
        if self._area_lines > _MAX_LINES:
            return False

        name, is_zone, _sizes = text.partition(" free:")
        if is_zone:
            return self._take_zone(name, text)

        if " hugepages_total=" in text:
            self._take_huge_pages(text)
            return True

        if _NODE.match(text):
            self._nodes.append(text[:_LONGEST_LINE])
            return True

        return self._take_buddy_list(text)

    def take_reserve(self, text: str) -> bool:
        """Take `lowmem_reserve[]: 0 1 2` (in pages), which is about the zone in the line before."""
        if self._zone is None:
            return False

        numbers = text.partition(":")[2].split()
        if not all(map(is_number, set(numbers))):
            return False

        self._zone.reserve = tuple(map(int, numbers))

        return True

    def take_pages(self, text: str) -> bool:
        """Take a line such as `262144 pages RAM`."""
        match = _PAGES.match(text)
        if match is None:
            return False

        number, words = match.groups()
        key = _PAGE_LINES.get(words)
        if key is None:
            return False

        self._pages.setdefault(key, int(number))

        return True

    def take_swap(self, text: str) -> bool:
        """Take `Free swap  = 0kB` or `Total swap = 0kB`."""
        match = _SWAP.match(text)
        if match is None:
            return False

        self._swap.setdefault(match.group(1), int(match.group(2)) * 1024)

        return True

    def _take_zone(self, name: str, text: str) -> bool:
        parts = self._find_parts(name)
        if parts is None:
            return False

        self._zone = parts
        if not parts.sizes:
            parts.sizes = {_ZONE_FIELDS[field]: int(size) * 1024 for field, size in _ZONE_SIZE.findall(text)}
            self._zone_lines.append(text[:_LONGEST_LINE])

        return True

    def take_rest_of_huge_pages(self, text: str) -> bool:
        """Take the end of a line about huge pages that a mail program broke, and return whether `text` is one."""
        if not text.startswith(_HUGE_PAGES_RESTS):
            return False

        self._take_huge_pages(f"{self._broken_huge_pages} {text}")

        return True

    def _take_huge_pages(self, text: str) -> None:
        """Take the huge pages of one node and size. A line of an unknown format counts for nothing."""
        self._broken_huge_pages = ""
        # Most hosts have none, and then the size does not matter.
        if " hugepages_total=0 " in text:
            self._huge_totals.append(0)
            self._huge_free.append(0)
            return

        found = _HUGE_PAGES.findall(text)
        if not found:
            self._broken_huge_pages = text[:_LONGEST_LINE].rstrip()
        for total, free, kilobytes in found:
            size = int(kilobytes) * 1024
            self._huge_totals.append(int(total) * size)
            self._huge_free.append(int(free) * size)

    def _take_buddy_list(self, text: str) -> bool:
        name, _colon, rest = text.partition(":")
        found = _BLOCKS.findall(rest)
        if not found:
            return False

        parts = self._find_parts(name)
        if parts is None:
            return False

        counts, kilobytes, letters = zip(*found)
        sizes = _parse_sizes(kilobytes)
        parts.blocks = dict(zip(sizes, map(int, counts)))
        parts.types = dict(filter(_get_types, zip(sizes, letters)))

        # The smallest block is one page.
        if self._first_block is None:
            self._first_block = sizes[0]

        return True

    def _find_parts(self, name: str) -> _ZoneParts | None:
        """Return the parts of a zone by its name, such as `Node 0 DMA32`, or None if it is not the name of a zone."""
        parts = self._zones.get(name)
        if parts is not None:
            return parts

        match = _ZONE.fullmatch(name)
        if match is None:
            return None

        parts = _ZoneParts(*match.groups())
        self._zones[name] = parts

        return parts

    def build_memory(self, page_size: int | None) -> Memory | None:
        """Return the memory of the host. Fields that the kernel counts in pages are None without a page size."""
        if not self:
            return None

        counters: dict[str, int] = {}
        pages: dict[str, int] = {}
        if page_size:
            sizes = [count * page_size for count in map(int, self._counters.values())]
            counters = dict(zip(self._counters, sizes))
            pages = {key: count * page_size for key, count in self._pages.items()}

        present = [parts.sizes.get("present_bytes") for parts in self._zones.values()]
        holes = _find_holes(pages, present)
        if holes:
            pages["ram"] -= holes
            pages["reserved"] -= holes

        return Memory(
            page_size=page_size,
            ram_bytes=pages.get("ram"),
            reserved_bytes=pages.get("reserved"),
            holes_bytes=holes,
            free_bytes=counters.get("free"),
            page_cache_bytes=pages.get("page_cache"),
            slab_bytes=_sum_slab(counters),
            slab_reclaimable_bytes=counters.get("slab_reclaimable"),
            slab_unreclaimable_bytes=counters.get("slab_unreclaimable"),
            shmem_bytes=counters.get("shmem"),
            pagetables_bytes=counters.get("pagetables"),
            kernel_stack_bytes=_sum_known(self._find_kernel_stacks()),
            huge_pages_bytes=_sum_known(self._huge_totals),
            huge_pages_free_bytes=_sum_known(self._huge_free),
            swap_total_bytes=self._swap.get("Total"),
            swap_free_bytes=self._swap.get("Free"),
            swap_cache_bytes=pages.get("swap_cache"),
            counters=counters,
            hwpoisoned_bytes=pages.get("hwpoisoned"),
            slabs=self.kernel.list_slabs(),
            allocations=self.kernel.list_allocations(),
        )

    def build_zones(self, page_size: int | None) -> tuple[Zone, ...]:
        """Return the zones in the order of the text."""
        return tuple([parts.build_zone(page_size) for parts in self._zones.values()])

    def _find_kernel_stacks(self) -> list[int]:
        """Return the sizes of the kernel stacks: since Linux 5.9 those of the nodes, before those of the zones."""
        sizes = _parse_kernel_stacks(self._nodes)
        if sizes:
            return sizes

        return _parse_kernel_stacks(self._zone_lines)


@functools.lru_cache(maxsize=8)
def _parse_sizes(kilobytes: tuple[str, ...]) -> tuple[int, ...]:
    """Return the sizes of the blocks of a buddy list in bytes. Most lists have the same ones."""
    return tuple([int(number) * 1024 for number in kilobytes])


def _find_holes(pages: t.Mapping[str, int], present: t.Sequence[int | None]) -> int | None:
    """Return the bytes of the addresses between parts of the RAM, which some kernels count as reserved RAM.

    These kernels count all addresses from the first to the last page. The RAM is what is present in the zones. Return
    None if zones are missing: those of other nodes if the request was bound to some, and those whose lines are lost.
    Then more is absent than the kernel counts as reserved.
    """
    if None in present:
        return None

    ram = pages.get("ram", 0)
    holes = ram - sum(filter(None, present))
    if holes > pages.get("reserved", 0):
        return None

    if holes < ram * _SMALLEST_HOLES:
        return 0

    return holes


def _find_nearest_page_size(ratio: float) -> int | None:
    """Return the page size within 5 % of `ratio`, or None if there is none."""
    for size in PAGE_SIZES:
        if abs(ratio - size) < size / 20:
            return size

    return None


def _parse_kernel_stacks(lines: t.Sequence[str]) -> list[int]:
    kilobytes = _KERNEL_STACK.findall("\n".join(lines))

    return [int(number) * 1024 for number in kilobytes]


def _sum_slab(counters: t.Mapping[str, int]) -> int | None:
    """Return the size of the slab: the sum of its two parts, or the counter of old kernels."""
    parts = [counters[key] for key in _SLAB_PARTS if key in counters]
    if not parts:
        return counters.get("slab")

    return sum(parts)


def _sum_known(sizes: t.Sequence[int]) -> int | None:
    """Return the sum, or None if nothing is known."""
    if not sizes:
        return None

    return sum(sizes)
