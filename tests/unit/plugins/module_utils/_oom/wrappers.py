# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wrap known reports in forms composed at random, and check that what is read of them is right, or said to be lost.

As a program, it tries many cases:

    cd tests/unit/plugins/module_utils/_oom
    PYTHONPATH=$OLDPWD/.collections python -m wrappers --cases 20000 --seed 1

The same seed gives the same cases. The program stops at the first case that fails and prints its number; `--first`
repeats that case, or continues after it.
"""

from __future__ import annotations

import argparse
import csv
import functools
import html
import io
import json
import quopri
import random
import re
import secrets
import tempfile
import textwrap
import time
import typing as t
from pathlib import Path

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_logs import LogFile
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import OomReport, Victim

FIXTURES = Path(__file__).parent / "fixtures"
_UPTIME = re.compile(r"\A(?:\S.{0,60}? kernel: )?(?:\[ *\d+\.\d+\] (?:\[ *[TC]\d+\] )?)?")
_CASES_BETWEEN_PRINTS = 1000
_NOISE = "abcxyzKILOR 0123456789.:;,/|<>[](){}#*%&$!?\"'`~^_+=-\t\\é"
_EXACT = ("total_vm_bytes", "anon_rss_bytes")

Lines = list[str]
Chance = random.Random

# `{n}` is the number of a line, `{noise}` a text that stays the same in one log.
INNER = (
    "",
    "[ 1187.{n:06}] ",
    "[ 1187.{n:06}][  T812] ",
    "<4>[ 1187.{n:06}] ",
    "4,{n},1187{n:06},-;",
    "kern  :err   : [Sat Jul 15 23:44:32 2023] ",
    "[Sat Jul 15 23:44:32 2023] ",
    "Jul 15 23:44:32 web1 kernel: ",
    "Jul 15 23:44:32 web1 kernel: [ 1187.{n:06}] ",
    "Jul 15 23:44:32 web1 kernel: ",
    "2023-07-15T23:44:32.{n:06}+00:00 web1 kernel: ",
    "2023-07-15T23:44:32.{n:06}Z web1 kernel: [ 1187.{n:06}] ",
    "<4>1 2023-07-15T23:44:32Z web1 kernel - - - ",
    "Jul 15 23:44:32 ",
    "2023-07-15 23:44:32.{n:03} ",
    "15.07.2023 23:44:32 web1 kernel: ",
    "1689432272.{n:06} web1 kernel: ",
    "[ 1187.{n:06}] web1 kernel: ",
    "{noise}",
)
OUTER = (
    "",
    "",
    "",
    "{n:6} ",
    "{n:6}\t",
    "{n}:",
    "{n}: ",
    "/var/log/kern.log:",
    "kern.log-{n}-",
    "node12: ",
    "web-1  | ",
    "[pod/kmsg/reader] ",
    "2023-07-15T23:44:33.{n:09}Z stdout F ",
    "2023-07-15T23:44:33.{n:06}Z ",
    "[2023-07-15 23:44:33] ",
    "> ",
    "  ",
    "\t",
    "| ",
    "- ",
    "+",
    "* ",
    "{noise}",
    "ts=2023-07-15T23:44:33Z level=warn msg=",
    "host=web1 ",
    "{n},",
    "\x1b[32m",
)
SUFFIXES = ("", "", "", "", " ", "\r", "$", "</li>", "<br>", "|", "\x1b[0m", "   <---", ",", " \\", "{noise}")


def make_noise(chance: Chance, most: int) -> str:
    return "".join(chance.choices(_NOISE, k=chance.randrange(most)))


def format_all(template: str, noise: str, lines: Lines) -> Lines:
    """Return the texts of a template for each line."""
    return [
        template.replace("{noise}", noise) if "{noise}" in template else template.format(n=n)
        for n, _line in number(lines)
    ]


def number(lines: Lines) -> t.Iterable[tuple[int, str]]:
    return enumerate(lines, start=1)


def add_prefix(chance: Chance, lines: Lines, templates: t.Sequence[str]) -> Lines:
    prefixes = format_all(chance.choice(templates), make_noise(chance, 30), lines)
    return [prefix + line for prefix, line in zip(prefixes, lines, strict=True)]


def add_suffix(chance: Chance, lines: Lines) -> Lines:
    suffixes = format_all(chance.choice(SUFFIXES), make_noise(chance, 15), lines)
    return [line + suffix for suffix, line in zip(suffixes, lines, strict=True)]


def redact(chance: Chance, lines: Lines) -> Lines:
    """Hide the name of the host."""
    mask = chance.choice(("***", "<host>", "[host]", "xxx", "REDACTED", "*", "web1.x.y", "10.0.0.1"))
    return [line.replace("web1", mask) for line in lines]


def use_other_blanks(chance: Chance, lines: Lines) -> Lines:
    blank = chance.choice(("\xa0", "\t"))
    count = chance.choice((1, 2, 3, 100))
    return [line.replace(" ", blank, count) for line in lines]


def escape_html(_chance: Chance, lines: Lines) -> Lines:
    return [html.escape(line) for line in lines]


def quote(chance: Chance, lines: Lines) -> Lines:
    mark = chance.choice(('"', "'", "`", "**"))
    after = chance.choice(("", "", ","))
    return [f"{mark}{line}{mark}{after}" for line in lines]


def quote_in_json(_chance: Chance, lines: Lines) -> Lines:
    return [json.dumps(line) for line in lines]


def annotate(chance: Chance, lines: Lines) -> Lines:
    """Put a text before one line, or before each line about a kill."""
    note = chance.choice(("--> ", "Here: ", ">>> ", "!! ", "see "))
    words = chance.choice((("invoked oom-killer",), ("Killed process",), ("invoked oom-killer", "Killed process")))
    return [f"{note}{line}" if any(word in line for word in words) else line for line in lines]


def keep(_chance: Chance, lines: Lines) -> Lines:
    return lines


CHANGES = (keep, keep, keep, keep, redact, redact, use_other_blanks, escape_html, quote, quote_in_json, annotate)


def as_lines(_chance: Chance, lines: Lines) -> str:
    return "".join(f"{line}\n" for line in lines)


def as_records(chance: Chance, lines: Lines) -> str:
    """Return one document of JSON for each line, in which the message can be in an inner object."""
    name = chance.choice(("MESSAGE", "message", "log", "msg", "textPayload", "line", "kmsg", "Body"))
    indent = chance.choice((None, None, None, 2))
    depth = chance.randrange(3)
    labels: dict[str, t.Any] = chance.choice(
        ({}, {"stream": "stdout"}, {"level": "warn", "n": 3}, {"SYSLOG_IDENTIFIER": "kernel", "_TRANSPORT": "kernel"})
    )
    is_first = chance.random() < 0.5
    texts = []
    for n, line in number(lines):
        times = {"timestamp": f"2023-07-15T23:44:32.{n:06}Z"}
        record = {name: line, **labels, **times} if is_first else {**times, **labels, name: line}
        for level in range(depth):
            record = {f"level{level}": record, "other": "a"}
        texts.append(json.dumps(record, indent=indent))
    if chance.random() < 0.15:
        texts.reverse()
    before = chance.choice(("", "", "", "", "data: ", "2023-07-15T23:44:32Z ", "kmsg: "))
    return "".join(f"{before}{text}\n" for text in texts)


def as_document(chance: Chance, lines: Lines) -> str:
    """Return one document of JSON for all lines."""
    items: list[t.Any] = [{"n": n, "message": line} for n, line in number(lines)]
    shapes = (
        {"hits": {"hits": [{"_source": item} for item in items]}},
        {"stdout_lines": lines},
        {"stdout": "\n".join(lines), "rc": 0},
        {"events": items},
        items,
        {"data": {"result": [{"stream": {}, "values": [[str(10**18 + n), line] for n, line in number(lines)]}]}},
    )
    return json.dumps(chance.choice(shapes), indent=chance.choice((None, 1, 4))) + "\n"


def as_table(chance: Chance, lines: Lines) -> str:
    file = io.StringIO()
    delimiter = chance.choice(",;\t")
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    if chance.random() < 0.5:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\n", quoting=csv.QUOTE_ALL)
    if chance.random() < 0.7:
        writer.writerow(["time", "host", chance.choice(("message", "Message", "log", "_raw"))])
    writer.writerows(["2023-07-15T23:44:32Z", "web1", line] for line in lines)
    return file.getvalue()


def as_markdown(chance: Chance, lines: Lines) -> str:
    language = chance.choice(("", "console", "text"))
    return f"# Killed\nThe log:\n\n```{language}\n{as_lines(chance, lines)}```\n\nWhat now?\n"


def as_html(chance: Chance, lines: Lines) -> str:
    return f"<html><body><pre>\n{html.escape(as_lines(chance, lines))}</pre></body></html>\n"


def as_indented(chance: Chance, lines: Lines) -> str:
    return textwrap.indent(as_lines(chance, lines), chance.choice(("    ", "\t", "> ", "  | ")))


def as_quoted_printable(chance: Chance, lines: Lines) -> str:
    return quopri.encodestring(as_lines(chance, lines).encode()).decode("ascii")


def as_mixed(chance: Chance, lines: Lines) -> str:
    """Return the lines with those of other programs between them."""
    others = ("", "Jul 15 23:44:32 web1 sshd[7]: Accepted", "--", "a: b", "[ 1187.5] usb 1-1: new device", "...")
    texts = []
    for line in lines:
        texts.append(line)
        if chance.random() < 0.05:
            texts.append(chance.choice(others))
    return as_lines(chance, texts)


CONTAINERS = (
    as_lines,
    as_lines,
    as_lines,
    as_lines,
    as_records,
    as_records,
    as_document,
    as_table,
    as_markdown,
    as_html,
    as_indented,
    as_quoted_printable,
    as_mixed,
)
ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1")


def wrap(chance: Chance, lines: Lines) -> bytes:
    """Return a report in a form composed at random."""
    texts = add_prefix(chance, lines, INNER)
    texts = chance.choice(CHANGES)(chance, texts)
    texts = add_prefix(chance, texts, OUTER)
    texts = add_suffix(chance, texts)
    texts = chance.choice(CHANGES)(chance, texts)
    text = chance.choice(CONTAINERS)(chance, texts)
    if chance.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return text.encode(chance.choice(ENCODINGS), "replace")


@functools.cache
def read_fixtures() -> tuple[tuple[str, ...], ...]:
    """Return the messages of each report that is read without a loss if nothing but an uptime is before each line."""
    return tuple(
        tuple(_UPTIME.sub("", line) for line in path.read_text(encoding="utf-8").splitlines())
        for path in sorted(FIXTURES.glob("*.log"))
    )


def read_reports(path: Path, data: bytes) -> tuple[list[OomReport], LogFile]:
    """Write a log, and return the kernel's reports in it."""
    path.write_bytes(data)
    log = LogFile(str(path))
    return [report for report in log.read_reports() if report.killer == "kernel"], log


def list_victims(reports: t.Iterable[OomReport]) -> list[tuple[OomReport, Victim]]:
    return [(report, victim) for report in reports for victim in report.victims]


def find_problem(path: Path, lines: Lines, data: bytes) -> str | None:
    """Return a description of the first fact that is wrong, or lost without a word; None if there is none."""
    plain, _log = read_reports(path, "".join(f"[ 1187.{n:06}] {line}\n" for n, line in number(lines)).encode())
    found, log = read_reports(path, data)
    expected = {victim.pid: victim for _report, victim in list_victims(plain)}
    seen = []
    for report, victim in list_victims(found):
        seen.append(victim.pid)
        known = expected.get(victim.pid)
        if known is None or known.name != victim.name:
            return f"wrong victim: {victim}"
        for name in _EXACT:
            value = getattr(victim, name)
            if value != getattr(known, name) and (value is not None or report.complete):
                return f"wrong {name}: {victim}"
    if len(seen) != len(set(seen)) and len(seen) > len(list_victims(plain)):
        return f"a victim twice: {seen}"
    triggers = {report.trigger.name for report in plain if report.trigger}
    for report in found:
        if report.complete and report.trigger and report.trigger.name not in triggers:
            return f"wrong trigger: {report.trigger}"
    is_said = bool(log.unparsed) or not all(report.complete for report in found)
    if set(seen) != set(expected) and not is_said:
        return f"silent: found {seen} of {sorted(expected)}"
    return None


def try_case(seed: int | str, case: int, path: Path) -> tuple[str | None, bytes, Lines]:
    """Return the problem of a case, its text, and the lines that were wrapped."""
    chance = random.Random(f"{seed} {case}")
    lines = list(chance.choice(read_fixtures()))
    data = wrap(chance, lines)
    return find_problem(path, lines, data), data, lines


def main() -> None:
    """Try the cases in turn. Print the number of cases at intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=1000, help="number of cases (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32), help="default: a random one")
    arguments = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kern.log"
        for done in range(1, arguments.cases + 1):
            case = arguments.first + done - 1
            problem, data, _lines = try_case(arguments.seed, case, path)
            if problem:
                raise SystemExit(f"{data[:2000]!r}\nseed {arguments.seed}, case {case}: {problem}")
            if done % _CASES_BETWEEN_PRINTS == 0 or done == arguments.cases:
                print(f"seed {arguments.seed}: {done} cases in {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
