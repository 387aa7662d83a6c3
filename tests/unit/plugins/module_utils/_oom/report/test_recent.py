# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports that have ended, and lines that come late."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Origin, Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.recent import RecentReports, is_same_kill
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.report.factories import (
    REAPED,
    build_memcg_report,
    read_only_reports,
)


def test_reaper_line_can_follow_the_next_report() -> None:
    lines = [*build_memcg_report(pid=812), *build_memcg_report(pid=900), REAPED.format("hog", 812)]
    assert [report.victims[0].reaped for report in read_only_reports(lines)] == [True, False]


def test_page_size_is_reused_for_later_reports_of_a_host() -> None:
    assert [report.page_size for report in read_only_reports([*build_memcg_report(), *build_memcg_report()[:-1]])] == [
        4096,
        4096,
    ]


def test_reports_are_finished_in_the_order_in_which_they_ended() -> None:
    recent = RecentReports(None)
    for pid in range(1, 20):
        recent.add(OomReport(first=Line("a"), last=Line("a"), victims=(Victim("a", pid),)))
    early = [item.victims[0].pid for item in recent.drain() if isinstance(item, OomReport)]
    recent.close()
    late = [item.victims[0].pid for item in recent.drain() if isinstance(item, OomReport)]
    assert (early, late) == ([1, 2, 3], list(range(4, 20)))


@pytest.mark.parametrize(
    ("victim", "line", "is_same"),
    [
        (Victim("a", 7), Line("", monotonic_us=2), True),
        (Victim("b", 7), Line("", monotonic_us=2), False),
        (Victim("a", 8), Line("", monotonic_us=2), False),
        (Victim("a", 7), Line("", monotonic_us=61000002), False),
        (Victim("a", 7), Line("", monotonic_us=2, origin=Origin(hostname="web2")), False),
    ],
    ids=["same", "name", "pid", "time", "host"],
)
def test_kills_of_one_process_are_recognized(victim: Victim, line: Line, is_same: bool) -> None:
    first = Line("", monotonic_us=1)
    report = OomReport(first=first, last=first, victims=(Victim("a", 7),))
    assert is_same_kill(report, victim, line) is is_same
