# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of swap that helps against a kill: room for the largest consumer, within limits that no kill can move.

Whoever can fill the memory of a host can cause a kill after each raise. So a kill of a host whose swap was raised and
exhausted again calls for no second raise, and all raises together stay within a fixed total.
"""

from __future__ import annotations

import collections
import typing as t

from ..incident.host_now import HostNow
from ..incident.incident import Incident
from ..report.model import Memory, OomReport
from .breakdown import Breakdown, compute_share
from .consumers import Group
from .figures import Figures
from .unknown import list_known, zero_if_unknown

_GIB = 1024**3
# A leak fills any amount of swap, and a disk takes minutes to take in more than this, while the host is of no use.
MOST_MISSING = 8 * _GIB
# The default of the role swap.
MOST_SWAP = 10 * _GIB
# A host whose swap is larger than this is busy with swapping long before it is used up.
MOST_SWAP_PER_RAM = 10
# The step of sizes below 1 GiB.
_SMALL_STEP = 64 << 20

# The role keeps 256 MiB free by default, and a file takes some space besides its content.
_DISK_RESERVE = 512 << 20

# An upper bound of what the headers of swap areas take of their size.
HEADERS = 1 << 20

# The part of the swap that a raise adds at least. All raises by whole GiB up to MOST_SWAP add more.
_RAISE = 16

# The CPUs take swap slots in batches, so the last of the swap is never used.
SWAP_EXHAUSTED_SHARE = 0.02

# The share of the RAM that memory of processes took if it filled the RAM.
_MANY = 0.25

# The killer, the scope, whether somebody requested the kill, and the order of the request.
_KILL_OF_HOST = ("kernel", "global", False, 0)


class SwapLimits(t.NamedTuple):
    """What limits the swap that a remedy may suggest, besides the report."""

    least_exhausted_bytes: int = 0
    """The least swap that a kill of this host found exhausted, 0 if none did."""
    most_exhausted_bytes: int = 0
    """The most swap that a kill of this host found exhausted, 0 if none did."""
    disk_bytes: int | None = None
    """The total swap that leaves half of the free disk space, None if it is unknown."""
    has_zram: bool = False

    @property
    def was_raise_futile(self) -> bool:
        """Whether the swap was raised between two kills, and was exhausted before and after."""
        return is_raise(self.least_exhausted_bytes, self.most_exhausted_bytes)


UNLIMITED = SwapLimits()


class SwapSize(t.NamedTuple):
    """The total swap at a kill and the total to suggest, 0 for no more swap; `missing_bytes` is the room to add."""

    existing_bytes: int
    missing_bytes: int
    target_bytes: int

    @property
    def room_bytes(self) -> int:
        """The room that the suggested swap adds."""
        return min(self.missing_bytes, self.target_bytes - self.existing_bytes)


def find_swap_limits(incidents: t.Iterable[Incident], host_now: HostNow) -> dict[str | None, SwapLimits]:
    """Return the limits of each host, by the name of the host."""
    exhausted: dict[str | None, list[int]] = collections.defaultdict(list)
    for incident in incidents:
        exhausted[incident.at.hostname] += _find_exhausted_swap(incident.report)

    disk = _compute_disk_limit(host_now)
    has_zram = host_now.zram_bytes > 0
    limits = {}
    for host, sizes in exhausted.items():
        least = min(sizes, default=0)
        most = max(sizes, default=0)
        limits[host] = SwapLimits(least, most, disk, has_zram)

    return limits


def _find_exhausted_swap(report: OomReport) -> t.Iterator[int]:
    """Yield the total swap if the whole host was out of memory, even for a single page, and no swap was free."""
    order = getattr(report.trigger, "order", None)
    kind = (report.killer, report.scope, report.manual, order)
    if kind != _KILL_OF_HOST:
        return

    memory = report.memory or Memory()
    total = memory.swap_total_bytes
    if is_used_up(total, memory.swap_free_bytes):
        yield zero_if_unknown(total)


def is_used_up(total: int | None, free: int | None) -> bool:
    """Return whether it is known that no swap is free; a host without swap has none that is free."""
    if total is None or free is None:
        return False

    unusable = total * SWAP_EXHAUSTED_SHARE
    return free <= unusable


def _compute_disk_limit(host_now: HostNow) -> int | None:
    existing = host_now.swap_total_bytes
    free = host_now.disk_free_bytes
    if existing is None or free is None:
        return None

    available = min(free // 2, free - _DISK_RESERVE)
    return existing + max(available, 0)


def is_raise(before: int, after: int) -> bool:
    """Return whether swap of `after` bytes is so much more than `before` that it could have helped."""
    return after - before >= _compute_smallest_raise(before)


def _compute_smallest_raise(swap: int) -> int:
    return swap // _RAISE + HEADERS


def find_swap_size(figures: Figures, limits: SwapLimits) -> SwapSize | None:
    """Return the swap to suggest, None if swap does not help or if the report does not show enough to size it."""
    memory = figures.memory
    largest = figures.consumers.largest
    if not _are_sizes_known(memory, largest) or not _can_swap(memory, figures.parts):
        return None

    existing = zero_if_unknown(memory.swap_total_bytes)
    missing = _estimate_missing(largest, memory)
    wanted = _round_up(existing + max(missing, _compute_smallest_raise(existing)))
    target = min(wanted, _round_down(_compute_limit(memory, limits)))
    if limits.was_raise_futile or not is_raise(existing, target):
        target = 0

    return SwapSize(existing, missing, target)


def _compute_limit(memory: Memory, limits: SwapLimits) -> int:
    """Return the most swap that may be suggested."""
    ram_limit = zero_if_unknown(memory.ram_bytes) * MOST_SWAP_PER_RAM
    return min([MOST_SWAP, ram_limit, *list_known([limits.disk_bytes])])


def _round_up(size: int) -> int:
    return -(-size // _GIB) * _GIB


def _round_down(size: int) -> int:
    """Return a size in whole GiB, or in small steps if it is below 1 GiB."""
    step = _GIB
    if size < _GIB:
        step = _SMALL_STEP

    return size // step * step


def write_size(size: int) -> str:
    """Return a size for the role swap."""
    if size % _GIB:
        return f"{size >> 20}M"

    return f"{size // _GIB}G"


def _are_sizes_known(memory: Memory, largest: Group[str]) -> bool:
    """Return whether the report shows the numbers that a size of swap is computed from.

    A kernel that cannot swap does not print the size of swap.
    """
    if None in (memory.ram_bytes, memory.swap_total_bytes):
        return False

    _name, tasks, sums = largest

    return not tasks or sums.held_bytes > 0


def _can_swap(memory: Memory, parts: Breakdown | None) -> bool:
    """Return whether memory of processes filled the RAM; the kernel's own memory does not go to swap."""
    if parts is None or parts.anonymous_bytes is None:
        return True

    swappable = parts.anonymous_bytes + zero_if_unknown(parts.shmem_bytes)
    return compute_share(swappable, memory) >= _MANY


def _estimate_missing(largest: Group[str], memory: Memory) -> int:
    """Return how many more bytes the largest consumer gets room for: as much as it held, within bounds.

    A report shows the memory that existed, not the memory that was missing. The estimate is at most the sum of RAM and
    swap: if the table does not list shared pages separately, the processes of one name seem to hold more than that.
    """
    _name, tasks, sums = largest
    if not tasks:
        return _GIB

    existing = zero_if_unknown(memory.ram_bytes) + zero_if_unknown(memory.swap_total_bytes)
    return min(sums.held_bytes, MOST_MISSING, existing)
