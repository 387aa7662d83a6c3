# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live on a host while its swap is changed: hold memory and check it, or watch the total swap and a web server."""

from __future__ import annotations

import itertools
import json
import os
import pathlib
import select
import sys
import time
import urllib.request
import zlib

BLOCK_BYTES = 1024**2


def report(name: str, **values: object) -> None:
    """Leave `values` in a file, all at once."""
    path = pathlib.Path(f"/run/{name}.json")
    path.with_suffix(".new").write_text(json.dumps(values))
    path.with_suffix(".new").replace(path)


def hold(mebibytes: int) -> None:
    """Hold so much memory, and check one block of it after the other for ever."""
    blocks = []
    for _number in range(mebibytes):
        block = os.urandom(64) * (BLOCK_BYTES // 64)
        blocks.append((block, zlib.crc32(block)))
    broken = 0
    for checked in itertools.count(1):
        block, checksum = blocks[checked % len(blocks)]
        broken += zlib.crc32(block) != checksum
        report("hold", checked=checked, broken=broken, swapped_bytes=swapped())
        time.sleep(0.1)


def swapped() -> int:
    """Return how much of this process is in swap."""
    for line in pathlib.Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmSwap:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no VmSwap")


def watch() -> None:
    """Look at the total swap whenever it changes and 100 times a second, and ask the web server for a page."""
    with open("/proc/swaps") as swaps:
        changed = select.poll()
        changed.register(swaps, select.POLLPRI | select.POLLERR)
        lowest, answered, failed, slowest, last = total(), 0, 0, 0.0, 0.0
        while True:
            changed.poll(10)
            lowest = min(lowest, total())
            if time.monotonic() - last < 1:
                continue
            last = time.monotonic()
            try:
                with urllib.request.urlopen("http://127.0.0.1/", timeout=60) as answer:
                    answered += answer.status == 200
            except OSError:
                failed += 1
            slowest = max(slowest, time.monotonic() - last)
            report("watch", lowest_bytes=lowest, answered=answered, failed=failed, slowest_seconds=slowest)


def total() -> int:
    """Return the bytes of SwapTotal."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("SwapTotal:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no SwapTotal")


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(int(sys.argv[2]))
    else:
        watch()
