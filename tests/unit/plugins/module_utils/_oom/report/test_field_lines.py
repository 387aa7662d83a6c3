# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in lines of fields."""

from __future__ import annotations

import io
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.field_lines import (
    ExportReader,
    find_csv,
    join_binary_fields,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.record_fields import RecordReader


@pytest.mark.parametrize("heading", ["a,b", "message", "Hello, log: a", "Name, message", '{"a": 1, "message": 2}', ""])
def test_other_text_is_no_table(heading: str) -> None:
    assert find_csv(RecordReader(), heading) is None


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_row_has_a_message(delimiter: str) -> None:
    table = find_csv(RecordReader(), delimiter.join(["time", "message"]))
    assert table is not None
    rows = [table.take(number, line) for number, line in ((2, f'1{delimiter}"a'), (3, f'b{delimiter}""c"'))]
    assert [[(number, record.message.text) for number, record in row or []] for row in rows] == [
        [],
        [(2, f'a\nb{delimiter}"c')],
    ]


def test_lines_after_an_odd_quote_are_rejected() -> None:
    table = find_csv(RecordReader(), "time,message")
    assert table is not None
    assert [table.take(number, line) for number, line in ((2, '1,"a'), (3, "b"), (4, 'c, "d, e'))] == [[], [], None]
    assert table.take_rejected() == [(2, '1,"a'), (3, "b")]
    assert table.take_rejected() == []


def test_row_that_does_not_end_is_rejected() -> None:
    table = find_csv(RecordReader(), "time,message")
    assert table is not None
    assert [table.take(number, line) for number, line in ((2, '1,"a'), (3, "b"))] == [[], []]
    assert table.close() == []
    assert table.take_rejected() == [(2, '1,"a'), (3, "b")]


def test_row_after_an_odd_quote_is_read() -> None:
    table = find_csv(RecordReader(), "time,message")
    assert table is not None
    taken = [table.take(number, line) for number, line in ((2, '1,"a'), (3, '2,"b"'))]
    assert [[(number, record.message.text) for number, record in row or []] for row in taken] == [[], [(3, "b")]]
    assert table.take_rejected() == [(2, '1,"a')]


@pytest.mark.parametrize("text", ["a", "a\n__CURSOR=s=b\n\nMESSAGE=c", "\u00e9" * 300, ""])
def test_binary_field_becomes_a_line(text: str) -> None:
    data = text.encode()
    length = len(data).to_bytes(8, "little").decode("utf-8", "surrogateescape")
    before = "__CURSOR=s=a\nMESSAGE\n"
    rest = f"{text}\nPRIORITY=3\n"
    expected = "__CURSOR=s=a\nMESSAGE=" + text.replace("\n", "\\x0a") + "\nPRIORITY=3\n"
    assert join_binary_fields(before + length + rest, io.StringIO()) == expected
    file = io.StringIO(rest)
    assert join_binary_fields(before + length, file) + file.read() == expected


def test_line_of_verbose_output_continues_the_message() -> None:
    heading = f"Sat 2023-07-15 23:44:32.000037 JST [s={'0' * 32};i=1;b={'1' * 32};m=1;t=1;x=1]"
    lines = [heading, "    MESSAGE=a", f"{' ' * 12}MESSAGE=b", "    _TRANSPORT=stdout"]
    assert read_messages(lines) == [(2, "a")]


def read_messages(lines: t.Sequence[str]) -> list[tuple[int, str]]:
    """Return the messages of records with their numbers."""
    reader = ExportReader(RecordReader())
    records = [record for number, line in enumerate(lines, 1) for record in reader.take(number, line) or []]

    return [(number, record.message.text) for number, record in [*records, *reader.close()]]


def test_second_message_begins_a_record() -> None:
    assert read_messages(["MESSAGE=a", "PRIORITY=3", "MESSAGE=b", "MESSAGE=c"]) == [(1, "a"), (3, "b"), (4, "c")]


@pytest.mark.parametrize("field", ["__CURSOR=s=0", "_TRANSPORT=journal"])
def test_second_message_of_a_whole_record_is_ignored(field: str) -> None:
    assert read_messages([field, "MESSAGE=a", "MESSAGE=b"]) == [(2, "a")]


CURSOR = f"__CURSOR=s={'a' * 32};i=1"
OTHER_CURSOR = f"__CURSOR=s={'b' * 32};i=1"


@pytest.mark.parametrize("before", [[CURSOR], ["_TRANSPORT=stdout"], ["MESSAGE=a"], ["PRIORITY=3"]])
@pytest.mark.parametrize(
    "value", [["MESSAGE=b"], ["", "_TRANSPORT=kernel", "MESSAGE=b"], ["", OTHER_CURSOR, "MESSAGE=b"]]
)
def test_value_of_a_binary_field_is_no_record(before: list[str], value: list[str]) -> None:
    assert read_messages([*before, "MESSAGE", "\x15", *value, ""]) == []


def test_next_record_of_the_journal_is_read_after_a_binary_field() -> None:
    lines = [CURSOR, "_TRANSPORT=stdout", "MESSAGE", "\x15", "", "MESSAGE=b", "", CURSOR, "MESSAGE=c", ""]
    assert read_messages(lines) == [(9, "c")]


@pytest.mark.parametrize("line", ["ERROR", "MESSAGE"])
def test_word_outside_of_records_is_no_binary_field(line: str) -> None:
    assert read_messages([line, "MESSAGE=a"]) == [(2, "a")]
