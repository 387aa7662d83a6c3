# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long oom_info takes to find every OOM kill in big journals, beside the disk and beside journalctl.

Needs systemd-journal-remote, which makes the journals; they are kept in the cache folder, 1.4 GB each.
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
from ansible_collections.oomguard.linux.plugins.modules.oom_info import ARGUMENT_SPEC, find, opened

PARAMS: dict[str, t.Any] = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()}
PATTERN = "Kill(ed)? process"
JOURNALCTL = ("journalctl", "--no-pager", "--output=json")
DAY = 86_400


def oom_info(folder: pathlib.Path, **window: t.Any) -> dict[str, t.Any]:
    """Do what the module does, from its parameters to its result."""
    params = {**PARAMS, "journal_directory": str(folder), **window}
    with opened(params) as reader:
        return find(params, run, reader)


def program(*argv: str) -> t.Callable[[], object]:
    """Return a function that runs a program and drops what it prints."""
    return lambda: subprocess.run(argv, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def methods(folder: pathlib.Path, entries: int, *, naive: bool) -> dict[str, t.Callable[[], object]]:
    """Return what is compared: first the measure, `cat`, then oom_info, then the others."""
    files = [str(path) for path in sorted(folder.glob("*.journal"))]
    kernel = (*JOURNALCTL, f"--directory={folder}", "_TRANSPORT=kernel")
    day_ago = f"@{journals.newest_us(entries) // 1_000_000 - DAY}"
    cursor = oom_info(folder)["coverage"]["cursor"]
    found: dict[str, t.Callable[[], object]] = {
        "cat *.journal (REF2)": program("cat", *files),
        "oom_info": lambda: oom_info(folder),
        "oom_info, since a day ago": lambda: oom_info(folder, since=day_ago),
        "oom_info, after_cursor": lambda: oom_info(folder, after_cursor=cursor),
        "journalctl --grep over kernel lines (REF1)": program(*kernel, f"--grep={PATTERN}"),
    }
    if naive:
        found["grep --text over the files"] = program("grep", "--text", "-E", PATTERN, *files)
        found["journalctl over kernel lines, all of them"] = program(*kernel)
    return found


def drop(folder: pathlib.Path) -> None:
    """Have the kernel forget what it holds of the files."""
    for path in folder.iterdir():
        descriptor = os.open(path, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def measure(folder: pathlib.Path, entries: int, options: argparse.Namespace) -> None:
    """Run the methods in turn, and print the times and their ratios to the first."""
    compared = methods(folder, entries, naive=options.naive)
    times: dict[str, list[float]] = {title: [] for title in compared}
    for _round in range(options.rounds):
        for title, method in compared.items():
            if options.cold:
                drop(folder)
            begun = time.perf_counter()
            method()
            times[title].append((time.perf_counter() - begun) * 1000)
    cat = min(next(iter(times.values())))
    for title, taken in times.items():
        print(f"  {title:<44} {min(taken):>9.1f} {statistics.median(taken):>9.1f} {min(taken) / cat:>8.3f}", flush=True)


def peak(folder: pathlib.Path) -> str:
    """Return how many events oom_info finds, in a process of its own, and the most memory it takes, children too."""
    command = [sys.executable, "-m", "bench_journal", "--once", str(folder)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def once(folder: pathlib.Path) -> None:
    """Find the events, and tell how many there are and how much memory that took."""
    count = oom_info(folder)["summary"]["count"]
    own, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(f"{count} events; at most {own / 1024:.0f} MiB in the module, {children / 1024:.0f} MiB in the largest child")


def main() -> None:
    """Make the journals that are asked for, and measure."""
    parser = argparse.ArgumentParser(prog="bench_journal", description=__doc__)
    parser.add_argument("kinds", nargs="*", default=["a", "b", "c", "d"], help="a, b, c, d; default: all")
    parser.add_argument("--entries", type=int, default=2_000_000, help="in a journal; 6000000 take 4 GB")
    parser.add_argument("--rounds", type=int, default=5, help="how often each method runs; default: 5")
    parser.add_argument("--cold", action="store_true", help="have the kernel forget the files before each run")
    parser.add_argument("--naive", action="store_true", help="the slow ways as well")
    parser.add_argument("--cache", type=pathlib.Path, default=journals.cache_folder(), help="default: %(default)s")
    parser.add_argument("--once", metavar="DIR", type=pathlib.Path, help="search one journal, in this process")
    options = parser.parse_args()
    if options.once:
        once(options.once)
        return
    if not pathlib.Path(journals.REMOTE).exists():
        print("bench_journal: skipped: it needs the Debian package systemd-journal-remote, to make journals.")
        return
    for kind in options.kinds:
        folder = journals.journal(kind, options.entries, options.cache)
        size = sum(path.stat().st_size for path in folder.iterdir())
        print(f"{kind}: {journals.SHAPES[kind].title}, {options.entries} entries, {size / 1e9:.2f} GB; {peak(folder)}")
        print(
            f"  {'ms, the cache ' + ('cold' if options.cold else 'warm'):<44} {'best':>9} {'median':>9} {'to cat':>8}"
        )
        measure(folder, options.entries, options)


if __name__ == "__main__":
    main()
