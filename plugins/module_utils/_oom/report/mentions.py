# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the lines of a text log that mention an OOM kill, and which of them no report explains.

This is independent of all formats, so it also notices a kill in a format that no reader knows.
"""

from __future__ import annotations

import array
import bisect
import itertools
import operator
import re
import typing as t

from .model import Line, OomReport, Unparsed
from .recent import Found
from .told_kills import HINTS, TOLD

# A line that is broken into several has its number at its first part, and these words perhaps at a later one.
_MAX_PARTS = 3
# The kernel limits a name to 15 bytes, each of which can be escaped as four characters. A longer one is a misreading.
_LONGEST_NAME = 60
_MAX_HELD = 1_000_000
# A kill line from "Killed process" to the amount of anonymous memory has about this length.
_LONGEST_COPY = 60
_NEAR_MENTIONS = 25
MAX_NAMED = 3

# Every mention contains one of these. A search for them is much faster than for the patterns.
_HINTS = ("oom-kill", "illed process")
_ALL_HINTS = (*_HINTS, *HINTS)
# So does every mention of these, which are fewer.
_SHORT_HINTS = ("illed process", "oom", "OOM", "lowmemorykiller")
# systemd's notice of a kill has these words, and no mention does.
_NO_MENTION = "OOM killer"
_TRIGGER = -1
_CONSTRAINT = -2
_ANY_KILL = -3
_SPARED = -4
_TOLD = -10


class _Form(t.NamedTuple):
    """One form of mentions, which all contain `hint`. `kind` is the kind of those that name no pid."""

    hint: str
    pattern: t.Pattern[str]
    kind: int


# Searching a pattern is several times as fast if it begins with plain characters.
_FREQUENT = (
    _Form("invoked oom-killer", re.compile(r"invoked oom-killer"), _TRIGGER),
    _Form("oom-kill:constraint=", re.compile(r"oom-kill:constraint="), _CONSTRAINT),
    _Form("Killed process ", re.compile(r"Killed process (\d{1,18})(?: \(|, UID)"), _ANY_KILL),
)
_OF_KERNEL = (
    *_FREQUENT,
    _Form("OOM killed process", re.compile(r"OOM killed process(?: (\d{1,18}))?"), _ANY_KILL),
    _Form("OOM victim ", re.compile(r"OOM victim \d{1,18} \("), _SPARED),
)
_FORMS = (*_OF_KERNEL, *[_Form(told.hint, told.pattern, _TOLD - number) for number, told in enumerate(TOLD)])

_Mention = t.Tuple[int, t.Match[str]]
"""The kind of a mention, unless it names a pid, and the mention."""


def has_hint(text: str) -> bool:
    """Return whether a text of one or more lines can mention an OOM kill."""
    return any(map(text.__contains__, _SHORT_HINTS))


def list_mentions(text: str) -> list[str]:
    """Return the mentions of OOM kills in a text, as printed."""
    if not has_hint(text):
        return []

    return [mention.group() for _kind, mention in _find_mentions(text)]


def _find_mentions(text: str) -> list[_Mention]:
    # Most texts fail this test, which is faster than looking for each form.
    if any(map(text.__contains__, HINTS)):
        return _find_forms(text, _FORMS)

    return _find_forms(text, _FREQUENT)


def _find_forms(text: str, forms: t.Iterable[_Form]) -> list[_Mention]:
    found: list[_Mention] = []
    for hint, pattern, kind in forms:
        if hint in text:
            found += [(kind, mention) for mention in pattern.finditer(text)]

    return found


class Mentions:
    """The mentions of OOM kills in one log, by line number. A mention takes a few bytes, since a log can have millions.

    `others` are the lines that the reader could not parse, without one of these mentions.
    """

    def __init__(self) -> None:
        self._numbers = array.array("Q")
        self._kinds = array.array("q")
        self._is_unused = bytearray()
        self._details = array.array("q")
        self._others = 0
        self._first_others: list[int] = []
        self._dropped_first: list[int] = []
        self._dropped = 0
        self._programs: set[str] = set()

    def add(self, number: int, text: str) -> None:
        """Add the mentions in the line with this number. The numbers do not decrease."""
        for mention in _find_mentions(text):
            kind, detail = _parse_mention(*mention)
            self._numbers.append(number)
            self._kinds.append(kind)
            self._is_unused.append(1)
            self._details.append(detail)

        if len(self._numbers) > _MAX_HELD:
            self._drop_half()

    def has_copy(self, text: str) -> bool:
        """Return whether an earlier line names the same victim with the same figures as a line of another program."""
        digests = {_compute_digest(mention) for _kind, mention in _find_forms(text, _OF_KERNEL)}

        return not digests.isdisjoint(self._details[-_NEAR_MENTIONS:])

    def settle(self, found: Found) -> None:
        """Mark the mentions that a report explains, or add the line that the reader could not parse."""
        if isinstance(found, Unparsed):
            self._add_other(found)
        elif found.killer == "kernel":
            self._mark(found)

    def count_unused(self) -> int:
        """Return how many lines mention a kill and are in no report."""
        self._settle_told()
        unused = sum(1 for _number in self._iter_unused())

        return self._dropped + unused + self._others

    def list_first(self) -> list[int]:
        """Return the numbers of the first of these lines."""
        self._settle_told()
        unused = itertools.islice(self._iter_unused(), MAX_NAMED)
        numbers = sorted([*self._dropped_first, *unused, *self._first_others])

        return numbers[:MAX_NAMED]

    def list_programs(self) -> list[str]:
        """Return the names of the other programs that some of these lines are from."""
        self._settle_told()

        return sorted(self._programs)

    def _settle_told(self) -> None:
        """Mark the lines in which other programs tell of kills that reports near them explain."""
        # Most logs have none.
        if min(self._kinds, default=0) > _TOLD:
            return

        unused = itertools.compress(itertools.count(), self._is_unused)
        for index in list(unused):
            kind = self._kinds[index]
            if kind > _TOLD:
                continue

            if self._has_report_near(index):
                self._is_unused[index] = 0
            else:
                self._programs.add(TOLD[_TOLD - kind].program)

    def _has_report_near(self, index: int) -> bool:
        """Return whether a report explains a kill near a line of another program, which can name the victim."""
        first = max(0, index - _NEAR_MENTIONS)
        near = slice(first, index + _NEAR_MENTIONS)
        is_used = map(operator.not_, self._is_unused[near])
        explained = set(itertools.compress(self._kinds[near], is_used))
        pid = self._details[index]
        if pid:
            return pid in explained

        # The kinds of other mentions are negative.
        has_pid = max(explained, default=_TOLD) > 0

        return has_pid or _ANY_KILL in explained

    def _mark_copies(self, first: int) -> None:
        """Mark the mentions that programs such as the node problem detector have copied from a kill line."""
        digest = self._details[first]
        near = self._details[first + 1 : first + _NEAR_MENTIONS]
        if self._kinds[first] < 0 or digest not in near:
            return

        for offset, other in enumerate(near, start=1):
            if other == digest:
                self._is_unused[first + offset] = 0

    def _iter_unused(self) -> t.Iterator[int]:
        """Yield the numbers of the lines with a mention that is not used, each once."""
        for number, _mentions in itertools.groupby(itertools.compress(self._numbers, self._is_unused)):
            yield number

    def _add_other(self, unparsed: Unparsed) -> None:
        number = _get_number(unparsed.line)
        start, end = self._find_range(number, number)
        if start != end:
            return

        self._others += 1
        if len(self._first_others) < MAX_NAMED:
            self._first_others.append(number)

    def _mark(self, report: OomReport) -> None:
        first = _get_number(report.first)
        last = _get_number(report.last)
        kinds = _list_kinds(report)
        # In a log with the newest record first, the last line is before the first one.
        start, end = self._find_range(min(first, last), max(first, last))
        for index in range(start, end):
            kind = self._kinds[index]
            # Another trigger belongs to another report.
            is_other_trigger = kind == _TRIGGER and self._numbers[index] > first + _MAX_PARTS
            if kind in kinds and not is_other_trigger:
                self._is_unused[index] = 0
                self._mark_copies(index)

    def _find_range(self, first: int, last: int) -> tuple[int, int]:
        """Return the range of the mentions in these lines and in the parts of the last one."""
        start = bisect.bisect_left(self._numbers, first)
        end = bisect.bisect_right(self._numbers, last + _MAX_PARTS)

        return start, end

    def _drop_half(self) -> None:
        """Count the unused ones of the older half, whose reports have ended, and forget the half."""
        self._settle_told()
        half = len(self._numbers) // 2
        self._dropped += self._is_unused.count(1, 0, half)
        unused = itertools.compress(self._numbers[:half], self._is_unused)
        missing = MAX_NAMED - len(self._dropped_first)
        self._dropped_first.extend(itertools.islice(unused, missing))
        del self._numbers[:half]
        del self._kinds[:half]
        del self._details[:half]
        del self._is_unused[:half]


class _Everything(t.Container[int]):
    """Contains all kinds."""

    def __contains__(self, kind: object) -> bool:
        return True


def _list_kinds(report: OomReport) -> t.Container[int]:
    """Return the kinds of mentions that a report explains: its parts, and the pids of its victims."""
    if report.further_victims is not None:
        return _Everything()

    kinds = {victim.pid for victim in report.victims if len(victim.name) <= _LONGEST_NAME}
    if kinds:
        kinds.add(_ANY_KILL)
    kinds.update((_CONSTRAINT, _SPARED))
    if report.trigger is not None:
        kinds.add(_TRIGGER)

    return kinds


def _parse_mention(kind: int, mention: t.Match[str]) -> tuple[int, int]:
    """Return the kind and the detail of a mention.

    The kind is the pid that a line of the kernel names. The detail is the pid that the line of another program names,
    0 if it names none, or the digest of a line of the kernel.
    """
    pid = 0
    if mention.lastindex is not None:
        pid = int(mention.group(1))
    if kind <= _TOLD:
        return kind, pid

    return pid or kind, _compute_digest(mention)


def _compute_digest(mention: t.Match[str]) -> int:
    """Return a number that is the same for all copies of a kill line: of the pid, the name and the first figures."""
    start = mention.start()

    return hash(mention.string[start : start + _LONGEST_COPY])


def _get_number(line: Line) -> int:
    return int(line.cursor or 0)


def iter_hinted_lines(text: str, lines: list[str], first: int) -> t.Iterator[tuple[int, str]]:
    """Yield each line that can mention a kill, with its number.

    `text` has each of the `lines` with a newline after it. What follows the last newline is not searched. The first
    line has the number `first`.
    """
    starts = set()
    end = text.rfind("\n") + 1
    for hint in _ALL_HINTS:
        hit = text.find(hint, 0, end)
        while hit >= 0:
            if not text.startswith(_NO_MENTION, hit):
                starts.add(text.rfind("\n", 0, hit) + 1)
            hit = text.find(hint, hit + len(hint), end)

    index = 0
    for start in sorted(starts):
        line = text[start : text.index("\n", start)]
        index = lines.index(line, index)
        if _is_hinted(line):
            yield first + index, line
        index += 1


def _is_hinted(line: str) -> bool:
    if any(map(line.__contains__, _HINTS)):
        return True

    # Other lines can have the words of the other hints, too.
    return bool(_find_mentions(line))
