# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is printed on the control node."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils import _terminal
from ansible_collections.oomguard.linux.plugins.plugin_utils._terminal import Line, print_lines

LINES = [Line("title"), Line("a", "COLOR_ERROR"), Line("b", "COLOR_ERROR"), Line("end")]


class Screen:
    """What a display has shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, str | None]] = []

    def display(self, text: str, *, color: str | None) -> None:
        self.shown.append((text, color))


def show(monkeypatch: pytest.MonkeyPatch, callback: str) -> tuple[Screen, dict[str, t.Any]]:
    settings = {"DEFAULT_STDOUT_CALLBACK": callback, "COLOR_ERROR": "red"}
    monkeypatch.setattr(_terminal, "_read_setting", settings.__getitem__)
    screen = Screen()
    return screen, print_lines(t.cast("t.Any", screen), LINES)


def test_lines_are_printed_with_their_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, result = show(monkeypatch, "default")
    assert screen.shown == [("title", None), ("a\nb", "red"), ("end", None)]
    assert result == {}


def test_callbacks_that_print_data_get_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, result = show(monkeypatch, "minimal")
    assert screen.shown == []
    assert result["msg"] == ["title", "a", "b", "end"]
