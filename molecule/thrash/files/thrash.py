# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leave so little memory to the rest of the host that it thrashes, then take all of it.

Without swap, the kernel can free only pages of files then, the code of all programs among them. Each program reads its
code from the disk again and again, and journald does not answer to its watchdog. This program alone keeps its code in
memory, so it goes on, and ends the thrashing after a while. It takes no more memory than the host has RAM.
"""

import ctypes
import os
import re
import sys
import time

CHUNK = 1 << 20
MCL_CURRENT = 1
LEFT = "MemFree", "Active(file)", "Inactive(file)"


class Memory:
    """What the host has, according to /proc/meminfo, and what this program takes of it."""

    def __init__(self) -> None:
        self._meminfo = os.open("/proc/meminfo", os.O_RDONLY)
        self._taken: list[bytearray] = []

    def read(self, *names: str) -> int:
        """Return the sum of some values, in bytes."""
        text = os.pread(self._meminfo, 8192, 0).decode()
        sizes = dict(re.findall(r"^(\S+): +(\d+) kB", text, re.MULTILINE))
        return sum(int(sizes[name]) * 1024 for name in names)

    def take(self) -> None:
        self._taken.append(bytearray(CHUNK))

    @property
    def taken(self) -> int:
        return len(self._taken) * CHUNK


def main() -> None:
    """Thrash for a number of seconds, with a number of MiB left to the rest of the host."""
    seconds, left = map(int, sys.argv[1:])
    memory = Memory()
    total = memory.read("MemTotal")
    memory.take()
    ctypes.CDLL(None).mlockall(MCL_CURRENT)
    end = time.monotonic() + seconds
    while time.monotonic() < end and memory.taken < total:
        if memory.read(*LEFT) > left << 20:
            memory.take()
        else:
            time.sleep(0.05)

    while memory.taken < total:
        memory.take()


if __name__ == "__main__":
    main()
