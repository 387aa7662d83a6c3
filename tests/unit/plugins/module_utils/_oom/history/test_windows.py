# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of windows that hold most of the points."""

from __future__ import annotations

import math

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.windows import (
    Window,
    find_chance_on_circle,
    find_chance_on_line,
    find_windows,
    measure_gain,
)


def test_narrowest_window_of_each_size_is_found() -> None:
    points = [0, 40, 41, 42, 43, 44, 45, 46, 90, 99]
    assert list(find_windows(points))[:4] == [
        Window(0, 99, 10),
        Window(40, 99, 9),
        Window(0, 46, 8),
        Window(40, 46, 7),
    ]


def test_window_on_a_circle_crosses_zero() -> None:
    points = [1, 2, 98, 99]
    assert set(find_windows(points, [101, 102, 198, 199])) == {Window(98, 102, 4)}


def test_three_points_make_no_window() -> None:
    assert not list(find_windows([1, 1, 1]))


def test_gain_is_the_logarithm_of_the_ratio_of_likelihoods() -> None:
    by_window = 0.9**9 * 0.1
    by_chance = 0.2**9 * 0.8
    assert measure_gain(9, 10, 0.2) == pytest.approx(math.log(by_window / by_chance))


def test_window_with_its_share_of_points_gains_nothing() -> None:
    assert measure_gain(2, 10, 0.2) == 0


def test_crowd_on_one_side_of_a_window_makes_it_probable() -> None:
    alone = [50.0, 51, 52, 53]
    window = Window(50, 53, 4)
    crowd = [40.0 + n for n in range(10)]
    assert find_chance_on_line(alone, window, 100) < 0.001
    assert find_chance_on_line(crowd + alone, window, 10) == 1


def test_points_of_one_turn_are_one_trial() -> None:
    window = Window(10, 12, 4)
    around = [(-50, 50)]
    four_turns = [10, 111, 212, 310]
    one_turn = [10, 11, 11, 12]
    assert find_chance_on_circle(four_turns, window, 100, around) == pytest.approx(4 * 0.02**3)
    assert find_chance_on_circle(one_turn, window, 100, around) == 1


def test_largest_chance_around_a_window_counts() -> None:
    window = Window(10, 12, 4)
    turns = [10, 111, 212, 310]
    both = find_chance_on_circle(turns, window, 100, [(-50, 50), (0, 10)])
    assert both == pytest.approx(4 * 0.2**3)
