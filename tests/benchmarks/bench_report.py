# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long one OOM report of 160 lines takes to read, what the time goes to, and how long a peer takes.

OOMANALYSER names the file OOMAnalyser.py of https://git.sr.ht/~carstengrohmann/OOMAnalyser, of which nothing is part of
this project; without it there is no comparison. Both then read the same text, turn by turn.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import figures_of
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import incident_of
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

FIXTURES = Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
LINES = 160
ROUNDS = 50

Step = t.Callable[[], object]


def report(name: str) -> list[str]:
    """Return a report of 160 lines: one of the fixtures, with its rows repeated, or left out, until it has them."""
    texts = (FIXTURES / f"{name}.log").read_text(encoding="utf-8").splitlines()
    texts = texts[: next(at for at, text in enumerate(texts) if "Killed process" in text) + 1]
    first = next(at for at, text in enumerate(texts) if "total_vm" in text) + 1
    rows = texts[first:-2]
    return [*texts[:first], *(rows * LINES)[: LINES - first - 2], *texts[-2:]]


def best(steps: t.Mapping[str, Step], seconds: float) -> dict[str, float]:
    """Return the shortest time of many runs of each step, in milliseconds: the others were disturbed.

    The steps take turns, so that what disturbs one disturbs all.
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


def found(messages: t.Iterable[Line]) -> list[OomReport]:
    """Return the reports in `messages`."""
    return [item for item in read_reports(messages) if isinstance(item, OomReport)]


def own_steps() -> dict[str, Step]:
    """Return what it takes to read and explain a report that a kernel wrote."""
    texts = report("bookworm-6.1-global")
    messages = list(read_log(texts))
    without_table = [line for line in messages if not line.text.startswith("[ ")]
    incidents = [incident_of(item) for item in found(messages)]
    return {
        f"messages to report, {len(messages)} lines": lambda: found(messages),
        "the same, and every row of the table": lambda: [list(item.tasks) for item in found(messages)],
        f"the same without the table, {len(without_table)} lines": lambda: found(without_table),
        "report to explanation": lambda: [diagnose(one, figures_of(one)) for one in incidents],
        f"text to messages, {len(texts)} lines": lambda: list(read_log(texts)),
        f"messages alone, {len(messages)} lines": lambda: [Line(*message) for message in messages],
    }


def peer_steps(path: str) -> dict[str, Step]:
    """Return what it takes this project and OOMAnalyser to read the same text, of a kernel that both know."""
    text = "\n".join(report("handmade-rhel7"))
    spec = importlib.util.spec_from_file_location("oomanalyser", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"bench_report: {path} is no Python module.")
    peer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(peer)
    return {
        "OOMAnalyser": lambda: peer.OOMAnalyser(peer.OOMEntity(text)).analyse(),
        "oomguard, the same text": lambda: found(read_log(text.split("\n"))),
        "oomguard, and every row of the table": lambda: [
            list(item.tasks) for item in found(read_log(text.split("\n")))
        ],
    }


def show(times: t.Mapping[str, float]) -> None:
    """Print a line for each step."""
    for title, milliseconds in times.items():
        print(f"{title:<45} {milliseconds:>7.3f} ms", flush=True)


def main() -> None:
    """Measure, and print one line for each step."""
    parser = argparse.ArgumentParser(prog="bench_report", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each step; default: 5")
    seconds = parser.parse_args().seconds
    show(best(own_steps(), seconds))
    path = os.environ.get("OOMANALYSER")
    if path:
        times = best(peer_steps(path), seconds)
        show(times)
        theirs, *ours = times.values()
        print(f"OOMAnalyser takes {' and '.join(f'{theirs / own:.1f}' for own in ours)} times as long", flush=True)


if __name__ == "__main__":
    main()
