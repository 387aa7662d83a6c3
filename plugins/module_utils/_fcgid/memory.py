# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What mod_fcgid's workers may come to need, and what the host has. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .._proc import parse_meminfo
from .._size import format_size
from .worker import Memory


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
        """Return what all workers that may run need, if each becomes as large as the largest."""
        return None if self.largest_worker_bytes is None else self.largest_worker_bytes * self.max_processes

    @property
    def warning(self) -> str | None:
        """Return the arithmetic in words where the host has too little."""
        room = self.ram_bytes + self.swap_bytes
        if not self.largest_worker_bytes or self.largest_worker_bytes * self.max_processes <= room:
            return None
        return (
            f"FcgidMaxProcesses is {self.max_processes}, and the largest worker of the {self.workers} that run has held"
            f" {format_size(self.largest_worker_bytes)}: {self.max_processes} of these need"
            f" {format_size(self.largest_worker_bytes * self.max_processes)}, and RAM and swap of this host are"
            f" {format_size(room)}, enough for {room // self.largest_worker_bytes}."
        )


def need_of(workers: t.Sequence[Memory], *, max_processes: int, meminfo: str) -> Need:
    """Return the need of workers with this memory, on a host with this text of /proc/meminfo."""
    peaks = [max(memory.vm_hwm_bytes or 0, (memory.rss_bytes or 0) + (memory.swap_bytes or 0)) for memory in workers]
    sizes = parse_meminfo(meminfo)
    return Need(
        workers=len(peaks),
        largest_worker_bytes=max(peaks, default=None),
        max_processes=max_processes,
        ram_bytes=sizes.get("MemTotal", 0),
        swap_bytes=sizes.get("SwapTotal", 0),
    )
