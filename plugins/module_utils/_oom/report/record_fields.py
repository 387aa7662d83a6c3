# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the message, its time, host and program in the fields of a structured record.

Sources of the names: systemd.journal-fields(7), dmesg(1), Docker's json-file driver, Cloud Logging's LogEntry, the
Elastic Common Schema, rsyslog's properties, the Event of Kubernetes, Loki's API, GELF, Splunk, OpenTelemetry.
"""

from __future__ import annotations

import collections
import functools
import itertools
import re
import typing as t

from .mentions import list_mentions
from .prefixes import Prefix, split_prefix

Fields = t.Mapping[str, t.Any]
Texts = t.MutableMapping[str, str]
"""The fields that are texts, by their names without marks and in lower case."""
_MAX_LEARNED = 8
_MAX_BYTE_DIGITS = 3
# Each record in an object is compared with the fields of that object.
_MAX_FIELDS = 500
_LONGEST_NAME = 200
_MAX_LABEL_DEPTH = 4

_MESSAGE_NAMES = (
    "message",
    "msg",
    "log",
    "textpayload",
    "line",
    "raw",
    "syslogmessage",
    "short_message",
    "body",
    "note",
    "stringvalue",
    "text",
)
_REALTIME_US_NAMES = ("realtime_timestamp", "source_realtime_timestamp")
_MONOTONIC_US_NAMES = ("monotonic_timestamp", "source_monotonic_timestamp")
_TIME_NAMES = (
    "timestamp",
    "time",
    "ts",
    "timegenerated",
    "timegenerated [utc]",
    "timereported",
    "lasttimestamp",
    "eventtime",
    "firsttimestamp",
    "datetime",
    "date",
)
_HOST_NAMES = ("hostname", "host", "computer")
# Labels that name a program or a unit, without punctuation, perhaps with the name of the object around them; those that
# name a program most exactly are first. Events of Kubernetes name the component that quotes the kernel, so "component"
# is none of them.
_SOURCE_NAMES = (
    "syslogidentifier",
    "programname",
    "program",
    "ident",
    "syslogtag",
    "appname",
    "processname",
    "process",
    "comm",
    "exe",
    "app",
    "systemdunit",
    "systemduserunit",
    "userunit",
    "unit",
    "containername",
    "container",
    "loggername",
    "logger",
    "streamtransport",
    "logname",
)
# Logs of Cloud Logging in which the kernel's messages are collected; the names of others are those of programs.
_COLLECTING_LOG = re.compile(
    r"projects/[^/]+/logs/(?:.*%2F)?(?:kern\w*(?:\.log|-monitor)?|syslog|messages|stdout|stderr|serial\w*)\Z"
)
_MARKS = re.compile(r"[\W_]")

_NUMBER = re.compile(r"(\d{1,19})(?:\.(\d{1,9})\d*)?")
_LONGEST_UPTIME = 8
_SOURCE = re.compile(r"[\w./@()-]+")
_MICROSECONDS = re.compile(r"\d{1,18}")
# The cursor of a journal record holds the boot, and the time as a hexadecimal number of microseconds.
_CURSOR_BOOT = re.compile(r";b=([0-9a-f]{32});")
_CURSOR_TIME = re.compile(r";t=([0-9a-f]{1,15})(?:;|$)")
_BOOT = re.compile(r"[0-9a-f]{32}")
# JSON can escape halves of a character. The others of these code points stand for bytes that are not UTF-8.
_HALVES = re.compile("[\ud800-\udc7f\udd00-\udfff]")


class Record(t.NamedTuple):
    """One record: its message, which can have several lines, and its boot."""

    message: Prefix
    boot_id: str | None = None
    time: str | None = None
    """The time as printed, also if its zone is unknown."""


class RecordReader:
    """Finds the messages of records. A name that no known format has is learned from a record about an OOM kill."""

    def __init__(self) -> None:
        self._learned: list[str] = []

    def read(self, fields: Fields, outer: t.Sequence[Texts] = ()) -> Record | None:
        """Return the record of these fields, or None if they have no message.

        What they lack is taken from the texts of the `outer` objects, the innermost last.
        """
        own = normalise(fields)
        text = self._find_message(own)
        if text is None:
            return None

        texts = collections.ChainMap(own, *reversed(outer))
        realtime_us, monotonic_us = _find_times(texts)
        message = Prefix(
            text=_HALVES.sub("\ufffd", text),
            realtime_us=realtime_us,
            monotonic_us=monotonic_us,
            hostname=_find_first(texts, _HOST_NAMES),
            source=_find_source((own, *reversed(outer)), fields),
        )

        return Record(message, _find_boot(texts), _find_first(texts, _TIME_NAMES))

    def _find_message(self, fields: t.Mapping[str, str]) -> str | None:
        text = _find_first(fields, _MESSAGE_NAMES)
        if text is not None:
            return text

        for name, value in fields.items():
            if list_mentions(value) and name not in self._learned[:_MAX_LEARNED]:
                self._learned.append(name)
        del self._learned[_MAX_LEARNED:]

        return _find_first(fields, self._learned)


def has_message_name(names: t.Iterable[str]) -> bool:
    """Return whether one of these names is that of a message."""
    return any(_normalise_name(name) in _MESSAGE_NAMES for name in names)


def normalise(fields: Fields) -> dict[str, str]:
    """Return the fields that are texts, by their names without marks and in lower case.

    Labels in objects that are not records themselves are included, by their paths.
    """
    texts: dict[str, str] = {}
    for name, value in itertools.islice(fields.items(), _MAX_FIELDS):
        if len(name) > _LONGEST_NAME:
            continue

        text = _as_text(value)
        if text is not None:
            texts.setdefault(_normalise_name(name), text)
        elif isinstance(value, dict):
            texts.update(_iter_labels(name, value, _MAX_LABEL_DEPTH))

    return texts


def _iter_labels(path: str, fields: Fields, depth: int) -> t.Iterator[tuple[str, str]]:
    """Yield the paths and texts of the labels in an object that name a program."""
    if not depth or has_message_name(fields):
        return

    for name, value in fields.items():
        inner = f"{path}.{name}"
        if isinstance(value, dict):
            yield from _iter_labels(inner, value, depth - 1)
        elif _find_rank(inner) is not None:
            yield inner, _as_text(value) or ""


@functools.lru_cache(maxsize=128)
def _find_rank(path: str) -> int | None:
    """Return the rank of a label among those that name a program, or None if it is none of them."""
    parts = [_MARKS.sub("", part) for part in path.lower().split(".")]
    for name in (parts[-1], "".join(parts[-2:])):
        if name in _SOURCE_NAMES:
            return _SOURCE_NAMES.index(name)

    return None


@functools.lru_cache(maxsize=128)
def _normalise_name(name: str) -> str:
    return name.strip(" _@").lower()


def _as_text(value: t.Any) -> str | None:
    """Return the text of a value. journalctl prints a text with control characters as a list of its bytes."""
    if isinstance(value, str):
        return value.replace("\xa0", " ")

    if not isinstance(value, list) or not value:
        return None

    if not all(isinstance(item, str) for item in value):
        return None

    # The lines of a text, or several values of one field.
    text = "\n".join(value)
    if max(map(len, value)) > _MAX_BYTE_DIGITS:
        return text

    try:
        return bytes(map(int, value)).decode("utf-8", "surrogateescape")
    except ValueError:
        return text


def _find_first(fields: t.Mapping[str, str], names: t.Iterable[str]) -> str | None:
    for name in names:
        if fields.get(name):
            return fields[name]

    return None


def _find_source(levels: t.Iterable[Texts], own: Fields) -> str | None:
    """Return the program of a record. Only the kernel's transport makes a record one of the kernel.

    `levels` are the texts of the record, and of the objects around it. Any program other than the kernel is preferred.
    """
    named = sorted(_iter_sources(levels))
    source = None
    if named:
        source = named[0][-1]

    # The journal stores the user of each message except the kernel's.
    transport = own.get("_TRANSPORT", own.get("_UID"))
    if transport is None:
        return source

    if transport == "kernel":
        return source or "kernel"

    if source in (None, "kernel"):
        return str(transport)

    return source


def _iter_sources(levels: t.Iterable[Texts]) -> t.Iterator[tuple[bool, int, str]]:
    """Yield whether a label names the kernel, the rank of the label, and the program."""
    for texts in levels:
        for rank, name in _rank_labels(tuple(texts)):
            named = _SOURCE.search(_COLLECTING_LOG.sub("", texts[name]).replace(".service", ""))
            if named:
                yield named.group() == "kernel", rank, named.group()


# Most records of a log have the same fields.
@functools.lru_cache(maxsize=64)
def _rank_labels(paths: tuple[str, ...]) -> tuple[tuple[int, str], ...]:
    """Return the labels that name a program, with their ranks."""
    ranked = []
    for path in paths:
        rank = _find_rank(path)
        if rank is not None:
            ranked.append((rank, path))

    return tuple(ranked)


def _find_times(fields: t.Mapping[str, str]) -> tuple[int | None, int | None]:
    """Return the microseconds since 1970, and since the boot."""
    realtime_us = _find_microseconds(fields, _REALTIME_US_NAMES)
    monotonic_us = _find_microseconds(fields, _MONOTONIC_US_NAMES)
    if realtime_us is None:
        cursor_time = _CURSOR_TIME.search(fields.get("cursor", ""))
        if cursor_time:
            realtime_us = int(cursor_time.group(1), 16)

    text = _find_first(fields, _TIME_NAMES)
    if realtime_us is not None or text is None:
        return realtime_us, monotonic_us

    number = _NUMBER.fullmatch(text.strip())
    if number is None:
        return _parse_stamp(text), monotonic_us

    digits, fraction = number.groups()
    if len(digits) <= _LONGEST_UPTIME:
        return None, _scale(digits, fraction)

    return _scale(digits, fraction), monotonic_us


def _find_microseconds(fields: t.Mapping[str, str], names: t.Iterable[str]) -> int | None:
    text = _find_first(fields, names)
    if text is None or not _MICROSECONDS.fullmatch(text):
        return None

    return int(text)


def _parse_stamp(text: str) -> int | None:
    prefix = split_prefix(f"{text.strip()} kernel: ")
    if prefix is None:
        return None

    return prefix.realtime_us


def _scale(digits: str, fraction: str | None) -> int:
    """Return the microseconds of a number whose length shows its unit: seconds, or thousandths or less of them."""
    number = int(digits)
    length = len(digits)
    if length <= 10:
        return int(digits + f"{fraction or '':0<6}"[:6])

    if length <= 13:
        return number * 1000

    if length <= 16:
        return number

    return number // 1000


def _find_boot(fields: t.Mapping[str, str]) -> str | None:
    boot_id = fields.get("boot_id", "")
    if _BOOT.fullmatch(boot_id):
        return boot_id

    in_cursor = _CURSOR_BOOT.search(fields.get("cursor", ""))
    if in_cursor is None:
        return None

    return in_cursor.group(1)
