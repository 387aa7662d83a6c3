# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of records can be missing or unknown."""

from __future__ import annotations

import datetime as dt

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.parts import (
    count_events,
    format_moment,
    get_part,
    get_rows,
    list_events,
    parse_moment,
    summarize,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    make_event,
    make_record,
    make_result,
)


@pytest.mark.parametrize("data", [{}, {"part": None}])
def test_unknown_part_is_empty(data: dict[str, None]) -> None:
    assert get_part(data, "part") == {}
    assert get_rows(data, "part") == ()


def test_moment_is_written_as_it_is_read() -> None:
    moment = dt.datetime(2026, 11, 29, 3, 4, 5, 678, tzinfo=dt.UTC)
    assert format_moment(moment) == "2026-11-29T03:04:05Z"
    assert parse_moment(format_moment(moment)) == moment.replace(microsecond=0)


def test_events_are_sorted_by_time_and_those_without_come_first() -> None:
    times = {"a": "2026-11-29T00:00:00Z", "b": None, "c": "2026-11-28T00:00:00Z"}
    events = [make_event(id=name, time=time, victim=name) for name, time in times.items()]
    record = make_record(result=make_result(events=events))
    assert [event["id"] for event in list_events(record)] == ["b", "c", "a"]


def test_events_of_a_record_without_a_summary_are_counted() -> None:
    record = make_record(summary=None)
    assert summarize(record) == count_events(list_events(record))
    assert summarize(record)["count"] == len(list_events(record)) > 0


def test_summary_is_that_of_the_search() -> None:
    assert summarize(make_record()) == make_record()["summary"]


def test_events_are_counted_by_what_is_known_of_them() -> None:
    events = list_events(make_record())
    counted = count_events([{**events[0], "unit": None, "time": None}, *events[1:]])
    whole = count_events(events)
    assert sum(counted["by_unit"].values()) == sum(whole["by_unit"].values()) - 1
    assert counted["first"] > whole["first"]


@pytest.mark.parametrize("text", ["2026-11-29T03:00:00Z", "2026-11-29T03:00:00", "2026-11-29T04:00:00+01:00"])
def test_time_without_a_zone_is_in_utc(text: str) -> None:
    assert parse_moment(text) == dt.datetime(2026, 11, 29, 3, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01T00:00:00Z"])
def test_text_that_is_no_time_is_unknown(text: str | None) -> None:
    assert parse_moment(text) is None
