# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the tables about the kernel's own memory: slab caches, and allocations by the code that made them.

Formats: dump_unreclaimable_slab() in mm/slab_common.c since Linux 4.15, which the kernel calls if unreclaimable slabs
take more than the memory of processes and files. Memory allocation profiling in mm/show_mem.c since Linux 6.10.
"""

from __future__ import annotations

import re
import typing as t

from .model import Allocation, Slab

SLAB_HEADING = "Unreclaimable slab info:"
ALLOCATION_HEADING = "Memory allocations"

# A kernel has some 300 caches, and one for each cgroup with version 1 of cgroups.
_MAX_ROWS = 2000
_LONGEST_ROW = 400

_COLUMNS = re.compile(r"Name +Used +Total *$")
# The name of a cache can end with the name of a cgroup, which a user chose.
_SLAB = re.compile(r"(\S.{0,255}?) {1,99}(\d{1,20})KB {1,99}(\d{1,20})KB *$")
_ALLOCATION = re.compile(
    r" *(?P<size>\d{1,20}(?:\.\d{1,3})?) ?(?P<unit>[KMGTPE]?)(?:i?B)? +(?P<calls>\d{1,20}) "
    r"(?P<source>\S{1,255}:\d{1,10}) (?:\[(?P<module>[^\]]{1,64})\] )?func:(?P<function>\S{1,255}) *$"
)
_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5, "E": 6}


class KernelMemory:
    """Collects the rows of both tables of one report. Each method returns whether `text` is a line of its table."""

    def __init__(self) -> None:
        self._slabs: list[Slab] = []
        self._allocations: list[Allocation] = []

    def __bool__(self) -> bool:
        return bool(self._slabs or self._allocations)

    @property
    def size(self) -> int:
        """Return the number of rows."""
        return len(self._slabs) + len(self._allocations)

    def take_slab(self, text: str) -> bool:
        """Take a row such as `dentry    12KB   16KB`, or the names of the columns."""
        match = _SLAB.match(text, 0, _LONGEST_ROW)
        if match is None:
            return _COLUMNS.match(text) is not None

        name, used, total = match.groups()
        if len(self._slabs) < _MAX_ROWS:
            self._slabs.append(Slab(name, int(used) * 1024, int(total) * 1024))

        return True

    def take_allocation(self, text: str) -> bool:
        """Take a row such as `1.00 GiB  1024 fs/inode.c:1 [module] func:name`; the size can be a number of bytes."""
        match = _ALLOCATION.match(text)
        if match is None:
            return False

        if len(self._allocations) < _MAX_ROWS:
            self._allocations.append(_build_allocation(match))

        return True

    def list_slabs(self) -> tuple[Slab, ...]:
        """Return the caches, the largest first."""
        # Most reports have none.
        if not self._slabs:
            return ()

        return tuple(sorted(self._slabs, key=lambda slab: -slab.total_bytes))

    def list_allocations(self) -> tuple[Allocation, ...]:
        """Return the allocations, the largest first."""
        if not self._allocations:
            return ()

        return tuple(sorted(self._allocations, key=lambda allocation: -allocation.size_bytes))


def _build_allocation(match: t.Match[str]) -> Allocation:
    size = float(match.group("size")) * 1024 ** _POWERS[match.group("unit")]

    return Allocation(
        function=match.group("function"),
        module=match.group("module"),
        source=match.group("source"),
        size_bytes=int(size),
        calls=int(match.group("calls")),
    )
