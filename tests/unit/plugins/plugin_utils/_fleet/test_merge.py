# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records of one host are merged into one."""

from __future__ import annotations

import copy
import itertools
import random
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.merge import find_age, merge_records
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import (
    Record,
    decode_record,
    encode_record,
    find_state,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import load_schema
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    SUMMARY,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

OLD = "2026-11-28T03:00:00Z"
NEW = "2026-11-29T03:00:00Z"
UNREACHABLE = {"unreachable": True, "msg": "no route"}
CHANGES = [
    {"time": f"2026-11-28T0{hour}:00:00Z", "what": "total swap", "before": None, "after": "10G"} for hour in (1, 2)
]


def merge(*records: Record) -> Record:
    """Return the merged record, which is a valid record again."""
    return decode_record(encode_record(merge_records(records)), load_schema())


def make_kills(*names: str, **parts: t.Any) -> Record:
    """Return a record with an event for each of these letters, in the order of time."""
    events = [make_event(id=name, time=f"2026-11-2{ord(name) - ord('a')}T00:00:00Z") for name in names]
    summary = {**SUMMARY, "count": len(events), "by_victim": {"python3": len(events)}}
    return make_record(result=make_result(events=events, summary=summary), **parts)


def list_ids(record: Record) -> list[str]:
    return [event["id"] for kind in record["kinds"] for event in kind["events"]]


def test_record_that_is_alone_is_unchanged() -> None:
    assert merge_records([make_record(), make_record()]) == make_record()


def test_event_in_two_records_counts_once() -> None:
    merged = merge(make_kills("a", "b", collected_at=OLD), make_kills("a", "b", "c"))
    assert list_ids(merged) == ["a", "b", "c"]
    assert merged["summary"]["count"] == 3


def test_events_of_searches_of_different_periods_are_added() -> None:
    merged = merge(make_kills("a", "b", collected_at=OLD), make_kills("c"))
    assert list_ids(merged) == ["a", "b", "c"]
    assert merged["summary"]["count"] == 3
    assert merged["summary"]["by_victim"] == {"python3": 3}


def test_event_that_knows_more_is_kept() -> None:
    vague = make_kills("a")
    vague["kinds"][0]["events"][0].update(down_seconds=None, unit=None)
    merged = merge(vague, make_kills("a", collected_at=OLD))
    assert merged["kinds"][0]["events"][0]["unit"] == "shop.service"


def test_counts_of_events_that_are_not_listed_are_kept() -> None:
    old = make_kills("a", collected_at=OLD)
    old["summary"].update(count=700, by_unit={"shop.service": 700})
    merged = merge(old, make_kills("b"))
    assert merged["summary"]["count"] == 700
    assert merged["summary"]["by_unit"] == {"shop.service": 700}


def test_host_that_is_unreachable_now_keeps_what_was_found_before() -> None:
    merged = merge(make_kills("a", collected_at=OLD), make_record(result=UNREACHABLE))
    assert merged["error"] == "The host is unreachable: no route"
    assert merged["collected_at"] == NEW
    assert merged["summary"]["count"] == 1
    assert find_age(merged, "summary") == OLD
    assert find_state(merged) == "killed"


def test_clean_host_that_is_unreachable_now_is_not_clean() -> None:
    merged = merge(make_record(result=make_result(), collected_at=OLD), make_record(result=UNREACHABLE))
    assert find_state(merged) == "unknown"


def test_late_record_does_not_hide_a_newer_one() -> None:
    merged = merge(make_record(result=make_result()), make_record(result=UNREACHABLE, collected_at=OLD))
    assert merged["ok"]
    assert find_state(merged) == "clean"


def test_host_that_was_never_searched_has_no_summary() -> None:
    merged = merge(make_record(result=UNREACHABLE), make_record(result=None, collected_at=OLD))
    assert merged["summary"] is None
    assert find_age(merged, "summary") == ""


def test_unit_that_only_an_older_search_lists_is_not_known_to_be_down() -> None:
    old = make_record(result=make_result(summary=sum_up(make_unit(is_down=True))), collected_at=OLD)
    merged = merge(old, make_record(result=make_result()))
    assert merged["summary"]["units_taken_down"] == ["shop.service"]
    assert merged["summary"]["taken_down"][0]["is_down"] is None
    assert find_state(merged) == "taken_down"


def test_unit_is_as_the_newest_search_saw_it() -> None:
    old = make_record(result=make_result(summary=sum_up(make_unit(is_down=False))), collected_at=OLD)
    new = make_record(result=make_result(summary=sum_up(make_unit(is_down=True))))
    assert find_state(merge(new, old)) == "down"


def test_settings_are_the_newest_that_are_known() -> None:
    old = {"oom_policy": {"a.service": "stop", "b.service": "kill"}, "swap_total_bytes": 1, "fcgid": {}}
    new = {"oom_policy": {"a.service": "continue", "b.service": None}, "swap_total_bytes": None, "fcgid": {"X": 7}}
    for records in itertools.permutations(
        [
            make_record(collected_at=OLD, in_force=old),
            make_record(in_force=new),
            make_record(in_force=None, collected_at="2026-11-30T03:00:00Z"),
        ]
    ):
        merged = merge(*records)
        assert merged["in_force"] == {
            "oom_policy": {"a.service": "continue", "b.service": "kill"},
            "swap_total_bytes": 1,
            "fcgid": {"X": 7},
        }
        assert merged["as_of"]["in_force"] == NEW


def test_settings_that_were_never_read_are_not_known() -> None:
    assert merge(make_record(collected_at=OLD), make_record())["in_force"] is None


def test_changes_are_united() -> None:
    merged = merge(make_record(applied=CHANGES), make_record(applied=CHANGES[:1], collected_at=OLD))
    assert merged["applied"] == CHANGES


def test_kind_of_an_event_can_change() -> None:
    renamed = make_kills("a")
    renamed["kinds"][0]["kind"] = "another kind"
    merged = merge(renamed, make_kills("a", collected_at=OLD))
    assert list_ids(merged) == ["a"]


def make_random_event(chance: random.Random) -> dict[str, t.Any]:
    event = make_event(
        victim=chance.choice("vw"),
        unit=chance.choice(("a.service", "b.service", None)),
        id=chance.choice("abcdef"),
        time=chance.choice((None, OLD, NEW)),
    )
    event["notes"] = [chance.choice("xy")]
    return event


def make_random_unit(chance: random.Random) -> dict[str, t.Any]:
    unit = make_unit(chance.choice(("a.service", "b.service")), is_down=chance.choice((None, False, True)))
    unit["time"] = chance.choice((OLD, NEW))
    for name in chance.sample(("is_down", "active_state", "restart"), k=chance.randrange(3)):
        del unit[name]
    return unit


def make_random_summary(chance: random.Random, number: int) -> dict[str, t.Any]:
    units = [make_random_unit(chance) for _unit in range(chance.randrange(3))]
    summary = sum_up(*units, count=chance.choice((number, 9)), units_taken_down_complete=chance.choice((False, True)))
    summary["by_unit"] = {chance.choice(("a.service", "c.service")): chance.randrange(9)}
    summary["first"] = chance.choice((None, OLD, NEW))
    for name in chance.sample(("by_unit", "by_victim", "other_units", "first", "last"), k=chance.randrange(5)):
        del summary[name]
    return summary


def make_random_settings(chance: random.Random) -> dict[str, t.Any]:
    settings = {
        "oom_policy": {chance.choice("ab"): chance.choice((None, "stop", "kill"))},
        "swap_total_bytes": chance.choice((None, 1, 2)),
        "fcgid": {chance.choice("ab"): chance.choice((None, 1, 2))},
    }
    return dict(chance.sample(list(settings.items()), k=chance.randrange(4)))


def make_random_record(chance: random.Random) -> Record:
    """Return a record out of so few different parts that records often agree in one of them and differ in others."""
    when = chance.choice(("2026-11-27T03:00:00Z", OLD, NEW))
    if chance.random() < 0.2:
        return make_record(result=UNREACHABLE, collected_at=when)
    events = [make_random_event(chance) for _event in range(chance.randrange(4))]
    coverage = {**COVERAGE, "complete": chance.choice((False, True))}
    result = make_result(events=events, summary=make_random_summary(chance, len(events)), coverage=coverage)
    return make_record(
        result=result,
        collected_at=when,
        collection_version=chance.choice(("1.0.0", "1.1.0")),
        applied=chance.sample(CHANGES, k=chance.randrange(3)),
        in_force=chance.choice((None, make_random_settings(chance))),
    )


def merge_in_random_steps(records: t.Sequence[Record], chance: random.Random) -> Record:
    """Merge records a few at a time, some of them several times, as stores of several control nodes do."""
    waiting = [*records, *chance.choices(records, k=2)]
    while len(waiting) > 1:
        chance.shuffle(waiting)
        taken = chance.randrange(2, 4)
        waiting = [merge(*waiting[:taken]), *waiting[taken:]]
    return waiting[0]


@pytest.mark.parametrize("seed", range(60))
def test_records_can_be_merged_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    records = [make_random_record(chance) for _record in range(chance.randrange(2, 7))]
    untouched = copy.deepcopy(records)
    whole = encode_record(merge(*records))
    for _attempt in range(4):
        assert encode_record(merge_in_random_steps(records, chance)) == whole, f"seed {seed}"
    assert records == untouched
