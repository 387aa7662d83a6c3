# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in columns, measured as a terminal shows it. Pure."""

from __future__ import annotations

import typing as t
import unicodedata

_ELLIPSIS = "…"
_GAP = "  "
_LEAST = 8
_WIDE = frozenset(("W", "F"))
_COMBINING = frozenset(("Mn", "Me", "Cf"))


def measure(text: str) -> int:
    """Return how many columns a terminal takes for a text: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)

    return sum(map(_measure_character, text))


def shorten(text: str, width: int) -> str:
    """Return a text in at most `width` columns, without its middle if it is longer."""
    if measure(text) <= width:
        return text

    kept = width - 1
    end = _take(text[::-1], kept // 2)[::-1]
    start = _take(text, kept - measure(end))

    return f"{start}{_ELLIPSIS}{end}"


def pad(text: str, width: int) -> str:
    """Return a text with blanks up to `width` columns."""
    return text + " " * (width - measure(text))


def wrap(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` columns, broken between words where that is possible."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".lstrip()
        if measure(longer) <= width:
            lines[-1] = longer
            continue

        lines += _split(word, width)

    return list(filter(None, lines))


def align(rows: t.Sequence[t.Sequence[str]], width: int, *, shortened: t.Iterable[int]) -> list[list[str]]:
    """Return the lines of each row, of at most `width` columns, with the columns `shortened` as much as is needed.

    The first row is the heading. A shorter row has one long last cell, which takes the rest of its line and more lines
    if it needs them.
    """
    number = len(rows[0])
    gaps = len(_GAP) * (number - 1)
    widths = [0] * number
    for row in rows:
        widths = list(map(max, widths, _measure_row(row, number)))

    _shrink(widths, shortened, width - gaps)
    _shrink(widths, range(number), width - gaps)

    return [_align_row(row, widths, width) for row in rows]


def _measure_row(row: t.Sequence[str], number: int) -> list[int]:
    """Return how wide a row needs each of `number` columns. The long last cell of a shorter row needs none."""
    if len(row) == number:
        return list(map(measure, row))

    widths = list(map(measure, row[:-1]))

    return widths + [0] * (number - len(widths))


def _shrink(widths: list[int], columns: t.Iterable[int], total: int) -> None:
    """Take from the widest of some columns until all columns fit into `total`, or these have their least width."""
    shrinkable = set(columns)
    while sum(widths) > total:
        # The last one of equal columns: the names that begin a line matter most.
        widest = max(shrinkable, key=lambda column: (widths[column], column))
        if widths[widest] <= _LEAST:
            break

        widths[widest] -= 1


def _align_row(row: t.Sequence[str], widths: t.Sequence[int], width: int) -> list[str]:
    line = ""
    for cell, cell_width in zip(row[:-1], widths, strict=False):
        line += pad(shorten(cell, cell_width), cell_width)
        line += _GAP

    if len(row) == len(widths):
        last = shorten(row[-1], widths[-1])
        return [f"{line}{last}".rstrip()]

    indent = measure(line)
    first, *others = wrap(row[-1], width - indent) or [""]

    return [f"{line}{first}".rstrip(), *[f"{' ' * indent}{other}" for other in others]]


def _split(word: str, width: int) -> list[str]:
    """Return a word in parts of at most `width` columns."""
    parts = []
    while measure(word) > width:
        part = _take(word, width)
        parts.append(part)
        word = word.removeprefix(part)

    return [*parts, word]


def _take(text: str, width: int) -> str:
    """Return the beginning of a text that fits into `width` columns."""
    for length, character in enumerate(text):
        width -= _measure_character(character)
        if width < 0:
            return text[:length]

    return text


def _measure_character(character: str) -> int:
    if unicodedata.category(character) in _COMBINING:
        return 0

    if unicodedata.east_asian_width(character) in _WIDE:
        return 2

    return 1
