# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long one OOM report takes to read, and what the time goes to."""

from __future__ import annotations

import argparse
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report import read_reports
from ansible_collections.oomguard.linux.plugins.module_utils._oom.text_log import read_log

FIXTURES = Path(__file__).parents[1] / "unit/plugins/module_utils/_oom/fixtures"
LINES = 160
HEADING = "[  pid  ]"


def report() -> list[str]:
    """Return a report of 160 lines: one that a kernel wrote, with its rows repeated, or left out, until it has them."""
    texts = (FIXTURES / "bookworm-6.1-global.log").read_text(encoding="utf-8").splitlines()
    texts = texts[: next(at for at, text in enumerate(texts) if "Killed process" in text) + 1]
    first = next(at for at, text in enumerate(texts) if HEADING in text) + 1
    rows = texts[first:-2]
    return [*texts[:first], *(rows * LINES)[: LINES - first - 2], *texts[-2:]]


def best(function: t.Callable[[], object], seconds: float) -> float:
    """Return the shortest time of many runs, in milliseconds: the others were disturbed."""
    shortest, end = float("inf"), time.monotonic() + seconds
    while time.monotonic() < end:
        begun = time.perf_counter()
        function()
        shortest = min(shortest, time.perf_counter() - begun)
    return shortest * 1000


def main() -> None:
    """Measure, and print one line for each step."""
    parser = argparse.ArgumentParser(prog="bench_report", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5, help="for each step; default: 5")
    seconds = parser.parse_args().seconds
    texts = report()
    messages = list(read_log(texts))
    without_table = [line for line in messages if not line.text.startswith("[ ")]
    steps: dict[str, t.Callable[[], object]] = {
        f"messages to report, {len(messages)} lines": lambda: list(read_reports(messages)),
        "the same, and every row of the table": lambda: [
            list(item.tasks) for item in read_reports(messages) if isinstance(item, OomReport)
        ],
        f"the same without the table, {len(without_table)} lines": lambda: list(read_reports(without_table)),
        f"text to messages, {len(texts)} lines": lambda: list(read_log(texts)),
        f"messages alone, {len(messages)} lines": lambda: [Line(*message) for message in messages],
    }
    for title, step in steps.items():
        print(f"{title:<45} {best(step, seconds):>7.3f} ms", flush=True)


if __name__ == "__main__":
    main()
