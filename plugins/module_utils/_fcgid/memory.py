# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much memory mod_fcgid's workers may need, and how much the host has."""

from __future__ import annotations

import dataclasses
import operator
import pathlib
import typing as t

from .._files import read_file
from .._proc import parse_meminfo
from .._size import format_size
from .worker import Memory
from .workers import Workers

_MEMINFO = pathlib.Path("/proc/meminfo")


@dataclasses.dataclass(frozen=True)
class Need:
    """How many workers run, the most that one of them has held, how many may run, and the host's memory."""

    workers: int
    largest_worker_bytes: int | None
    max_processes: int
    ram_bytes: int
    swap_bytes: int

    @property
    def needed_bytes(self) -> int | None:
        """Return how much all workers that may run need if each becomes as large as the largest."""
        if self.largest_worker_bytes is None:
            return None

        return self.largest_worker_bytes * self.max_processes

    @property
    def warning(self) -> str | None:
        """Return the arithmetic in words if the host has too little memory."""
        room = self.ram_bytes + self.swap_bytes
        largest = self.largest_worker_bytes or 0
        needed = largest * self.max_processes
        if needed <= room:
            return None

        return (
            f"FcgidMaxProcesses is {self.max_processes}, and the largest running worker (of {self.workers}) has held"
            f" {format_size(largest)}. {self.max_processes} workers of that size need"
            f" {format_size(needed)}, but this host has {format_size(room)} of RAM and swap, which is enough"
            f" for {room // largest}."
        )


@dataclasses.dataclass(frozen=True)
class Usage:
    """The most that each running worker has held, and the text of /proc/meminfo."""

    peaks: t.Sequence[int]
    meminfo: str


def observe_usage() -> Usage:
    """Return what the workers of all instances of Apache on this host use. Raises WorkerError and FileError."""
    memories = map(operator.attrgetter("memory"), Workers().find_all())
    return Usage(peaks=list(map(find_peak, memories)), meminfo=read_file(_MEMINFO) or "")


def compute_need(usage: Usage, *, max_processes: int) -> Need:
    """Return the need of workers like those that run now. Pure."""
    sizes = parse_meminfo(usage.meminfo)
    return Need(
        workers=len(usage.peaks),
        largest_worker_bytes=max(usage.peaks, default=None),
        max_processes=max_processes,
        ram_bytes=sizes.get("MemTotal", 0),
        swap_bytes=sizes.get("SwapTotal", 0),
    )


def find_peak(memory: Memory) -> int:
    """Return the most that a worker is known to have held, in RAM and swap together."""
    known_sizes = filter(None, (memory.rss_bytes, memory.swap_bytes))
    now = sum(known_sizes)
    return max(memory.peak_bytes, now)
