# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remove what documents, terminals and mail add to all lines of a log: colours, ends of lines, HTML, RFC 2045.

A line about an OOM kill has a fixed text, so it shows what was added.
"""

from __future__ import annotations

import binascii
import html
import itertools
import re
import typing as t

from .prefixes import split_prefix

_LONGEST = 60
_WIDEST = 320
_SAME_PREFIX = 6
# So many broken lines of one width show that there are others.
_CERTAIN = 2
# RHEL 6 prints two adjustments.
_TRIGGER_END = re.compile(
    r" invoked oom-killer: .{0,400}?, (?:oom_score_adj|oom_adj|oomkilladj)=-?\d{1,4}(?=[^\d])(?!, oom_score_adj)"
)
_ESCAPE_OF_HTML = re.compile(r"&(?:lt|gt|quot|amp|#\d{1,5}|#x[0-9a-fA-F]{1,4});")
# quoted-printable: "=" itself is always escaped, and lines are broken before they have 77 characters.
_BLANKS = re.compile("[\t\xa0\udca0]")
_ESCAPED_EQUALS = "=3D"
# Also as `cat -v` prints them. grep clears the rest of the line after each colour.
_COLOUR = re.compile(r"(?:\x1b|\^\[)(?:\[[\d;]{0,20}[mK]|\(B)")
_SOFT_BREAK = re.compile(r"^.{60,75}=$", re.MULTILINE)


def remove_colours(text: str) -> str:
    """Return a text without the escapes of a terminal for colours."""
    # Finding one character takes no time, finding two does.
    if "\x1b" in text or ("^" in text and "^[" in text):
        return _COLOUR.sub("", text)

    return text


def _has_prefix(line: str) -> bool:
    return split_prefix(line) is not None


def _is_continued(line: str, later: str) -> bool:
    """Return whether a line with a prefix is followed by one without."""
    # Most lines have the same prefix, and looking for it takes much longer than this.
    if line[:_SAME_PREFIX] == later[:_SAME_PREFIX]:
        return False

    return not _has_prefix(later) and later.strip() != "" and _has_prefix(line)


class Decorations:
    """What is added to the lines of one log."""

    def __init__(self) -> None:
        self.is_active = False
        """Whether there is something to remove."""
        self._suffix = ""
        self._is_html = False
        self._is_quoted_printable = False
        self._part = ""
        self._width: int | None = None

    def find_wrap(self, lines: t.Sequence[str]) -> None:
        """Look for the width at which a terminal has broken all longer lines."""
        # Most logs of the kernel have a longer line.
        if self._is_quoted_printable or max(map(len, lines), default=0) > _WIDEST:
            return

        lengths = [len(line.rstrip("\r")) for line in lines]
        width = max(lengths, default=0)
        if lengths.count(width) < _CERTAIN:
            return

        full = [length == width for length in lengths]
        full_count = sum(map(_is_continued, itertools.compress(lines, full), itertools.compress(lines[1:], full)))
        if full_count < _CERTAIN:
            return

        # Mail programs break lines between words, so most of their lines are shorter.
        broken_count = sum(map(_is_continued, lines, lines[1:]))
        if full_count * 2 <= broken_count:
            return

        self._width = width
        self.is_active = True

    def find(self, line: str, text: str) -> None:
        """Look for decorations in a line about an OOM kill, which is part of a block of lines."""
        # Most lines fail these tests, which are fast.
        if "&" in line:
            self._is_html |= _ESCAPE_OF_HTML.search(line) is not None
            self.is_active |= self._is_html
        if "invoked oom-killer" in line:
            self._find_suffix(line)
        if line.endswith("=") or _ESCAPED_EQUALS in line:
            self.find_in_mail(text)

    def _find_suffix(self, line: str) -> None:
        # Most lines end with the number that the pattern ends with, and then there is no suffix.
        if line.rpartition("_adj=")[2].lstrip("-").isdigit():
            return

        end = _TRIGGER_END.search(line)
        if end is not None:
            suffix = line[end.end() : end.end() + _LONGEST]
            self._suffix = suffix.rstrip("\r\n")
            self.is_active |= self._suffix.strip() != ""

    def find_in_mail(self, text: str) -> None:
        """Look for quoted-printable lines in a block of lines."""
        if _ESCAPED_EQUALS in text and _SOFT_BREAK.search(text):
            self._is_quoted_printable = True
            self.is_active = True

    def remove(self, raw: str) -> str | None:
        """Return a line without decorations, or None if it goes on in the next line.

        The text can also be two lines, of which the first one did not go on.
        """
        text = raw.rstrip("\r\n")
        if self._width is not None:
            return self._unwrap(text)

        if self._is_quoted_printable:
            # Mail with doubled ends of lines has a blank line after each break.
            is_blank_part = self._part != "" and text == ""
            text = self._part + text
            self._part = text[:-1]
            if text.endswith("="):
                return None

            self._part = text
            if is_blank_part:
                return None

            self._part = ""

            data = binascii.a2b_qp(text.encode("utf-8", "surrogateescape"))
            text = _BLANKS.sub(" ", data.decode("utf-8", "surrogateescape"))

        if text.endswith(self._suffix):
            text = text[: len(text) - len(self._suffix)]
        if self._is_html:
            text = html.unescape(text)

        return text

    def _unwrap(self, text: str) -> str | None:
        separator = ""
        if self._part and _has_prefix(text):
            separator = "\n"
        joined = self._part + separator + text
        self._part = ""
        if len(text) != self._width:
            return joined

        self._part = joined

        return None

    def close(self) -> str:
        """Return the part of a line that has not ended."""
        return self._part
