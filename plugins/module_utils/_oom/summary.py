# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage of a search, and all incidents in numbers and in one sentence, as `oom_info` returns them."""

from __future__ import annotations

import datetime as dt
import typing as t

from .search.coverage import Coverage

if t.TYPE_CHECKING:
    from .incident.tally import Tally

_SECOND_US = 1_000_000
_MAX_NAMED = 5


def build_empty_result(coverage: Coverage) -> dict[str, t.Any]:
    """Return the result of `oom_info` for a host without kills."""
    summary = {
        "count": 0,
        "by_killer": {},
        "by_unit": {},
        "other_units": 0,
        "by_victim": {},
        "other_victims": 0,
        "by_cause": {},
        "first": None,
        "last": None,
        "units_taken_down": [],
        "units_taken_down_complete": coverage.complete,
        "taken_down": [],
    }

    return {"events": [], "remedies": [], "summary": summary, "coverage": build_coverage(coverage)}


def add_empty_history(result: dict[str, t.Any], *, wanted: bool) -> dict[str, t.Any]:
    """Return the result of `oom_info` with a history without kills if a history is wanted."""
    if not wanted:
        return result

    coverage = result["coverage"]
    history = {"from": coverage["from"], "to": coverage["to"], "kinds": [], "other_kinds": 0}
    return {**result, "history": history}


def build_summary(tally: Tally, taken_down: t.Sequence[dict[str, t.Any]], coverage: Coverage) -> dict[str, t.Any]:
    """Return all incidents in numbers; `taken_down` are the units that went down, as plain data."""
    return {
        "count": tally.count,
        "by_killer": tally.killers.list_most_frequent(),
        "by_unit": tally.units.list_most_frequent(),
        "other_units": tally.units.others,
        "by_victim": tally.victims.list_most_frequent(),
        "other_victims": tally.victims.others,
        "by_cause": tally.causes.list_most_frequent(),
        "first": format_time(tally.first_us),
        "last": format_time(tally.last_us),
        "units_taken_down": [unit["unit"] for unit in taken_down],
        "units_taken_down_complete": coverage.complete and tally.has_known_effects,
        "taken_down": list(taken_down),
    }


def build_coverage(coverage: Coverage) -> dict[str, t.Any]:
    """Return which part of the journal was examined, and the gaps in it."""
    return {
        "from": format_time(coverage.first_us),
        "to": format_time(coverage.last_us),
        "boots": coverage.boots,
        "persistent": coverage.persistent,
        "complete": coverage.complete,
        "missed_records": coverage.missed_records,
        "unparsed": coverage.unparsed,
        "untrusted": coverage.untrusted,
        "cursor": coverage.cursor,
        "notes": [*coverage.gaps, *coverage.notes],
    }


def format_time(realtime_us: int | None) -> str | None:
    """Return a time in ISO 8601, None if it is unknown or not in the years 1 to 9999."""
    if realtime_us is None:
        return None

    seconds, microseconds = divmod(realtime_us, _SECOND_US)
    try:
        moment = dt.datetime.fromtimestamp(seconds, tz=dt.timezone.utc)
    except (ValueError, OverflowError):
        return None

    return f"{moment:%Y-%m-%dT%H:%M:%S}.{microseconds:06d}Z"


def write_message(result: t.Mapping[str, t.Any]) -> str:
    """Return what `oom_info` found as one sentence; `result` is what it returns."""
    summary = result["summary"]
    count = summary["count"]
    units = summary["units_taken_down"]
    if count:
        return f"{_count_events(count)}; services taken down: {_list_units(summary)}."

    if units:
        return f"No record of an OOM kill was found, but OOM kills took services down: {_name_units(summary)}."

    coverage = result["coverage"]
    if not coverage["complete"]:
        return "Unknown: no OOM kill was found, but not everything could be searched."

    if coverage["from"] is None:
        return "No OOM kill found."

    return f"No OOM kill found since {format_utc(coverage['from'])}."


def write_history_message(result: t.Mapping[str, t.Any]) -> str:
    """Return the kinds of kills in a history as one sentence; `result` is what `oom_info` returns."""
    history = result["history"]
    kinds = history["kinds"]
    if not kinds:
        return write_message(result)

    named = [_name_kind(kind) for kind in kinds[:_MAX_NAMED]]
    number = len(kinds) + history["other_kinds"]
    more = number - len(named)
    if more:
        named.append(f"and {more} more")

    noun = {1: "kind"}.get(number, "kinds")
    return f"OOM kills of {number} {noun}: {', '.join(named)}."


def _name_kind(kind: t.Mapping[str, t.Any]) -> str:
    names = filter(None, (kind["victim"], kind["unit"]))
    return f"{' of '.join(names) or 'unknown'} ({kind['count']})"


def format_utc(time: str) -> str:
    """Return a time in ISO 8601 for people, without the part of a second."""
    return f"{time[:19].replace('T', ' ')} UTC"


def _count_events(count: int) -> str:
    if count == 1:
        return "1 OOM event"

    return f"{count} OOM events"


def _list_units(summary: t.Mapping[str, t.Any]) -> str:
    """Return the services that went down. An empty list does not mean that there are none: that may be unknown."""
    units = summary["units_taken_down"]
    is_complete = summary["units_taken_down_complete"]
    if not units and is_complete:
        return "none"

    if not units:
        return "not known"

    if is_complete:
        return _name_units(summary)

    return f"{_name_units(summary)}; whether there were others is not known"


def _name_units(summary: t.Mapping[str, t.Any]) -> str:
    """Return the names of the services that went down, the first ones of many, with what is known about each."""
    units = {unit["unit"]: unit for unit in summary["taken_down"]}
    names = summary["units_taken_down"]
    named = [f"{name}{_describe_unit(units.get(name, {}))}" for name in names[:_MAX_NAMED]]
    more = len(names) - len(named)
    if more:
        named.append(f"and {more} more")

    return ", ".join(named)


def _describe_unit(unit: t.Mapping[str, t.Any]) -> str:
    if unit.get("confirmed") is False:
        return " (not confirmed)"

    if unit.get("is_down"):
        return " (still down)"

    return ""
