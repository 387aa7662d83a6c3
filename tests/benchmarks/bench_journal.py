# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long oom_info takes to find every OOM kill in big journals, compared with `cat` and with journalctl.

systemd-journal-remote, which must be installed, makes the journals. They stay in the cache folder, 1.4 GB each.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time
import typing as t

import journals

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.modules.oom_info import ARGUMENT_SPEC, find

PARAMS: dict[str, t.Any] = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
PATTERN = "Kill(ed)? process"
JOURNALCTL = ("journalctl", "--no-pager", "--output=json")
DAY = 86_400


def run_oom_info(folder: pathlib.Path, **window: t.Any) -> dict[str, t.Any]:
    """Return the result of the module for its parameters."""
    params = {**PARAMS, "journal_directory": str(folder), **window}
    return find(params, run)


def make_method(*argv: str) -> t.Callable[[], object]:
    """Return a function that runs a program and drops its output."""
    return lambda: subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def list_methods(folder: pathlib.Path, entries: int, *, naive: bool) -> dict[str, t.Callable[[], object]]:
    """Return the methods to compare: first `cat`, to which the others are compared, then oom_info, then the others."""
    files = [str(path) for path in sorted(folder.glob("*.journal"))]
    kernel = (*JOURNALCTL, f"--directory={folder}", "_TRANSPORT=kernel")
    day_ago = f"@{journals.find_newest_us(entries) // 1_000_000 - DAY}"
    cursor = run_oom_info(folder)["coverage"]["cursor"]
    methods: dict[str, t.Callable[[], object]] = {
        "cat *.journal (REF2)": make_method("cat", *files),
        "oom_info": lambda: run_oom_info(folder),
        "oom_info, history": lambda: run_oom_info(folder, history=True),
        "oom_info, since a day ago": lambda: run_oom_info(folder, since=day_ago),
        "oom_info, after_cursor": lambda: run_oom_info(folder, after_cursor=cursor),
        "journalctl --grep over kernel lines (REF1)": make_method(*kernel, f"--grep={PATTERN}"),
    }
    if naive:
        methods["grep --text over the files"] = make_method("grep", "--text", "-E", PATTERN, *files)
        methods["journalctl over kernel lines, all of them"] = make_method(*kernel)
    return methods


def drop_page_cache(folder: pathlib.Path) -> None:
    """Make the kernel drop the files of a folder from its page cache."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def measure_methods(folder: pathlib.Path, entries: int, options: argparse.Namespace) -> None:
    """Run the methods in turn, and print their times and the ratios to that of `cat`."""
    methods = list_methods(folder, entries, naive=options.naive)
    times: dict[str, list[float]] = {title: [] for title in methods}
    for _round in range(options.rounds):
        for title, method in methods.items():
            if options.cold:
                drop_page_cache(folder)
            begun = time.perf_counter()
            method()
            times[title].append((time.perf_counter() - begun) * 1000)
    cat, *_others = [min(measured) for measured in times.values()]
    for title, measured in times.items():
        best = min(measured)
        print(f"  {title:<44} {best:>9.1f} {statistics.median(measured):>9.1f} {best / cat:>8.3f}", flush=True)


def measure_memory(folder: pathlib.Path) -> str:
    """Search a journal in a process of its own; return the number of events and the peak memory as text."""
    command = [sys.executable, "-m", "bench_journal", "--once", str(folder)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def search_once(folder: pathlib.Path) -> None:
    """Search a journal, and print the number of events and the peak memory."""
    count = run_oom_info(folder)["summary"]["count"]
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"{count} events; peak {own / 1024:.0f} MiB in the module, {child / 1024:.0f} MiB in the largest child")


def measure_journal(kind: str, options: argparse.Namespace) -> None:
    """Make a journal of that kind, and print the measurements on it."""
    folder = journals.find_or_make_journal(kind, options.entries, options.cache)
    gigabytes = sum(path.stat().st_size for path in folder.iterdir()) / 1e9
    title = journals.SHAPES[kind].title
    print(f"{kind}: {title}, {options.entries} entries, {gigabytes:.2f} GB; {measure_memory(folder)}")
    cache = "cold" if options.cold else "warm"
    print(f"  {f'ms, with a {cache} page cache':<44} {'best':>9} {'median':>9} {'to cat':>8}")
    measure_methods(folder, options.entries, options)


def main() -> None:
    """Measure the kinds of journals that the command line names."""
    parser = argparse.ArgumentParser(prog="bench_journal", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=["a", "b", "c", "d"], help="a, b, c, d; default: all")
    parser.add_argument(
        "--entries", type=int, default=2_000_000, help="in a journal, default: %(default)s; 6000000 take 4 GB"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each method runs; default: %(default)s")
    parser.add_argument("--cold", action="store_true", help="drop the files from the page cache before each run")
    parser.add_argument("--naive", action="store_true", help="measure the slow methods too")
    parser.add_argument("--cache", type=pathlib.Path, default=journals.find_cache_folder(), help="default: %(default)s")
    parser.add_argument("--once", metavar="DIR", type=pathlib.Path, help="search one journal, in this process")
    options = parser.parse_args()
    if options.once:
        search_once(options.once)
        return
    if not pathlib.Path(journals.REMOTE).exists():
        print("bench_journal: skipped, because systemd-journal-remote, which makes the journals, is not installed.")
        return

    for kind in options.kinds:
        measure_journal(kind, options)


if __name__ == "__main__":
    main()
