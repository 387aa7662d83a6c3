# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the lines of a text log, and unpack the messages of records such as JSON.

Ordinary lines are passed on as they are. So that they take no more time, a whole block of lines is searched at once
for what only records have.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from .decorations import Decorations, remove_colours
from .embedded_lines import has_embedded, split_embedded
from .field_lines import ExportReader, FieldReader, NoFields, find_csv, has_export, is_message, join_binary_fields
from .joined_lines import has_joined, split_joined
from .json_lines import JsonReader, has_inline, split_array
from .line_order import is_newest_first, reverse_lines
from .mentions import MAX_NAMED, Mentions, has_hint, iter_hinted_lines, list_mentions
from .prefixes import Prefix, split_prefix
from .record_fields import Record, RecordReader
from .record_order import RecordOrder

Item = t.Union[str, Prefix]
"""A line with its prefix, or the message of a record."""

_BLOCK = 32768
# The kernel limits a message to 1024 characters, and the statistics of a cgroup in one record to 4096.
_LONGEST = 16384
_LONGEST_RECORD = 1_048_576
_LONGEST_MENTION = 100
_LONGEST_REVERSED = 8_388_608
_LONGEST_BEGINNING = 8192
_MAX_PENDING = 1000
# Blanks in place of spaces, also as JSON, mail and HTML escape them, and the no-break space of Latin-1.
_BLANKS = ("\t", "\\\\t", "\\t", "\xa0", "\\\\u00a0", "\\u00a0", "\udca0", "&nbsp;")
_ODD_BLANK = "|".join(map(re.escape, _BLANKS))
# All of these have one of these characters, and finding one takes no time.
_BLANK_MARKS = frozenset("\t\\\xa0\udca0&")
_ODD_KILL = re.compile(rf"illed(?:{_ODD_BLANK}| process(?:{_ODD_BLANK}))")
_RECORD_STARTS = ("{", "[{", "data: {")
# Of lines of JSON, of fields in them, and of the events that a server sends.
_JSON_FIRST = frozenset('{["}d \t')

# dmesg --json of util-linux 2.38 prints all later messages after each one.
_LATER_MESSAGES = re.compile(r"\n(?=<\d{1,3}>\[ *\d{1,20}\.\d{6}\] )")


class LogText:
    """The text of a log. `count` is the number of lines read so far."""

    def __init__(self, file: t.TextIO, mentions: Mentions) -> None:
        self.count = 0
        self.long_records: list[int] = []
        """The numbers of the first lines with a record that is too long to be read."""
        self.long_records_count = 0
        self._numbers: list[int] = []
        self._file = file
        self._mentions = mentions
        self._records = RecordReader()
        self._json = JsonReader(self._records)
        self._fields: FieldReader = NoFields()
        self._decorations = Decorations()
        self._order = RecordOrder()
        self._has_embedded = False
        self._has_inline = False
        self._boot_id: str | None = None
        self._later: list[str] = []
        self._latest = Prefix("")
        self._pending: dict[str, int] = {}
        self._number = 0

    def locate(self, number: int) -> int:
        """Return the number in the file of a line that was read."""
        if number > len(self._numbers):
            return number

        return self._numbers[number - 1]

    def read(self) -> t.Iterator[tuple[int, Item]]:
        """Return the lines with their numbers, which start at 1. A record has the number of its message's line."""
        return itertools.chain.from_iterable(self._read_blocks())

    def _read_blocks(self) -> t.Iterator[t.Iterable[tuple[int, Item]]]:
        rest = ""
        shortest = 0
        block = self._put_in_order(self._file.read(_BLOCK))
        while block:
            shortest = 1
            # logrotate's copytruncate leaves NULs, and UTF-16 at the end of another text has them.
            # Replacing nothing takes much longer than the search.
            if "\0" in block:
                block = join_binary_fields(block, self._file).replace("\0", "")
            block = _use_plain_blanks(block)
            text = remove_colours(rest + block)
            lines = text.split("\n")
            rest = lines.pop()
            if lines:
                yield self._take_block(text, lines)

            if len(rest) > _LONGEST_RECORD and rest.startswith("["):
                array, rest = split_array(rest)
                if array != "[]":
                    yield self._unpack([(self.count + 1, array)])
            rest = self._shorten(rest)
            block = self._file.read(_BLOCK)

        if rest:
            yield self._take_block(f"{rest}\n", [rest])

        yield self._close()
        # A text of NULs alone is one line.
        self.count = max(self.count, shortest)

    def _put_in_order(self, block: str) -> str:
        """Return the first block, or the whole text as lines in the order of their times.

        The newest line can be the first, and lines can be joined into one.
        """
        is_reversed = is_newest_first(block)
        if not is_reversed and not has_joined(block):
            return block

        text = block + self._file.read(_LONGEST_REVERSED)
        if len(text) >= _LONGEST_REVERSED:
            return text

        return self._rearrange(text.rstrip("\n").split("\n"), is_reversed=is_reversed)

    def _rearrange(self, lines: list[str], *, is_reversed: bool) -> str:
        """Return the text of lines in the order of their times, and remember their numbers in the file."""
        if is_reversed:
            self._numbers = list(range(len(lines), 0, -1))
            return reverse_lines(lines)

        parts = []
        for number, line in enumerate(lines, start=1):
            split = split_joined(line)
            parts += split
            self._numbers += [number] * len(split)

        return "".join([f"{part}\n" for part in parts])

    def _shorten(self, text: str) -> str:
        """Return the beginning and the latest words of a line that is too long, so that it is never held whole.

        Return other lines as they are.
        """
        longest = _LONGEST
        if text.startswith(_RECORD_STARTS):
            longest = _LONGEST_RECORD
        if len(text) <= longest:
            return text

        if longest == _LONGEST_RECORD:
            self._note_long_record()
        kept = longest - _LONGEST_MENTION
        self._mentions.add(self.count + 1, text[kept:])

        return text[:kept] + text[-_LONGEST_MENTION:]

    def _note_long_record(self) -> None:
        number = self.count + 1
        if number not in self.long_records[-1:]:
            self.long_records_count += 1
            self.long_records = [*self.long_records, number][:MAX_NAMED]

    # Most blocks are neither about kills nor records, so this is dense for speed: it takes some searches a block.
    def _take_block(self, text: str, lines: list[str]) -> t.Iterable[tuple[int, Item]]:
        """Return the lines of a block with their numbers; they are unpacked if `text` can have records.

        `text` has each line with a newline after it, and perhaps the beginning of another line.
        """
        first = self.count + 1
        self.count += len(lines)
        numbered = zip(range(first, self.count + 1), lines)
        hinted = list(iter_hinted_lines(text, lines, first))
        if first == 1:
            self._take_beginning(text, lines)
        for _number, line in hinted:
            self._find_forms(line, is_record=is_message(line))
            self._decorations.find(line, text)
        if self._has_records_in(text, is_about_kill=bool(hinted)):
            return self._unpack(numbered)

        for number, line in hinted:
            self._mentions.add(number, line)

        return numbered

    def _take_beginning(self, text: str, lines: list[str]) -> None:
        self._fields = find_csv(self._records, lines[0]) or self._fields
        beginning = text[:_LONGEST_BEGINNING]
        self._find_forms(beginning, is_record=has_export(beginning))
        self._decorations.find_in_mail(beginning)
        self._decorations.find_wrap(lines)

    def _find_forms(self, text: str, *, is_record: bool) -> None:
        """Look for forms that are searched only at the beginning and in lines about kills, to save time."""
        if is_record and not self._fields.can_read:
            self._fields = ExportReader(self._records)
        if has_embedded(text):
            self._has_embedded = True
        if has_inline(text):
            self._has_inline = True

    def _has_records_in(self, text: str, *, is_about_kill: bool) -> bool:
        forms = (self._fields.can_read, self._has_embedded, self._json.is_open, self._decorations.is_active)
        if any(forms):
            return True

        # Many logs have no brace, and finding one takes no time. The middle of a document has quotes.
        if "{" in text:
            return True

        return is_about_kill and '"' in text

    def _unpack(self, numbered: t.Iterable[tuple[int, str]]) -> t.Iterator[tuple[int, Item]]:
        for number, raw in numbered:
            records = self._take(number, raw)
            yield from self._pass_on_rejected()
            if records is None:
                yield from self._pass_on(number, raw)
                continue

            for mention in list_mentions(raw):
                self._pending[mention] = number
            yield from self._emit_all(records)
            if not self._is_open():
                self._add_pending()

    def _is_open(self) -> bool:
        """Return whether the next line can belong to the same record."""
        if len(self._pending) > _MAX_PENDING:
            return False

        return self._json.is_open or self._fields.is_open

    def _add_pending(self) -> None:
        """Add the mentions in parts of records that are no messages."""
        for mention, number in self._pending.items():
            self._mentions.add(self._advance(number), mention)
        self._pending = {}

    def _take(self, number: int, raw: str) -> list[tuple[int, Record]] | None:
        """Return the records that are complete with a line, or None if the line belongs to none."""
        records = self._fields.take(number, raw)
        if records is not None:
            return records

        first = raw[:1]
        if first in _JSON_FIRST or self._json.is_open:
            return self._json.take(number, raw)

        if self._has_inline:
            return self._json.take_inline(number, raw)

        return None

    def _pass_on(self, number: int, raw: str) -> t.Iterator[tuple[int, Item]]:
        """Yield a line that belongs to no record."""
        if self._json.is_open:
            yield from self._emit_all(self._json.close())
            self._add_pending()

        yield from self._flush_order()
        if self._decorations.is_active:
            text = self._decorations.remove(raw)
            if text is None:
                return

            raw = text
        for line in raw.split("\n"):
            yield from self._split(number, line)

    def _split(self, number: int, raw: str) -> t.Iterator[tuple[int, Item]]:
        """Yield a line, or the kernel messages in it."""
        items: list[Item] = [raw]
        if self._has_embedded:
            items = list(split_embedded(raw))
        if items != [raw] and self._mentions.has_copy(raw):
            return

        if has_hint(raw):
            self._mentions.add(self._advance(number), raw)
        for item in items:
            yield number, item

    def _pass_on_rejected(self) -> t.Iterator[tuple[int, Item]]:
        """Yield the lines that seemed to begin a row of a table."""
        for number, raw in self._fields.take_rejected():
            for mention in list_mentions(raw):
                self._pending.pop(mention, None)
            yield from self._pass_on(number, raw)

    def _emit_all(self, records: t.Iterable[tuple[int, Record]]) -> t.Iterator[tuple[int, Item]]:
        """Yield the lines of records when their order is known."""
        for printed_number, record in records:
            number = self._advance(printed_number)
            text = record.message.text
            if has_hint(text):
                self._add_mentions(number, text)
            for held_number, held in self._order.take((number, record)):
                yield from self._emit(held_number, held)

    def _add_mentions(self, number: int, text: str) -> None:
        self._mentions.add(number, text)
        for mention in list_mentions(text):
            self._pending.pop(mention, None)

    def _flush_order(self) -> t.Iterator[tuple[int, Item]]:
        """Yield the lines of the records whose order was not known."""
        for number, record in self._order.flush():
            yield from self._emit(number, record)

    def _advance(self, number: int) -> int:
        """Return the number of a line, or that of the line before if that is greater."""
        self._number = max(self._number, number)

        return self._number

    def _emit(self, number: int, record: Record) -> t.Iterator[tuple[int, Item]]:
        """Yield the lines of a record's message, and before them a separator if another boot begins."""
        message = record.message
        text, *later = _LATER_MESSAGES.split(message.text)
        if self._is_next(text, message.source):
            del self._later[0]
        else:
            yield from self._emit_later(number)

        if record.boot_id not in (None, self._boot_id):
            self._boot_id = record.boot_id
            yield number, f"-- Boot {record.boot_id} --"

        for line in text.split("\n"):
            if line.strip():
                yield number, message._replace(text=line[:_LONGEST].rstrip("\r"))

        if later:
            self._later = later
            self._latest = message

    def _is_next(self, text: str, source: str | None) -> bool:
        """Return whether a message is the first of the later ones that a record of the same program had."""
        if source != self._latest.source:
            return False

        first = "".join(self._later[:1])

        return first.rstrip("\n").endswith("] " + text.rstrip("\n"))

    def _emit_later(self, number: int) -> t.Iterator[tuple[int, Item]]:
        """Yield the later messages that a record before had."""
        for raw in self._later:
            yield number, _read_later(raw, self._latest)
        self._later = []

    def _close(self) -> t.Iterator[tuple[int, Item]]:
        """Yield what is left at the end of the text."""
        yield from self._emit_all(self._fields.close())
        yield from self._pass_on_rejected()
        yield from self._emit_all(self._json.close())
        yield from self._flush_order()
        if self._decorations.is_active:
            yield self.count, self._decorations.close()
        yield from self._emit_later(self._number)
        self._add_pending()


def _use_plain_blanks(text: str) -> str:
    """Return a text with spaces in place of the blanks that its kill lines have."""
    if not any(map(text.__contains__, _BLANK_MARKS)) or _ODD_KILL.search(text) is None:
        return text

    for blank in _BLANKS:
        text = text.replace(blank, " ")

    return text


def _read_later(raw: str, message: Prefix) -> Prefix:
    """Return a later message, which has its own time since the boot, with what is known about its record."""
    own = split_prefix(raw)
    # Without a program in the record, the prefix can name one.
    if own is None or message.source is None:
        return message._replace(text=raw)

    return message._replace(text=own.text, monotonic_us=own.monotonic_us)
