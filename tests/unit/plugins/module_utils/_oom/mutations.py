# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logs that something has happened to, and the law that must hold for whatever is read from them.

As a program it tries many, on stretches of the fixtures and of the logs or folders of logs that it is given:

    cd tests/unit/plugins/module_utils/_oom
    PYTHONPATH=$OLDPWD/.collections python -m mutations --cases 1000000 --seed 1 FOLDER

The same seed and the same logs are the same cases. It ends at the first case that fails, and says which one it is:
`--first` tries that one again, or goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import secrets
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import QUOTED, OomReport, Unparsed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.search import Coverage

FIXTURES = Path(__file__).parent / "fixtures"
_TOLD_EACH = 10_000

_NUMBER = re.compile(r"\d+")
_KILL = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 ()_.,+-]{0,63}: )?Killed process (\d+)")


def read_text(path: Path) -> list[str]:
    """Return a log's lines; bytes that are no text stay what they are."""
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def broken_law(texts: t.Sequence[str]) -> str | None:
    """Say how a log's kill lines do not each end in exactly one report or one unparsed entry, None where they do.

    All that is found is explained as well, which must not fail.
    """
    lines = list(read_log(texts))
    found = list(read_reports(lines))
    incidents = [build_incident(item, log="") for item in found if isinstance(item, OomReport)]
    json.dumps(build_result(Findings(tuple(incidents), (), (), Coverage()), tasks="all", top=1))
    said = [line for line in lines if line.source in (None, "kernel", QUOTED)]
    kills = [(line, match.group(1)) for line, match in ((line, _KILL.match(line.text)) for line in said) if match]
    reports = [item for item in found if isinstance(item, OomReport) and item.killer == "kernel"]
    killed = [victim.pid for report in reports for victim in report.victims]
    unparsed = [item.line for item in found if isinstance(item, Unparsed) and _KILL.match(item.line.text)]
    for line, pid in kills:
        if line.source != QUOTED and line not in unparsed and int(pid) not in killed:
            return f"neither a report nor an entry: {line}"
    sharing = sum("sharing same memory" in line.text for line in said)
    if len(killed) + len(unparsed) > len(kills) + sharing:
        return f"{len(kills)} kill lines became {len(killed)} victims and {len(unparsed)} entries"
    return None


def shuffled(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines in another order."""
    return chance.sample(texts, len(texts))


def interleaved(chance: random.Random, texts: t.Sequence[str], others: t.Sequence[str]) -> list[str]:
    """Return the lines of two logs, each in its order."""
    rest = [list(reversed(texts)), list(reversed(others))]
    turns = chance.sample([0] * len(texts) + [1] * len(others), len(texts) + len(others))
    return [rest[turn].pop() for turn in turns]


def flipped(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines with some bytes changed."""
    data = bytearray("\n".join(texts).encode("utf-8", "surrogateescape"))
    for _flip in range(chance.randint(1, 20) if data else 0):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return data.decode("utf-8", "surrogateescape").split("\n")


def thinned(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return some of the lines, some of them twice or cut."""
    kept = [text for text in texts for _copy in range(chance.choice((0, 1, 1, 1, 1, 1, 2)))]
    return [text[: chance.randrange(len(text) + 1)] if chance.random() < 0.05 else text for text in kept]


def rewrapped(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines broken as mail programs and terminals do."""
    width = chance.randint(20, 100)
    return [text[at : at + width] for text in texts for at in range(0, max(len(text), 1), width)]


def lengthened(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines with one number made longer than any that a kernel prints, up to what Python refuses to read."""
    at = chance.randrange(len(texts)) if texts else 0
    long = str(chance.randint(1, 9)) * chance.choice((19, 20, 21, 310, 4301))
    numbers = list(_NUMBER.finditer(texts[at])) if texts else []
    chosen = chance.choice(numbers) if numbers else None
    changed = [f"{texts[at][: chosen.start()]}{long}{texts[at][chosen.end() :]}"] if chosen else texts[at : at + 1]
    return [*texts[:at], *changed, *texts[at + 1 :]]


MUTATIONS = (shuffled, interleaved, flipped, thinned, rewrapped, lengthened)


def main() -> None:
    """Try the cases in turn, and say from time to time how many there were and how long the slowest took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="default: another one each time")
    parser.add_argument("--longest", type=int, default=60, help="lines in a stretch")
    arguments = parser.parse_args()
    paths = [FIXTURES, *arguments.paths]
    files = [file for path in paths for file in (sorted(path.glob("*.log")) if path.is_dir() else [path])]
    logs = [read_text(file) for file in files]
    slowest, begun = 0.0, time.monotonic()
    for done in range(1, arguments.cases + 1):
        case = arguments.first + done - 1
        chance = random.Random(f"{arguments.seed} {case}")
        stretches = []
        for log in (chance.choice(logs), chance.choice(logs)):
            start = chance.randrange(len(log))
            stretches.append(log[start : start + chance.randint(1, arguments.longest)])
        mutation = chance.choice(MUTATIONS)
        texts = mutation(chance, *stretches)
        started = time.process_time()
        try:
            problem = broken_law(texts)
        except Exception as error:
            error.add_note(f"seed {arguments.seed}, case {case}, {mutation.__name__}")
            raise
        slowest = max(slowest, time.process_time() - started)
        if problem:
            raise SystemExit("\n".join([*texts, f"seed {arguments.seed}, case {case}, {mutation.__name__}: {problem}"]))
        if done % _TOLD_EACH == 0 or done == arguments.cases:
            print(
                f"seed {arguments.seed}: {done} cases of {len(logs)} logs in {time.monotonic() - begun:.0f} s, "
                f"the slowest {slowest:.3f} s of CPU time",
                flush=True,
            )


if __name__ == "__main__":
    main()
