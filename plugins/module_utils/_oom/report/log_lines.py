# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read kernel messages from text: the output of dmesg, journalctl, syslog and /dev/kmsg, also as quoted in mail."""

from __future__ import annotations

import functools
import re
import typing as t

from .console_lines import ConsoleLine, correct_held, find_console_line, is_on_console
from .learned_prefixes import LearnedPrefixes
from .model import QUOTED, USERSPACE_SOURCES, Line, Origin
from .prefixes import Prefix, find_program, split_prefix, undo_escapes
from .systemd_notices import SYSTEMD
from .unwrap import Unwrapper
from .userspace_killers import find_unnamed_killer

# The kernel limits a message to 1024 characters, and the statistics of a cgroup in one record to 4096.
_LONGEST = 16384

_BOOT = re.compile(r"-- Boot ([0-9a-f]{32}) --$")

# The uptime and the message that follow the same prefix as in the line before. The tag of a caller does not match.
_SIMILAR = re.compile(r"\[ *(\d{1,20})\.(\d{6})\] (?!\[ *[TC]\d|<)(.*)", re.DOTALL)

# A process with an id after the uptime, without a host or a caller.
_PROCESS = re.compile(r"(?!kernel\[)([\w./@()-]+)\[\d+\]: (?![<\[])(.*)", re.DOTALL)

# Of the lines that each report has, only this one looks as if it named a process by its id.
_RESERVE = "lowmem_reserve[]: "

# First characters of lines from dmesg and journalctl on a terminal, from slow consoles, and from quotations in mail.
_MARKS = frozenset("\x1b-`>*\ufeff")
# No line begins with this, so no line of a document or of a log with a learned prefix takes the fast path.
_NO_PREFIX = "\0"
# The other programs whose lines are read, also in documents.
_QUOTED_PROGRAMS = (*USERSPACE_SOURCES, SYSTEMD)
_BYTE_ORDER_MARK = "\ufeff"
_COLOUR = re.compile(r"\x1b\[[\d;]{0,20}m")
_QUOTE_MARK = re.compile(r"\A ?(?:> ?){1,9}(?: {0,3}\| ?)?")
_BOLD = re.compile(r"\A\*\*(?P<text>[^\s*].*?)(?:\*\*)?\s*\Z", re.DOTALL)
# A line of a document as code, perhaps as an item of a list.
_CODE = re.compile(r"\A {0,3}(?:[-*] )?`(?P<text>[^`]+)`\s*\Z")
_DROPPED = re.compile(r"\A\*\* \d{1,20} printk messages dropped \*\* (?=\S)")

# A log has many lines, and this takes half the time of calling Line.
_new_line: t.Callable[[t.Iterable[t.Any]], Line] = functools.partial(tuple.__new__, Line)


def read_log(lines: t.Iterable[str]) -> t.Iterator[Line]:
    """Yield the messages of a text log: without prefixes, without escapes, and with broken lines joined.

    `Line.source` is the program in the prefix. `Line.cursor` is the number of the line in the text. Text does not prove
    who wrote it.
    """
    return read_numbered(enumerate(lines, start=1))


# A log has millions of lines, so the loop is dense for speed.
def read_numbered(numbered: t.Iterable[tuple[int, str | Prefix]]) -> t.Iterator[Line]:
    """Yield the messages as `read_log` does, from lines with their numbers. A record's message is a `Prefix`."""
    log = _LogReader()
    unwrapper = log.unwrapper
    parse_similar = log.parse_similar
    for number, raw in numbered:
        # Most lines pass this test. One that they fail would take longer.
        if isinstance(raw, str):
            line = parse_similar(raw, number)
            if line is None:
                complete = log.take(raw, number)
            else:
                complete = unwrapper.held
                unwrapper.held = line
        else:
            complete = log.take_message(raw, number)
        if complete is not None:
            yield complete

    if unwrapper.held:
        yield unwrapper.held


class _LogReader:
    """Parses the lines of a text. Each line can depend on the lines before it."""

    def __init__(self) -> None:
        self.unwrapper = Unwrapper()
        self._boot_id: str | None = None
        self._learned = LearnedPrefixes()
        self._in_fence = False
        # Where the text begins is unknown, so a fence can begin or end a quotation.
        self._in_document = False
        self._kernel_prefix = ""
        self._paused_prefix = ""
        self._has_inner_prefixes = False
        # The latest line that the prefixes can be learned from.
        self._learned_from = ""
        # A line with a stamp after other text, which the next stamp shows to be one of a serial console.
        self._console: ConsoleLine | None = None
        self._realtime_us: int | None = None
        self._origin = Origin()

    # Most lines of a kernel log take this way, so it is dense for speed.
    def parse_similar(self, raw: str, number: int) -> Line | None:
        """Return a line with the same prefix as the kernel line before, or None if it has another or has escapes."""
        if len(raw) > _LONGEST or not raw.startswith(self._kernel_prefix):
            return None

        similar = _SIMILAR.match(raw, len(self._kernel_prefix))
        if similar is None:
            return None

        seconds, fraction, message = similar.groups()
        # These searches are several times as fast as a set of characters in the pattern.
        if "\\" in message or "\xa0" in message:
            return None

        # The version of a kernel has a number sign, but not as an escape.
        if "#" in message and undo_escapes(message) != message:
            return None

        origin = self._origin
        # Without a host before the uptime, a host and a program can follow it. Rows of a task table have no colon.
        if not self._kernel_prefix and ": " in message and _can_name_program(message):
            process = _PROCESS.match(message)
            if process is None:
                return None

            program, message = process.groups()
            origin = self._find_origin(None, find_program(program))

        text = message.rstrip("\r\n")
        monotonic_us = int(seconds + fraction)

        return _new_line((text, self._realtime_us, monotonic_us, str(number), origin, raw))

    # Most lines of a log that is not the kernel's alone take this way, so it calls no more functions than necessary.
    def take(self, raw: str, number: int) -> Line | None:
        """Take any line, and return the line before it if that is complete now."""
        text = raw[:_LONGEST].rstrip("\r\n").replace("\xa0", " ")
        printed = raw
        is_quoted = self._in_fence
        if text[:1] in _MARKS or text[:2] == " >":
            text = _COLOUR.sub("", text.lstrip(_BYTE_ORDER_MARK))
            if self._take_control_line(text):
                return None

            text, has_quote_mark = _remove_marks(text)
            printed = text
            is_quoted |= has_quote_mark

        # Ends of lines can be doubled.
        if self._learned.is_active and self._learned.has_guess and not text.strip():
            return None

        prefix = self._split(text)
        if self._console is not None:
            self._settle_console(self._console, prefix)
        if prefix is None:
            prefix = self._split_console(text)
        if prefix is None:
            return self._take_unprefixed(text, number, is_quoted=is_quoted)

        source = prefix.source
        if is_quoted or self._in_document:
            source = _find_quoted_source(source)
            if source is None:
                return None

        if source == "kernel" and raw.startswith(text) and self._kernel_prefix is not _NO_PREFIX:
            self._remember_prefix(raw, prefix)

        complete = self.unwrapper.held
        origin = self._find_origin(prefix.hostname, source)
        self.unwrapper.held = Line(prefix.text, prefix.realtime_us, prefix.monotonic_us, str(number), origin, printed)

        return complete

    def _split(self, text: str) -> Prefix | None:
        """Return the parsed prefix and the message of a line, or None if it has no prefix."""
        if self._learned.is_active:
            prefix = self._split_learned(text)
            if prefix is not None:
                return prefix

        prefix = split_prefix(text)
        if (prefix is None or prefix.source is None) and "ill" in text:
            return self._learn(text) or prefix

        return prefix

    def _learn(self, text: str) -> Prefix | None:
        """Learn the prefix of a line about an OOM kill, and return it parsed, or None if it is known or unclear."""
        prefix = self._learned.learn(text)
        self._learned_from = text
        if self._learned.is_active:
            # The next line can show the prefix, so it must not take the fast path.
            self._paused_prefix = self._kernel_prefix
            self._kernel_prefix = _NO_PREFIX

        return prefix

    def _split_learned(self, text: str) -> Prefix | None:
        """Return the parsed prefix of a line that begins with one that only this log has, or None."""
        before = self._learned.confirm(text)
        if before is not None:
            self._correct_held(before)
        if not self._learned.is_active:
            self._kernel_prefix = self._paused_prefix

        return self._learned.split(text)

    def _correct_held(self, prefix: Prefix) -> None:
        """Give the line before the prefix that this line has shown."""
        held = self.unwrapper.held
        if held is None:
            return

        origin = Origin(self._boot_id, prefix.hostname or held.hostname, held.source or prefix.source)
        self.unwrapper.held = held._replace(
            text=prefix.text,
            realtime_us=prefix.realtime_us or held.realtime_us,
            monotonic_us=prefix.monotonic_us or held.monotonic_us,
            origin=origin,
            printed=self._learned_from,
        )

    def _split_console(self, text: str) -> Prefix | None:
        """Return the message of the kernel after other text if the line before is the kernel's, or None."""
        # Most lines fail this test, which is fast.
        if "] " not in text:
            return None

        console = find_console_line(text)
        if console is None:
            return None

        if is_on_console(console, self.unwrapper.held or Line("")):
            return console.message

        if self._kernel_prefix == "" and not self._learned.is_active:
            # The next line can show what this one is, so it must not take the fast path.
            self._console = console
            self._kernel_prefix = _NO_PREFIX

        return None

    def _settle_console(self, console: ConsoleLine, prefix: Prefix | None) -> None:
        """Correct the line before, which can have continuations, if this line begins with a stamp."""
        held = self.unwrapper.held or Line("")
        is_same = held.text.startswith(console.text)
        if is_same and prefix is None:
            return

        if is_same and is_on_console(console, prefix or Line("")):
            self.unwrapper.held = correct_held(console, held)
        self._console = None
        if not self._in_document:
            self._kernel_prefix = ""

    def take_message(self, message: Prefix, number: int) -> Line | None:
        """Take the message of a record, which can have a prefix of its own, and return the line before it."""
        if "\x1b" in message.text:
            message = message._replace(text=_COLOUR.sub("", message.text))
        own = None
        printed: str | None = message.text
        if self._can_have_prefix(message):
            own = self._split(message.text)
        if own is None:
            own = message._replace(text=message.text.lstrip())
            printed = None

        origin = self._find_origin(own.hostname or message.hostname, own.source or message.source)
        complete = self.unwrapper.held
        self.unwrapper.held = Line(
            own.text,
            own.realtime_us or message.realtime_us,
            own.monotonic_us or message.monotonic_us,
            str(number),
            origin,
            printed,
        )

        return complete

    def _find_origin(self, hostname: str | None, source: str | None) -> Origin:
        """Return the origin of a line: the object of the kernel line before, if it is equal."""
        origin = Origin(self._boot_id, hostname, source)
        if origin == self._origin:
            return self._origin

        return origin

    def _can_have_prefix(self, message: Prefix) -> bool:
        """Return whether the message of a record can have a prefix of its own.

        In most logs, those of the kernel have none.
        """
        if message.source != "kernel":
            return message.source is None

        if "ill" in message.text:
            self._has_inner_prefixes |= split_prefix(message.text) is not None
            return True

        return any((self._has_inner_prefixes, self._learned.is_active))

    def _take_control_line(self, text: str) -> bool:
        """Take a line that is not a message: the separator of two boots, or a fence of a quotation in Markdown."""
        boot = _BOOT.match(text)
        if boot:
            self._boot_id = boot.group(1)
            self._origin = self._origin._replace(boot_id=self._boot_id)
            return True

        if text.startswith("```"):
            self._in_fence = not self._in_fence
            self._in_document = True
            self._kernel_prefix = _NO_PREFIX
            return True

        return False

    def _take_unprefixed(self, text: str, number: int, *, is_quoted: bool) -> Line | None:
        message = undo_escapes(text)
        # All lines of userspace killers have one of these, and searching them is faster than a pattern. Rows of a task
        # table begin with a bracket.
        if message[:1] != "[" and ("SIG" in message or "ess" in message):
            before = self.unwrapper.held or Line("")
            killer = find_unnamed_killer(message, before.text)
            if killer is not None:
                return self._take_killer_line(killer, text, number)

        line = Line(message, cursor=str(number))
        if is_quoted:
            line = line._replace(origin=Origin(source=QUOTED))

        return self.unwrapper.take(line)

    def _take_killer_line(self, killer: tuple[str, str], text: str, number: int) -> Line | None:
        """Take a line of a userspace killer that does not name itself."""
        source, message = killer
        complete = self.unwrapper.held
        origin = Origin(self._boot_id, None, source)
        self.unwrapper.held = Line(message, cursor=str(number), origin=origin, printed=text)

        return complete

    def _remember_prefix(self, raw: str, prefix: Prefix) -> None:
        """Remember the prefix of a kernel line for `parse_similar`."""
        end = raw.find("kernel: ") + len("kernel: ")
        self._kernel_prefix = raw[:end]
        self._realtime_us = prefix.realtime_us
        self._origin = Origin(self._boot_id, prefix.hostname, prefix.source)


def _can_name_program(message: str) -> bool:
    """Return whether a host and a program can be at the beginning of a message."""
    if "]: " in message:
        return not message.startswith(_RESERVE)

    return "kernel: " in message


def _find_quoted_source(source: str | None) -> str | None:
    """Return the source of a line that a document quotes, or None if it is of no interest."""
    if source in (None, "kernel"):
        return QUOTED

    if source in _QUOTED_PROGRAMS:
        return source

    return None


def _remove_marks(text: str) -> tuple[str, bool]:
    """Remove the marks before a line, and return whether one of them is the mark of a quotation in mail."""
    text, quote_marks = _QUOTE_MARK.subn("", text)
    text = _DROPPED.sub("", text)
    text = _CODE.sub(r"\g<text>", text)

    return _BOLD.sub(r"\g<text>", text), quote_marks > 0


def find_stamp(line: Line) -> str | None:
    """Return the prefix of a line as printed (time, host and program), or None if it has none."""
    if line.printed is None:
        return None

    text = line.printed.rstrip("\r\n").replace("\xa0", " ")
    if line.text and text.endswith(line.text):
        return text[: -len(line.text)].strip() or None

    # Without the characters that begin an escape, the message stays as long as printed.
    prefix = split_prefix(text.replace("\\", "/").replace("#", "-"))
    if prefix is None:
        return None

    return text[: len(text) - len(prefix.text)].strip()
