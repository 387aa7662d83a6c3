# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages out of text: dmesg, journalctl, syslog, /dev/kmsg, and what mail made of them.

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

# The kernel's own limit for one message is 1024, and a cgroup's statistics in one record come to 4096.
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
    r") "
)
_PRIORITY = r"[a-z0-9]{3,8}\.(?:emerg|alert|crit|err|warn|warning|notice|info|debug) "
_HOST_AND_TAG = re.compile(
    rf"(?:(?!{_PRIORITY})(?P<host>[\w.:()-]+(?<!:)) )?(?:{_PRIORITY})?(?P<tag>[\w./@()-]+)"
    r"(?:(?:\[\d+\])?:(?: |$|(?=\[))| - - - )"
)
_KERNEL_TAG = re.compile(r"(?:(?P<host>[\w.:()-]+) (?=kernel: ?\[ *\d))?(?P<tag>kernel):(?: |(?=\[))")
_UPTIME = re.compile(
    r"\s*(?:: )?\[ *(?:(?:\d{1,3}-)?(?P<uptime>\d{1,20}\.\d+)(?: <[ \d.+]*>)?|\+\d+\.\d+|[^\W\d]{3} ?\d{1,2} \d\d:\d\d"
    r"|[^\[\]]{4,40}\d\d:\d\d:\d\d[^\[\]]{0,12})\] ?"
)
_CALLER_MARKS = frozenset("[<")
_CALLER = re.compile(r"(?:\[ *[TC]\d+\] ?)?(?:<\d{1,2}>)?")
_BOOT = re.compile(r"-- Boot ([0-9a-f]{32}) --$")

# What follows the same words as in the line before, without a caller's tag.
_PLAIN = re.compile(r"\[ *(\d{1,20})\.(\d{6})\] (?!\[ *[TC]\d|<)(.*)", re.DOTALL)

# Of dmesg and journalctl on a terminal, of consoles that are too slow, and of mail that answers mail.
_MARKS = frozenset("\x1b-`>*")
_COLOUR = re.compile(r"\x1b\[[\d;]{0,20}m")
_MARK = re.compile(r" ?(?:> ?){1,9}")
_DROPPED = re.compile(r"\*\* \d{1,20} printk messages dropped \*\* (?=\S)")

_CONTROL = re.compile(r"\\x([01][0-9a-f]|7f)|#(0[0-3][0-7]|177)")
_KMSG_ESCAPE = re.compile(r"(?:\\x[0-9a-f]{2})+")

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


# Logs have many lines: this is a half of what calling Line costs.
_new_line: t.Callable[[t.Iterable[t.Any]], Line] = functools.partial(tuple.__new__, Line)


class Prefix(t.NamedTuple):
    """What stands before a message; `text` is the message itself."""

    text: str
    realtime_us: int | None = None
    monotonic_us: int | None = None
    hostname: str | None = None
    source: str | None = None


def lines_of(file: t.TextIO) -> t.Iterator[str]:
    """Yield the lines of a text file; what is longer than any line of a log is cut off, and never held whole.

    NULs before a line are taken off: logrotate's copytruncate leaves as many as the log had bytes.
    """
    read = functools.partial(file.readline, _LONGEST)
    raw = read()
    while raw:
        text = raw.lstrip("\0") if raw[0] == "\0" else raw
        if not text:
            raw = read()
            continue
        if len(text) < len(raw) == _LONGEST and raw[-1] != "\n":
            raw = read()
            text += raw
        yield text
        while len(raw) == _LONGEST and raw[-1] != "\n":
            raw = read()
        raw = read()


def read_log(lines: t.Iterable[str]) -> t.Iterator[Line]:
    """Yield the messages of a text log: without prefixes, unescaped, and whole again where mail broke them.

    `Line.source` is the program that the prefix names; `cursor` the number of the line in the text. Text proves
    nothing about who wrote it.
    """
    log = _Log()
    unwrapper = log.unwrapper
    for number, raw in enumerate(lines, start=1):
        line = log.plain_line(raw, number)
        if line is not None:
            whole, unwrapper.held = unwrapper.held, line
        else:
            whole = log.line(raw, number)
        if whole is not None:
            yield whole
    if unwrapper.held:
        yield unwrapper.held


class _Log:
    """What the lines of a text so far tell of those to come."""

    def __init__(self) -> None:
        self.unwrapper = Unwrapper()
        self._boot_id: str | None = None
        self._quoted = False
        self._before = ""
        self._realtime_us: int | None = None
        self._origin = Origin()

    def plain_line(self, raw: str, number: int) -> Line | None:
        """Return a line that begins with the same words as the one before, and holds nothing that has to be undone."""
        if self._quoted or len(raw) > _LONGEST or not raw.startswith(self._before):
            return None
        plain = _PLAIN.match(raw, len(self._before))
        if plain is None:
            return None
        seconds, fraction, message = plain.groups()
        # Looked for one by one, which is several times as fast as a set of characters in the pattern.
        if "\\" in message or "#" in message or "\xa0" in message or "kernel: " in message:
            return None
        text, monotonic_us = message.rstrip("\r\n"), int(seconds + fraction)
        return _new_line((text, self._realtime_us, monotonic_us, str(number), self._origin, raw))

    def line(self, raw: str, number: int) -> Line | None:
        """Take any line, and return the one before where that is whole now."""
        text = raw[:_LONGEST].rstrip("\r\n").replace("\xa0", " ")
        printed, is_quoted = raw, self._quoted
        if text[:1] in _MARKS or text[:2] == " >":
            text = _COLOUR.sub("", text)
            boot = _BOOT.match(text)
            if boot:
                self._boot_id = boot.group(1)
                self._origin = self._origin._replace(boot_id=self._boot_id)
                return None
            if text.startswith("```"):
                self._quoted = True
                return None
            mark = _MARK.match(text)
            is_quoted = is_quoted or mark is not None
            text = text[_end(mark, 0) :]
            text = printed = text[_end(_DROPPED.match(text), 0) :]
        prefix = split_prefix(text)
        if prefix is None:
            origin = Origin(source=QUOTED if is_quoted else None)
            line = Line(_unescaped(text), cursor=str(number), origin=origin)
            return self.unwrapper.take(line)
        if is_quoted and prefix.source not in (None, "kernel"):
            return None
        if prefix.source == "kernel" and raw.startswith(text):
            self._before = raw[: raw.find("kernel: ") + len("kernel: ")]
            self._realtime_us = prefix.realtime_us
            self._origin = Origin(self._boot_id, prefix.hostname, prefix.source)
        origin = Origin(self._boot_id, prefix.hostname, QUOTED if is_quoted else prefix.source)
        if origin == self._origin:
            origin = self._origin
        line = Line(prefix.text, prefix.realtime_us, prefix.monotonic_us, str(number), origin, printed)
        whole, self.unwrapper.held = self.unwrapper.held, line
        return whole


def stamp_of(line: Line) -> str | None:
    """Return what stands before a message, as it was printed: time, host and program; None where nothing does."""
    if line.printed is None:
        return None
    text = line.printed.rstrip("\r\n").replace("\xa0", " ")
    # Without the marks of escapes, the message is as long as it was printed.
    prefix = split_prefix(text.replace("\\", "/").replace("#", "-"))
    return text[: len(text) - len(prefix.text)].strip() if prefix else None


def split_prefix(text: str) -> Prefix | None:
    """Return the message of a line of a log and what its prefix says, None where there is no prefix."""
    if text[:1] == "[":
        return _after_uptime(Prefix(text), is_all=True)
    # Looked for behind the blanks, and not in each of their places.
    begin = _after_blanks(text, 0)
    kmsg = _KMSG.match(text, begin)
    if kmsg:
        message = _KMSG_ESCAPE.sub(_bytes_of, text[kmsg.end() :])
        return Prefix(message, monotonic_us=int(kmsg.group(1)))
    start = _end(_LEVEL.match(text, begin), 0)
    head = _head(text, start)
    is_all = len(head.text) == len(text) - start
    prefix = _after_uptime(head, is_all=is_all) if head.source in (None, "kernel") else None
    return prefix or (None if is_all else head._replace(text=_unescaped(head.text)))


def _after_uptime(head: Prefix, *, is_all: bool) -> Prefix | None:
    """Return what follows the uptime at the beginning of `head.text`, None where there is none."""
    uptime = _UPTIME.match(head.text)
    if uptime is None:
        return None
    rest = head.text[uptime.end() :]
    host, source = head.hostname, head.source
    if is_all and "kernel: " in rest:
        # journalctl --output=short-monotonic puts host and program after the time.
        named = _HOST_AND_TAG.match(rest)
        if named and named.group("host") and named.group("tag") == "kernel":
            host, source, rest = named.group("host"), "kernel", rest[named.end() :]
    if rest[:1] in _CALLER_MARKS:
        rest = rest[_end(_CALLER.match(rest), 0) :]
    return Prefix(_unescaped(rest), head.realtime_us, _monotonic(uptime), host, source)


def _head(text: str, start: int) -> Prefix:
    """Return what time, host and program stand before the message, all of the line where none does."""
    begin = _after_blanks(text, start)
    stamp = _STAMP.match(text, begin)
    named = _HOST_AND_TAG.match(text, stamp.end()) if stamp else _KERNEL_TAG.match(text, begin)
    realtime = _realtime(stamp) if stamp else None
    if named:
        return Prefix(text[named.end() :], realtime, None, named.groupdict().get("host"), named.group("tag"))
    if stamp and stamp.group("date"):
        return Prefix(text[stamp.end() :], realtime)
    return Prefix(text[start:])


def _after_blanks(text: str, start: int) -> int:
    """Return where the first word behind `start` begins."""
    return len(text) - len(text[start:].lstrip())


def _end(match: t.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def _unescaped(text: str) -> str:
    if "\\x" not in text and "#" not in text:
        return text
    return _CONTROL.sub(lambda found: chr(int(found.group(1), 16) if found.group(1) else int(found.group(2), 8)), text)


def _bytes_of(escapes: t.Match[str]) -> str:
    return bytes.fromhex(escapes.group().replace("\\x", "")).decode("utf-8", "backslashreplace")


def _monotonic(uptime: t.Match[str]) -> int | None:
    text = uptime.group("uptime")
    if text is None:
        return None
    seconds, _dot, fraction = text.partition(".")
    return int(seconds + f"{fraction:0<6}"[:6])


def _realtime(stamp: t.Match[str]) -> int | None:
    if stamp.group("unix"):
        return int(stamp.group("unix").replace(".", ""))
    zone = stamp.group("zone")
    if not stamp.group("date") or not zone or (zone.isalpha() and zone not in ("Z", "UTC")):
        return None
    offset = "+0000" if zone.isalpha() else zone.replace(":", "")
    try:
        moment = datetime.datetime.strptime(
            f"{stamp.group('date')} {stamp.group('clock')}{offset}", "%Y-%m-%d %H:%M:%S%z"
        ).astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        return None
    fraction = int(f"{stamp.group('fraction') or 0:0<6}"[:6])
    return (moment - _EPOCH) // _MICROSECOND + fraction
