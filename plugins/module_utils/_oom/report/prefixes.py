# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the prefix of one line of a text log: its time, its host and its program.

Formats: dmesg(1), journalctl(1) (`--output=short` and its variants), RFC 3164, RFC 3339, RFC 5424, OpenWrt's logread,
and Documentation/ABI/testing/dev-kmsg of Linux.
"""

from __future__ import annotations

import datetime
import re
import typing as t

from .model import USERSPACE_SOURCES

# The counters of a report, of which all lines but the first are indented.
_COUNTERS = re.compile(r" {1,40}[a-z_]{4,40}:\d")
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
_HOST = r"[\w.:()*/%-]+(?<!:)|<[^\W\d][^<>]{0,60}>|\[[^\W\d][\w.-]{0,60}\]|\{[^\W\d][\w.-]{0,60}\}"
# RFC 5424: the process, the kind of message and the structured data follow the program, and each can be missing.
_RFC5424_REST = r" (?:-|\d{1,10}) (?:-|[\w.-]{1,32}) (?:-|(?:\[[A-Za-z][^\]]{0,400}\]){1,9})(?: |$)"
_HOST_AND_TAG = re.compile(
    rf"(?:(?!{_PRIORITY})(?P<host>{_HOST}) )?(?:{_PRIORITY})?(?P<tag>[\w./@()-]+)"
    rf"(?:(?:\[\d+\])?:(?: |$|(?=\[))|{_RFC5424_REST})"
)
# syslogd prints no blank after the name on a terminal.
_KERNEL_TAG = re.compile(
    rf"(?:(?P<host>{_HOST}) (?=kernel: ?\[ *\d))?(?P<tag>kernel):(?: |(?=\[|(?:Memory cgroup o|O)ut of memory|Kill))"
)
_UPTIME = re.compile(
    r"\s*(?:: )?\[ *(?:(?:\d{1,3}-)?(?P<uptime>\d{1,20}\.\d+)(?: <[ \d.+]*>| {1,40})?|\+\d+\.\d+"
    r"|[^\W\d]{3} ?\d{1,2} \d\d:\d\d"
    r"|[^\[\]]{4,40}\d\d:\d\d:\d\d[^\[\]]{0,12})\][ \t]?"
)
# No process has a name as long as these, so they begin a message.
_KILL_START = re.compile(r"oom-kill:constraint=|(?:Memory cgroup o|O)ut of memory|Kill(?:ed)? process \d")
_CALLER_MARKS = frozenset("[<")
_CALLER = re.compile(r"\A(?:\[ *[TC]\d+\] ?)?(?:<\d{1,2}>)?")
_CONTROL = re.compile(r"\\x([01][0-9a-f]|7f)|#(0[0-3][0-7]|177)")
_KMSG_ESCAPE = re.compile(r"(?:\\x[0-9a-f]{2})+")

# Names of other time zones are ambiguous.
_OFFSETS = {"Z": "+0000", "UTC": "+0000"}
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


class Prefix(t.NamedTuple):
    """The parsed prefix of a line. `text` is the message after it."""

    text: str
    realtime_us: int | None = None
    monotonic_us: int | None = None
    hostname: str | None = None
    source: str | None = None


# Most lines of a log that is not the kernel's alone take this way, so it calls no more functions than necessary.
def split_prefix(text: str) -> Prefix | None:
    """Return the parsed prefix and the message of a line, or None if the line has no prefix."""
    first = text[:1]
    if first == "[":
        return _split_uptime(Prefix(text), is_whole_line=True)

    if first == " " and "kernel:" not in text and _COUNTERS.match(text):
        return None

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
    # Most lines of a report without an uptime have no bracket. They would take long to fail the pattern.
    if head.source in (None, "kernel") and "[" in head.text:
        prefix = _split_uptime(head, is_whole_line=is_whole_line)
        if prefix is not None:
            return prefix

    if is_whole_line:
        return None

    return head._replace(text=undo_escapes(head.text))


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
    if is_whole_line and ": " in rest:
        host, source, rest = _split_late_host(rest)
    if rest[:1] in _CALLER_MARKS:
        rest = _CALLER.sub("", rest)

    return Prefix(undo_escapes(rest), head.realtime_us, _parse_uptime(uptime), host, source)


def _split_late_host(text: str) -> tuple[str | None, str | None, str]:
    """Split `HOST PROGRAM: MESSAGE`, which journalctl --output=short-monotonic prints after the uptime.

    The kernel's own messages look alike, so only the names of the kernel and of userspace killers count. Without a
    host, `kernel: ` can be the name of a process.
    """
    named = _HOST_AND_TAG.match(text)
    if named is None:
        return None, None, text

    host = named.group("host")
    tag = find_program(named.group("tag"))
    rest = text[named.end() :]
    if tag in USERSPACE_SOURCES:
        return host, tag, rest

    if tag == "kernel" and (host or _KILL_START.match(rest)):
        return host, tag, rest

    # A process with its id logged it.
    if text[: named.end()].endswith("]: "):
        return host, tag, rest

    return None, None, text


def find_program(tag: str) -> str:
    """Return the name of the program, without the suffix that journalctl --output=with-unit adds to it."""
    program = tag.partition(".service")[0]
    if program in USERSPACE_SOURCES:
        return program

    return tag


def _split_head(text: str, start: int) -> Prefix:
    """Return the time, host and program at the beginning of a line, or the whole line as text if there are none."""
    begin = _skip_blanks(text, start)
    stamp = _STAMP.match(text, begin)
    if stamp is None:
        return _split_tag(text, start, begin)

    realtime = _parse_realtime(stamp)
    named = _HOST_AND_TAG.match(text, stamp.end())
    if named:
        host, tag = named.group("host", "tag")
        if tag[-8:] == ".service":
            tag = find_program(tag)

        return Prefix(text[named.end() :], realtime, None, host, tag)

    if stamp.group("date"):
        return Prefix(text[stamp.end() :], realtime)

    return Prefix(text[start:])


def _split_tag(text: str, start: int, begin: int) -> Prefix:
    """Return the parsed prefix of a line of the kernel without a time, or the text from `start` if it has no tag."""
    kernel = None
    # Most lines without a time are continuations, and fail this test, which is fast.
    if "kernel:" in text:
        kernel = _KERNEL_TAG.match(text, begin)
    if kernel is None:
        return Prefix(text[start:])

    return Prefix(text[kernel.end() :], None, None, kernel.group("host"), kernel.group("tag"))


def _skip_blanks(text: str, start: int) -> int:
    """Return the index of the first word at or after `start`."""
    return len(text) - len(text[start:].lstrip())


def undo_escapes(text: str) -> str:
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


def find_realtime(text: str) -> int | None:
    """Return the time at the beginning of a line in microseconds since 1970, or None if it is not known exactly."""
    stamp = _STAMP.match(text, _skip_blanks(text, 0))
    if stamp is None:
        return None

    return _parse_realtime(stamp)


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
