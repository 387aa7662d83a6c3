# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in systemd's syntax."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.syntax import (
    normalise_words,
    parse_boolean,
    parse_memory_limit,
    parse_percentage,
    parse_signal,
    parse_size,
    parse_time_span,
    split_words,
)


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("1K", 1024),
        ("0", 0),
        ("1.5M", 1536 << 10),
        ("10.K", 10240),
        ("1G 512M", 1536 << 20),
        ("1K5B", 1029),
        (" +5 ", 5),
        ("9" * 18, int("9" * 18)),
        ("infinity", None),
        ("1Q", None),
        ("1M 1G", None),
        ("1KB", None),
        ("9" * 20, None),
        ("9" * 400, None),
        ("1." + "9" * 400 + "K", 2048),
        ("9" * 5000 + "K", None),
        ("", None),
        (" ", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_size_is_parsed(text: str, bytes_: int | None) -> None:
    assert parse_size(text) == bytes_


@pytest.mark.parametrize(
    ("text", "bytes_"), [("512M", 512 << 20), ("50%", 512), ("12.5%", 128), ("infinity", None), ("", None)]
)
def test_memory_limit_is_parsed(text: str, bytes_: int | None) -> None:
    assert parse_memory_limit(text, ram_bytes=1024) == bytes_


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5_000_000),
        ("1.5ms", 1500),
        ("1h 2min", 3_720_000_000),
        (".5", 500_000),
        ("2min 30", 150_000_000),
        ("5us", 5),
        ("5μs", 5),
        ("1.5us", 1),
        ("0.9us", 0),
        ("1.23456789ms", 1234),
        ("infinity", None),
        ("5 parsecs", None),
        ("5.", None),
        (".", None),
        ("s", None),
        ("-5", None),
        ("9" * 400, None),
        ("9" * 19, None),
        ("9" * 5000 + "y", None),
        ("", None),
        (" ", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_time_span_is_parsed(text: str, expected: int | None) -> None:
    assert parse_time_span(text) == expected


def test_number_without_unit_counts_in_the_given_unit() -> None:
    assert parse_time_span("1ms 5", default_unit=1) == 1005


@pytest.mark.parametrize(
    ("text", "expected"), [("Yes", True), ("1", True), ("off", False), ("strict", None), ("", None)]
)
def test_boolean_is_parsed(text: str, expected: bool | None) -> None:
    assert parse_boolean(text) is expected


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("50%", 0.5),
        ("12.5%", 0.125),
        ("500‰", 0.5),
        ("5000‱", 0.5),
        ("50", None),
        ("%", None),
        ("9" * 400 + "%", None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_percentage_is_parsed(text: str, share: float | None) -> None:
    assert parse_percentage(text) == share


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("SIGINT", 2),
        ("INT", 2),
        ("RTMIN+3", 37),
        ("9", 9),
        ("SIGODD", None),
        ("²", None),
        ("RTMIN+9999", None),
        ("9" * 5000, None),
    ],
    ids=lambda value: str(value)[:30],
)
def test_signal_is_parsed(text: str, number: int | None) -> None:
    assert parse_signal(text) == number


@pytest.mark.parametrize(("text", "words"), [('a "b c"', ["a", "b c"]), ('a "b c', ["a", '"b', "c"])])
def test_words_are_split_with_and_without_closing_quote(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize(
    ("written", "shown"),
    [("/dev/vda 5M", "/dev/vda 5000000"), ("append:/srv/x", "append"), ("/srv/", "/srv"), ("SIGKILL", "KILL")],
)
def test_written_and_shown_words_have_one_form(written: str, shown: str) -> None:
    assert normalise_words(written) == normalise_words(shown)
