# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Join the lines of a report that mail programs and terminals have broken.

A line without a prefix continues the line before it if that line belongs to a report and is not complete. All other
lines stay as they are.
"""

from __future__ import annotations

import re
import typing as t

from .kill_lines import INVOKED
from .model import QUOTED, Line

# The kernel limits a message to 1024 characters. A longer text is not a line of a report.
_LONGEST = 4096


class _Kind(t.NamedTuple):
    """One kind of line in a report: how it begins, how a complete one ends, and how its continuations look."""

    start: str
    end: t.Pattern[str]
    continuation: t.Pattern[str]


def _compile_kind(start: str, end: str, continuation: str) -> _Kind:
    return _Kind(start, re.compile(end), re.compile(continuation))


_ZONE = r"(?:DMA|DMA32|Normal|HighMem|Movable)"
_SIZE_CONTINUATION = r"[a-z_()-]*: ?\d+[kK]?B?|all_unreclaimable\?|(?:yes|no)$|[kK]?B\b|\d+kB"
_TRIGGER = _compile_kind("", r"(?:oom_sco\w{0,4}_adj|oom_adj|oomkilladj)=-?\d+\s*$", r".*=|-?\d+$|[a-z_0-9]+$|killer:")
_KINDS = (
    # The kill line, and the line about the choice.
    _compile_kind(
        r"(?:[A-Z][A-Za-z ()_]*: )?[Kk]ill(?:ed)?(?: process|\s*$)",
        r"oom_score_adj:-?\d+\s*$|(?:file|shmem)-rss:\d+kB\s*$|(?:sacrifice|a|and) child(?:ren\.?)?\s*$"
        r"|same memory\s*$",
        r"process \d|\d+ \(|\(.*\)|[^()]{0,15}\) total-vm:|,|[A-Za-z:_-]*:-?\d|[A-Za-z_-]+:$|\d*k?B[, ]|\d+kB$|-?\d+$"
        r"|score |or (?:sacrifice|a)|sacrifice|(?:a |and )?child",
    ),
    _compile_kind(r"oom-(?:kill:|$)", r",uid=\d+\s*$", r".*[,=]|\d+$"),
    # The heading of the stack.
    _compile_kind(
        r"CPU: \d+ |Pid: \d+,",
        r"#\d",
        r"Not |[Tt]ainted|[A-Z ]*\d+\.\d|#\d|.{1,60} [Tt]ainted|[Cc]omm: ",
    ),
    # The heading of the task table, and its rows.
    _compile_kind(r"\[ +pid +\] ", r"\bname\s*$", r"[a-z_ ]+$"),
    _compile_kind(r"\[ *\d+\] +\d+ +\d+", r"[^\d\s-]\S{0,14}\s{0,8}$", r"-?\d+ |\S{1,15}$"),
    # Zones and nodes.
    _compile_kind(
        rf"(?:Node \d+ )?(?:[A-Z]\w* free:|{_ZONE}\s*$)",
        r"free_cma:\d+kB\s*$|\? (?:yes|no)\s*$|>$",
        _SIZE_CONTINUATION,
    ),
    _compile_kind(r"Node \d+ active_anon:", r"\? (?:yes|no)\s*$|>$", _SIZE_CONTINUATION),
    # Buddy lists.
    _compile_kind(
        r"(?:Node \d+ )?[A-Z]\w*: \d+\*\d+kB",
        r"= \d+kB\s*$|>$",
        r"\(?[A-Z]*\)|\d+\*\d+kB|= \d+kB|\d*kB|\*\d+kB|=$",
    ),
    # The number of reserves varies, so no end is known.
    _compile_kind(r"lowmem_reserve\[\]:", r"$^", r"[\d ]+$"),
    # Cgroups.
    _compile_kind(
        r"(?:memory|memory\+swap|swap|kmem): usage",
        r"failcnt \d+\s*$",
        r"limit|usage|failcnt|\d+kB|\d+$",
    ),
    _compile_kind(r"Tasks in /", r"oom\.group set\s*$", r"[a-z. ]+$|due to memory\.oom"),
    _compile_kind(r"Task in /", r"limit of /\S+\s*$", r"killed |as |a |result |of |limit |/"),
)
_INVOKED = re.compile(rf"{INVOKED}| invoked(?: oom-)?\s*$")
_STARTS = re.compile("|".join([f"({kind.start})" for kind in _KINDS]))

# Words, and the ends of words, at which a line can be broken between two words.
_WHOLE_WORD = re.compile(
    rf"(?:{_ZONE}|\S+:\d+[kK]B,?|\S+,|\d+\*\d+kB|\(\S*\)|\S*:|=|-?\d+|\d+\)"
    r"|limit|usage|failcnt|invoked|Not|tainted|process|score|or|sacrifice|[Kk]ill(?:ed)?|all_unreclaimable\?|loaded|G|[A-Z]"
    r"|are|going|to|be|killed|due|as|a|result|of|pid|\]|uid|tgid|total_vm|rss|rss_anon|rss_file|rss_shmem"
    r"|nr_ptes|nr_pmds|nr_puds|pgtables_bytes|swapents|oom_score_adj|oom_adj|cpu)$"
)
_SPLIT_WORD = re.compile(r"[:,)=*]|[kK]?B[, ]")


class Unwrapper:
    """Holds the latest line until the next one shows whether it is complete."""

    def __init__(self) -> None:
        self.held: Line | None = None

    def take(self, line: Line) -> Line | None:
        """Take a line without a prefix. Return the line before it if that is complete now, else None."""
        held = self.held
        text = line.text.lstrip()
        if held is None:
            self.held = line._replace(text=text)
            return None

        # Ends of lines can be doubled.
        if not text:
            return None

        # The rows of a task table never continue another line.
        is_row = line.text[:2] == "[ " and "=" not in line.text
        if not is_row:
            joined = _join_continuation(held, line.text)
            if joined:
                self.held = joined
                return None

        # A quotation ends with its last line. Other lines come from the program of the line before.
        origin = held.origin
        if line.source or origin.source == QUOTED:
            origin = origin._replace(source=line.source)
        self.held = Line(text, held.realtime_us, held.monotonic_us, line.cursor, origin)

        return held


def _join_continuation(held: Line, text: str) -> Line | None:
    """Return the held line with its continuation, or None if `text` is a line of its own."""
    if not held.text.strip():
        return held._replace(text=text.lstrip())

    if len(held.text) > _LONGEST:
        return None

    kind = _find_kind(held.text)
    if kind is None or kind.end.search(held.text):
        return None

    if not kind.continuation.match(text.strip()):
        return None

    if INVOKED in text or _STARTS.match(text.lstrip()):
        return None

    return held._replace(text=_join(held.text, text))


def _find_kind(text: str) -> _Kind | None:
    match = _STARTS.match(text)
    if match and match.lastindex:
        return _KINDS[match.lastindex - 1]

    if _INVOKED.search(text):
        return _TRIGGER

    return None


def _join(text: str, rest: str) -> str:
    separator = "" if _is_inside_word(text, rest) else " "

    return f"{text.rstrip()}{separator}{rest.strip()}"


def _is_inside_word(text: str, rest: str) -> bool:
    """Return whether the break between `text` and `rest` is inside a word, so that nothing is missing between them."""
    is_split_word = _SPLIT_WORD.match(rest) is not None
    has_blank = text[-1:].isspace() or rest[:1].isspace()
    if has_blank:
        return is_split_word

    if text.startswith(("CPU:", "Pid:")):
        return False

    if text.startswith("oom-kill:"):
        return True

    last_word = text.rpartition(" ")[2]

    return is_split_word or not _WHOLE_WORD.match(last_word)
