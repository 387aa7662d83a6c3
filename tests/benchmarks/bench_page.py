# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the report of a fleet whose hosts have ten OOM kills each: time, memory, and size of the page.

Each size of the fleet is measured in a process of its own. `read` is the time to read and check the records of all
hosts, as the report does; `page` that to render the page from them; `report` that of a whole report without new
records, which reads them once, compares them with the history and renders the page. All are seconds of processor time.
The growth is that of the time per host, compared with the smaller fleet before: 1.0 is linear.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import resource
import subprocess
import sys
import tempfile
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import build_fleet, build_host
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.page import render_page
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.publish import (
    Source,
    publish_report,
    read_published,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import name_file, read_file
from ansible_collections.oomguard.linux.tests.browser.fleets import generate_fleet

EVENTS = 10
MOST_SECONDS = 5.0
MOST_MEMORY = 150 << 20
MOST_BYTES = 5 << 20
MOST_GROWTH = 1.2


class Cost(t.NamedTuple):
    """Seconds of processor time, and bytes."""

    read: float
    page: float
    report: float
    memory: int
    size: int


def measure(folder: pathlib.Path) -> Cost:
    """Return the cost of a report that exists, and has no new records."""

    def load(host: str) -> Record:
        return read_file(folder / "hosts" / name_file(host))

    begun = time.process_time()
    fleet = build_fleet(map(build_host, read_published(folder)))
    read = time.process_time()
    size = sum(len(piece.encode()) for piece in render_page(fleet, load))
    rendered = time.process_time()
    publish_report(folder, Source(), is_anonymous=False)
    reported = time.process_time()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10

    return Cost(read - begun, rendered - read, reported - rendered, memory, size)


def measure_alone(hosts: int, folder: pathlib.Path) -> Cost:
    """Return the cost of a report of that many hosts, measured in a process that does nothing else."""
    publish_report(folder, Source(generate_fleet(hosts, events=EVENTS)), is_anonymous=False)
    argv = [sys.executable, "-m", "bench_page", "--folder", str(folder)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)

    return Cost(*json.loads(done.stdout))


def compare(sizes: list[int]) -> bool:
    """Print the cost of each size of a fleet, and return whether growth and cost are within the limits."""
    print(f"{'hosts':>6} {'read':>8} {'page':>8} {'report':>8} {'MiB':>7} {'page MiB':>9} {'growth':>7}")
    costs: list[Cost] = []
    growths: list[float] = []
    for hosts, fewer in zip(sizes, [sizes[0], *sizes], strict=False):
        with tempfile.TemporaryDirectory() as folder:
            costs.append(measure_alone(hosts, pathlib.Path(folder, "report")))
        before, cost = costs[-2:][0], costs[-1]
        growths.append(cost.report / before.report * fewer / hosts)
        seconds = f"{cost.read:>8.2f} {cost.page:>8.2f} {cost.report:>8.2f}"
        size = f"{cost.memory / 2**20:>7.0f} {cost.size / 2**20:>9.2f}"
        print(f"{hosts:>6} {seconds} {size} {growths[-1]:>7.2f}", flush=True)

    is_small = cost.report <= MOST_SECONDS and cost.memory <= MOST_MEMORY and cost.size <= MOST_BYTES
    return is_small and max(growths) <= MOST_GROWTH


def main() -> int:
    """Measure fleets of several sizes, or with --folder one report. The status is 1 if a limit is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--folder", type=pathlib.Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(measure(arguments.folder)))
        return 0

    return int(not compare(arguments.hosts))


if __name__ == "__main__":
    sys.exit(main())
