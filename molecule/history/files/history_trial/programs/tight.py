# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Use nearly as much as the limit all the time, and at one time a little more: tight.py LIMIT_KIB SECONDS_BEFORE."""

from __future__ import annotations

import pathlib
import random
import sys
import time

KIB = 1024
SHARE = 0.88
WORK_SHARE = 0.06
MORE_SHARE = 0.3


def measure() -> int:
    """Return the memory of this cgroup without its page cache."""
    cgroup = pathlib.Path("/proc/self/cgroup").read_text().strip().partition("::")[2]
    lines = pathlib.Path(f"/sys/fs/cgroup{cgroup}/memory.stat").read_text().splitlines()
    stat = dict(line.split() for line in lines)
    return int(stat["anon"])


def main() -> None:
    limit, before = int(sys.argv[1]) * KIB, float(sys.argv[2])
    begun = time.monotonic()
    kept = [b"x" * int(SHARE * limit - measure())]
    while time.monotonic() - begun < before:
        answer = b"x" * random.randrange(int(WORK_SHARE * limit))
        time.sleep(0.25)
        del answer

    kept.append(b"x" * int(MORE_SHARE * limit))


if __name__ == "__main__":
    main()
