# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run on a host while its swap changes: hold memory and check it, or watch the total swap and a web server."""

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

from swap_trial.proc import read_bytes, read_swap_total

BLOCK_BYTES = 1024**2


def write_report(name: str, **values: object) -> None:
    """Write `values` to /run/NAME.json, replacing the whole file at once."""
    path = pathlib.Path(f"/run/{name}.json")
    path.with_suffix(".new").write_text(json.dumps(values))
    path.with_suffix(".new").replace(path)


def hold(mebibytes: int) -> None:
    """Hold so much memory, and check one block after another without end."""
    blocks = []
    for _number in range(mebibytes):
        block = os.urandom(64) * (BLOCK_BYTES // 64)
        blocks.append((block, zlib.crc32(block)))
    broken = 0
    for checked in itertools.count(1):
        block, checksum = blocks[checked % len(blocks)]
        broken += zlib.crc32(block) != checksum
        write_report("hold", checked=checked, broken=broken, swapped_bytes=read_bytes("/proc/self/status", "VmSwap"))
        time.sleep(0.1)


def watch() -> None:
    """Read the total swap on each change and 100 times a second, and request a page of the web server every second."""
    with open("/proc/swaps") as swaps:
        changed = select.poll()
        changed.register(swaps, select.POLLPRI | select.POLLERR)
        lowest = read_swap_total()
        answered = 0
        failed = 0
        slowest = 0.0
        last = 0.0
        while True:
            changed.poll(10)
            lowest = min(lowest, read_swap_total())
            if time.monotonic() - last < 1:
                continue
            last = time.monotonic()
            try:
                with urllib.request.urlopen("http://127.0.0.1/", timeout=60) as answer:
                    answered += answer.status == 200
            except OSError:
                failed += 1
            slowest = max(slowest, time.monotonic() - last)
            write_report("watch", lowest_bytes=lowest, answered=answered, failed=failed, slowest_seconds=slowest)


if __name__ == "__main__":
    if sys.argv[1] == "hold":
        hold(int(sys.argv[2]))
    else:
        watch()
