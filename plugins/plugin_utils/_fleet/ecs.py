# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write records as events with the names of the Elastic Common Schema (ECS), for Loki, OpenSearch and Elastic. Pure.

Fields that ECS does not have are below `oomguard`. A field that is unknown is absent.
Source of the names: https://www.elastic.co/docs/reference/ecs, version 8.17; they are the same in 9.3.
"""

from __future__ import annotations

import itertools
import typing as t

from ...module_utils._safe import neutralise_all
from .record import Data, Record

Event = dict[str, t.Any]

_ECS_VERSION = "8.17.0"
_FATES = {True: ". The unit went down.", False: ". The unit did not go down.", None: "."}


def list_events(records: t.Iterable[Record]) -> list[Event]:
    """Return the OOM kills of all hosts as nested ECS fields, oldest first; the order of the records does not matter.

    `host.name` and `event.id` together identify an event.
    """
    events = itertools.chain.from_iterable(map(_list_host_events, records))
    return sorted(events, key=_get_place)


def _get_place(event: Event) -> tuple[str, str, str]:
    return (event["@timestamp"], event["host"]["name"], event["event"]["id"])


def _list_host_events(record: Record) -> t.Iterator[Event]:
    for kind in record["kinds"]:
        for event in kind["events"]:
            yield neutralise_all(_drop_unknown(_build_event(record, kind, event)))


def _build_event(record: Record, kind: Data, event: Data) -> Event:
    collected_at = record["collected_at"]
    return {
        # Every event needs a time. The best that is known of one without is when it was found.
        "@timestamp": event["time"] or collected_at,
        "ecs": {"version": _ECS_VERSION},
        "message": f"OOM kill on {record['host']}: {kind['kind']}{_FATES[event['taken_down']]}",
        "event": {
            "id": event["id"],
            "kind": "event",
            "category": ["process"],
            "type": ["end"],
            "action": "oom-kill",
            "module": "oomguard",
            "dataset": "oomguard.oom_kill",
            "provider": event["killer"],
            "reason": event["cause"],
            "created": collected_at,
        },
        "host": {"name": record["host"]},
        "process": {"name": event["victim"], "pid": _find_pid(kind["newest"], event["id"])},
        "service": {"name": event["unit"]},
        "oomguard": {
            "cause": event["cause"],
            "time": event["time"],
            "taken_down": event["taken_down"],
            "down_seconds": event["down_seconds"],
            "rss_bytes": event["rss_bytes"],
            "swap_bytes": event["swap_bytes"],
        },
    }


def _find_pid(newest: Data, event_id: str) -> t.Any:
    """Return the pid of the victim, None if it is unknown: a record has it only for the newest event of each kind."""
    victims = newest.get("victims")
    if newest["id"] != event_id or not victims:
        return None

    return victims[0].get("pid")


def _drop_unknown(fields: Event) -> Event:
    """Return nested fields without those that are unknown."""
    known = {}
    for name, value in fields.items():
        member = value
        if isinstance(value, dict):
            member = _drop_unknown(value)
        if member not in (None, {}):
            known[name] = member

    return known
