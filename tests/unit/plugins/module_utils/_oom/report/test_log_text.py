# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a log: its lines, and the messages of records such as JSON."""

from __future__ import annotations

import io
import json

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_numbered
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_text import LogText
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import Mentions
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.prefixes import Prefix
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    GLOBAL_KILL,
    GLOBAL_TRIGGER,
)

LATER = "first\n<4>[    2.500000] second\n<3>[    3.500000] [  T12] third"


def make_record(message: str, **fields: str) -> str:
    return json.dumps({"MESSAGE": message, "_HOSTNAME": "web1", "__REALTIME_TIMESTAMP": "7", **fields}) + "\n"


def read_lines(file: io.StringIO) -> list[str]:
    return [line.text for line in read_numbered(LogText(file, Mentions()).read())]


@pytest.mark.parametrize("length", [0, 1, 16383, 16384, 16385, 16400, 32768, 100_000])
def test_nuls_before_a_line_are_removed(length: int) -> None:
    nuls = "\0" * length
    assert read_lines(io.StringIO(f"a\n{nuls}{GLOBAL_KILL}\nb\n{nuls}")) == ["a", GLOBAL_KILL, "b"]


@pytest.mark.parametrize("length", [16383, 16384, 16385, 32767, 32768, 100_000])
@pytest.mark.parametrize("end", ["\n", "\nb\n"])
def test_long_line_is_truncated(length: int, end: str) -> None:
    lines = read_lines(io.StringIO("a" * length + end))
    assert (len(lines[0]), lines[1:]) == (min(length, 16384), ["b"] if end[1:] else [])


@pytest.mark.parametrize(("transport", "source"), [("stdout", "php"), ("kernel", "kernel")])
@pytest.mark.parametrize("end", ["", "{}\n", make_record("a", _TRANSPORT="journal")], ids=["last", "other", "record"])
def test_later_message_has_the_fields_of_its_record(transport: str, source: str, end: str) -> None:
    text = make_record(LATER, _TRANSPORT=transport, SYSLOG_IDENTIFIER=source) + end
    lines = list(read_numbered(LogText(io.StringIO(text), Mentions()).read()))
    assert [(line.text, line.monotonic_us, line.source, line.hostname, line.realtime_us) for line in lines[:3]] == [
        ("first", None, source, "web1", 7),
        ("second", 2_500_000, source, "web1", 7),
        ("third", 3_500_000, source, "web1", 7),
    ]


def test_later_message_has_the_boot_of_its_record() -> None:
    boots = ["a" * 32, "b" * 32]
    text = "".join(make_record(LATER, _TRANSPORT="kernel", _BOOT_ID=boot) for boot in boots)
    lines = list(read_numbered(LogText(io.StringIO(text), Mentions()).read()))
    assert [line.boot_id for line in lines] == [boots[0]] * 3 + [boots[1]] * 3


@pytest.mark.parametrize("message", ["", "second", "other"])
def test_later_message_is_never_lost(message: str) -> None:
    text = "".join(make_record(text, _TRANSPORT="kernel") for text in (LATER, message))
    lines = read_lines(io.StringIO(text))
    assert sorted(lines) == sorted({"first", "second", "third", message} - {""})


def test_later_message_is_not_replaced_by_another_program() -> None:
    text = make_record(LATER, _TRANSPORT="kernel") + make_record("second\n<4>[    2.500000] a", _TRANSPORT="stdout")
    lines = list(read_numbered(LogText(io.StringIO(text), Mentions()).read()))
    assert [line.text for line in lines if line.source == "kernel"] == ["first", "second", "third"]


@pytest.mark.parametrize("end", ["", "\nc", '\n"', '\n2,"c"'])
def test_lines_after_an_odd_quote_are_passed_on(end: str) -> None:
    kill = f"Jul 15 23:44:32 h kernel: {GLOBAL_KILL}"
    lines = read_lines(io.StringIO(f'time,message\n1,"b\n{kill}{end}\n'))
    assert GLOBAL_KILL in lines


@pytest.mark.parametrize(
    "blanks",
    [
        ("\t",),
        ("\\t",),
        ("\xa0",),
        ("\\u00a0",),
        ("\udca0",),
        ("&nbsp;",),
        ("\xa0", "\t"),
        ("\\t", "\xa0"),
    ],
    ids=repr,
)
def test_blanks_of_a_kill_line_become_spaces(blanks: tuple[str, ...]) -> None:
    kill = GLOBAL_KILL
    for blank in blanks:
        kill = kill.replace(" ", blank, 5)
    mentions = Mentions()
    assert [item for _number, item in LogText(io.StringIO(f"{kill}\n"), mentions).read()] == [GLOBAL_KILL]
    assert mentions.count_unused() == 1


@pytest.mark.parametrize("colour", ["\x1b[0;1;31m", "\x1b[m\x1b[K", "\x1b(B", "^[[31m"])
@pytest.mark.parametrize("length", [0, 32740])
def test_colours_are_removed(colour: str, length: int) -> None:
    text = f"{'a' * length}\nweb1 {colour}kernel: {colour}{GLOBAL_KILL}{colour}\n"
    assert read_lines(io.StringIO(text))[1:] == [GLOBAL_KILL]


def test_newest_line_first_is_reversed() -> None:
    lines = [f"[    1.50000{number}] {text}" for number, text in enumerate([GLOBAL_TRIGGER, GLOBAL_KILL])]
    text = LogText(io.StringIO("\n".join(reversed(lines))), Mentions())
    assert list(text.read()) == [(1, lines[0]), (2, lines[1])]
    assert [text.locate(number) for number in (1, 2)] == [2, 1]


def test_joined_lines_are_split_and_keep_their_number() -> None:
    lines = [
        f"[    1.50000{number}] {text}" for number, text in enumerate([GLOBAL_TRIGGER, *["a" * 99] * 7, GLOBAL_KILL])
    ]
    text = LogText(io.StringIO("\n\n" + "<br>".join(lines) + "\nb\n"), Mentions())
    assert [line for _number, line in text.read()] == ["", "", *lines, "b"]
    assert [text.locate(number) for number in (2, 3, 11, 12)] == [2, 3, 3, 4]


def test_lines_of_a_record_have_no_carriage_returns() -> None:
    text = LogText(io.StringIO(json.dumps({"message": "a\r\nb\r\n"})), Mentions())
    assert [message.text for _number, message in text.read() if isinstance(message, Prefix)] == ["a", "b"]


@pytest.mark.parametrize("first", ["SYSLOG_IDENTIFIER=a", "_TRANSPORT=stdout"])
def test_binary_field_has_no_kill(first: str) -> None:
    mentions = Mentions()
    text = f"{first}\nMESSAGE\n\x95\0\0\0\0\0\0\0b\n{GLOBAL_KILL}\n\n"
    items = [item for _number, item in LogText(io.StringIO(text), mentions).read()]
    assert [isinstance(item, Prefix) and item.source in ("a", "stdout") for item in items] == [True] * len(items)
    assert mentions.count_unused() == 1
