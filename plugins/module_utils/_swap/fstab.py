# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The swap lines of fstab(5), edited so that every other byte stays as it was."""

from __future__ import annotations

import dataclasses
import re
import typing as t

_ESCAPE = re.compile(r"\\([0-7]{3})")
# What fstab(5), /proc/swaps and /proc/self/mountinfo all write as a backslash and three octal digits.
_SPECIAL = re.compile(r"[ \t\n\\]")


@dataclasses.dataclass(frozen=True)
class SwapLine:
    """One swap line: the path of the area and its mount options."""

    path: str
    options: str


def unescape(field: str) -> str:
    r"""Return a field of one of the kernel's tables or of fstab(5) with `\040` and the like turned back."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), field)


def escape(field: str) -> str:
    r"""Return `field` with blanks and backslashes as fstab(5) wants them: `\040`, `\134`."""
    return _SPECIAL.sub(lambda match: f"\\{ord(match.group()):03o}", field)


def edit(text: str, *, wanted: t.Sequence[SwapLine], unwanted: t.Iterable[str]) -> str:
    """Return the fstab `text` with exactly one line for each of `wanted` and none for the paths in `unwanted`.

    A line that says what is wanted already stays as it is, in whatever shape; one for the same path that says
    something else is rewritten where it stands; a missing one goes to the end.
    """
    missing = {line.path: line for line in wanted}
    own_paths = {*missing, *unwanted}
    kept = []
    lines = text.split("\n")
    for line in lines:
        present = _parse(line)
        if present is None or present.path not in own_paths:
            kept.append(line)
        elif present.path in missing:
            target = missing.pop(present.path)
            kept.append(line if present == target else _render(target))
    added = [_render(line) for line in missing.values()]
    if not added:
        if lines[-1] and kept and lines[-1] is not kept[-1]:
            # The last line is gone that had no end, and the one before it has.
            kept.append("")
        return "\n".join(kept)
    if kept and kept[-1] == "":
        kept.pop()
    return "\n".join([*kept, *added, ""])


def swap_lines(text: str) -> list[SwapLine]:
    """Return the swap lines of the fstab `text`."""
    return [line for line in map(_parse, text.split("\n")) if line]


def _parse(line: str) -> SwapLine | None:
    fields = line.split()
    if len(fields) < 3 or fields[0].startswith("#") or fields[2] != "swap":
        return None
    return SwapLine(path=unescape(fields[0]), options=fields[3] if len(fields) > 3 else "")


def _render(line: SwapLine) -> str:
    return f"{escape(line.path)} none swap {line.options} 0 0"
