# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that mention a kill but are part of no report."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions import (
    MAX_NAMED,
    Mentions,
    iter_hinted_lines,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Unparsed, Victim

KILL = "Killed process 7 (hog)"


def make_report(first: int, last: int, pid: int = 7) -> OomReport:
    return OomReport(Line("", cursor=str(first)), Line("", cursor=str(last)), victims=(Victim("hog", pid),))


@pytest.mark.parametrize(
    ("report", "unused"),
    [(make_report(1, 9), 0), (make_report(6, 9), 1), (make_report(1, 1), 1), (make_report(1, 9, pid=8), 1)],
    ids=["in it", "after it", "before it", "another victim"],
)
def test_report_explains_the_mentions_in_it(report: OomReport, unused: int) -> None:
    mentions = Mentions()
    mentions.add(5, KILL)
    mentions.settle(report)
    assert mentions.count_unused() == unused


def test_unparsed_line_is_counted_once() -> None:
    mentions = Mentions()
    mentions.add(5, KILL)
    mentions.settle(Unparsed(Line("", cursor="5"), ""))
    mentions.settle(Unparsed(Line("", cursor="50"), ""))
    assert (mentions.count_unused(), mentions.list_first()) == (2, [5, 50])


def test_many_mentions_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.oomguard.linux.plugins.module_utils._oom.report.mentions._MAX_HELD", 10)
    mentions = Mentions()
    for number in range(1, 101):
        mentions.add(number, KILL)
    assert (mentions.count_unused(), mentions.list_first()) == (100, list(range(1, MAX_NAMED + 1)))


COPIED = "Killed process 7 (a) total-vm:900kB, anon-rss:100kB, file-rss:4kB"


@pytest.mark.parametrize(
    ("copy", "unused"),
    [
        (f'log_monitor.go:160] New status: Message:"{COPIED}"', 0),
        (COPIED.replace("900kB", "901kB"), 1),
        (COPIED.replace("7", "8"), 1),
        (COPIED.replace("(a)", "(b)"), 1),
    ],
)
@pytest.mark.parametrize("number", [20, 900])
def test_copy_of_a_kill_line_is_explained(copy: str, unused: int, number: int) -> None:
    mentions = Mentions()
    kill = Line(f"Out of memory: {COPIED}", cursor="5")
    mentions.add(5, kill.text)
    mentions.add(number, copy)
    mentions.settle(make_report(5, 5)._replace(kill=kill))
    assert mentions.count_unused() == unused


def test_row_of_a_known_kill_is_a_copy() -> None:
    mentions = Mentions()
    mentions.add(5, f"Out of memory: {COPIED}")
    assert mentions.has_copy(f"OOMKilling {COPIED}")
    assert not mentions.has_copy(COPIED.replace("900kB", "901kB"))


def test_hinted_lines_have_their_numbers() -> None:
    text = f"a\n{KILL}\n\nb oom-kill\n{KILL} oom-kill\nc"
    lines = [(11, KILL), (13, "b oom-kill"), (14, f"{KILL} oom-kill")]
    assert list(iter_hinted_lines(text, text.split("\n"), 10)) == lines


def test_lines_of_another_program_without_a_pid_are_no_copies() -> None:
    mentions = Mentions()
    mentions.add(1, "Reason: OOMKilled")
    assert not mentions.has_copy("Reason: OOMKilled")
