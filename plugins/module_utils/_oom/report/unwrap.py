# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a report that mail programs and terminals broke, made whole again.

A line without a prefix is the rest of the line before it where that line is one of the report's own and is not yet
at its end. Everything else is left alone.
"""

from __future__ import annotations

import re
import typing as t

from .kill_lines import INVOKED
from .model import Line

# The kernel's own limit for one message is 1024; what has grown to more is no line of a report.
_LONGEST = 4096


class _Kind(t.NamedTuple):
    """How a line of a report begins, what ends one that is whole, and what the rest of a broken one looks like."""

    begins: str
    ended: t.Pattern[str]
    rest: t.Pattern[str]


def _kind(begins: str, ended: str, rest: str) -> _Kind:
    return _Kind(begins, re.compile(ended), re.compile(rest))


_ZONE = r"(?:DMA|DMA32|Normal|HighMem|Movable)"
_SIZE_REST = r"[a-z_()-]*: ?\d+[kK]?B?|all_unreclaimable\?|(?:yes|no)$|[kK]?B\b|\d+kB"
_TRIGGER = _kind("", r"(?:oom_sco\w{0,4}_adj|oom_adj|oomkilladj)=-?\d+\s*$", r".*=|-?\d+$|[a-z_0-9]+$|killer:")
_KINDS = (
    _kind(
        r"(?:[A-Z][A-Za-z ()_]*: )?[Kk]ill(?:ed)?(?: process|\s*$)",
        r"oom_score_adj:-?\d+\s*$|(?:file|shmem)-rss:\d+kB\s*$|(?:sacrifice|a|and) child(?:ren\.?)?\s*$"
        r"|same memory\s*$",
        r"process \d|\d+ \(|\(.*\)|,|[A-Za-z:_-]*:-?\d|[A-Za-z_-]+:$|\d*k?B[, ]|\d+kB$|-?\d+$"
        r"|score |or (?:sacrifice|a)|sacrifice|(?:a |and )?child",
    ),
    _kind(r"oom-(?:kill:|$)", r",uid=\d+\s*$", r".*[,=]|\d+$"),
    _kind(r"CPU: \d+ |Pid: \d+,", r"#\d", r"Not |[Tt]ainted|[A-Z ]*\d+\.\d|#\d|.{1,60} [Tt]ainted|[Cc]omm: "),
    _kind(r"\[ +pid +\] ", r"\bname\s*$", r"[a-z_ ]+$"),
    _kind(r"\[ *\d+\] +\d+ +\d+", r"[^\d\s-]\S{0,14}\s{0,8}$", r"-?\d+ |\S{1,15}$"),
    _kind(rf"(?:Node \d+ )?(?:[A-Z]\w* free:|{_ZONE}\s*$)", r"free_cma:\d+kB\s*$|\? (?:yes|no)\s*$|>$", _SIZE_REST),
    _kind(r"Node \d+ active_anon:", r"\? (?:yes|no)\s*$|>$", _SIZE_REST),
    _kind(r"(?:Node \d+ )?[A-Z]\w*: \d+\*\d+kB", r"= \d+kB\s*$|>$", r"\(?[A-Z]*\)|\d+\*\d+kB|= \d+kB|\d*kB|\*\d+kB|=$"),
    _kind(r"lowmem_reserve\[\]:", r"$^", r"[\d ]+$"),
    _kind(r"(?:memory|memory\+swap|swap|kmem): usage", r"failcnt \d+\s*$", r"limit|usage|failcnt|\d+kB|\d+$"),
    _kind(r"Tasks in /", r"oom\.group set\s*$", r"are |going |to |be |killed |due |memory\.oom"),
    _kind(r"Task in /", r"limit of /\S+\s*$", r"killed |as |a |result |of |limit |/"),
)
_INVOKED = re.compile(rf"{INVOKED}| invoked(?: oom-)?\s*$")
_BEGINS = re.compile("|".join(f"({kind.begins})" for kind in _KINDS))

# The ends of words that can stand at the end of a line that was broken between words.
_WHOLE_WORD = re.compile(
    rf"(?:{_ZONE}|\S+:\d+[kK]B,?|\S+,|\d+\*\d+kB|\(\S*\)|\S*:|=|-?\d+|\d+\)"
    r"|limit|usage|failcnt|invoked|Not|tainted|process|score|or|sacrifice|[Kk]ill(?:ed)?|all_unreclaimable\?|loaded|G|[A-Z]"
    r"|are|going|to|be|killed|due|as|a|result|of|pid|\]|uid|tgid|total_vm|rss|rss_anon|rss_file|rss_shmem"
    r"|nr_ptes|nr_pmds|nr_puds|pgtables_bytes|swapents|oom_score_adj|oom_adj|cpu)$"
)
_SPLIT_WORD = re.compile(r"[:,)=*]|[kK]?B[, ]")


class Unwrapper:
    """Holds the latest line until it is known whether the next one belongs to it."""

    def __init__(self) -> None:
        self.held: Line | None = None

    def take(self, line: Line) -> Line | None:
        """Take a line without a prefix of its own; return the line before it where that is whole now, else None."""
        held = self.held
        # The rows of a task table are no rest of anything.
        if held is not None and not (line.text[:2] == "[ " and "=" not in line.text):
            whole = _continued(held, line.text)
            if whole:
                self.held = whole
                return None
        text = line.text.lstrip()
        if held is None:
            self.held = line._replace(text=text)
        else:
            origin = held.origin._replace(source=line.source) if line.source else held.origin
            self.held = held._replace(text=text, cursor=line.cursor, origin=origin, printed=None)
        return held


def _continued(held: Line, rest: str) -> Line | None:
    """Return the held line with its rest, None where that is a line of its own."""
    text = held.text
    if not text.strip():
        return held._replace(text=rest.lstrip())
    if len(text) > _LONGEST:
        return None
    begins = _BEGINS.match(text)
    kind = _KINDS[(begins.lastindex or 0) - 1] if begins else _TRIGGER if _INVOKED.search(text) else None
    if kind is None or kind.ended.search(text) or not kind.rest.match(rest.strip()):
        return None
    if INVOKED in rest or _BEGINS.match(rest.lstrip()):
        return None
    return held._replace(text=_joined(text, rest))


def _joined(text: str, rest: str) -> str:
    if text[-1:].isspace() or rest[:1].isspace():
        return (
            f"{text.rstrip()} {rest.strip()}" if _SPLIT_WORD.match(rest) is None else f"{text.rstrip()}{rest.strip()}"
        )
    last = text.rpartition(" ")[2]
    if text.startswith(("CPU:", "Pid:")):
        return f"{text} {rest.rstrip()}"
    if text.startswith("oom-kill:") or _SPLIT_WORD.match(rest) or not _WHOLE_WORD.match(last):
        return f"{text}{rest.rstrip()}"
    return f"{text} {rest.rstrip()}"
