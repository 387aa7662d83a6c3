# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long it takes to read one OOM report of 160 lines, by step, and compare with another program.

The environment variable OOMANALYSER names the file OOMAnalyser.py of https://git.sr.ht/~carstengrohmann/OOMAnalyser,
which is not part of this project. Without it there is no comparison. Both programs read the same text in turn.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import compute_figures
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

FIXTURES = Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
LINES = 160
ROUNDS = 50

Step = t.Callable[[], object]


def make_report(name: str) -> list[str]:
    """Return a report of 160 lines: that of a fixture, whose rows of the task table are repeated or cut."""
    texts = (FIXTURES / f"{name}.log").read_text(encoding="utf-8").splitlines()
    end = find_line(texts, "Killed process") + 1
    first_row = find_line(texts, "total_vm") + 1
    head = texts[:first_row]
    rows = texts[first_row : end - 2]
    tail = texts[end - 2 : end]
    table = (rows * LINES)[: LINES - len(head) - len(tail)]
    return [*head, *table, *tail]


def find_line(texts: list[str], words: str) -> int:
    """Return the position of the first line that contains the words."""
    for at, text in enumerate(texts):
        if words in text:
            return at
    raise ValueError(f"No line of the fixture contains {words!r}.")


def measure_steps(steps: t.Mapping[str, Step], seconds: float) -> dict[str, float]:
    """Return the shortest time of many runs of each step, in milliseconds. Longer times come from disturbances.

    The steps take turns, so that a disturbance affects them all.
    """
    shortest = dict.fromkeys(steps, float("inf"))
    end = time.monotonic() + seconds * len(steps)
    while time.monotonic() < end:
        for title, step in steps.items():
            for _run in range(ROUNDS):
                begun = time.perf_counter()
                step()
                shortest[title] = min(shortest[title], time.perf_counter() - begun)
    return {title: seconds * 1000 for title, seconds in shortest.items()}


def find_reports(messages: t.Iterable[Line]) -> list[OomReport]:
    """Return the reports in `messages`."""
    return [item for item in read_reports(messages) if isinstance(item, OomReport)]


def read_task_tables(messages: t.Iterable[Line]) -> None:
    """Read the reports in `messages` with every row of their task tables, which is otherwise done on demand."""
    for report in find_reports(messages):
        list(report.tasks)


def list_own_steps() -> dict[str, Step]:
    """Return the steps of reading and explaining a real report."""
    texts = make_report("bookworm-6.1-global")
    messages = list(read_log(texts))
    without_table = [line for line in messages if not line.text.startswith("[ ")]
    incidents = [build_incident(report) for report in find_reports(messages)]
    return {
        f"messages to report, {len(messages)} lines": lambda: find_reports(messages),
        "the same, with every row of the table": lambda: read_task_tables(messages),
        f"the same, without the table, {len(without_table)} lines": lambda: find_reports(without_table),
        "report to explanation": lambda: [diagnose(one, compute_figures(one)) for one in incidents],
        f"text to messages, {len(texts)} lines": lambda: list(read_log(texts)),
        f"messages only, {len(messages)} lines": lambda: [Line(*message) for message in messages],
    }


def list_peer_steps(path: str) -> dict[str, Step]:
    """Return the steps of OOMAnalyser and of this project that read the same text, from a kernel that both support."""
    text = "\n".join(make_report("handmade-rhel7"))
    spec = importlib.util.spec_from_file_location("oomanalyser", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"bench_report: {path} is not a Python module.")
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    return {
        "OOMAnalyser": lambda: peer.OOMAnalyser(peer.OOMEntity(text)).analyse(),
        "oomguard, the same text": lambda: find_reports(read_log(text.split("\n"))),
        "oomguard, with every row of the table": lambda: read_task_tables(read_log(text.split("\n"))),
    }


def print_times(times: t.Mapping[str, float]) -> None:
    """Print a line for each step."""
    for title, milliseconds in times.items():
        print(f"{title:<45} {milliseconds:>7.3f} ms", flush=True)


def main() -> None:
    """Measure all steps, and print a line for each."""
    parser = argparse.ArgumentParser(prog="bench_report", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each step; default: 5")
    seconds = parser.parse_args().seconds
    print_times(measure_steps(list_own_steps(), seconds))
    path = os.environ.get("OOMANALYSER")
    if not path:
        return

    times = measure_steps(list_peer_steps(path), seconds)
    print_times(times)
    theirs, *ours = times.values()
    ratios = [f"{theirs / own:.1f}" for own in ours]
    print(f"OOMAnalyser takes {' and '.join(ratios)} times as long", flush=True)


if __name__ == "__main__":
    main()
