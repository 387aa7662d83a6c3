# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in columns."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.columns import align, measure, pad, shorten, wrap


@pytest.mark.parametrize(("text", "width"), [("", 0), ("web1", 4), ("日本", 4), ("e\u0301", 1)])
def test_width_is_that_on_a_terminal(text: str, width: int) -> None:
    assert measure(text) == width
    assert measure(pad(text, 9)) == 9


@pytest.mark.parametrize(
    ("text", "shown"), [("web1", "web1"), ("web-frontend", "web-…tend"), ("日本日本日本", "日本…日本")]
)
def test_long_text_loses_its_middle(text: str, shown: str) -> None:
    assert shorten(text, 9) == shown


def test_columns_with_names_are_shortened_first() -> None:
    rows = [("HOST", "WHY"), ("a" * 40, "b" * 20)]
    (heading,), (line,) = align(rows, 40, shortened=[0])
    assert heading == f"HOST{' ' * 16}WHY"
    assert line == f"{'a' * 9}…{'a' * 8}  {'b' * 20}"


def test_last_cell_of_a_short_row_takes_the_rest_of_its_line() -> None:
    rows = [("HOST", "FOR", "WHY"), ("web1", "1 h", "limit"), ("web2", "unreachable: no route")]
    assert align(rows, 40, shortened=[0])[2] == ["web2  unreachable: no route"]


def test_last_cell_of_a_short_row_takes_more_lines_rather_than_being_cut() -> None:
    rows = [("HOST", "FOR", "WHY"), ("web2", "unreachable: no route to it")]
    assert align(rows, 20, shortened=[0])[1] == ["web2  unreachable:", "      no route to it"]


def test_first_cell_of_a_short_row_is_not_cut_if_there_is_room() -> None:
    rows = [("HOST", "FOR", "WHY"), ("web1", "1 h", "limit"), ("web-far-away", "unreachable")]
    assert align(rows, 40, shortened=[0])[2] == ["web-far-away  unreachable"]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("one two", ["one two"]),
        ("one two three", ["one two", "three"]),
        ("0123456789", ["01234567", "89"]),
        ("日本 日本", ["日本", "日本"]),
    ],
)
def test_text_is_wrapped_between_words(text: str, lines: list[str]) -> None:
    assert wrap(text, 8) == lines
