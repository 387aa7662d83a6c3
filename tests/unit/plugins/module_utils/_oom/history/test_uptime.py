# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the time that a host was up."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.uptime import Coverage, Uptime

PAST = Past(0, 100, [(0, 0)], [])
BOOTED = PAST._replace(boots=[(10, 20), (50, 90)])


@pytest.mark.parametrize(("time_us", "up_us"), [(0, 0), (10, 0), (15, 5), (20, 10), (40, 10), (51, 11), (100, 50)])
def test_time_off_does_not_count(time_us: int, up_us: int) -> None:
    assert Uptime(BOOTED).measure_until(time_us) == up_us


def test_whole_period_counts_without_boots() -> None:
    assert Uptime(PAST).total_us == 100
    assert Uptime(PAST).measure_until(70) == 70


def test_windows_that_overlap_cover_once() -> None:
    coverage = Coverage([10, 15, 50], 10)
    assert coverage.measure_until(100) == 25


@pytest.mark.parametrize(
    ("begin", "end", "share"), [(0, 10, 0), (10, 20, 1), (0, 20, 0.5), (24, 26, 0.5), (55, 65, 0.5), (70, 70, 0)]
)
def test_share_is_that_of_a_part(begin: int, end: int, share: float) -> None:
    assert Coverage([10, 15, 50], 10).find_share(begin, end) == share
