# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.ecs import list_events
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    RESULT,
    list_kills,
    make_record,
    make_short_event,
)

# The names and types of ECS that are used; checked against generated/ecs/ecs_flat.yml of elastic/ecs.
ECS = {
    "@timestamp": str,
    "ecs.version": str,
    "message": str,
    "event.id": str,
    "event.kind": str,
    "event.category": list,
    "event.type": list,
    "event.action": str,
    "event.module": str,
    "event.dataset": str,
    "event.provider": str,
    "event.reason": str,
    "event.created": str,
    "host.name": str,
    "process.name": str,
    "process.pid": int,
    "service.name": str,
}


def flatten(event: t.Mapping[str, t.Any], path: str = "") -> dict[str, t.Any]:
    flat: dict[str, t.Any] = {}
    for name, value in event.items():
        if isinstance(value, dict):
            flat |= flatten(value, f"{path}{name}.")
        else:
            flat[path + name] = value

    return flat


def make_events(*events: dict[str, t.Any], **parts: t.Any) -> list[dict[str, t.Any]]:
    return [flatten(event) for event in list_events([make_record(kinds=list_kills(*events), **parts)])]


def test_captured_events_have_fields_of_ecs() -> None:
    events = [flatten(event) for event in list_events([make_record()])]
    assert len(events) == len(RESULT["events"])
    for event in events:
        own = {name for name in event if name.startswith("oomguard.")}
        assert {name: type(event[name]) for name in event.keys() - own} == ECS


def test_event_says_what_was_killed_and_why() -> None:
    (event,) = make_events(make_short_event(taken_down=True, down_seconds=90))
    assert event["@timestamp"] == "2026-11-29T01:00:00Z"
    assert event["event.id"] == "1"
    assert event["host.name"] == "web1"
    assert event["process.name"] == "leak.fcgi"
    assert event["service.name"] == "shop.service"
    assert event["oomguard.cause"] == "cgroup_limit"
    assert event["oomguard.down_seconds"] == 90
    assert event["message"] == "OOM kill on web1: kernel: leak.fcgi of shop.service: cgroup_limit. The unit went down."


@pytest.mark.parametrize("name", ["unit", "victim", "taken_down", "swap_bytes"])
def test_unknown_value_is_absent(name: str) -> None:
    (event,) = make_events(make_short_event(**{name: None}))
    assert None not in event.values()
    assert len(event) == len(make_events(make_short_event())[0]) - 1


def test_false_and_zero_are_known() -> None:
    (event,) = make_events(make_short_event(taken_down=False, swap_bytes=0))
    assert event["oomguard.taken_down"] is False
    assert event["oomguard.swap_bytes"] == 0


def test_event_without_time_has_the_time_of_the_search() -> None:
    (event,) = make_events(make_short_event(time=None))
    assert event["@timestamp"] == "2026-11-29T03:00:00Z"
    assert "oomguard.time" not in event


def test_pid_is_that_of_the_newest_event_alone() -> None:
    newest = {"id": "2", "victims": [{"pid": 4711}]}
    kinds = [{**list_kills(make_short_event(), make_short_event(id="2"))[0], "newest": newest}]
    events = list_events([make_record(kinds=kinds)])
    assert [event["process"].get("pid") for event in events] == [None, 4711]


def test_events_of_all_hosts_are_sorted_by_time() -> None:
    early = make_record("web2", kinds=list_kills(make_short_event(time="2026-11-29T00:00:00Z")))
    late = make_record("web1", kinds=list_kills(make_short_event()))
    assert [event["host"]["name"] for event in list_events([late, early])] == ["web2", "web1"]
    assert list_events([late, early]) == list_events([early, late])


def test_host_that_was_not_searched_has_no_events() -> None:
    assert not list_events([make_record(result=None)])


def test_hostile_names_are_harmless() -> None:
    name = "{{ 7*7 }}\n\u202e\0\x1b[31m"
    text = json.dumps(make_events(make_short_event(victim=name, unit=name), host=name), ensure_ascii=False)
    assert "{{" not in text
    assert text.isprintable()
