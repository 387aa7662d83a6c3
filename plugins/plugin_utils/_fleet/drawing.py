# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page draws of one event: bars of memory, the largest processes and the free blocks, in percent. Pure."""

from __future__ import annotations

import bisect
import itertools
import operator
import typing as t

from ...module_utils._oom.explain.unknown import zero_if_unknown
from .parts import get_part, get_rows
from .record import Data

_MOST_PROCESSES = 8
# The parts of the RAM as oom_info returns them, in the order in which they are drawn, with their names on the page.
_PARTS = {
    "anonymous_bytes": "Anonymous",
    "shmem_bytes": "Shared memory",
    "page_cache_bytes": "Page cache",
    "huge_pages_bytes": "Huge pages",
    "page_tables_bytes": "Page tables",
    "kernel_stacks_bytes": "Kernel stacks",
    "slab_unreclaimable_bytes": "Kernel objects",
    "slab_reclaimable_bytes": "Reclaimable objects",
    "unaccounted_bytes": "Unaccounted",
    "reserved_bytes": "Reserved",
    "free_bytes": "Free",
}
_OTHER = "other"
# Parts of fewer percent are drawn as one.
_LEAST_SHARE = 1.0
# The statistics of a cgroup that do not overlap, in cgroup v2 and v1.
_CGROUP_PARTS = (
    ("anonymous", "Anonymous", ("anon", "rss")),
    ("page_cache", "Page cache", ("file", "cache")),
    ("slab_unreclaimable", "Kernel memory", ("kernel",)),
)
_WATERMARKS = ("min_bytes", "low_bytes", "high_bytes")
# A cell of free blocks is the darker, the more percent of the zone's free memory it holds.
_HEAT = (0.0, 10.0, 25.0, 50.0)


class Part(t.NamedTuple):
    """A part of a bar, before it has a place."""

    css: str
    label: str
    size: int | None


class Segment(t.NamedTuple):
    """A part of a bar; `x` and `width` are percent of the bar."""

    css: str
    label: str
    size: int
    x: float
    width: float


class Bar(t.NamedTuple):
    """A bar whose whole width stands for `total` bytes."""

    total: int
    segments: tuple[Segment, ...]


class Process(t.NamedTuple):
    """A row of the task table; the widths are percent of what the largest process held."""

    name: str | None
    pid: int | None
    rss: int | None
    swap: int | None
    rss_width: float
    swap_width: float
    is_victim: bool


class Cell(t.NamedTuple):
    """The free blocks of one size in a zone."""

    number: int | None
    css: str


class Zone(t.NamedTuple):
    """A zone: its free memory among its watermarks in percent of the widest, and its free blocks."""

    name: str
    usable: bool | None
    free: int | None
    least: int | None
    free_width: float
    marks: tuple[float, ...]
    cells: tuple[Cell, ...]


class FreeLists(t.NamedTuple):
    """The free blocks of all zones by size."""

    sizes: tuple[int, ...]
    zones: tuple[Zone, ...]


def draw_ram(event: Data) -> Bar | None:
    """Return the use of the RAM at the time of the kill, None if the report does not show it."""
    memory = get_part(event, "memory")
    sizes = get_part(memory, "breakdown")
    parts = [Part(name.removesuffix("_bytes"), label, sizes.get(name)) for name, label in _PARTS.items()]

    total = memory.get("ram_bytes")
    return _stack(total, _join_small(total, parts))


def draw_swap(event: Data) -> Bar | None:
    """Return the use of the swap, None if there was none or it is not known."""
    memory = get_part(event, "memory")
    parts = [Part("swap", "Used", memory.get("swap_used_bytes")), Part("free", "Free", memory.get("swap_free_bytes"))]

    return _stack(memory.get("swap_total_bytes"), parts)


def draw_limit(event: Data) -> Bar | None:
    """Return what the cgroup that reached its limit used, None if no limit was the reason."""
    limit = get_part(event, "limit")
    usage = limit.get("usage_bytes")
    total = limit.get("limit_bytes")
    if usage is None or total is None:
        return None

    stat = {"kernel": limit.get("kmem_usage_bytes"), **get_part(limit, "stat")}
    parts = []
    left = usage
    for css, label, names in _CGROUP_PARTS:
        known = map(zero_if_unknown, map(stat.get, names))
        size = min(left, max(known))
        left -= size
        parts.append(Part(css, label, size))
    parts.append(Part(_OTHER, "Other", left))

    return _stack(max(usage, total), parts)


def draw_shares(counts: t.Mapping[str, int]) -> Bar:
    """Return numbers by name as a bar; its parts are drawn in the colours of their names."""
    parts = [Part(name, name, number) for name, number in counts.items()]
    total = sum(counts.values())

    return _stack(total, parts) or Bar(0, ())


def list_processes(event: Data) -> tuple[Process, ...]:
    """Return the largest processes, the largest first."""
    victims = frozenset(map(_get_pid, get_rows(event, "victims")))
    rows = get_rows(get_part(event, "tasks"), "rows")[:_MOST_PROCESSES]
    largest = max(map(_sum_held, rows), default=0)

    return tuple([_draw_process(row, largest, is_victim=_get_pid(row) in victims) for row in rows])


def draw_free_lists(event: Data) -> FreeLists | None:
    """Return the free blocks of each zone, None if the report does not show them."""
    zones = get_rows(event, "zones")
    names = itertools.chain.from_iterable([get_part(zone, "free_blocks") for zone in zones])
    sizes = sorted(set(map(int, names)))
    if not sizes:
        return None

    nodes = set(map(operator.methodcaller("get", "node"), zones))
    drawn = [_draw_zone(zone, sizes, has_nodes=len(nodes) > 1) for zone in zones]

    return FreeLists(tuple(sizes), tuple(drawn))


def find_share(part: float | None, whole: float | None) -> float:
    """Return how many percent of the whole a part is, 0 if one of them is not known."""
    if not part or not whole:
        return 0.0

    return round(min(100.0, part * 100 / whole), 2)


def _join_small(total: int | None, parts: t.Iterable[Part]) -> list[Part]:
    """Return the parts with the small ones as one, except for the free memory, which is shown however small it is."""
    large = []
    small = 0
    for part in parts:
        if part.css != "free" and find_share(part.size, total) < _LEAST_SHARE:
            small += zero_if_unknown(part.size)
        else:
            large.append(part)

    large.insert(len(large) - 1, Part(_OTHER, "Other", small))

    return large


def _stack(total: int | None, parts: t.Iterable[Part]) -> Bar | None:
    """Return a bar of parts side by side, None if the total is not known or is 0."""
    if not total:
        return None

    segments = []
    x = 0.0
    for part in parts:
        width = min(find_share(part.size, total), 100 - x)
        if part.size:
            segments.append(Segment(part.css, part.label, part.size, round(x, 2), round(width, 2)))
        x += width

    return Bar(total, tuple(segments))


def _get_pid(row: Data) -> int | None:
    return t.cast("int | None", row.get("pid"))


def _sum_held(row: Data) -> int:
    sizes = map(row.get, ("rss_bytes", "swap_bytes"))
    return sum(map(zero_if_unknown, sizes))


def _draw_process(row: Data, largest: int, *, is_victim: bool) -> Process:
    rss = row.get("rss_bytes")
    swap = row.get("swap_bytes")

    return Process(
        name=row.get("name"),
        pid=_get_pid(row),
        rss=rss,
        swap=swap,
        rss_width=find_share(rss, largest),
        swap_width=find_share(swap, largest),
        is_victim=is_victim,
    )


def _draw_zone(zone: Data, sizes: t.Sequence[int], *, has_nodes: bool) -> Zone:
    name = str(zone.get("zone"))
    if has_nodes:
        name = f"{name} of node {zone.get('node')}"

    free = zone.get("free_bytes")
    marks = list(filter(None, map(zone.get, _WATERMARKS)))
    widest = max([zero_if_unknown(free), *marks])
    blocks = get_part(zone, "free_blocks")

    return Zone(
        name=name,
        usable=zone.get("usable"),
        free=free,
        least=zone.get("min_bytes"),
        free_width=find_share(free, widest),
        marks=tuple([find_share(mark, widest) for mark in marks]),
        cells=tuple([_draw_cell(blocks.get(str(size)), size, free) for size in sizes]),
    )


def _draw_cell(count: int | None, size: int, free: int | None) -> Cell:
    if not count:
        return Cell(count, "h0")

    share = find_share(count * size, free)
    level = bisect.bisect_right(_HEAT, share)

    return Cell(count, f"h{level}")
