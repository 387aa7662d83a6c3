# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure what a change costs: growth compared with the usual way, and allocation for several sizes."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._swap import swapfile
from swap_trial.host import GIB, Sampler, change_swap, make_wanted, remove_swap


def measure_growth(path: str) -> dict[str, t.Any]:
    """Grow swap from 1 to 2 GiB in our way and in the usual one.

    Return for each how long it takes, and for how long the host has less swap than at the start.
    """
    ways: dict[str, t.Callable[[str], object]] = {"ours": _grow_in_our_way, "usual": _grow_in_usual_way}
    measured = {}
    for name, grow in ways.items():
        remove_swap(path)
        change_swap(make_wanted(path, GIB))
        began = time.monotonic()
        with Sampler() as sampler:
            grow(path)
        measured[name] = {"seconds": time.monotonic() - began, "short_seconds": sampler.short_seconds}
    return measured


def _grow_in_our_way(path: str) -> None:
    change_swap(make_wanted(path, 2 * GIB))


def _grow_in_usual_way(path: str) -> None:
    commands = (
        ["swapoff", path],
        ["rm", path],
        ["dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=2048"],
        ["chmod", "600", path],
        ["mkswap", path],
        ["swapon", path],
    )
    for command in commands:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure_allocation(path: str) -> dict[str, t.Any]:
    """Allocate files of several sizes; return the milliseconds for each, the best of five attempts."""
    measured = {}
    for gibibytes in (1, 2, 5, 10):
        seconds = [_allocate(path, gibibytes * GIB) for _attempt in range(5)]
        measured[f"{gibibytes} GiB"] = round(min(seconds) * 1000, 1)
    return measured


def _allocate(path: str, size: int) -> float:
    """Allocate a file and remove it again; return the seconds that the allocation took."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    began = time.monotonic()
    swapfile.allocate_blocks(descriptor, size, zeros=False)
    os.fsync(descriptor)
    seconds = time.monotonic() - began
    os.close(descriptor)
    os.unlink(path)
    return seconds
