# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Damage logs, and check that no kill line in them is lost or counted twice.

As a program, it tries many cases on stretches of the fixtures and of the given logs or folders of logs:

    cd tests/unit/plugins/module_utils/_oom
    PYTHONPATH=$OLDPWD/.collections python -m mutations --cases 1000000 --seed 1 FOLDER

The same seed and the same logs give the same cases. The program stops at the first case that fails and prints its
number. `--first` repeats that case, or continues after it.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import re
import secrets
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log, read_numbered
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_text import LogText
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import Mentions
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import QUOTED, Line, OomReport, Unparsed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage

FIXTURES = Path(__file__).parent / "fixtures"
_CASES_BETWEEN_PRINTS = 10_000

_NUMBER = re.compile(r"\d+")
_KILL = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9 ()_.,+-]{0,63}: )?(?:OOM k|K)illed process (\d+)")


def read_text(path: Path) -> list[str]:
    """Return the lines of a log. Bytes that are not UTF-8 are kept."""
    return path.read_bytes().decode("utf-8", "surrogateescape").split("\n")


def find_problem(texts: t.Sequence[str]) -> str | None:
    """Return a description of the first problem, or None if there is none.

    Each kill line must end in exactly one report or in one unparsed entry. Explaining the reports must not fail.
    """
    _read_file(texts)
    lines = list(read_log(texts))
    found = list(read_reports(lines))
    reports = [item for item in found if isinstance(item, OomReport)]
    unparsed = [item.line for item in found if isinstance(item, Unparsed) and _KILL.match(item.line.text)]
    _explain(reports)

    killed = [victim.pid for report in reports if report.killer == "kernel" for victim in report.victims]
    kernel_lines = [line for line in lines if line.source in (None, "kernel", QUOTED)]
    kills = list(_find_kills(kernel_lines))
    for line, pid in kills:
        if line.source != QUOTED and line not in unparsed and int(pid) not in killed:
            return f"neither a report nor an unparsed entry: {line}"

    sharing = sum("sharing same memory" in line.text for line in kernel_lines)
    if len(killed) + len(unparsed) > len(kills) + sharing:
        return f"{len(kills)} kill lines became {len(killed)} victims and {len(unparsed)} unparsed entries"

    return None


def _read_file(texts: t.Iterable[str]) -> None:
    """Read the lines as those of a file, which can also be records."""
    text = LogText(io.StringIO("\n".join(texts)), Mentions())
    _explain(item for item in read_reports(read_numbered(text.read())) if isinstance(item, OomReport))


def _explain(reports: t.Iterable[OomReport]) -> None:
    incidents = tuple(build_incident(report, log="") for report in reports)
    json.dumps(build_result(Findings(incidents, (), (), Coverage()), tasks="all", top=1))


def _find_kills(lines: t.Iterable[Line]) -> t.Iterator[tuple[Line, str]]:
    """Yield each kill line with the digits of its victim's pid, of which there can be too many for a number."""
    for line in lines:
        match = _KILL.match(line.text)
        if match:
            yield line, match.group(1)


def shuffle(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines in another order."""
    return chance.sample(texts, len(texts))


def interleave(chance: random.Random, texts: t.Sequence[str], others: t.Sequence[str]) -> list[str]:
    """Return the lines of two logs, each log in its order."""
    rest = [list(reversed(texts)), list(reversed(others))]
    turns = chance.sample([0] * len(texts) + [1] * len(others), len(texts) + len(others))
    return [rest[turn].pop() for turn in turns]


def change_bytes(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines with some bytes changed."""
    data = bytearray("\n".join(texts).encode("utf-8", "surrogateescape"))
    for _change in range(chance.randint(1, 20) if data else 0):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return data.decode("utf-8", "surrogateescape").split("\n")


def thin_out(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return some of the lines, some of them twice or truncated."""
    kept = [text for text in texts for _copy in range(chance.choice((0, 1, 1, 1, 1, 1, 2)))]
    return [text[: chance.randrange(len(text) + 1)] if chance.random() < 0.05 else text for text in kept]


def rewrap(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines broken as mail programs and terminals break them."""
    width = chance.randint(20, 100)
    return [text[at : at + width] for text in texts for at in range(0, max(len(text), 1), width)]


def lengthen_number(chance: random.Random, texts: t.Sequence[str], _others: t.Sequence[str]) -> list[str]:
    """Return the lines with one number longer than any that a kernel prints, up to one that Python refuses to parse."""
    if not texts:
        return []

    at = chance.randrange(len(texts))
    digits = str(chance.randint(1, 9)) * chance.choice((19, 20, 21, 310, 4301))
    numbers = list(_NUMBER.finditer(texts[at]))
    if not numbers:
        return list(texts)

    number = chance.choice(numbers)
    changed = f"{texts[at][: number.start()]}{digits}{texts[at][number.end() :]}"
    return [*texts[:at], changed, *texts[at + 1 :]]


MUTATIONS = (shuffle, interleave, change_bytes, thin_out, rewrap, lengthen_number)
NAMES = {mutation.__name__: mutation for mutation in MUTATIONS}


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*", type=Path, help="logs, or folders with files named *.log")
    parser.add_argument("--cases", type=int, default=10_000, help="number of cases (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="default: a random one")
    parser.add_argument("--mutation", choices=sorted(NAMES), help="default: all")
    parser.add_argument("--longest", type=int, default=60, help="lines in a stretch (default: %(default)s)")
    return parser.parse_args()


def read_logs(paths: t.Iterable[Path]) -> list[list[str]]:
    """Return the lines of each log."""
    files = [file for path in paths for file in (sorted(path.glob("*.log")) if path.is_dir() else [path])]
    return [read_text(file) for file in files]


def choose_stretch(chance: random.Random, logs: t.Sequence[list[str]], longest: int) -> list[str]:
    """Return some consecutive lines of a log."""
    log = chance.choice(logs)
    start = chance.randrange(len(log))
    return log[start : start + chance.randint(1, longest)]


def main() -> None:
    """Try the cases in turn. Print the number of cases and the time of the slowest one at intervals."""
    arguments = parse_arguments()
    logs = read_logs([FIXTURES, *arguments.paths])
    slowest = 0.0
    begun = time.monotonic()
    for done in range(1, arguments.cases + 1):
        case = arguments.first + done - 1
        chance = random.Random(f"{arguments.seed} {case}")
        stretches = [choose_stretch(chance, logs, arguments.longest) for _number in range(2)]
        mutation = NAMES.get(arguments.mutation) or chance.choice(MUTATIONS)
        texts = mutation(chance, *stretches)
        started = time.process_time()
        try:
            problem = find_problem(texts)
        except Exception as error:
            error.add_note(f"seed {arguments.seed}, case {case}, {mutation.__name__}")
            raise
        slowest = max(slowest, time.process_time() - started)
        if problem:
            raise SystemExit("\n".join([*texts, f"seed {arguments.seed}, case {case}, {mutation.__name__}: {problem}"]))
        if done % _CASES_BETWEEN_PRINTS == 0 or done == arguments.cases:
            print(
                f"seed {arguments.seed}: {done} cases of {len(logs)} logs in {time.monotonic() - begun:.0f} s, "
                f"the slowest took {slowest:.3f} s of CPU time",
                flush=True,
            )


if __name__ == "__main__":
    main()
