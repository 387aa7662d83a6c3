# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the lines of a log into the order of their times: `journalctl --reverse` prints the newest line first.

The lines of a report often have the same time, so their order shows that of the log: the trigger line is first.
"""

from __future__ import annotations

import re
import typing as t

from .kill_lines import INVOKED
from .mentions import list_mentions
from .prefixes import split_prefix

# The heading of the stack, or up to Linux 4.20 the line about the cpuset.
_HEADING = re.compile(r"CPU: \d|Pid: \d|\S cpuset=")


def is_newest_first(text: str) -> bool:
    """Return whether the first line about an OOM kill is about the victim, and the last and older one is a trigger."""
    trigger = text.find(INVOKED)
    # In most logs, the first line about a kill is a trigger line.
    if trigger < 0 or not list_mentions(text[: text.rfind("\n", 0, trigger) + 1]):
        return False

    before, _invoked, after = text.rpartition(INVOKED)
    _rest, _newline, later_lines = after.partition("\n")
    if list_mentions(later_lines):
        return False

    lines = text.split("\n")
    last = lines[before.count("\n")]
    first = next(filter(list_mentions, lines))
    step = _compare_times(last, first)
    if step == 0:
        return _follows_heading(last, lines)

    return step < 0


def _follows_heading(trigger: str, lines: t.Sequence[str]) -> bool:
    """Return whether the line that the kernel prints after a trigger line is before it."""
    before = lines[lines.index(trigger) - 1]

    return _HEADING.search(before) is not None


def _compare_times(line: str, other: str) -> int:
    """Return -1 if a line is certainly older than another one, 1 if it cannot be, and 0 if nothing shows it."""
    prefix = split_prefix(line)
    other_prefix = split_prefix(other)
    if prefix is None or other_prefix is None:
        return 1

    for time, other_time in zip(prefix[1:3], other_prefix[1:3]):
        if isinstance(time, int) and isinstance(other_time, int):
            return (time > other_time) - (time < other_time)

    stamp = line[: len(line) - len(prefix.text)]
    other_stamp = other[: len(other) - len(other_prefix.text)]

    return int(stamp > other_stamp)


def reverse_lines(lines: t.Iterable[str]) -> str:
    """Return the text of the lines in the opposite order. The lines of one message are indented, and stay in order."""
    messages: list[str] = []
    for line in lines:
        if messages and line[:1].isspace():
            messages[-1] += f"\n{line}"
        else:
            messages.append(line)

    return "".join([f"{message}\n" for message in reversed(messages)])
