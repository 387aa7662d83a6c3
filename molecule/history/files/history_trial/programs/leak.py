# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Grow until the kernel kills this process: leak.py SHAPE KIB_PER_SECOND SECONDS_BEFORE."""

from __future__ import annotations

import gc
import mmap
import os
import random
import sys
import threading
import time
import typing as t

KIB = 1024
MIB = 1024 * KIB
STEP = 0.25

Keep = t.Callable[[int], None]
kept: list[t.Any] = []
cache: dict[str, str] = {}


class Node:
    """An object that refers to itself, so that only the garbage collector frees it."""

    def __init__(self, size: int) -> None:
        self.text = "x" * size
        self.myself = self


def grow(keep: Keep, rate: int, *, every: float = STEP) -> None:
    """Keep `rate` bytes a second, in steps that are `every` seconds apart."""
    begun = time.monotonic()
    total = 0
    while True:
        time.sleep(every)
        due = int(rate * (time.monotonic() - begun)) - total
        keep(due)
        total += due


def keep_list(size: int) -> None:
    kept.append(b"x" * size)


def keep_shared(size: int) -> None:
    """Keep shared memory, in use to the last page."""
    memory = mmap.mmap(-1, max(size, KIB))
    memory.write(b"x" * len(memory))
    kept.append(memory)


def keep_circle(size: int) -> None:
    Node(size)


def keep_cached(size: int) -> None:
    """Keep small entries of a cache that nothing empties."""
    for _entry in range(size // KIB + 1):
        cache[f"key {len(cache)}"] = f"{len(cache):1000}"


def keep_with_garbage(size: int) -> None:
    """Keep some memory, and use more until there are 5 MiB of garbage."""
    kept.append(b"x" * size)
    garbage.append(b"x" * MIB)
    if len(garbage) == 5:
        garbage.clear()


def keep_with_log(size: int) -> None:
    """Keep some memory, and write a log, which fills the page cache."""
    kept.append(b"x" * size)
    with open(f"/var/tmp/leak.{os.getpid()}.log", "ab") as log:
        log.write(b"x" * (size // 8))


garbage: list[bytes] = []


def serve_requests(rate: int) -> None:
    """Keep something of each request; requests come at random, and differ in size."""
    while True:
        time.sleep(random.expovariate(4))
        keep_list(int(random.expovariate(4 / rate)))


def grow_in_child(rate: int) -> None:
    """Let a child grow, and wait for it."""
    child = os.fork()
    if not child:
        grow(keep_list, rate)

    os.waitpid(child, 0)


def grow_in_threads(rate: int) -> None:
    for _number in range(4):
        threading.Thread(target=grow, args=(keep_list, rate // 4)).start()


def grow_in_circles(rate: int) -> None:
    gc.disable()
    grow(keep_circle, rate)


def grow_in_steps(rate: int) -> None:
    grow(keep_list, rate, every=3)


def grow_with(keep: Keep) -> t.Callable[[int], None]:
    """Return a shape that keeps memory in this way."""
    return lambda rate: grow(keep, rate)


SHAPES: dict[str, t.Callable[[int], None]] = {
    "list": grow_with(keep_list),
    "shared": grow_with(keep_shared),
    "cache": grow_with(keep_cached),
    "garbage": grow_with(keep_with_garbage),
    "log": grow_with(keep_with_log),
    "circles": grow_in_circles,
    "steps": grow_in_steps,
    "requests": serve_requests,
    "child": grow_in_child,
    "threads": grow_in_threads,
}


def main() -> None:
    shape, rate, before = sys.argv[1:]
    time.sleep(float(before))
    SHAPES[shape](int(rate) * KIB)


if __name__ == "__main__":
    main()
