# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records are built, read and judged."""

from __future__ import annotations

import json
import typing as t

import jsonschema
import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import (
    STATES,
    Record,
    RecordError,
    decode_record,
    encode_record,
    find_state,
    update_record,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import load_schema
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    RESULT,
    SUMMARY,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

UNREACHABLE = {"unreachable": True, "msg": "Failed to connect:\nConnection refused"}
DOWN = make_unit(is_down=True)
STARTED = make_unit(is_down=False, active_state="active")


def test_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(load_schema())


@pytest.mark.parametrize(
    "record",
    [
        make_record(),
        make_record(result=None),
        make_record(result=UNREACHABLE),
        make_record(result=make_result()),
        update_record(
            make_record(),
            checked=RESULT,
            applied=[{"time": None, "what": "swap", "before": "1 GiB", "after": None}],
            in_force={"oom_policy": {"a.service": None}, "swap_total_bytes": 1, "fcgid": {}},
        ),
    ],
    ids=["kills", "no result", "unreachable", "clean", "remediated"],
)
def test_record_follows_the_schema(record: Record) -> None:
    jsonschema.Draft202012Validator(load_schema()).validate(record)
    assert decode_record(encode_record(record), load_schema()) == record


def test_schema_describes_the_whole_summary_and_coverage() -> None:
    properties = load_schema()["properties"]
    unit = properties["summary"]["properties"]["taken_down"]["items"]["properties"]
    assert set(properties["summary"]["properties"]) == set(RESULT["summary"])
    assert set(properties["coverage"]["properties"]) == set(RESULT["coverage"])
    assert set(unit) == set(RESULT["summary"]["taken_down"][0])


def test_events_are_grouped_by_kind() -> None:
    first, other, last = make_event(id="1"), make_event("php", id="2"), make_event(id="3")
    kinds = make_record(result=make_result(events=[first, other, last]))["kinds"]
    assert [kind["kind"] for kind in kinds] == sorted(kind["kind"] for kind in kinds)
    assert [[event["id"] for event in kind["events"]] for kind in kinds] == [["2"], ["1", "3"]]
    assert [kind["newest"]["id"] for kind in kinds] == ["2", "3"]


def test_event_is_one_line_of_facts() -> None:
    (kind,) = make_record(result=make_result(events=[RESULT["events"][-1]]))["kinds"]
    assert kind["events"] == [
        {
            "id": "ba96272cbf2f462aae20419d7d5344a9-1480927516-759",
            "time": "2026-11-23T16:40:12.454555Z",
            "killer": "kernel",
            "cause": "ram_and_swap_exhausted",
            "victim": "leak.fcgi",
            "unit": "apache2.service",
            "taken_down": True,
            "down_seconds": None,
            "rss_bytes": 437862400,
            "swap_bytes": 44699648,
        }
    ]


def test_unknown_values_of_an_event_are_null() -> None:
    event = make_event(unit=None, victims=[], unit_effect=None)
    (kind,) = make_record(result=make_result(events=[event]))["kinds"]
    names = ("victim", "unit", "taken_down", "down_seconds", "rss_bytes", "swap_bytes")
    assert [kind["events"][0][name] for name in names] == [None] * 6


@pytest.mark.parametrize(
    ("result", "error"),
    [
        (None, "The host was not searched."),
        ({"skipped": True, "changed": False}, "The host was not searched."),
        (UNREACHABLE, "The host is unreachable: Failed to connect: Connection refused"),
        ({"failed": True, "msg": "No journal."}, "The search failed: No journal."),
        ({"failed": True, "msg": "\x1b[31m{{ 1 }}"}, "The search failed: \\x1b[31m\\x7b{ 1 }}"),
        ({"failed": True}, "The search failed: No reason was given."),
        ({"changed": False}, "The search failed: No reason was given."),
    ],
)
def test_host_that_was_not_looked_at_has_a_reason(result: dict[str, t.Any] | None, error: str) -> None:
    record = make_record(result=result)
    assert (record["ok"], record["error"], record["summary"]) == (False, error, None)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (make_result(summary=sum_up(STARTED, DOWN)), "down"),
        (make_result(summary=sum_up(STARTED)), "taken_down"),
        (make_result(summary=sum_up(make_unit(is_down=None))), "taken_down"),
        (make_result(summary={**SUMMARY, "count": 2}), "killed"),
        (UNREACHABLE, "unknown"),
        (None, "unknown"),
        (make_result(coverage={**COVERAGE, "complete": False}), "incomplete"),
        (make_result(), "clean"),
    ],
)
def test_state_is_the_worst_that_applies(result: dict[str, t.Any] | None, state: str) -> None:
    assert find_state(make_record(result=result)) == state


def test_each_state_has_its_place() -> None:
    assert len(STATES) == len(set(STATES)) == 6


def test_service_that_remediation_started_is_up() -> None:
    record = make_record(result=make_result(summary=sum_up(DOWN)))
    after = update_record(record, checked=make_result(summary=sum_up(STARTED)), applied=[], in_force=None)
    assert (find_state(record), find_state(after)) == ("down", "taken_down")
    assert after["summary"]["taken_down"][0]["time"] == DOWN["time"]


def test_service_that_went_down_during_remediation_is_added() -> None:
    other = make_unit("other.service", is_down=True)
    record = make_record(result=make_result(summary=sum_up(STARTED)))
    after = update_record(record, checked=make_result(summary=sum_up(other)), applied=[], in_force=None)
    assert after["summary"]["units_taken_down"] == ["shop.service", "other.service"]
    assert find_state(after) == "down"


@pytest.mark.parametrize("checked", [None, UNREACHABLE, {"skipped": True}])
def test_record_is_kept_without_a_second_search(checked: dict[str, t.Any] | None) -> None:
    record = make_record(result=make_result(summary=sum_up(DOWN)))
    assert update_record(record, checked=checked, applied=[], in_force=None) == record


def test_same_record_has_the_same_text() -> None:
    record = make_record()
    text = encode_record(record)
    assert text == encode_record(dict(reversed(record.items())))
    assert text.isascii()
    assert text.endswith("}\n")


@pytest.mark.parametrize(("seconds", "kept"), [(0.1 + 0.2, 0.3), (float("nan"), None), (float("inf"), None)])
def test_numbers_are_free_of_noise(seconds: float, kept: float | None) -> None:
    effect = {**RESULT["events"][-1]["unit_effect"], "down_seconds": seconds}
    record = make_record(result=make_result(events=[make_event(unit_effect=effect)]))
    assert record["kinds"][0]["events"][0]["down_seconds"] == kept
    encode_record(record)


def test_parts_that_an_older_version_did_not_write_are_empty() -> None:
    old = {"schema": "oomguard.record/1", "host": "web1", "ok": True}
    read = decode_record(json.dumps(old), load_schema())
    assert (read["applied"], read["history"], read["summary"]) == ([], None, None)
    assert find_state(read) == "incomplete"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "It is not JSON: Expecting value: line 1 column 1 (char 0)."),
        ("[" * 100_000, "It is not JSON: "),
        ('{"seconds": NaN}', "It is not JSON: NaN is not a finite number."),
        ('{"seconds": 1e999}', "It is not JSON: 1e999 is not a finite number."),
        ("[]", "It is not a record with a known schema: its schema is null."),
        (
            '{"schema": "oomguard.record/2"}',
            'It is not a record with a known schema: its schema is "oomguard.record/2".',
        ),
        ('{"schema": ["{{ 1 }}"]}', 'It is not a record with a known schema: its schema is ["\\x7b{ 1 }}"].'),
        ('{"schema": "oomguard.record/1"}', "It is damaged: record.host is missing."),
        (
            '{"schema": "oomguard.record/1", "host": "web1", "ok": 1}',
            "It is damaged: record.ok is not of type boolean.",
        ),
    ],
)
def test_damaged_record_is_rejected_with_its_fault(text: str, problem: str) -> None:
    with pytest.raises(RecordError) as raised:
        decode_record(text, load_schema())
    assert raised.value.problem.startswith(problem)


def list_places(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the path to each value of a record, but not into what the schema leaves open."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, member in items:
        yield from list_places(member, (*path, name))


def test_damage_anywhere_is_judged_as_jsonschema_judges_it() -> None:
    schema = load_schema()
    validator = jsonschema.Draft202012Validator(schema)
    places = [place for place in list_places(make_record()) if place and place != ("schema",)]
    rejected = 0
    for place in places:
        record = json.loads(encode_record(make_record()))
        holder = record
        for name in place[:-1]:
            holder = holder[name]
        holder[place[-1]] = {"damaged": True}
        is_valid = validator.is_valid(record)
        rejected += not is_valid
        assert reads(record, schema) is is_valid, place
    assert rejected > 50


def reads(record: Record, schema: t.Mapping[str, t.Any]) -> bool:
    try:
        decode_record(json.dumps(record), schema)
    except RecordError:
        return False
    return True
