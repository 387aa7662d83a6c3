# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use so much memory, and end: job.py SHAPE MIB."""

from __future__ import annotations

import os
import sys
import time
import typing as t
import zlib

MIB = 1024 * 1024


def hold(size: int) -> None:
    """Hold memory for a while."""
    held = b"x" * size
    time.sleep(1)
    del held


def peak(size: int) -> None:
    """Use a part of it, then all of it for a moment, as a large request does."""
    held = b"x" * (size // 3)
    answer = b"x" * (size - len(held))
    del answer
    time.sleep(1)


def inflate(size: int) -> None:
    packed = zlib.compress(bytes(MIB), 1)
    held = [zlib.decompress(packed) for _number in range(size // MIB)]
    time.sleep(1)
    del held


def list_texts(size: int) -> None:
    held = [f"{number:950}" for number in range(size // 1024)]
    time.sleep(1)
    del held


def work_together(size: int) -> None:
    """Let eight workers share the work."""
    workers = [start_worker(size // 8) for _number in range(8)]
    codes = [os.waitpid(worker, 0)[1] for worker in workers]
    if any(codes):
        sys.exit("A worker was killed.")


def start_worker(size: int) -> int:
    child = os.fork()
    if child:
        return child

    hold(size)
    time.sleep(5)
    os._exit(0)


def read_file(size: int) -> None:
    """Hold memory, and read a file of the same size, which fills the page cache."""
    held = b"x" * size
    with open("/var/tmp/job.data", "w+b", buffering=0) as file:
        file.writelines(bytes(MIB) for _number in range(size // MIB))

        file.seek(0)
        while file.read(MIB):
            pass

    os.unlink("/var/tmp/job.data")
    del held


SHAPES: dict[str, t.Callable[[int], None]] = {
    "hold": hold,
    "peak": peak,
    "inflate": inflate,
    "texts": list_texts,
    "workers": work_together,
    "file": read_file,
}


def main() -> None:
    shape, mib = sys.argv[1:]
    SHAPES[shape](int(mib) * MIB)


if __name__ == "__main__":
    main()
