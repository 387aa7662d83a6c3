# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The times of lines, also as printed."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.times import is_near


@pytest.mark.parametrize(
    ("before", "after", "near"),
    [
        ("Aug 02 10:00:01 web1 a[1]: b", "Aug 02 10:01:01 web1 a[1]: b", True),
        ("Aug 02 10:00:01 web1 a[1]: b", "Aug 02 10:01:02 web1 a[1]: b", False),
        ("Aug 02 10:00:01 web1 a[1]: b", "Aug 09 10:00:01 web1 a[1]: b", False),
        ("Aug 02 23:59:50 web1 a[1]: b", "Aug 03 00:00:20 web1 a[1]: b", True),
        ("Aug 02 00:00:20 web1 a[1]: b", "Aug 03 23:59:50 web1 a[1]: b", True),
        ("[Wed Jun  1 07:00:00 2022] b", "[Wed Jun  8 07:00:00 2022] b", False),
        ("[mer. 1 juin 07:00:00 2022] b", "[mer. 8 juin 07:00:00 2022] b", False),
        ("8月 02 10:00:01 web1 a[1]: b", "8月 09 10:00:01 web1 a[1]: b", False),
        ("02.08.2022 10:00:01 web1 a: b", "09.08.2022 10:00:01 web1 a: b", False),
        ("Wed 2022-06-01 09:00:00 CEST web1 a: b", "Wed 2022-06-08 09:00:00 CEST web1 a: b", False),
        ("Aug\xa002 10:00:01 web1 a[1]: b", "Aug 02 10:01:01 web1 a[1]: b", True),
        ("Aug 02 10:00:01 web1 a[1]: b", "Aug\t02\t10:01:01 web1 a[1]: b", True),
        ("Aug 02 10:00:01 web1 a: b", "10:00:20 web1 a: b", True),
        ("10:00:01 web1 a: b", "10:00:20 web1 a: b", True),
        ("10:00:01 web1 a: b", "10:30:01 web1 a: b", False),
        ("web1 a: b", "Aug 09 10:00:01 web1 a[1]: b", True),
        (None, "Aug 09 10:00:01 web1 a[1]: b", True),
    ],
)
def test_printed_times_are_compared(before: str | None, after: str, near: bool) -> None:
    assert is_near(Line("b", printed=before), Line("b", printed=after)) is near
    assert is_near(Line("b", printed=after), Line("b", printed=before)) is near


def test_known_times_count_more_than_printed_ones() -> None:
    before = Line("b", realtime_us=0, printed="Aug 02 10:00:01 a")
    assert is_near(before, Line("b", realtime_us=1, printed="Aug 09 10:00:01 a"))


def test_greater_distance_can_be_near() -> None:
    before = Line("b", printed="Aug 02 10:00:01 a")
    assert is_near(before, Line("b", printed="Aug 02 10:05:01 a"), within_us=600 * 1000000)
