# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long it takes to find and inspect many workers. They are real processes with real sockets."""

from __future__ import annotations

import argparse
import contextlib
import os
import pathlib
import socket
import subprocess
import tempfile
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.result import describe_workers
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.status_fetch import StatusPage
from ansible_collections.oomguard.linux.plugins.module_utils._fcgid.workers import Workers
from ansible_collections.oomguard.linux.plugins.module_utils._safe import neutralise_all


@contextlib.contextmanager
def start_workers(count: int) -> t.Iterator[list[subprocess.Popen[bytes]]]:
    """Start processes as mod_fcgid does, each with a listening socket as standard input. Kill them at the end."""
    processes: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            for number in range(count):
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(str(pathlib.Path(folder) / f"{os.getpid()}.{number}"))
                    listener.listen()
                    processes.append(subprocess.Popen(["sleep", "600"], stdin=listener.fileno()))
            yield processes
        finally:
            for process in processes:
                process.kill()
                process.wait()


def measure(function: t.Callable[[], object], rounds: int) -> str:
    """Return the shortest elapsed time and the shortest processor time of several runs as text, in milliseconds."""
    elapsed = []
    processor = []
    for _round in range(rounds):
        begun = time.perf_counter()
        processor_begun = time.process_time()
        function()
        elapsed.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - processor_begun) * 1000)
    return f"{min(elapsed):>7.1f} ms, {min(processor):>7.1f} ms of processor time"


def main() -> None:
    """Measure all steps, and print a line for each."""
    parser = argparse.ArgumentParser(prog="bench_workers", description=__doc__)
    parser.add_argument("--workers", type=int, default=500, help="default: 500")
    parser.add_argument("--rounds", type=int, default=30, help="default: 30")
    options = parser.parse_args()
    with start_workers(options.workers) as processes:
        # The parent of these workers is this program, not Apache.
        workers = Workers(apache=lambda _exe: True)
        found = workers.find_all()
        others = sum(name.isdecimal() for name in os.listdir("/proc")) - len(processes)
        print(f"{len(found)} of {len(processes)} workers found among {others} other processes")
        no_page = StatusPage({})
        steps: dict[str, t.Callable[[], object]] = {
            "one pass over all workers": workers.find_all,
            "the same, with the proportional set size": lambda: workers.find_all(pss=True),
            "result of the module for all workers": lambda: neutralise_all(
                describe_workers(found, no_page, scripts=None)
            ),
            "one worker once more": lambda: workers.find_again(found[0]),
        }
        for title, step in steps.items():
            print(f"{title:<40} {measure(step, options.rounds)}", flush=True)


if __name__ == "__main__":
    main()
