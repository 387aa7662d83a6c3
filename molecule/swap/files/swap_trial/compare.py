# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a change costs: beside the usual way, and by the size and the filesystem."""

from __future__ import annotations

import os
import subprocess
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._swap import swapfile
from swap_trial.host import GIB, Sampler, change, remove, wanted


def compare(path: str) -> dict[str, t.Any]:
    """Grow from 1 to 2 GiB in our way and in the usual one; return how long each takes, and leaves the host short."""
    ways: dict[str, t.Callable[[], object]] = {
        "ours": lambda: change(wanted(path, 2 * GIB)),
        "usual": lambda: [
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for command in (
                ["swapoff", path],
                ["rm", path],
                ["dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=2048"],
                ["chmod", "600", path],
                ["mkswap", path],
                ["swapon", path],
            )
        ],
    }
    measured = {}
    for name, way in ways.items():
        remove(path)
        change(wanted(path, GIB))
        began = time.monotonic()
        with Sampler() as sampler:
            way()
        measured[name] = {"seconds": time.monotonic() - began, "short_seconds": sampler.short_seconds}
    return measured


def allocate(path: str) -> dict[str, t.Any]:
    """Set room aside for files of several sizes; return the milliseconds for each, the best of five."""
    measured = {}
    for gibibytes in (1, 2, 5, 10):
        seconds = []
        for _attempt in range(5):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            began = time.monotonic()
            swapfile.allocate_blocks(descriptor, gibibytes * GIB, zeros=False)
            os.fsync(descriptor)
            seconds.append(time.monotonic() - began)
            os.close(descriptor)
            os.unlink(path)
        measured[f"{gibibytes} GiB"] = round(min(seconds) * 1000, 1)
    return measured
