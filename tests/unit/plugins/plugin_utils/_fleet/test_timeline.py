# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills are counted by steps of time."""

from __future__ import annotations

import collections

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.timeline import Bar, Timeline, build_timeline

AS_OF = "2026-11-29T03:00:00Z"


def build(*hours: str, outages: tuple[str, ...] = (), total: int | None = None, as_of: str = AS_OF) -> Timeline:
    if total is None:
        total = len(hours)
    return build_timeline(collections.Counter(hours), collections.Counter(outages), total=total, as_of=as_of)


def list_full(timeline: Timeline) -> list[Bar]:
    return [hour for hour in timeline.bars if hour.kills]


def test_no_kills_have_no_bars() -> None:
    assert build() == Timeline("day", (), 0)


def test_hours_are_counted() -> None:
    timeline = build("2026-11-28T06", "2026-11-28T06", "2026-11-29T02", outages=("2026-11-28T06",))
    assert list_full(timeline) == [Bar("2026-11-28T06:00:00Z", 2, 1), Bar("2026-11-29T02:00:00Z", 1, 0)]
    assert timeline.undated == 0


def test_bars_have_no_gaps_and_end_with_the_newest_record() -> None:
    timeline = build("2026-11-28T06")
    assert [hour.start for hour in timeline.bars] == [
        *[f"2026-11-28T{hour:02}:00:00Z" for hour in range(6, 24)],
        *[f"2026-11-29T{hour:02}:00:00Z" for hour in range(4)],
    ]


@pytest.mark.parametrize(
    ("oldest", "step", "start"),
    [
        ("2026-11-29T02", "hour", "2026-11-29T02:00:00Z"),
        ("2026-11-20T06", "day", "2026-11-20T00:00:00Z"),
        ("2026-06-03T06", "week", "2026-06-01T00:00:00Z"),
        ("2020-06-03T06", "period of 30 days", "2020-05-21T00:00:00Z"),
    ],
)
def test_steps_are_as_fine_as_the_chart_allows(oldest: str, step: str, start: str) -> None:
    timeline = build(oldest, "2026-11-29T02")
    assert timeline.step == step
    assert list_full(timeline)[0].start == start
    assert 20 <= len(timeline.bars) <= 125


def test_kills_without_a_time_are_counted() -> None:
    assert build("2026-11-29T02", total=5).undated == 4


@pytest.mark.parametrize("hour", ["1970-01-01T00", "2106-02-07T06", "not a time"])
def test_times_that_cannot_be_right_are_not_drawn(hour: str) -> None:
    timeline = build(hour, "2026-11-29T02")
    assert list_full(timeline) == [Bar("2026-11-29T02:00:00Z", 1, 0)]
    assert timeline.undated == 1


def test_kills_are_drawn_even_if_no_record_has_a_time() -> None:
    timeline = build("2026-11-29T02", as_of="")
    assert timeline.bars[-1] == Bar("2026-11-29T02:00:00Z", 1, 0)
