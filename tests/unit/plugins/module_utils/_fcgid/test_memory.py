# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many workers fit into the memory of a host."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.memory import Need, Usage, compute_need, find_peak
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.worker import Memory

MIB = 1024**2
MEMINFO = (
    "MemTotal:        1048576 kB\nMemFree:          48000 kB\nSwapTotal:       2097152 kB\nSwapFree:         0 kB\n"
)


def memory(peak: int | None, resident: int | None, swapped: int | None) -> Memory:
    return Memory(uid=33, vm_hwm_bytes=peak, rss_bytes=resident, swap_bytes=swapped, switches=1)


def need(*workers: Memory, max_processes: int = 1000) -> Need:
    return compute_need(Usage(list(map(find_peak, workers)), MEMINFO), max_processes=max_processes)


@pytest.mark.parametrize(
    ("workers", "largest"),
    [
        ([memory(90 * MIB, 10 * MIB, 0), memory(50 * MIB, 50 * MIB, 0)], 90 * MIB),
        ([memory(90 * MIB, 60 * MIB, 40 * MIB)], 100 * MIB),
        ([memory(None, None, None)], 0),
        ([], None),
    ],
    ids=["peak", "with swap", "ending", "none"],
)
def test_worker_counts_with_the_most_that_it_has_held(workers: list[Memory], largest: int | None) -> None:
    assert need(*workers).largest_worker_bytes == largest


def test_memory_of_the_host_is_read() -> None:
    assert (need().ram_bytes, need().swap_bytes) == (1024 * MIB, 2048 * MIB)


@pytest.mark.parametrize(("workers", "needed"), [([memory(3 * MIB, 0, 0)], 3000 * MIB), ([], None)])
def test_each_worker_that_may_run_needs_as_much_as_the_largest(workers: list[Memory], needed: int | None) -> None:
    assert need(*workers).needed_bytes == needed


def test_too_little_memory_is_a_warning_with_the_arithmetic() -> None:
    assert need(memory(45 * MIB, 0, 0), memory(5 * MIB, 0, 0)).warning == (
        "FcgidMaxProcesses is 1000, and the largest running worker (of 2) has held 45.0 MiB. 1000 workers of that"
        " size need 43.9 GiB, but this host has 3.0 GiB of RAM and swap, which is enough for 68."
    )


@pytest.mark.parametrize(
    ("workers", "max_processes"),
    [([memory(3 * MIB, 0, 0)], 1024), ([memory(None, None, None)], 1000), ([], 1000)],
    ids=["just enough", "ending", "none"],
)
def test_enough_memory_is_no_warning(workers: list[Memory], max_processes: int) -> None:
    assert need(*workers, max_processes=max_processes).warning is None
