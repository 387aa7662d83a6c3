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


@pytest.mark.parametrize(("text", "bytes_"), [("1K", 1024), ("0", 0), ("infinity", None), ("1Q", None), ("", None)])
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
        ("infinity", None),
        ("5 parsecs", None),
        ("", None),
    ],
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


@pytest.mark.parametrize(("text", "share"), [("50%", 0.5), ("12.5%", 0.125), ("50", None), ("%", None)])
def test_percentage_is_parsed(text: str, share: float | None) -> None:
    assert parse_percentage(text) == share


@pytest.mark.parametrize(("text", "number"), [("SIGINT", 2), ("INT", 2), ("RTMIN+3", 37), ("9", 9), ("SIGODD", None)])
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
