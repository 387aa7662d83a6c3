# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the line through the peaks of runs."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.trend import fit_trend, format_length
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import HOUR_US


def test_line_goes_through_points_that_are_on_one() -> None:
    trend = fit_trend([(HOUR_US, 30), (2 * HOUR_US, 50), (4 * HOUR_US, 90)])
    assert trend
    assert trend.begin_bytes == pytest.approx(10)
    assert trend.bytes_per_hour == 20
    assert trend.fit == pytest.approx(1)
    assert trend.predict(3 * HOUR_US) == pytest.approx(70)


def test_points_without_order_do_not_fit() -> None:
    trend = fit_trend([(1, 10), (2, 90), (3, 90), (4, 10)])
    assert trend
    assert trend.fit == pytest.approx(0)


def test_same_sizes_explain_nothing() -> None:
    trend = fit_trend([(1, 10), (2, 10), (3, 10)])
    assert trend
    assert (trend.bytes_per_us, trend.fit, trend.most_bytes_per_us) == (0, 0, 0)


def test_upper_bound_of_the_growth_is_two_standard_errors_away() -> None:
    trend = fit_trend([(1, 11), (2, 19), (3, 31), (4, 39)])
    assert trend
    assert trend.bytes_per_us == pytest.approx(9.6)
    assert trend.error == pytest.approx(0.4 * 2**0.5)
    assert trend.most_bytes_per_us == pytest.approx(9.6 + 0.8 * 2**0.5)


@pytest.mark.parametrize("points", [[(5, 1), (5, 2), (5, 3)], [(1, 1), (2, 2)]], ids=["one length", "two points"])
def test_points_of_one_length_or_few_points_have_no_trend(points: list[tuple[int, int]]) -> None:
    assert fit_trend(points) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.5, "0.5 s"), (2, "2 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (172_800, "2 d")]
)
def test_length_is_in_the_largest_unit_of_which_there_are_two(seconds: float, text: str) -> None:
    assert format_length(int(seconds * 1_000_000)) == text
