# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a host whose search went on where its last one ended."""

from __future__ import annotations

import jsonschema
import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.continuation import continue_record
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import find_state
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import load_schema
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    RESULT,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

NEWER = "2026-11-29T04:00:00Z"
OUTAGE = make_record(
    result=make_result(
        events=[make_event(id="1")],
        summary=sum_up(make_unit(is_down=True)),
        remedies=RESULT["remedies"],
        coverage={**COVERAGE, "from": "2026-11-01T00:00:00Z", "cursor": "s=1"},
    )
)
NOTHING_NEW = make_record(
    result=make_result(coverage={**COVERAGE, "from": "2026-11-29T03:00:00Z", "cursor": "s=2"}), collected_at=NEWER
)


def test_host_whose_outage_is_known_does_not_look_clean() -> None:
    record = continue_record(OUTAGE, NOTHING_NEW)
    assert find_state(record) == "taken_down"
    assert record["summary"]["count"] == 1
    assert record["remedies"] == OUTAGE["remedies"]
    assert record["collected_at"] == NEWER


def test_whether_a_known_unit_is_down_now_is_not_known() -> None:
    record = continue_record(OUTAGE, NOTHING_NEW)
    assert record["summary"]["taken_down"][0]["is_down"] is None


def test_coverage_is_that_of_both_searches_and_the_newest_cursor() -> None:
    coverage = continue_record(OUTAGE, NOTHING_NEW)["coverage"]
    assert (coverage["from"], coverage["cursor"]) == ("2026-11-01T00:00:00Z", "s=2")


def test_cursor_is_kept_if_there_is_no_new_one() -> None:
    empty = make_record(result=make_result(coverage={**COVERAGE, "cursor": None}), collected_at=NEWER)
    assert continue_record(OUTAGE, empty)["coverage"]["cursor"] == "s=1"


def test_new_events_are_added_once() -> None:
    found = make_result(events=[make_event(id="1"), make_event(id="2")], summary=sum_up(count=2))
    record = continue_record(OUTAGE, make_record(result=found, collected_at=NEWER))
    assert [event["id"] for kind in record["kinds"] for event in kind["events"]] == ["1", "2"]
    assert record["summary"]["count"] == 2


@pytest.mark.parametrize("complete", [(True, False), (False, True), (False, False)])
def test_two_searches_are_complete_only_if_both_are(complete: tuple[bool, bool]) -> None:
    first, second = [make_record(result=make_result(coverage={**COVERAGE, "complete": one})) for one in complete]
    assert continue_record(first, {**second, "collected_at": NEWER})["coverage"]["complete"] is False


def test_notes_of_the_newer_search_come_first() -> None:
    first, second = [make_record(result=make_result(coverage={**COVERAGE, "notes": [note]})) for note in "ab"]
    assert continue_record(first, {**second, "collected_at": NEWER})["coverage"]["notes"] == ["b", "a"]


def test_host_that_is_unreachable_now_keeps_what_is_known() -> None:
    gone = make_record(result={"unreachable": True, "msg": "no route"}, collected_at=NEWER)
    record = continue_record(OUTAGE, gone)
    assert (record["ok"], record["coverage"]["cursor"]) == (False, "s=1")
    assert find_state(record) == "down"


def test_record_follows_the_schema_and_lists_no_change_twice() -> None:
    changed = {**OUTAGE, "applied": [{"time": None, "what": "swap", "before": None, "after": None}]}
    record = continue_record(changed, NOTHING_NEW)
    jsonschema.Draft202012Validator(load_schema()).validate(record)
    assert record["applied"] == []
