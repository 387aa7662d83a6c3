# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work at a constant size, and then use very much at once: spike.py SHAPE SECONDS_BEFORE."""

from __future__ import annotations

import json
import os
import random
import sys
import time
import typing as t
import zlib

MIB = 1024 * 1024

kept: list[t.Any] = []


def fill_buffer() -> None:
    kept.append(b"x" * (512 * MIB))


def inflate() -> None:
    """Inflate a small file that becomes very large."""
    packed = zlib.compressobj(1)
    bomb = b"".join(packed.compress(bytes(MIB)) for _number in range(100)) + packed.flush()
    kept.append(zlib.decompress(bomb))


def load_document() -> None:
    kept.append(json.loads(f"[{'[0],' * 2_000_000}0]"))


def list_numbers() -> None:
    kept.append(list(range(50_000_000)))


def draw_image() -> None:
    kept.append([[[0.5, 0.5, 0.5] for _column in range(4000)] for _row in range(4000)])


def fill_buffer_in_child() -> None:
    child = os.fork()
    if not child:
        fill_buffer()

    os.waitpid(child, 0)


SHAPES: dict[str, t.Callable[[], None]] = {
    "buffer": fill_buffer,
    "inflate": inflate,
    "document": load_document,
    "numbers": list_numbers,
    "image": draw_image,
    "child": fill_buffer_in_child,
}


def work(seconds: float) -> None:
    """Answer small requests for a time."""
    begun = time.monotonic()
    kept.append(b"x" * (4 * MIB))
    while time.monotonic() - begun < seconds:
        answer = b"x" * random.randrange(2 * MIB)
        time.sleep(0.25)
        del answer


def main() -> None:
    shape, before = sys.argv[1:]
    work(float(before))
    SHAPES[shape]()


if __name__ == "__main__":
    main()
