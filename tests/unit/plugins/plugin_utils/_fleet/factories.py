# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of `oom_info`, and the records that are made of them."""

from __future__ import annotations

import copy
import types
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record, build_record
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host, captured

RESULT = find_in_journal(Query(history=True), Host(captured("bullseye"), {"apache2.service": "stop"}))
"""A result with kills, two of which took units down, read from a captured journal."""
_FOUND: t.Mapping[str, t.Any] = types.MappingProxyType(RESULT)
COVERAGE: dict[str, t.Any] = {**RESULT["coverage"], "complete": True, "notes": []}
SUMMARY: dict[str, t.Any] = {
    **RESULT["summary"],
    "by_killer": {},
    "by_unit": {},
    "by_victim": {},
    "by_cause": {},
    "count": 0,
    "first": None,
    "last": None,
    "units_taken_down": [],
    "units_taken_down_complete": True,
    "taken_down": [],
}
"""The summary of a host without kills."""
CLEAN: dict[str, t.Any] = {"events": [], "remedies": [], "summary": SUMMARY, "coverage": COVERAGE}


def make_result(**parts: t.Any) -> dict[str, t.Any]:
    """Return the result of a host that was searched completely and has no kills, apart from the given parts."""
    return copy.deepcopy({**CLEAN, **parts})


def make_unit(unit: str = "shop.service", **parts: t.Any) -> dict[str, t.Any]:
    """Return what the summary says about a unit that went down."""
    return {**RESULT["summary"]["taken_down"][0], "unit": unit, "remedies": [], **parts}


def make_event(victim: str = "python3", unit: str | None = "shop.service", **parts: t.Any) -> dict[str, t.Any]:
    """Return an event in which a process of a unit was killed."""
    event = copy.deepcopy(RESULT["events"][-1])
    event["victims"][0]["name"] = victim
    event["unit"] = unit
    event["diagnosis"]["kind"] = f"kernel: {victim} of {unit}: {event['diagnosis']['cause']}"
    return {**event, **parts}


def sum_up(*units: dict[str, t.Any], **parts: t.Any) -> dict[str, t.Any]:
    """Return a summary in which these units went down."""
    names = [unit["unit"] for unit in units]
    return {**SUMMARY, "count": len(units), "units_taken_down": names, "taken_down": [*units], **parts}


def make_record(host: str = "web1", result: t.Mapping[str, t.Any] | None = _FOUND, **parts: t.Any) -> Record:
    """Return the record of a host."""
    return {**build_record(host, result, collected_at="2026-11-29T03:00:00Z", version="1.0.0"), **parts}


def make_short_event(**parts: t.Any) -> dict[str, t.Any]:
    """Return an event as a record lists it: a process of a unit was killed, and the unit stayed up."""
    return {
        "id": "1",
        "time": "2026-11-29T01:00:00Z",
        "killer": "kernel",
        "cause": "cgroup_limit",
        "victim": "leak.fcgi",
        "unit": "shop.service",
        "taken_down": False,
        "down_seconds": None,
        "rss_bytes": 1000,
        "swap_bytes": 2000,
        **parts,
    }


def list_kills(*events: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the part `kinds` of a record with these events, which are of one kind."""
    if not events:
        return []

    kind = "kernel: leak.fcgi of shop.service: cgroup_limit"
    return [{"kind": kind, "events": [*events], "newest": {"id": events[-1]["id"]}}]
