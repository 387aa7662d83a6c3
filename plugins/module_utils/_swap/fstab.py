# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swap lines of fstab(5), edited without changing any other byte. Pure."""

from __future__ import annotations

import dataclasses
import re
import typing as t

_ESCAPE = re.compile(r"\\([0-7]{3})")
# Lines of other areas are kept behind this text, so that they can be restored.
_DISABLED = "# Disabled by oomguard.linux.swap: "
# The first field and, if there is one, the fourth.
_SWAP_LINE = re.compile(r"\s*(?!#)(\S+)\s+\S+\s+swap(?:\s+(\S+)|\s*$)")
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


def edit_swap_lines(text: str, *, wanted: t.Mapping[str, str], unwanted: t.Iterable[str]) -> str:
    """Return the fstab `text` with exactly one line for each path in `wanted`, and none for those in `unwanted`.

    The values of `wanted` are the options. A line that already says what is wanted keeps its form. A line with the same
    path and other options is rewritten in place. A missing line is added at the end.
    """
    missing = dict(wanted)
    own_paths = {*missing, *unwanted}
    lines = text.split("\n")
    kept = []
    for line in lines:
        present = _parse_swap_line(line)
        if present is None or present.path not in own_paths:
            kept.append(line)
        elif present.path in missing:
            options = missing.pop(present.path)
            kept.append(_correct_line(line, present, options))

    if missing:
        added = [_render_swap_line(path, options) for path, options in missing.items()]
        return _append_lines(kept, added)

    if kept and kept[-1] is not lines[-1]:
        # The last line, which had no newline, was removed or rewritten. What is last now ends with one.
        kept.append("")

    return "\n".join(kept)


def disable_swap_lines(text: str) -> str:
    """Return the fstab `text` with each swap line turned into a comment."""
    return "\n".join(_disable_swap_line(line) for line in text.split("\n"))


def _disable_swap_line(line: str) -> str:
    if _parse_swap_line(line) is None:
        return line

    return f"{_DISABLED}{line}"


def _correct_line(line: str, present: SwapLine, options: str) -> str:
    if present.options == options:
        return line

    return _render_swap_line(present.path, options)


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


def read_swap_options(text: str) -> dict[str, str]:
    """Return the options with which the fstab `text` names areas, by their paths."""
    return {line.path: line.options for line in parse_swap_lines(text)}


def _parse_swap_line(line: str) -> SwapLine | None:
    match = _SWAP_LINE.match(line)
    if not match:
        return None

    path, options = match.groups("")
    return SwapLine(path=unescape_field(path), options=options)


def _render_swap_line(path: str, options: str) -> str:
    return f"{escape_field(path)} none swap {options} 0 0"
