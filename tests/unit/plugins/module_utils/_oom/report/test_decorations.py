# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What documents, terminals and mail add to lines."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.decorations import Decorations
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    CONSTRAINT,
    GLOBAL_TRIGGER,
)


def remove(found: str, *lines: str) -> list[str | None]:
    decorations = Decorations()
    decorations.find(found, found)
    assert decorations.is_active
    return [*map(decorations.remove, lines), decorations.close()]


@pytest.mark.parametrize("suffix", ["$", "</li>", '" app=kernel', "\x1b[0m", "`"])
def test_suffix_of_the_trigger_line_is_removed_from_all_lines(suffix: str) -> None:
    assert remove(GLOBAL_TRIGGER + suffix, f"a{suffix}\r\n", "b") == ["a", "b", ""]


@pytest.mark.parametrize("escaped", ["&lt;4&gt;[ 12.5] a", "&#60;4&#x3e;[ 12.5] a"])
def test_escapes_of_html_are_undone(escaped: str) -> None:
    assert remove(escaped, escaped) == ["<4>[ 12.5] a", ""]


def test_lines_of_quoted_printable_are_joined() -> None:
    decorations = Decorations()
    decorations.find_in_mail(f"a=3Db\n{'c' * 75}=\nd\n")
    assert decorations.is_active
    removed = map(decorations.remove, ["a=3Db =", "c=20", "d=C2=A0=C3=A9", "", "f=", "", "g", "e="])
    assert [*removed, decorations.close()] == [None, "a=b c ", "d \u00e9", "", None, None, "fg", None, "e"]


@pytest.mark.parametrize("text", ["a=3Db\n", f"{'c' * 75}=\nd\n", f"a=3Db{'c' * 75}=d\n"])
def test_other_text_is_not_quoted_printable(text: str) -> None:
    decorations = Decorations()
    decorations.find_in_mail(text)
    assert not decorations.is_active


@pytest.mark.parametrize("line", [GLOBAL_TRIGGER, GLOBAL_TRIGGER + "\r", CONSTRAINT.format("a", 7), "a & b; c = d"])
def test_plain_line_has_no_decoration(line: str) -> None:
    decorations = Decorations()
    decorations.find(line, line)
    assert not decorations.is_active


def test_second_adjustment_of_the_trigger_line_is_not_a_decoration() -> None:
    decorations = Decorations()
    trigger = "hog invoked oom-killer: gfp_mask=0xd0, order=0, oom_adj=0, oom_score_adj=0"
    decorations.find(trigger, trigger)
    assert not decorations.is_active


def test_one_escaped_line_shows_that_a_block_is_quoted_printable() -> None:
    trigger = "[ 1187.500000] hog invoked oom-killer: gfp_mask=3D0xd0, order=3D0, oom="
    decorations = Decorations()
    decorations.find(trigger, f"a\n{trigger}\n_score_adj=3D0\n")
    assert decorations.remove(trigger) is None
    assert decorations.remove("_score_adj=3D0") == trigger.replace("3D", "").rstrip("=") + "_score_adj=0"


def break_lines(lines: list[str], width: int) -> list[str]:
    return [line[start : start + width] for line in lines for start in range(0, len(line), width)]


@pytest.mark.parametrize("width", [50, 60, 70])
@pytest.mark.parametrize("end", ["", "\r"])
def test_lines_that_a_terminal_has_broken_are_joined(width: int, end: str) -> None:
    lines = [f"[ 1187.500000] {name * 15} {CONSTRAINT.format('a', 7)}" for name in "abc"]
    lines.insert(1, "[ 1187.500000] " + "d" * (width - 15))
    broken = [line + end for line in break_lines(lines, width)]
    decorations = Decorations()
    decorations.find_wrap(broken)
    joined = [*filter(None, map(decorations.remove, broken)), decorations.close()]
    assert "\n".join(joined).strip().split("\n") == lines


def test_lines_that_are_broken_between_words_are_not_joined() -> None:
    lines = [f"[ 1187.500000] {'a' * length}" for length in (45, 45, 40, 41, 42)]
    decorations = Decorations()
    decorations.find_wrap([part for line in lines for part in (line, "b")])
    assert not decorations.is_active
