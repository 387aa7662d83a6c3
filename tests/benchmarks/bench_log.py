# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how much time and memory oom_info takes to read a log."""

from __future__ import annotations

import argparse
import itertools
import pathlib
import resource
import subprocess
import sys
import tempfile
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import search_logs
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result

PREFIX = "Nov 23 06:48:46 web1 "
OTHER = PREFIX + "sshd[812]: Accepted publickey for root from 192.0.2.7 port 40022 ssh2\n"
TASKS = 200
REPORT = [
    "worker invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "CPU: 1 PID: 42 Comm: worker Not tainted 6.1.0-13-cloud-amd64 #1 Debian 6.1.55-1",
    "Mem-Info:",
    "Tasks state (memory values in pages):",
    "[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
    *(f"[{pid:7}]     0 {pid:5}   225000    25000    65536     3000             0 worker" for pid in range(TASKS)),
    (
        "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
        "task_memcg=/system.slice/apache2.service,task=worker,pid=42,uid=0"
    ),
    (
        "Out of memory: Killed process 42 (worker) total-vm:900000kB, anon-rss:100000kB, file-rss:4kB, shmem-rss:0kB,"
        " UID:0 pgtables:64kB oom_score_adj:0"
    ),
]
KERNEL_LINES = "".join(f"{PREFIX}kernel: [ 4242.123456] {line}\n" for line in REPORT)


class Case(t.NamedTuple):
    """A log to read: a chunk of text that is repeated."""

    title: str
    chunk: str
    repeat: int


CASES = (
    Case(f"1,000 reports of {TASKS} tasks each", KERNEL_LINES, 1_000),
    Case("1,000,000 lines without any", OTHER * 1_000, 1_000),
    Case("100 reports in 1,000,000 lines", OTHER * 10_000 + KERNEL_LINES, 100),
)


def read_log(path: str) -> None:
    """Read a log as oom_info does; print the number of events, the CPU seconds and the peak memory in MiB."""
    result = build_result(search_logs([path], limit=100), tasks="top", top=10)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(result["summary"]["count"], usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure_log(path: pathlib.Path) -> list[str]:
    """Read a log in a process of its own, and return what `read_log` prints there."""
    command = [sys.executable, "-m", "bench_log", "--read", str(path)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


def main() -> None:
    """Measure each case, or read one log."""
    parser = argparse.ArgumentParser(prog="bench_log", description=__doc__)
    parser.add_argument("--read", metavar="LOG", help="read this log, in this process")
    log = parser.parse_args().read
    if log:
        read_log(log)
        return

    print(f"{'log':<36} {'MB':>6} {'events':>7} {'CPU s':>7} {'peak MiB':>9}")
    with tempfile.TemporaryDirectory(prefix="oomguard-bench-") as folder:
        path = pathlib.Path(folder) / "log"
        for case in CASES:
            with path.open("w") as file:
                file.writelines(itertools.repeat(case.chunk, case.repeat))
            events, seconds, peak = measure_log(path)
            size = path.stat().st_size / 1e6
            print(f"{case.title:<36} {size:>6.1f} {events:>7} {float(seconds):>7.1f} {float(peak):>9.1f}", flush=True)


if __name__ == "__main__":
    main()
