# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read kernel messages from text: the output of dmesg, journalctl, syslog and /dev/kmsg, also as quoted in mail.

Formats: dmesg(1), journalctl(1) (`--output=short` and its variants), RFC 3164, RFC 3339, RFC 5424, OpenWrt's logread,
and Documentation/ABI/testing/dev-kmsg of Linux.
"""

from __future__ import annotations

import datetime
import functools
import re
import typing as t

from .model import QUOTED, Line, Origin
from .unwrap import Unwrapper

# The kernel limits a message to 1024 characters, and the statistics of a cgroup in one record to 4096.
_LONGEST = 16384

_LEVEL = re.compile(r"(?:<\d{1,3}>(?:1 (?=\d{4}-))?|[a-z0-9]{3,8} *:[a-z]{3,6} *: )")
_KMSG = re.compile(r"\d+,\d+,(\d{1,20}),[^,;]{1,3}(?:,[^;]{0,60})?;")
_STAMP = re.compile(
    r"(?:"
    r"(?P<full>\S{2,5} )?(?P<date>\d{4}-\d\d-\d\d)[T ](?P<clock>\d\d:\d\d:\d\d)(?:[.,](?P<fraction>\d{1,9}))?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:?\d\d|(?(full)[A-Z]{3,5}|))"
    r"|(?P<unix>\d{9,10}\.\d{6})"
    r"|(?:[^\W\d]{2,5} )?[^\W\d]{2,8}\.? {1,2}\d{1,2}(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d{1,6})?(?: \d{4})?"
    r"|\d\d:\d\d:\d\d(?:\.\d{1,6})?"
    r"|\d{1,2}月 {1,2}\d{1,2} \d\d:\d\d:\d\d(?:\.\d{1,6})?"
    r"|(?:\d{1,2}[./-]\d{1,2}[./-]\d{4}|\d{4}[./]\d{1,2}[./]\d{1,2}),? \d\d:\d\d:\d\d(?:[.,]\d{1,6})?"
    r") "
)
_PRIORITY = r"[a-z0-9]{3,8}\.(?:emerg|alert|crit|err|warn|warning|notice|info|debug) "
# People hide the names of their hosts: `***`, `<host>`, `[host]`. Some collectors write `name/address`.
_HOST = r"[\w.:()*/-]+(?<!:)|<[^\W\d][^<>]{0,60}>|\[[^\W\d][\w.-]{0,60}\]|\{[^\W\d][\w.-]{0,60}\}"
# RFC 5424: the process, the kind of message and the structured data follow the program, and each can be missing.
_RFC5424_REST = r" (?:-|\d{1,10}) (?:-|[\w.-]{1,32}) (?:-|(?:\[[A-Za-z][^\]]{0,400}\]){1,9})(?: |$)"
_HOST_AND_TAG = re.compile(
    rf"(?:(?!{_PRIORITY})(?P<host>{_HOST}) )?(?:{_PRIORITY})?(?P<tag>[\w./@()-]+)"
    rf"(?:(?:\[\d+\])?:(?: |$|(?=\[))|{_RFC5424_REST})"
)
_KERNEL_TAG = re.compile(rf"(?:(?P<host>{_HOST}) (?=kernel: ?\[ *\d))?(?P<tag>kernel):(?: |(?=\[))")
_UPTIME = re.compile(
    r"\s*(?:: )?\[ *(?:(?:\d{1,3}-)?(?P<uptime>\d{1,20}\.\d+)(?: <[ \d.+]*>| {1,40})?|\+\d+\.\d+|[^\W\d]{3} ?\d{1,2} \d\d:\d\d"
    r"|[^\[\]]{4,40}\d\d:\d\d:\d\d[^\[\]]{0,12})\] ?"
)
_CALLER_MARKS = frozenset("[<")
_CALLER = re.compile(r"\A(?:\[ *[TC]\d+\] ?)?(?:<\d{1,2}>)?")
_BOOT = re.compile(r"-- Boot ([0-9a-f]{32}) --$")

# The uptime and the message that follow the same prefix as in the line before. The tag of a caller does not match.
_SIMILAR = re.compile(r"\[ *(\d{1,20})\.(\d{6})\] (?!\[ *[TC]\d|<)(.*)", re.DOTALL)

# First characters of lines from dmesg and journalctl on a terminal, from slow consoles, and from quotations in mail.
_MARKS = frozenset("\x1b-`>*")
_COLOUR = re.compile(r"\x1b\[[\d;]{0,20}m")
_QUOTE_MARK = re.compile(r"\A ?(?:> ?){1,9}")
_DROPPED = re.compile(r"\A\*\* \d{1,20} printk messages dropped \*\* (?=\S)")

_CONTROL = re.compile(r"\\x([01][0-9a-f]|7f)|#(0[0-3][0-7]|177)")
_KMSG_ESCAPE = re.compile(r"(?:\\x[0-9a-f]{2})+")

# Names of other time zones are ambiguous.
_OFFSETS = {"Z": "+0000", "UTC": "+0000"}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)

# A log has many lines, and this takes half the time of calling Line.
_new_line: t.Callable[[t.Iterable[t.Any]], Line] = functools.partial(tuple.__new__, Line)


class Prefix(t.NamedTuple):
    """The parsed prefix of a line. `text` is the message after it."""

    text: str
    realtime_us: int | None = None
    monotonic_us: int | None = None
    hostname: str | None = None
    source: str | None = None


# A log has millions of lines, so the loop is dense for speed.
def read_lines(file: t.TextIO) -> t.Iterator[str]:
    """Yield the lines of a text file. Lines longer than any line of a log are truncated, and never held whole.

    NULs before a line are removed: logrotate's copytruncate leaves as many as the log had bytes.
    """
    read = functools.partial(file.readline, _LONGEST)
    raw = read()
    while raw:
        text = raw.lstrip("\0") if raw[0] == "\0" else raw
        if not text:
            raw = read()
            continue

        # NULs filled a part of the chunk, so the line continues in the next one.
        if len(text) < len(raw) == _LONGEST and raw[-1] != "\n":
            raw = read()
            text += raw
        yield text

        # Skip the rest of a line that is too long.
        while len(raw) == _LONGEST and raw[-1] != "\n":
            raw = read()
        raw = read()


def read_log(lines: t.Iterable[str]) -> t.Iterator[Line]:
    """Yield the messages of a text log: without prefixes, without escapes, and with broken lines joined.

    `Line.source` is the program in the prefix. `Line.cursor` is the number of the line in the text. Text does not prove
    who wrote it.
    """
    log = _LogReader()
    unwrapper = log.unwrapper
    for number, raw in enumerate(lines, start=1):
        line = log.parse_similar(raw, number)
        if line is None:
            complete = log.take(raw, number)
        else:
            complete = unwrapper.held
            unwrapper.held = line
        if complete is not None:
            yield complete

    if unwrapper.held:
        yield unwrapper.held


class _LogReader:
    """Parses the lines of a text. Each line can depend on the lines before it."""

    def __init__(self) -> None:
        self.unwrapper = Unwrapper()
        self._boot_id: str | None = None
        self._in_fence = False
        self._kernel_prefix = ""
        self._realtime_us: int | None = None
        self._origin = Origin()

    # Most lines of a kernel log take this way, so it is dense for speed.
    def parse_similar(self, raw: str, number: int) -> Line | None:
        """Return a line with the same prefix as the kernel line before, or None if it has another or has escapes."""
        if self._in_fence or len(raw) > _LONGEST or not raw.startswith(self._kernel_prefix):
            return None

        similar = _SIMILAR.match(raw, len(self._kernel_prefix))
        if similar is None:
            return None

        seconds, fraction, message = similar.groups()
        # Four searches are several times as fast as a set of characters in the pattern.
        if "\\" in message or "#" in message or "\xa0" in message or "kernel: " in message:
            return None

        text = message.rstrip("\r\n")
        monotonic_us = int(seconds + fraction)

        return _new_line((text, self._realtime_us, monotonic_us, str(number), self._origin, raw))

    def take(self, raw: str, number: int) -> Line | None:
        """Take any line, and return the line before it if that is complete now."""
        text = raw[:_LONGEST].rstrip("\r\n").replace("\xa0", " ")
        printed = raw
        is_quoted = self._in_fence
        if text[:1] in _MARKS or text[:2] == " >":
            text = _COLOUR.sub("", text)
            if self._take_control_line(text):
                return None

            text, has_quote_mark = _remove_marks(text)
            printed = text
            is_quoted = is_quoted or has_quote_mark

        prefix = split_prefix(text)
        if prefix is None:
            return self._take_unprefixed(text, number, is_quoted=is_quoted)

        source = prefix.source
        if is_quoted and source not in (None, "kernel"):
            return None

        if source == "kernel" and raw.startswith(text):
            self._remember_prefix(raw, prefix)

        origin = self._find_origin(prefix.hostname, QUOTED if is_quoted else source)
        complete = self.unwrapper.held
        self.unwrapper.held = Line(prefix.text, prefix.realtime_us, prefix.monotonic_us, str(number), origin, printed)

        return complete

    def _find_origin(self, hostname: str | None, source: str | None) -> Origin:
        """Return the origin of a line: the object of the kernel line before, if it is equal."""
        origin = Origin(self._boot_id, hostname, source)
        if origin == self._origin:
            return self._origin

        return origin

    def _take_control_line(self, text: str) -> bool:
        """Take a line that is not a message: the separator of two boots, or a fence of a quotation in Markdown."""
        boot = _BOOT.match(text)
        if boot:
            self._boot_id = boot.group(1)
            self._origin = self._origin._replace(boot_id=self._boot_id)
            return True

        if text.startswith("```"):
            self._in_fence = True
            return True

        return False

    def _take_unprefixed(self, text: str, number: int, *, is_quoted: bool) -> Line | None:
        source = QUOTED if is_quoted else None
        line = Line(_undo_escapes(text), cursor=str(number), origin=Origin(source=source))

        return self.unwrapper.take(line)

    def _remember_prefix(self, raw: str, prefix: Prefix) -> None:
        """Remember the prefix of a kernel line for `parse_similar`."""
        end = raw.find("kernel: ") + len("kernel: ")
        self._kernel_prefix = raw[:end]
        self._realtime_us = prefix.realtime_us
        self._origin = Origin(self._boot_id, prefix.hostname, prefix.source)


def _remove_marks(text: str) -> tuple[str, bool]:
    """Remove the marks before a line, and return whether one of them is the mark of a quotation in mail."""
    text, quote_marks = _QUOTE_MARK.subn("", text)

    return _DROPPED.sub("", text), quote_marks > 0


def find_stamp(line: Line) -> str | None:
    """Return the prefix of a line as printed (time, host and program), or None if it has none."""
    if line.printed is None:
        return None

    text = line.printed.rstrip("\r\n").replace("\xa0", " ")
    # Without the characters that begin an escape, the message stays as long as printed.
    prefix = split_prefix(text.replace("\\", "/").replace("#", "-"))
    if prefix is None:
        return None

    return text[: len(text) - len(prefix.text)].strip()


# Most lines of a log that is not the kernel's alone take this way, so it calls no more functions than necessary.
def split_prefix(text: str) -> Prefix | None:
    """Return the parsed prefix and the message of a line, or None if the line has no prefix."""
    if text[:1] == "[":
        return _split_uptime(Prefix(text), is_whole_line=True)

    # Skipping the blanks here is faster than in each pattern.
    begin = _skip_blanks(text, 0)
    kmsg = _KMSG.match(text, begin)
    if kmsg:
        message = _KMSG_ESCAPE.sub(_decode_escapes, text[kmsg.end() :])
        return Prefix(message, monotonic_us=int(kmsg.group(1)))

    level = _LEVEL.match(text, begin)
    start = level.end() if level else 0
    head = _split_head(text, start)
    is_whole_line = len(head.text) == len(text) - start
    if head.source in (None, "kernel"):
        prefix = _split_uptime(head, is_whole_line=is_whole_line)
        if prefix is not None:
            return prefix

    if is_whole_line:
        return None

    return head._replace(text=_undo_escapes(head.text))


def _split_uptime(head: Prefix, *, is_whole_line: bool) -> Prefix | None:
    """Return `head` without the uptime at the beginning of its text, or None if there is no uptime.

    `is_whole_line` says that nothing of the line is before the uptime.
    """
    uptime = _UPTIME.match(head.text)
    if uptime is None:
        return None

    rest = head.text[uptime.end() :]
    host = head.hostname
    source = head.source
    if is_whole_line and "kernel: " in rest:
        host, source, rest = _split_late_host(rest)
    if rest[:1] in _CALLER_MARKS:
        rest = _CALLER.sub("", rest)

    return Prefix(_undo_escapes(rest), head.realtime_us, _parse_uptime(uptime), host, source)


def _split_late_host(text: str) -> tuple[str | None, str | None, str]:
    """Split `HOST kernel: MESSAGE`, which journalctl --output=short-monotonic prints after the uptime."""
    named = _HOST_AND_TAG.match(text)
    if named is None:
        return None, None, text

    host, tag = named.group("host", "tag")
    if not host or tag != "kernel":
        return None, None, text

    return host, tag, text[named.end() :]


def _split_head(text: str, start: int) -> Prefix:
    """Return the time, host and program at the beginning of a line, or the whole line as text if there are none."""
    begin = _skip_blanks(text, start)
    stamp = _STAMP.match(text, begin)
    if stamp is None:
        tag = _KERNEL_TAG.match(text, begin)
        if tag is None:
            return Prefix(text[start:])

        return Prefix(text[tag.end() :], None, None, tag.group("host"), tag.group("tag"))

    realtime = _parse_realtime(stamp)
    named = _HOST_AND_TAG.match(text, stamp.end())
    if named:
        return Prefix(text[named.end() :], realtime, None, named.group("host"), named.group("tag"))

    if stamp.group("date"):
        return Prefix(text[stamp.end() :], realtime)

    return Prefix(text[start:])


def _skip_blanks(text: str, start: int) -> int:
    """Return the index of the first word at or after `start`."""
    return len(text) - len(text[start:].lstrip())


def _undo_escapes(text: str) -> str:
    if "\\x" not in text and "#" not in text:
        return text

    return _CONTROL.sub(_decode_control, text)


def _decode_control(escape: t.Match[str]) -> str:
    hexadecimal, octal = escape.groups()
    if hexadecimal:
        return chr(int(hexadecimal, 16))

    return chr(int(octal, 8))


def _decode_escapes(escapes: t.Match[str]) -> str:
    return bytes.fromhex(escapes.group().replace("\\x", "")).decode("utf-8", "backslashreplace")


def _parse_uptime(uptime: t.Match[str]) -> int | None:
    text = uptime.group("uptime")
    if text is None:
        return None

    seconds, _dot, fraction = text.partition(".")

    return int(seconds + _as_microseconds(fraction))


def _parse_realtime(stamp: t.Match[str]) -> int | None:
    """Return the microseconds since 1970, or None if the stamp has no year or no known time zone."""
    if stamp.group("unix"):
        return int(stamp.group("unix").replace(".", ""))

    date, clock, fraction, zone = stamp.group("date", "clock", "fraction", "zone")
    if not date or not zone:
        return None

    offset = _OFFSETS.get(zone, zone)
    if offset.isalpha():
        return None

    text = f"{date} {clock}{offset.replace(':', '')}"
    try:
        local = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S%z")
        moment = local.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None

    return (moment - _EPOCH) // _MICROSECOND + int(_as_microseconds(fraction or ""))


def _as_microseconds(fraction: str) -> str:
    """Return the digits of a fraction of a second, padded or cut to microseconds."""
    return f"{fraction:0<6}"[:6]
