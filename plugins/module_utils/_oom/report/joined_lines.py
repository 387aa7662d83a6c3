# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Split the lines of a log that something has joined into one.

Python and JSON print a list or a text on one line, HTML can have tags in place of line breaks, and some chats remove
line breaks. Users choose the text of messages of other programs, so the first line must be the kernel's.
"""

from __future__ import annotations

import re
import typing as t

from .mentions import list_mentions
from .prefixes import Prefix, split_prefix

_LONG = 1000
_CERTAIN = 5
_STAMP = r"\[ {0,4}\d{1,10}\.\d{6}\] |[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [\w.-]{1,64} kernel: "
# What is between two lines: the end of a line as an escape, quotation marks with a comma, a tag of HTML, or a blank
# before the time.
_SEPARATORS = (
    re.compile(r"(?:\\r)?\\n(?:['\"], ?b?['\"])?"),
    re.compile(r"['\"], ?b?['\"]"),
    re.compile(r"<br ?/?>"),
    re.compile(rf" (?={_STAMP})"),
)
_START = re.compile(r"\A(?:<p>|[\[(]?b?['\"])")
_END = re.compile(r"(?:['\"][\])]?|</p>)\s*\Z")
# The program in the prefix of a line, and whether it has an uptime.
_OF_KERNEL = (("kernel", True), ("kernel", False), (None, True))
# Records of JSON are read as they are.
_JSON = ("{", "[{", "data: {")


def has_joined(text: str) -> bool:
    """Return whether the longest line of a text consists of lines that are joined."""
    if not _has_long_line(text):
        return False

    longest = max(text.split("\n"), key=len)

    return len(split_joined(longest)) > 1


def _has_long_line(text: str) -> bool:
    start = 0
    while len(text) - start >= _LONG:
        start = text.rfind("\n", start, start + _LONG) + 1
        if start == 0:
            return True

    return False


def split_joined(line: str) -> list[str]:
    """Return the lines that are joined in a line about an OOM kill, or a list of the line itself if none are."""
    if len(line) < _LONG or line.startswith(_JSON) or not list_mentions(line):
        return [line]

    for separator in _SEPARATORS:
        parts = separator.split(_END.sub("", _START.sub("", line)))
        if _are_lines(parts):
            return parts

    return [line]


def _are_lines(parts: t.Sequence[str]) -> bool:
    """Return whether the first part is a message of the kernel, and most of the others begin with a known prefix."""
    first = split_prefix(parts[0]) or Prefix("")
    has_uptime = first.monotonic_us is not None
    if (first.source, has_uptime) not in _OF_KERNEL:
        return False

    prefixed = list(filter(split_prefix, parts))

    return len(prefixed) >= max(_CERTAIN, len(parts) // 2)
