# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why an allocation failed: the zones that it could use, and what each of them had for it.

Rules: gfp_zone() in include/linux/gfp.h, __zone_watermark_ok() in mm/page_alloc.c.
"""

from __future__ import annotations

import math
import typing as t

from ..report.model import OomReport, Zone

# From the lowest to the highest: a request may use the zone that its flags name, and those below.
_ZONES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")
_HIGHEST = (
    ("DMA", {"GFP_DMA", "__GFP_DMA"}),
    ("DMA32", {"GFP_DMA32", "__GFP_DMA32"}),
    ("Movable", {"GFP_HIGHUSER_MOVABLE", "GFP_TRANSHUGE", "GFP_TRANSHUGE_LIGHT"}),
    ("HighMem", {"GFP_HIGHUSER", "__GFP_HIGHMEM"}),
)
_MOVABLE = {"GFP_HIGHUSER_MOVABLE", "GFP_TRANSHUGE", "GFP_TRANSHUGE_LIGHT", "__GFP_MOVABLE"}
_PROCESS = {*_MOVABLE, "GFP_HIGHUSER", "GFP_USER", "__GFP_HIGHMEM"}
_NO_DISK = {"GFP_NOFS", "GFP_NOIO"}

# So many times its high watermark a zone has plenty of free memory.
_PLENTY = 4

# Blocks of these migrate types are kept for others: isolated ones, those for urgent requests, and CMA's.
_KEPT = "IH"
_KEPT_FROM_UNMOVABLE = "IHC"


class Supply(t.NamedTuple):
    """What one zone had for the request."""

    zone: Zone
    usable: bool
    """The request's flags, cpuset and memory policy let it use this zone."""
    reserve_bytes: int | None = None
    """What the zone keeps back from a request that could have used a higher zone (`lowmem_reserve`)."""
    margin_bytes: int | None = None
    """What was free beyond the minimum watermark, the reserve and what is kept for others; negative where it fell
    short, and the request was refused."""
    fitting_blocks: int | None = None
    """Free blocks that are large enough, and not kept for others."""
    kept_blocks: int = 0
    """Free blocks that are large enough, but all of migrate types that are kept for others."""
    kept_types: frozenset[str] = frozenset()
    """The letters of these types, where the report prints them."""

    @property
    def is_enough(self) -> bool:
        """Whether there was memory enough for the request, in blocks of whatever size."""
        return self.margin_bytes is not None and self.margin_bytes > 0

    @property
    def could_serve(self) -> bool:
        """Whether the request could have been met with ease; then memory has been freed before the report was made."""
        plenty = _PLENTY * (self.zone.high_bytes or 0)
        return bool(self.is_enough and self.fitting_blocks and plenty and (self.margin_bytes or 0) > plenty)

    @property
    def is_closed_with_plenty(self) -> bool:
        """Whether the zone had plenty of memory, but not for this request."""
        plenty = _PLENTY * (self.zone.high_bytes or 0)
        return bool(not self.usable and plenty and (self.zone.free_bytes or 0) > plenty)


def purpose(flags: t.Collection[str]) -> str:
    """Return in words whom a request was for."""
    if not _PROCESS.isdisjoint(flags):
        return "for a process"
    return "for the kernel" if _NO_DISK.isdisjoint(flags) else "for the kernel, without leave to wait for a disk"


def highest_zone(flags: t.Collection[str]) -> str:
    """Return the highest zone that a request with these flags may use; without flags, the highest there is."""
    if not flags or {"__GFP_HIGHMEM", "__GFP_MOVABLE"}.issubset(flags):
        return "Movable"
    return next((zone for zone, names in _HIGHEST if not names.isdisjoint(flags)), "Normal")


def allowed_nodes(report: OomReport) -> frozenset[int] | None:
    """Return the nodes that a memory policy or a cpuset bound the request to, None where none did."""
    printed = {zone.node for zone in report.zones if zone.node is not None}
    for text in (report.nodemask, report.mems_allowed):
        nodes = _nodes(text)
        if nodes and not printed <= nodes:
            return nodes
    return None


def impossible_zones(report: OomReport) -> tuple[Zone, ...]:
    """Return the zones whose minimum watermark or reserve is more than the memory that there is.

    The kernel works them out for all zones from one count of their pages, which a balloon or hotplug can spoil.
    """
    ram = (report.memory.ram_bytes if report.memory else None) or math.inf
    return tuple(
        zone
        for zone in report.zones
        if (zone.min_bytes or 0) > (zone.present_bytes or ram) or max(zone.lowmem_reserve_bytes, default=0) > ram
    )


def supplies(report: OomReport) -> tuple[Supply, ...]:
    """Return what each zone of a report had for the request that failed; of none is it known with impossible ones."""
    trigger = report.trigger
    if trigger is None or trigger.order is None or trigger.order < 0:
        return tuple(Supply(zone, usable=False) for zone in report.zones)
    flags, nodes = trigger.gfp_flags, allowed_nodes(report)
    names = _ZONES[: _ZONES.index(highest_zone(flags)) + 1]
    # Up to 2.6.18 zones without memory were printed, too.
    zones = [zone for zone in report.zones if zone.zone in names and zone.present_bytes != 0]
    usable = [zone for zone in zones if nodes is None or zone.node in nodes]
    is_told = report.page_size and not impossible_zones(report)
    return tuple(
        _supply(zone, usable, (report.page_size or 0) << trigger.order, movable=not _MOVABLE.isdisjoint(flags))
        if zone in usable and is_told
        else Supply(zone, usable=zone in usable)
        for zone in report.zones
    )


def _supply(zone: Zone, usable: t.Sequence[Zone], size: int, *, movable: bool) -> Supply:
    highest = [other for other in usable if other.node == zone.node][-1]
    reserve = _reserve(zone, highest)
    kept = (zone.reserved_highatomic_bytes or 0) + (0 if movable else zone.free_cma_bytes or 0)
    unfit = _KEPT if movable else _KEPT_FROM_UNMOVABLE
    known = zone.free_bytes is not None and zone.min_bytes is not None
    large = {block: count for block, count in zone.free_blocks.items() if block >= size}
    aside = [block for block in large if zone.block_types.get(block) and not zone.block_types[block].strip(unfit)]
    kept_blocks = sum(large[block] for block in aside)
    return Supply(
        zone,
        usable=True,
        reserve_bytes=reserve,
        margin_bytes=(zone.free_bytes or 0) - (zone.min_bytes or 0) - reserve - kept if known else None,
        fitting_blocks=sum(large.values()) - kept_blocks if zone.free_blocks else None,
        kept_blocks=kept_blocks,
        kept_types=frozenset("".join(zone.block_types[block] for block in aside)),
    )


def _reserve(zone: Zone, highest: Zone) -> int:
    """Return what `zone` keeps back from requests that may use up to `highest`, a zone of the same node.

    `lowmem_reserve` has a number for each kind of zone, of which the report does not show the empty ones. A zone's own
    list is 0 up to its own kind, which tells the place of `highest`; where it is 0 to its end, nothing lies above.
    """
    own, kept = highest.lowmem_reserve_bytes, zone.lowmem_reserve_bytes
    above = next((place for place, pages in enumerate(own) if pages), None)
    return max(kept if above is None else kept[max(above - 1, 0) : above], default=0)


def _nodes(text: str | None) -> frozenset[int]:
    """Return the numbers of a list such as `0-2,4`."""
    nodes: set[int] = set()
    for part in (text or "").split(","):
        first, _dash, last = part.partition("-")
        if first.isdecimal() and (last or first).isdecimal() and len(last or first) <= 4:
            nodes.update(range(int(first[-4:]), int(last or first) + 1))
    return frozenset(nodes)
