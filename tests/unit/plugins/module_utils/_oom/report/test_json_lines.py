# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in lines of JSON."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.json_lines import JsonReader
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.record_fields import RecordReader


def read_texts(text: str) -> list[tuple[int, str]]:
    """Return the messages of a text, and the numbers of their lines."""
    reader = JsonReader(RecordReader())
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        found += reader.take(number, line) or []
    return [(number, record.message.text) for number, record in [*found, *reader.close()]]


LINES_OF_ANSIBLE = "[   12.5] invoked oom-killer\nb"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"msg": "a"}', [(1, "a")]),
        ('[{"msg": "a"}, {"msg": "b"}]', [(1, "a"), (1, "b")]),
        ('{\n"msg" : "a",\n"b": {\n"c": 1\n}\n}', [(2, "a")]),
        ('"msg": "a",\n"msg": "b"', [(1, "a"), (2, "b")]),
        ('{\n"MESSAGE" : [\n97,\n98\n]\n}', [(2, "ab")]),
        ('{\n"msg": "a\\u00e', [(2, "a")]),
        ('{\n"b": {\n"msg": "a"\n},\n"c": 1\n}', [(3, "a")]),
        ('{\n"a": 1,\n"msg": "b",\n"c": 1\n}', [(3, "b")]),
        ('ok: [a] => {\n"out.stdout_lines": [\n"[   12.5] invoked oom-killer",\n"b"\n]\n}', [(2, LINES_OF_ANSIBLE)]),
        ("[   12.5] a", []),
        ("{", []),
        ("[" * 100_000, []),
        ('{"a":' * 100_000, []),
    ],
)
def test_records_are_found(text: str, expected: list[tuple[int, str]]) -> None:
    assert read_texts(text) == expected


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ('{"stream": {"host": "b"}, "values": [["1689432272000000000", "a"]]}', None),
        ('{"stream": {"syslog_identifier": "kernel"}, "values": [["1689432272000000000", "a"]]}', "kernel"),
        ('{"stream": {"syslog_identifier": "b"}, "values": [["1689432272000000000", "a"]]}', "b"),
        ('{"stream": {"transport": "stdout"}, "values": [["1689432272000000000", "a"]]}', "stdout"),
        ('{"labels": {"unit": "b.service"}, "payload": {"message": "a"}}', "b"),
        ('{\n"labels": {\n"unit": "b.service"\n},\n"payload": {\n"message": "a"\n}\n}', "b"),
        ('{\n"process": {\n"name": "b"\n},\n"message": "a"\n}', "b"),
        ('{\n"process": {"name": "b"},\n"message": "a"\n}', "b"),
    ],
)
def test_labels_beside_a_message_name_its_program(text: str, source: str | None) -> None:
    reader = JsonReader(RecordReader())
    found = []
    for number, line in enumerate(text.split("\n"), start=1):
        found += reader.take(number, line) or []
    assert [record.message.source for _number, record in found] == [source]


def test_labels_of_an_item_are_not_those_of_the_next() -> None:
    lines = [
        "[",
        "{",
        '"unit": "b.service",',
        '"payload": {',
        '"message": "a"',
        "}",
        "},",
        "{",
        '"message": "c"',
        "}",
        "]",
    ]
    reader = JsonReader(RecordReader())
    found = []
    for number, line in enumerate(lines, start=1):
        found += reader.take(number, line) or []
    assert [(record.message.text, record.message.source) for _number, record in found] == [("a", "b"), ("c", None)]


def test_time_after_the_object_of_a_message_is_read() -> None:
    reader = JsonReader(RecordReader())
    text = '{\n"jsonPayload": {\n"MESSAGE": "a"\n},\n"timestamp": "1970-01-01T00:00:01Z"\n}'
    found = [reader.take(number, line) or [] for number, line in enumerate(text.split("\n"), start=1)]
    assert [record.message.realtime_us for records in found for _number, record in records] == [1_000_000]
