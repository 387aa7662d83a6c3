# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read records from lines of JSON: one document a line, or a document on several lines.

The latter are read field by field, so that a part of a document can be read, too.
"""

from __future__ import annotations

import json
import re
import typing as t

from .record_fields import Fields, Record, RecordReader, Texts, has_message_name, normalise

Numbered = t.Tuple[int, Record]

_MAX_DEPTH = 32
_MAX_FIELDS = 500
_SSE = "data: "
_FIELD = re.compile(r'"([^"\\]{1,80})" ?: *(.+)', re.DOTALL)
_ENDS = re.compile(r"\A[}\],\s]+")
_END = re.compile(r"[}\]]")
_BEGINNINGS = re.compile(r"\[?(?:\s*\{)+\s*|\[$")
# The prefix names no program but the kernel.
_INLINE = re.compile(r"(?=[^{\[\"])[^{]{0,200}(?:(?<!:)(?<!:\s)|(?:kernel|kmsg|dmesg)(?:\.[a-z]{1,9})?: ?)(?=\{\")")
_FIRST = frozenset('{}[]"')
_ITEM = re.compile(r"(-?[0-9.eE+-]{1,30}|true|false|null),?")
# A list of bytes is a message.
_MAX_ITEMS = 16384
_MAX_CHARACTERS = 1 << 20
_DECODER = json.JSONDecoder()
_OBJECT = re.compile(r"[\s,]*(?=\{)")
# A string that is cut inside an escape of a character is complete without these characters.
_LONGEST_ESCAPE = 6
_LOKI_TIME = re.compile(r"\d{19}")


class _Frame:
    """An object or a list whose end has not been read.

    `name` is its name in the object around it, and `number` the number of the line of its message, or of its first
    line.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.fields: dict[str, t.Any] = {}
        self.texts: dict[str, str] = {}
        self.items: list[t.Any] = []
        self.size = 0
        self.number = number


class JsonReader:
    """Reads records from lines of JSON."""

    def __init__(self, records: RecordReader) -> None:
        self._records = records
        self._frames: list[_Frame] = []

    @property
    def is_open(self) -> bool:
        """Return whether the next lines can belong to a document that has begun."""
        return bool(self._frames)

    def take(self, number: int, raw: str) -> list[Numbered] | None:
        """Return the records that are complete with this line, or None if it is not a line of JSON."""
        text = raw.strip()
        if text.startswith(_SSE):
            text = text[len(_SSE) :]
        if text[:1] not in _FIRST:
            return self._take_item(text)

        if text.startswith(("{", "[{")):
            document = parse(text.rstrip(","))
            if document is not None:
                return [*self.close(), *self._walk(number, document)]

        return self._take_part(number, text)

    def take_inline(self, number: int, raw: str) -> list[Numbered] | None:
        """Return the records of a document after a prefix of the kernel, or None if the line has none."""
        inline = _INLINE.match(raw)
        if inline is None:
            return None

        document = parse(raw[inline.end() :])
        if document is None:
            return None

        return self._walk(number, document)

    def close(self) -> list[Numbered]:
        """Return the records of the objects that have not ended."""
        found: list[Numbered] = []
        while self._frames:
            found += self._pop()

        return found

    def walk(self, document: t.Any, outer: t.Sequence[Texts], depth: int = 0) -> list[Record]:
        """Return the records of a document, in the order of their times if these decrease."""
        found = list(self._iter_records(document, tuple(outer), depth))
        if _is_newest_first(found):
            found.reverse()

        return found

    def _walk(self, number: int, document: t.Any) -> list[Numbered]:
        return [(number, record) for record in self.walk(document, ())]

    def _iter_records(self, value: t.Any, outer: tuple[Texts, ...], depth: int) -> t.Iterator[Record]:
        if depth > _MAX_DEPTH:
            return

        if isinstance(value, list):
            for item in _sort_loki(value):
                yield from self._iter_records(item, outer, depth + 1)

        if isinstance(value, dict):
            yield from self._iter_object(value, outer, depth)

    def _iter_object(self, fields: Fields, outer: tuple[Texts, ...], depth: int) -> t.Iterator[Record]:
        """Yield the record of an object, or those of the objects in it if it is none itself."""
        record = self._records.read(fields, outer)
        inner = (*outer, normalise(fields))
        if record is not None:
            yield from self._unpack(record, inner, depth)
            return

        for item in fields.values():
            yield from self._iter_records(item, inner, depth + 1)

    def _unpack(self, record: Record, outer: tuple[Texts, ...], depth: int) -> t.Iterator[Record]:
        """Yield the records of a message that is JSON itself, or else the record."""
        found = []
        if record.message.text.startswith("{"):
            found = self.walk(parse(record.message.text), outer, depth + 1)

        yield from found or [record]

    def _take_part(self, number: int, text: str) -> list[Numbered] | None:
        """Take a line of a document that is printed over several lines."""
        found: list[Numbered] = []
        # Cutting one character after another would take a time that grows with the square of the length.
        rest = _ENDS.sub("", text)
        ends = _END.findall(text[: len(text) - len(rest)])
        for _end in ends[:_MAX_DEPTH]:
            found += self._pop()

        text = rest
        starts = _BEGINNINGS.match(text)
        if starts is not None:
            text = text[starts.end() :]
            for _start in range(min(_MAX_DEPTH, starts.group().count("{") or 1)):
                self._push("", number)

        if not text:
            return found

        field = _FIELD.match(text)
        if field is None:
            return self._take_other(found, text)

        name, value = field.groups()
        if value in ("{", "["):
            self._push(name, number)
            return found

        found += self._set(number, name, value)

        return found

    def _take_item(self, text: str) -> list[Numbered] | None:
        """Take a number in a list; journalctl prints a message with control characters as a list of its bytes."""
        if not self._frames:
            return None

        item = _ITEM.fullmatch(text)
        if item is None:
            return None

        self._add_item(item.group(1))

        return []

    def _add_item(self, item: t.Any) -> None:
        """Add a number or a text to the innermost list."""
        items = self._frames[-1].items
        if len(items) < _MAX_ITEMS:
            items.append(item)

    def _take_other(self, found: list[Numbered], text: str) -> list[Numbered] | None:
        """Take a line that is not a field: an item of a list, or no JSON at all."""
        if self._frames and text[0] == '"':
            self._add_item(_parse_value(text))
            return found

        if found:
            return [*found, *self.close()]

        return None

    def _set(self, number: int, name: str, value: str) -> list[Numbered]:
        """Set a field of the innermost object. If it has that field, another object has begun."""
        found: list[Numbered] = []
        if not self._frames:
            self._push("", number)
        frame = self._frames[-1]
        if name in frame.fields:
            found = self._pop()
            self._push("", number)
            frame = self._frames[-1]

        frame.size += len(value)
        if len(frame.fields) < _MAX_FIELDS and frame.size <= _MAX_CHARACTERS:
            frame.fields[name] = _parse_value(value)
            frame.texts.update(normalise({name: frame.fields[name]}))
            if has_message_name([name]):
                frame.number = number

        return found

    def _push(self, name: str, number: int) -> None:
        if len(self._frames) < _MAX_DEPTH:
            self._frames.append(_Frame(name, number))

    def _pop(self) -> list[Numbered]:
        """End the innermost object, and return its records."""
        if not self._frames:
            return []

        frame = self._frames.pop()
        if frame.items:
            return self._end_list(frame)

        outer = [other.texts for other in self._frames]
        if outer and frame.name:
            # The labels in this object are also those of the messages after it. An item of a list has no name.
            outer[-1].update(normalise({frame.name: frame.fields}))

        # An object beside a message belongs to its record.
        names = [name for other in self._frames for name in other.fields]
        if has_message_name(names):
            return []

        found = self.walk(frame.fields, [*outer, frame.texts])
        if found and frame.name and self._hold(frame):
            return []

        return [(frame.number, record) for record in found]

    def _hold(self, frame: _Frame) -> bool:
        """Set an object with a message as a field of the object around it, whose time can follow, if there is room."""
        if not self._frames or len(self._frames[-1].fields) >= _MAX_FIELDS:
            return False

        around = self._frames[-1]
        around.fields[frame.name] = frame.fields
        around.number = frame.number

        return True

    def _end_list(self, frame: _Frame) -> list[Numbered]:
        """Set the list as a field of the object around it, or return its record if the object's beginning is missing.

        Ansible prints the beginning after the name of a host.
        """
        if not self._frames:
            return self._walk(frame.number, {frame.name: frame.items})

        around = self._frames[-1]
        around.fields.setdefault(frame.name, frame.items)
        if has_message_name([frame.name]):
            around.number = frame.number

        return []


def has_inline(line: str) -> bool:
    """Return whether a line about an OOM kill has JSON after a prefix."""
    # Most lines have no brace, and finding one takes no time.
    return "{" in line and _INLINE.match(line) is not None


def _is_newest_first(records: t.Sequence[Record]) -> bool:
    """Return whether the times of records decrease from the first to the last."""
    if not records:
        return False

    first_us = records[0].message.realtime_us
    last_us = records[-1].message.realtime_us
    if first_us is None or last_us is None:
        return False

    return first_us > last_us


def parse(text: str) -> t.Any:
    """Return a document of JSON with its numbers as texts, or None if it is damaged."""
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def split_array(text: str) -> tuple[str, str]:
    """Split the beginning of an array: an array of the items that are complete, and one that begins with the rest."""
    end = 1
    next_end: int | None = end
    while next_end is not None:
        end = next_end
        next_end = _find_end(text, end)

    return f"{text[:end]}]", "[" + text[end:].lstrip(" ,")


def _find_end(text: str, start: int) -> int | None:
    """Return the end of the next item of an array, or None if the item is not complete."""
    begin = _OBJECT.match(text, start)
    if begin is None:
        return None

    try:
        _item, end = _DECODER.raw_decode(text, begin.end())
    except (ValueError, RecursionError):
        return None

    return end


def _parse_value(text: str) -> t.Any:
    """Return the value of a field at the end of a line."""
    value = parse(text.rstrip(" ,"))
    if value is not None:
        return value

    text = text.rstrip(" ,}")
    value = parse(text)
    if value is not None or text[:1] != '"':
        return value

    for cut in range(_LONGEST_ESCAPE):
        value = parse(text[: len(text) - cut] + '"')
        if value is not None:
            return value

    return None


def _sort_loki(items: list[t.Any]) -> list[t.Any]:
    """Return the lines of a stream of Loki as records, the oldest first; other lists stay as they are."""
    if not all(_is_loki(item) for item in items):
        return items

    in_order = sorted(items, key=lambda item: int(item[0]))

    return [{"ts": item[0], "line": item[1]} for item in in_order]


def _is_loki(item: t.Any) -> bool:
    """Return whether an item is a line of a stream: nanoseconds since 1970, and the text."""
    if not isinstance(item, list) or len(item) < 2:
        return False

    time, text = item[:2]
    if not isinstance(text, str):
        return False

    return _LOKI_TIME.fullmatch(str(time)) is not None
