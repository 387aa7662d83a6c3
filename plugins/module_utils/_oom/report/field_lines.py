# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read records from lines of fields: journalctl's `export` and `verbose`, and tables of comma-separated values.

Formats: systemd's JOURNAL_EXPORT_FORMATS, journalctl(1), RFC 4180.
"""

from __future__ import annotations

import csv
import re
import typing as t

from .record_fields import Record, RecordReader, has_message_name

Numbered = t.Tuple[int, Record]

_FIELD = re.compile(r" {0,4}([A-Z_][A-Z0-9_]{0,63})=(.*)", re.DOTALL)
_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
# In journalctl --output=verbose, all lines of a message after the first have more blanks than the fields.
_CONTINUATION = " " * 8
# The first line of a record of journalctl --output=verbose.
_HEADING = re.compile(r"\S.{10,60} \[(s=[0-9a-f]{32};i=\S{1,150})\]\s*\Z")
# The first line of a record, with the random ID of its journal.
_START = re.compile(r"(?:__CURSOR=|\S[^=]{10,60} \[)s=([0-9a-f]{32});i=")
_MAX_FIELDS = 500
_FIRST_FIELD = "__CURSOR"
# A record with only one of these is part of a record.
_JOURNAL_NAMES = frozenset([_FIRST_FIELD, "_TRANSPORT", "MESSAGE"])
_EXPORT_MARKS = ("MESSAGE=", "\nMESSAGE\n", "__CURSOR=", "_TRANSPORT=")

_DELIMITERS = ",;\t"
_COLUMN = re.compile(r"[\w@(][\w .@/()\[\]-]{0,59}")
_MAX_PARTS = 64


# The name of a field, and the length of its value as 8 bytes. A longer one than 65535 is no message of the kernel.
_BINARY = re.compile(r"(?:\A|(?<=\n))([A-Z_][A-Z0-9_]{0,63})\n([\s\S]{2})\0{6}")


def join_binary_fields(text: str, file: t.TextIO) -> str:
    """Return the text with each field in the binary form on one line, in which newlines are escaped.

    `file` is read on until the last value is complete.
    """
    joined = []
    start = 0
    field = _BINARY.search(text)
    while field is not None:
        length = int.from_bytes(_encode(field.group(2)), "little")
        missing = field.end() + length + 1 - len(text)
        if missing > 0:
            text += file.read(missing)
        data = _encode(text[field.end() : field.end() + length])
        value = data[:length].decode("utf-8", "surrogateescape")
        joined += [text[start : field.start()], field.group(1), "=", value.replace("\n", "\\x0a")]
        start = field.end() + len(value)
        field = _BINARY.search(text, start)

    return "".join([*joined, text[start:]])


def _encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


class NoFields:
    """Reads nothing: the reader of a log without lines of fields."""

    can_read = False

    @property
    def is_open(self) -> bool:
        """Return false: no record has begun."""
        return False

    def take(self, _number: int, _raw: str) -> list[Numbered] | None:
        """Return None: the line is not a line of a record."""
        return None

    def close(self) -> list[Numbered]:
        """Return nothing: no record has begun."""
        return []

    def take_rejected(self) -> list[tuple[int, str]]:
        """Return nothing: no line was held back."""
        return []


class ExportReader(NoFields):
    """Reads records whose fields stand on lines of their own.

    A line with only the name of a field begins a binary field. The length of its value follows as 8 bytes, and then the
    value, which can have lines that look like records. The reader cannot tell where it ends, because NULs, which most
    lengths have, are removed from logs. So it drops the record, and all lines up to the next record of the same
    journal. The random ID of the journal, in the cursor, shows that record: only programs that can read the journal
    know the ID and can forge such a record. Without cursors, the reader drops all lines up to the end of the log.
    """

    can_read = True

    def __init__(self, records: RecordReader) -> None:
        self._records = records
        self._fields: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._journal_id = ""
        self._is_unreadable = False

    def take(self, number: int, raw: str) -> list[Numbered] | None:
        """Return the record that is complete with this line, if any, or None if it is not a line of a record."""
        line = raw.rstrip("\r\n")
        start = _START.match(line)
        if start is not None:
            self._begin(start.group(1))
        elif _NAME.fullmatch(line) is not None:
            self._drop_binary(line)
        if self._is_unreadable:
            return []

        field = _FIELD.fullmatch(line)
        if field is not None:
            return self._set(number, *field.groups())

        if self._fields and line.startswith(_CONTINUATION):
            return []

        heading = _HEADING.match(raw)
        if heading is not None:
            found = self.close()
            self._fields[_FIRST_FIELD] = heading.group(1)
            return found

        if raw.strip() or not self._fields:
            return None

        return self.close()

    def close(self) -> list[Numbered]:
        """Return the record that has not ended."""
        record = self._records.read(self._fields)
        number = self._numbers.get("MESSAGE", 0)
        self._fields = {}
        self._numbers = {}
        if record is None:
            return []

        return [(number, record)]

    @property
    def is_open(self) -> bool:
        """Return whether a record has begun."""
        return bool(self._fields)

    def _begin(self, journal_id: str) -> None:
        """Read on if a record of the same journal begins after a binary field."""
        if self._is_unreadable and journal_id != self._journal_id:
            return

        self._journal_id = journal_id
        self._is_unreadable = False

    def _drop_binary(self, name: str) -> None:
        """Drop the record that has begun and the lines after it, if it is one of a journal."""
        if not self._fields or _JOURNAL_NAMES.isdisjoint([name, *self._fields]):
            return

        self._fields = {}
        self._numbers = {}
        self._is_unreadable = True

    def _set(self, number: int, name: str, value: str) -> list[Numbered]:
        found: list[Numbered] = []
        if self._begins_record(name):
            found = self.close()
        self._fields.setdefault(name, value)
        self._numbers.setdefault(name, number)

        return found

    def _begins_record(self, name: str) -> bool:
        if name == _FIRST_FIELD or len(self._fields) >= _MAX_FIELDS:
            return True

        # grep prints messages without empty lines between them. A program can give its own record several messages.
        return name in self._fields and _JOURNAL_NAMES.intersection(self._fields) == {name}


class CsvReader(NoFields):
    """Reads the rows of a table whose first line names its columns."""

    can_read = True

    def __init__(self, records: RecordReader, names: list[str], delimiter: str) -> None:
        self._records = records
        self._names = names
        self._delimiter = delimiter
        self._parts: list[str] = []
        self._is_quoted = False
        self._first = 0
        self._rejected: list[tuple[int, str]] = []

    @property
    def is_open(self) -> bool:
        """Return whether a row has begun."""
        return bool(self._parts)

    def close(self) -> list[Numbered]:
        """Return nothing: a row that has not ended has no record. Its lines are rejected."""
        self._reject(self._parts)
        self._parts = []

        return []

    def take_rejected(self) -> list[tuple[int, str]]:
        """Return the lines that were held back as the beginning of a row, but are none, with their numbers."""
        rejected = self._rejected
        self._rejected = []

        return rejected

    def _reject(self, parts: list[str]) -> None:
        self._rejected = list(enumerate(parts, self._first))

    def take(self, number: int, raw: str) -> list[Numbered] | None:
        """Return the record that is complete with this line, if any, or None if it is not a row.

        A value in quotes can have several lines. If they turn out to be no row, `take_rejected` returns those before
        this line.
        """
        if self._is_quoted and self._is_row(raw):
            # The row before has a quote that does not end.
            self.close()
            self._is_quoted = False
        if not self._parts:
            self._first = number
        self._parts.append(raw.rstrip("\r\n"))
        if raw.count('"') % 2:
            self._is_quoted = not self._is_quoted
        if self._is_quoted and len(self._parts) < _MAX_PARTS:
            return []

        parts = self._parts
        self._parts = []
        self._is_quoted = False
        row = _parse_row("\n".join(parts), self._delimiter)
        record = None
        if len(row) == len(self._names):
            record = self._records.read(dict(zip(self._names, row)))
        if record is None:
            self._reject(parts[:-1])
            return None

        return [(self._first, record)]

    def _is_row(self, raw: str) -> bool:
        row = _parse_row(raw.rstrip("\r\n"), self._delimiter)

        return len(row) == len(self._names) and raw.count('"') % 2 == 0


FieldReader = t.Union[ExportReader, CsvReader, NoFields]


def is_message(line: str) -> bool:
    """Return whether a line about an OOM kill can be the message of a record of journalctl --output=export."""
    return "MESSAGE=" in line


def has_export(text: str) -> bool:
    """Return whether a text can have records of journalctl --output=export or verbose."""
    # These searches take a sixth of the time of one pattern.
    return any(map(text.__contains__, _EXPORT_MARKS))


def find_csv(records: RecordReader, heading: str) -> CsvReader | None:
    """Return a reader of the table that begins with this line, or None if it is not the heading of a table."""
    for delimiter in _DELIMITERS:
        if delimiter not in heading:
            continue

        names = _parse_row(heading.strip(), delimiter)
        if _is_heading(names):
            return CsvReader(records, names, delimiter)

    return None


def _is_heading(names: list[str]) -> bool:
    """Return whether these are names of columns, one of them for messages."""
    if not all(map(_COLUMN.fullmatch, names)):
        return False

    return len(names) > 1 and has_message_name(names)


def _parse_row(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return []
