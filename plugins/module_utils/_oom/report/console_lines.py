# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the kernel's messages on a serial console after text that a program has printed without ending the line.

Programs can print a stamp, too. So the text before the stamp must not name a program, and a line next to this one must
begin with a stamp of about the same time.
"""

from __future__ import annotations

import re
import typing as t

from .model import Line
from .prefixes import Prefix, split_prefix
from .times import is_near

_LONGEST = 200
_STAMP = re.compile(r"\[ {0,4}\d{1,10}\.\d{6}\](?= |\[)")
# The prefix of a program, a log of requests, or a quotation.
_PROGRAM = re.compile(r"\S\[\d{1,10}\]:|\A(?:\S{1,64} (?!login: ))?(?!Password: )[\w./@()-]{1,64}: ?\Z|[\"'`]")


class ConsoleLine(t.NamedTuple):
    """A line with a message of the kernel after other text."""

    text: str
    message: Prefix
    printed: str
    """The message with its stamp, as printed."""


def find_console_line(text: str) -> ConsoleLine | None:
    """Return a line that has a message of the kernel after other text, or None if it has none or names a program."""
    stamp = _STAMP.search(text, 1, _LONGEST)
    if stamp is None or _PROGRAM.search(text[: stamp.start()]):
        return None

    printed = text[stamp.start() :]
    message = split_prefix(printed)
    if message is None or message.source is not None:
        return None

    return ConsoleLine(text.lstrip(), message, printed)


def is_on_console(console: ConsoleLine, other: Line | Prefix) -> bool:
    """Return whether another line has no more than a stamp before its message, of about the same time."""
    if other.monotonic_us is None or (other.hostname, other.source) != (None, None):
        return False

    return is_near(Line("", monotonic_us=other.monotonic_us), Line("", monotonic_us=console.message.monotonic_us))


def correct_held(console: ConsoleLine, held: Line) -> Line:
    """Return the line that is held, perhaps with continuations joined to it, without the text before the stamp."""
    message = console.message
    text = message.text + held.text[len(console.text) :]

    return held._replace(text=text, monotonic_us=message.monotonic_us, printed=console.printed)
