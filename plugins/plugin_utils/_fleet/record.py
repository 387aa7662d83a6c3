# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One host's record: built from the result of `oom_info`, checked when it was read, and judged. Pure."""

from __future__ import annotations

import json
import math
import typing as t

from ...module_utils._errors import OomguardError
from ...module_utils._safe import neutralise
from .shape import Schema, ShapeError, check_shape

Record = dict[str, t.Any]
"""A record as JSON knows it; its keys are in record.schema.json."""
Data = t.Mapping[str, t.Any]
State = t.Literal["down", "taken_down", "killed", "unknown", "incomplete", "clean"]

SCHEMA = "oomguard.record/1"
STATES: tuple[State, ...] = ("down", "taken_down", "killed", "unknown", "incomplete", "clean")
"""The states that a host can be in, the worst first."""

_VERSIONS = ("oomguard.record/1",)
_LONGEST_ERROR = 500
NOT_SEARCHED = "The host was not searched."
_NO_REASON = "No reason was given."
# What Ansible puts before the reason.
_BEGINNINGS = ("Task failed: ", "Failed to connect to the host via ssh: ", "ssh: ")
_RAM = ("anon_rss_bytes", "file_rss_bytes", "shmem_rss_bytes")
# What a second search says about a unit that went down, which was perhaps started since the first one.
_PRESENT = ("active_state", "is_down", "start_refusal", "oom_policy", "restart")
_NO_SUMMARY: Record = {"count": 0, "units_taken_down": [], "taken_down": []}
_NO_COVERAGE: Record = {"complete": False}
_UNKNOWN: Record = {
    "collected_at": "",
    "collection_version": "",
    "error": None,
    "coverage": None,
    "summary": None,
    "kinds": [],
    "remedies": [],
    "applied": [],
    "history": None,
    "risks": None,
    "in_force": None,
}


class RecordError(OomguardError):
    """A record could not be read or written."""


def build_record(host: str, result: Data | None, *, collected_at: str, version: str) -> Record:
    """Return the record of a host from the result that was registered for `oom_info`, None if there is none.

    `collected_at` is a time in ISO 8601, `version` that of the collection.
    """
    error = find_error(result)
    record = {
        **_UNKNOWN,
        "schema": SCHEMA,
        "host": host,
        "collected_at": collected_at,
        "collection_version": version,
        "ok": error is None,
        "error": error,
    }
    if result is None or error is not None:
        return record

    found = {
        "coverage": result["coverage"],
        "summary": result["summary"],
        "kinds": _group_events(result["events"]),
        "remedies": result["remedies"],
        "history": result.get("history"),
    }
    return {**record, **_make_plain(found)}


def find_error(result: Data | None) -> str | None:
    """Return why a host could not be looked at, as one sentence; None if it was."""
    if result is None or "skipped" in result:
        return NOT_SEARCHED

    words = str(result.get("msg", _NO_REASON)).split()
    reason = neutralise(" ".join(words), limit=_LONGEST_ERROR)
    for beginning in _BEGINNINGS:
        reason = reason.removeprefix(beginning)

    if result.get("unreachable"):
        return f"The host is unreachable: {reason}"

    if result.get("failed") or "summary" not in result:
        return f"The search failed: {reason}"

    return None


def update_record(record: Record, *, checked: Data | None, applied: t.Sequence[Data], in_force: Data | None) -> Record:
    """Return a record after remediation.

    `checked` is the result of a second search, None if there was none. `applied` are the changes that were made, and
    `in_force` the settings that were read afterwards.
    """
    updated = {**record, "applied": list(applied), "in_force": in_force}
    if checked is None or find_error(checked) is not None or not record["ok"]:
        return updated

    seen = {unit["unit"]: unit for unit in checked["summary"]["taken_down"]}
    units = {unit["unit"]: unit for unit in record["summary"]["taken_down"]}
    for name, unit in seen.items():
        present = {key: unit[key] for key in _PRESENT}
        units[name] = {**unit, **units.get(name, {}), **present}

    summary = {**record["summary"], "units_taken_down": [*units], "taken_down": [*units.values()]}
    return {**updated, "summary": _make_plain(summary)}


def find_state(record: Record) -> State:
    """Return the state of a host, the worst one that applies.

    It is `down` if a service is down now because of an OOM kill, `taken_down` if one was, `killed` if there were other
    kills, `unknown` if the host was not looked at, `incomplete` if nothing was found but not everything was searched,
    and else `clean`.
    """
    summary = record["summary"] or _NO_SUMMARY
    coverage = record["coverage"] or _NO_COVERAGE
    down = [unit["unit"] for unit in summary["taken_down"] if unit.get("is_down")]
    signs: dict[State, bool] = {
        "down": bool(down),
        "taken_down": bool(summary["units_taken_down"]),
        "killed": summary["count"] > 0,
        "unknown": not record["ok"],
        "incomplete": not coverage["complete"],
        "clean": True,
    }

    return next(state for state in STATES if signs[state])


def encode_record(record: Record) -> str:
    """Return the text of a record: the same record always has the same text, which is ASCII and ends with a newline."""
    return json.dumps(record, sort_keys=True, separators=(",", ":"), allow_nan=False) + "\n"


def decode_record(text: str | bytes, schema: Schema) -> Record:
    """Return the record in a text. Parts that older versions did not write are null or empty.

    Raises RecordError if it is damaged, or is of a version that is not known.
    """
    try:
        value = json.loads(text, parse_float=_parse_number, parse_constant=_parse_number)
    except (ValueError, RecursionError) as error:
        raise RecordError(
            f"It is not JSON: {error}.", hint="Remove it, and run oomguard.linux.detect again."
        ) from error

    return check_record(value, schema)


def check_record(value: t.Any, schema: Schema) -> Record:
    """Return data that was read as a record. Parts that older versions did not write are null or empty.

    Raises RecordError if it is damaged, or is of a version that is not known.
    """
    version = value.get("schema") if isinstance(value, dict) else None
    if version not in _VERSIONS:
        raise RecordError(
            f"It is not a record with a known schema: its schema is {json.dumps(version)}.",
            hint=f"Known is {', '.join(_VERSIONS)}. Records of newer versions need a newer version of this collection.",
        )

    record = {**_UNKNOWN, **value}
    try:
        check_shape(record, schema, "record")
    except ShapeError as error:
        raise RecordError(f"It is damaged: {error}.", hint="Remove it, and run oomguard.linux.detect again.") from error

    return record


def _group_events(events: t.Sequence[Data]) -> list[Record]:
    """Return the events by kind, each with its newest event whole."""
    kinds: dict[str, Record] = {}
    for event in events:
        name = event["diagnosis"]["kind"]
        kind = kinds.setdefault(name, {"kind": name, "events": []})
        kind["events"].append(_shorten_event(event))
        kind["newest"] = event

    return [kinds[name] for name in sorted(kinds)]


def _shorten_event(event: Data) -> Record:
    victims = event["victims"]
    victim = victims[0] if victims else {}
    effect = event["unit_effect"] or {}

    return {
        "id": event["id"],
        "time": event["time"],
        "killer": event["killer"],
        "cause": event["diagnosis"]["cause"],
        "victim": victim.get("name"),
        "unit": event["unit"] or event["user_unit"],
        "taken_down": effect.get("stopped"),
        "down_seconds": effect.get("down_seconds"),
        "rss_bytes": _sum_known(victim, _RAM),
        "swap_bytes": victim.get("swap_bytes"),
    }


def _sum_known(values: Data, names: t.Iterable[str]) -> int | None:
    """Return the sum of the values that are known, None if none is."""
    known: list[int] = [values[name] for name in names if values.get(name) is not None]
    if not known:
        return None

    return sum(known)


def _parse_number(text: str) -> float:
    """Return a number. Raises ValueError if it is infinite or none at all, which JSON does not know."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a finite number")

    return value


def _make_plain(value: t.Any) -> t.Any:
    """Return plain data as JSON has it: without fractions of a microsecond, and null for what is not a number."""
    return json.loads(json.dumps(value), parse_float=_round, parse_constant=lambda _name: None)


def _round(text: str) -> float:
    return round(float(text), 6)
