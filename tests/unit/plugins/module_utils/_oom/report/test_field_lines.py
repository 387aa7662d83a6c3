# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records in lines of fields."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.field_lines import ExportReader, find_csv
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
