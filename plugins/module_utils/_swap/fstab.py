# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swap lines of fstab(5), edited without changing any other byte. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t

_ESCAPE = re.compile(r"\\([0-7]{3})")
# fstab(5), /proc/swaps and /proc/self/mountinfo write these as a backslash and three octal digits.
_SPECIAL = re.compile(r"[ \t\n\\]")


@dataclasses.dataclass(frozen=True)
class SwapLine:
    """A swap line: the path of the area and its mount options."""

    path: str
    options: str


def unescape_field(field: str) -> str:
    r"""Return a field of fstab(5), or of a table of the kernel, with escapes such as `\040` decoded."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), field)


def escape_field(field: str) -> str:
    r"""Return `field` with blanks and backslashes escaped as fstab(5) requires: `\040`, `\134`."""
    return _SPECIAL.sub(lambda match: f"\\{ord(match.group()):03o}", field)


def edit_swap_lines(text: str, *, wanted: t.Sequence[SwapLine], unwanted: t.Iterable[str]) -> str:
    """Return the fstab `text` with exactly one line for each of `wanted`, and none for the paths in `unwanted`.

    A line that already says what is wanted keeps its form. A line with the same path and other options is rewritten in
    place. A missing line is added at the end.
    """
    missing = {line.path: line for line in wanted}
    own_paths = {*missing, *unwanted}
    lines = text.split("\n")
    kept = []
    for line in lines:
        present = _parse_swap_line(line)
        if present is None or present.path not in own_paths:
            kept.append(line)
        elif present.path in missing:
            target = missing.pop(present.path)
            kept.append(_correct_line(line, present, target))

    if missing:
        added = [_render_swap_line(line) for line in missing.values()]
        return _append_lines(kept, added)

    if kept and kept[-1] is not lines[-1]:
        # The last line, which had no newline, was removed or rewritten. What is last now ends with one.
        kept.append("")

    return "\n".join(kept)


def _correct_line(line: str, present: SwapLine, target: SwapLine) -> str:
    if present == target:
        return line

    return _render_swap_line(target)


def _append_lines(kept: list[str], added: t.Sequence[str]) -> str:
    """Return the text of `kept` and `added`, with a newline at the end of each line."""
    if kept[-1:] == [""]:
        kept.pop()

    return "\n".join([*kept, *added, ""])


def parse_swap_lines(text: str) -> list[SwapLine]:
    """Return the swap lines of the fstab `text`."""
    parsed = []
    for line in text.split("\n"):
        swap_line = _parse_swap_line(line)
        if swap_line:
            parsed.append(swap_line)

    return parsed


def has_swap_line(text: str, path: str) -> bool:
    """Return whether the fstab `text` names the area at `path`."""
    return any(line.path == path for line in parse_swap_lines(text))


def _parse_swap_line(line: str) -> SwapLine | None:
    fields = line.split()
    if len(fields) < 3 or fields[0].startswith("#") or fields[2] != "swap":
        return None

    options = ""
    if len(fields) > 3:
        options = fields[3]

    return SwapLine(path=unescape_field(fields[0]), options=options)


def _render_swap_line(line: SwapLine) -> str:
    return f"{escape_field(line.path)} none swap {line.options} 0 0"
