# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer with some workers, and with many more at one time: workers.py KIB SECONDS_BEFORE. They all are of one size."""

from __future__ import annotations

import os
import pathlib
import signal
import sys
import time

KIB = 1024
USUAL = 5
MOST = 60


def start_worker(size: int) -> int:
    """Start a worker that holds so many bytes, and return its process id."""
    child = os.fork()
    if child:
        return child

    pathlib.Path("/proc/self/comm").write_text("worker")
    held = b"x" * size
    time.sleep(100_000 + len(held))
    os._exit(0)


def main() -> None:
    size, before = int(sys.argv[1]) * KIB, float(sys.argv[2])
    for _number in range(USUAL):
        start_worker(size)

    time.sleep(before)
    crowd = [start_worker(size) for _number in range(MOST)]
    time.sleep(3)
    for worker in crowd:
        os.kill(worker, signal.SIGKILL)

    time.sleep(100_000)


if __name__ == "__main__":
    main()
