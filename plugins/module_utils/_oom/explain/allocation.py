# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an allocation failed: the zones that it could use, and how much memory each of them had for it.

Rules: gfp_zone() in include/linux/gfp.h, __zone_watermark_ok() in mm/page_alloc.c.
"""

from __future__ import annotations

import itertools
import math
import re
import typing as t

from ..report.model import Memory, OomReport, Zone
from .unknown import zero_if_unknown

# From the lowest to the highest: a request may use the zone that its flags name, and those below it.
_ZONES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")
_HIGHEST = (
    ("Movable", {"__GFP_HIGHMEM", "__GFP_MOVABLE"}),
    ("DMA", {"GFP_DMA"}),
    ("DMA", {"__GFP_DMA"}),
    ("DMA32", {"GFP_DMA32"}),
    ("DMA32", {"__GFP_DMA32"}),
    ("Movable", {"GFP_HIGHUSER_MOVABLE"}),
    ("Movable", {"GFP_TRANSHUGE"}),
    ("Movable", {"GFP_TRANSHUGE_LIGHT"}),
    ("HighMem", {"GFP_HIGHUSER"}),
    ("HighMem", {"__GFP_HIGHMEM"}),
)
_MOVABLE = {"GFP_HIGHUSER_MOVABLE", "GFP_TRANSHUGE", "GFP_TRANSHUGE_LIGHT", "__GFP_MOVABLE"}
_PROCESS = {*_MOVABLE, "GFP_HIGHUSER", "GFP_USER", "__GFP_HIGHMEM"}
_NO_DISK = {"GFP_NOFS", "GFP_NOIO"}

# A zone has plenty of free memory if it has this many times its high watermark.
_PLENTY = 4

# The kernel keeps blocks of these migrate types for other requests: isolated blocks, blocks for urgent requests, CMA.
_KEPT = "IH"
_KEPT_FROM_UNMOVABLE = "IHC"
# A report that prints no types shows no block that is kept.
_ORDINARY = "U"

_RANGE_OF_NODES = re.compile(r"(\d{1,4})(?:-(\d{1,4})?)?")


class Supply(t.NamedTuple):
    """The memory that one zone had for the request."""

    zone: Zone
    usable: bool
    """The request's flags, cpuset and memory policy let it use this zone."""
    has_other_nodes: bool = False
    """The report also shows zones of other nodes."""
    reserve_bytes: int | None = None
    """How much the zone keeps back from a request that could have used a higher zone (`lowmem_reserve`)."""
    margin_bytes: int | None = None
    """Free memory beyond the minimum watermark, the reserve and the memory kept for other requests.

    If it is negative, the zone was short by that much and the kernel refused the request.
    """
    fitting_blocks: int | None = None
    """The number of free blocks that are large enough and not kept for other requests."""
    kept_blocks: int = 0
    """The number of free blocks that are large enough, but all of whose migrate types are kept for other requests."""
    kept_types: frozenset[str] = frozenset()
    """The letters of these migrate types, if the report prints them."""

    @property
    def name(self) -> str:
        """The zone in words, with its node if there are several."""
        if not self.has_other_nodes:
            return self.zone.zone

        return f"{self.zone.zone} of node {self.zone.node}"

    @property
    def is_enough(self) -> bool:
        """Whether the zone had enough memory for the request, in blocks of any size."""
        return zero_if_unknown(self.margin_bytes) > 0

    @property
    def can_serve(self) -> bool:
        """Whether the zone has plenty of memory for the request, in blocks that are large enough."""
        if not self.fitting_blocks:
            return False

        return self._is_plenty(self.margin_bytes)

    @property
    def is_closed_with_plenty(self) -> bool:
        """Whether the zone had plenty of memory, but the request could not use the zone."""
        if self.usable:
            return False

        return self._is_plenty(self.zone.free_bytes)

    def _is_plenty(self, size: int | None) -> bool:
        plenty = _PLENTY * zero_if_unknown(self.zone.high_bytes)
        return 0 < plenty < zero_if_unknown(size)


def describe_purpose(flags: t.Collection[str]) -> str:
    """Return in words what a request with these flags was for."""
    if not flags:
        return "for an unknown purpose"

    if not _PROCESS.isdisjoint(flags):
        return "for a process"

    if not _NO_DISK.isdisjoint(flags):
        return "for the kernel, without permission to wait for a disk"

    return "for the kernel"


def find_highest_zone(flags: t.Collection[str]) -> str:
    """Return the highest zone that a request with these flags may use; without flags, the highest of all."""
    if not flags:
        return "Movable"

    for zone, names in _HIGHEST:
        if names.issubset(flags):
            return zone

    return "Normal"


class Request(t.NamedTuple):
    """The allocation that failed."""

    requester: str = ""
    """The name of the process that made the request, empty if it is unknown."""
    flags: tuple[str, ...] = ()
    order: int = -1
    """The request was for 2 to the power of `order` pages. It is unknown if this is -1."""
    size: int = 0
    """The size in bytes, 0 if the request or the size of a page is unknown."""

    @property
    def is_known(self) -> bool:
        return self.order >= 0

    @property
    def is_movable(self) -> bool:
        """Whether the kernel can move the memory later, so that it can serve the request from CMA."""
        return not _MOVABLE.isdisjoint(self.flags)


def find_request(report: OomReport) -> Request:
    """Return the allocation that failed, an unknown one if the report shows none or if somebody asked for the kill."""
    trigger = report.trigger
    if trigger is None or trigger.order is None or trigger.order < 0:
        return Request()

    return Request(
        requester=trigger.name,
        flags=trigger.gfp_flags,
        order=trigger.order,
        size=zero_if_unknown(report.page_size) << trigger.order,
    )


def find_allowed_nodes(report: OomReport) -> frozenset[int] | None:
    """Return the nodes that a memory policy or a cpuset bound the request to, None if neither did."""
    printed = _list_nodes(report) - {None}
    for text in (report.nodemask, report.mems_allowed):
        nodes = _parse_nodes(text)
        if nodes and not printed <= nodes:
            return nodes

    return None


def _list_nodes(report: OomReport) -> set[int | None]:
    return {zone.node for zone in report.zones}


def find_impossible_zones(report: OomReport) -> tuple[Zone, ...]:
    """Return the zones whose minimum watermark or reserve exceeds the memory that exists.

    The kernel computes them for all zones from one count of their pages, which a balloon or hotplug can spoil.
    """
    memory = report.memory or Memory()
    ram = memory.ram_bytes or math.inf

    return tuple(zone for zone in report.zones if _is_impossible(zone, ram))


def _is_impossible(zone: Zone, ram_bytes: float) -> bool:
    present = zone.present_bytes or ram_bytes
    if zero_if_unknown(zone.min_bytes) > present:
        return True

    return max(zone.lowmem_reserve_bytes, default=0) > ram_bytes


def compute_supplies(report: OomReport) -> tuple[Supply, ...]:
    """Return the memory that each zone of a report had for the failed request.

    If one zone has impossible watermarks, no margin is known for any zone.
    """
    return tuple(_weigh_zones(report))


def can_serve(supplies: t.Iterable[Supply]) -> bool:
    """Return whether a zone can easily serve the request.

    In that case, memory was freed between the failed allocation and the report.
    """
    return any(supply.can_serve for supply in supplies)


def _weigh_zones(report: OomReport) -> t.Iterator[Supply]:
    request = find_request(report)
    usable = list(_find_usable_zones(report, request))
    can_measure = request.size > 0 and not find_impossible_zones(report)
    highest_by_node = {zone.node: zone for zone in usable}
    has_other_nodes = len(_list_nodes(report)) > 1
    for zone in report.zones:
        supply = Supply(zone, usable=zone in usable, has_other_nodes=has_other_nodes)
        if supply.usable and can_measure:
            highest = highest_by_node[zone.node]
            supply = _measure_supply(supply, highest, request)

        yield supply


def _find_usable_zones(report: OomReport, request: Request) -> t.Iterator[Zone]:
    """Yield the zones that the failed request could use, the lowest of each node first."""
    if not request.is_known:
        return

    highest = find_highest_zone(request.flags)
    names = _ZONES[: _ZONES.index(highest) + 1]
    nodes = find_allowed_nodes(report)
    for zone in report.zones:
        # Kernels up to 2.6.18 also print zones without memory.
        if zone.zone not in names or zone.present_bytes == 0:
            continue

        if nodes is None or zone.node in nodes:
            yield zone


def _measure_supply(supply: Supply, highest: Zone, request: Request) -> Supply:
    """Return the supply of a usable zone with the memory that the zone had for the request.

    `highest` is the highest zone of the same node that the request could use.
    """
    zone = supply.zone
    reserve = _find_reserve(zone, highest)
    kept_bytes = zero_if_unknown(zone.reserved_highatomic_bytes)
    kept_types = _KEPT
    if not request.is_movable:
        kept_bytes += zero_if_unknown(zone.free_cma_bytes)
        kept_types = _KEPT_FROM_UNMOVABLE

    supply = supply._replace(
        reserve_bytes=reserve,
        margin_bytes=_compute_margin(zone, reserve + kept_bytes),
    )
    if not zone.free_blocks:
        return supply

    return _count_blocks(supply, request.size, kept_types)


def _count_blocks(supply: Supply, size: int, kept_types: str) -> Supply:
    """Return the supply with the free blocks of `size` bytes or more, and those of them that are kept for others."""
    zone = supply.zone
    fitting_blocks = 0
    kept_blocks = 0
    types_found: set[str] = set()
    for block, count in zone.free_blocks.items():
        if block < size:
            continue

        types = zone.block_types.get(block, _ORDINARY)
        other_types = types.strip(kept_types)
        if other_types:
            fitting_blocks += count
        else:
            kept_blocks += count
            types_found.update(types)

    return supply._replace(
        fitting_blocks=fitting_blocks,
        kept_blocks=kept_blocks,
        kept_types=frozenset(types_found),
    )


def _compute_margin(zone: Zone, kept: int) -> int | None:
    """Return the free memory beyond the minimum watermark and `kept`, which is kept for other requests."""
    if zone.free_bytes is None or zone.min_bytes is None:
        return None

    return zone.free_bytes - zone.min_bytes - kept


def _find_reserve(zone: Zone, highest: Zone) -> int:
    """Return how much `zone` keeps back from requests that may use up to `highest`, a zone of the same node.

    `lowmem_reserve` has a number for each kind of zone, but the report does not show the empty zones. A zone's own list
    is 0 up to its own kind, which gives the place of `highest`. If that list is 0 to its end, no zone lies above.
    """
    reserves = zone.lowmem_reserve_bytes
    for above, own_reserve in enumerate(highest.lowmem_reserve_bytes):
        if own_reserve:
            place = max(above - 1, 0)
            return max(reserves[place:above], default=0)

    return max(reserves, default=0)


def _parse_nodes(text: str | None) -> frozenset[int]:
    """Return the numbers in a list such as `0-2,4`."""
    if text is None:
        return frozenset()

    ranges = map(_parse_range, text.split(","))
    return frozenset(itertools.chain.from_iterable(ranges))


def _parse_range(text: str) -> range:
    """Return the numbers in a range such as `0-2`, or the one in `4`; none if it is garbled."""
    match = _RANGE_OF_NODES.fullmatch(text)
    if match is None:
        return range(0)

    first = int(match[1])
    last = int(match[2] or first)
    return range(first, last + 1)
