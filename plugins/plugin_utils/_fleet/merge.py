# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several records of one host as one: the newest parts of all, and every event once. Pure.

A record holds parts that were read at different times: a host that is unreachable today was searched yesterday. The key
`as_of` of a merged record says when each part was read. The key `merging` has what later merges need to know of earlier
ones. Each choice is the maximum of an order, so records can be merged in any order, one by one or all together, with
the same result.
"""

from __future__ import annotations

import collections
import functools
import itertools
import json
import operator
import typing as t

from .parts import count_events, get_part, get_rows, list_events, rank_event, sort_events
from .record import Data, Record

_STATUS = ("schema", "host", "collected_at", "collection_version", "ok", "error")
# The parts of a record of which the newest one counts, and the part whose age is theirs, too.
_AGES = {
    "coverage": "summary",
    "remedies": "summary",
    "history": "history",
    "risks": "risks",
}
# The mappings in `in_force`; the total swap is alone, and stands in a mapping with an empty key.
_SETTINGS = ("oom_policy", "fcgid")
_SWAP = "swap_total_bytes"
# What is known of a unit only at the time of the search.
_PRESENT = {"is_down": None, "active_state": None}


class _Event(t.NamedTuple):
    """A short event and its kind, in the order in which one of two is preferred: the one that knows more."""

    known: int
    text: str
    kind: str
    event: Record


class _Setting(t.NamedTuple):
    """A value that was in force, in the order in which one of two is preferred: the newer one."""

    age: str
    text: str
    value: t.Any


class _Unit(t.NamedTuple):
    """A unit that went down, in the order in which one of two is preferred: the one of the newer search."""

    age: str
    past: str
    text: str
    unit: Record


def merge_records(records: t.Iterable[Record]) -> Record:
    """Return what all records of one host say together.

    The parts of the newest record count. Events are united by their IDs, and nothing is counted twice.
    """
    distinct = _drop_duplicates(records)
    if len(distinct) == 1:
        return distinct[0]

    status = max(distinct, key=_rank_status)
    merged = {name: status[name] for name in _STATUS}
    for part, dated in _AGES.items():
        merged[part] = _find_newest(distinct, part, dated)

    kinds = _merge_kinds(distinct)
    merged["kinds"] = list(filter(operator.itemgetter("events"), kinds))
    merged["applied"] = _merge_applied(distinct)
    merged["summary"] = None
    merged["as_of"] = _find_ages(distinct)
    merged["merging"] = {
        "kinds": list(itertools.filterfalse(operator.itemgetter("events"), kinds)),
        "in_force_ages": list_ages(distinct),
    }
    merged["in_force"] = _merge_in_force(distinct)

    searched = [record for record in distinct if record["summary"] is not None]
    if not searched:
        return merged

    return _add_summary(merged, searched)


def find_age(record: Data, part: str) -> str:
    """Return when a part of a record was read, or an empty text if it never was."""
    if record.get(part) is None:
        return ""

    age = get_part(record, "as_of").get(part, record["collected_at"])

    return str(age)


def encode(value: t.Any) -> str:
    """Return a text that orders values of any type, and is the same for the same value."""
    return json.dumps(value, sort_keys=True)


def _drop_duplicates(values: t.Iterable[Record]) -> list[Record]:
    by_text = {encode(value): value for value in values}
    return list(by_text.values())


def _rank_status(record: Record) -> tuple[str, str]:
    status = [record[name] for name in _STATUS]
    return (record["collected_at"], encode(status))


def _find_newest(records: t.Iterable[Record], part: str, dated: str) -> t.Any:
    """Return the newest of a part, which is as old as the part `dated`."""
    ranked = {(find_age(record, dated), encode(record[part])): record[part] for record in records}
    return ranked[max(ranked)]


def _find_ages(records: t.Sequence[Record]) -> dict[str, str]:
    """Return when each part of the merged record was read."""
    ages = {}
    for part in (*_AGES.values(), "in_force"):
        ages[part] = _find_newest_age(records, part)

    return ages


def _find_newest_age(records: t.Iterable[Record], part: str) -> str:
    return max([find_age(record, part) for record in records])


def _merge_kinds(records: t.Sequence[Record]) -> list[Record]:
    """Return the events of all records by kind, each once, oldest first.

    An event can be of another kind in another record, so a kind can be left without events.
    """
    kinds = [*itertools.chain.from_iterable(map(_list_kinds, records))]
    newest: dict[str, Record] = {}
    events: dict[str, _Event] = {}
    for kind in kinds:
        name = kind["kind"]
        whole: Record = kind["newest"]
        newest[name] = max(whole, newest.get(name, whole), key=_rank_whole)
        for event in kind["events"]:
            found = _place_event(name, event)
            events[event["id"]] = max(found, events.get(event["id"], found), key=_rank_event)

    grouped = collections.defaultdict(list)
    for found in events.values():
        grouped[found.kind].append(found.event)

    return [{"kind": name, "events": sort_events(grouped[name]), "newest": newest[name]} for name in sorted(newest)]


def _list_kinds(record: Record) -> t.Iterator[Record]:
    """Yield the kinds of a record, with those that an earlier merge left without events."""
    yield from record["kinds"]
    yield from get_rows(get_part(record, "merging"), "kinds")


def _place_event(kind: str, event: Record) -> _Event:
    unknown = list(event.values()).count(None)
    return _Event(len(event) - unknown, encode(event), kind, event)


def _rank_event(found: _Event) -> tuple[int, str, str]:
    return (found.known, found.text, found.kind)


def _rank_whole(event: Record) -> tuple[tuple[str, str], str]:
    return (rank_event(event), encode(event))


def _merge_applied(records: t.Iterable[Record]) -> list[Record]:
    changes = map(operator.itemgetter("applied"), records)
    distinct = _drop_duplicates(itertools.chain.from_iterable(changes))

    return sorted(distinct, key=_rank_change)


def _rank_change(change: Record) -> tuple[str, str]:
    return (change["time"] or "", encode(change))


def _merge_in_force(records: t.Sequence[Record]) -> Record | None:
    """Return the newest known value of each setting, None if no setting was ever read."""
    if _find_newest_age(records, "in_force") == "":
        return None

    in_force: Record = {name: {} for name in (*_SETTINGS, _SWAP)}
    for (name, key), setting in _find_settings(records).items():
        in_force[name][key] = setting.value

    return {**in_force, _SWAP: in_force[_SWAP].get("")}


def list_ages(records: t.Sequence[Record]) -> dict[str, dict[str, str]]:
    """Return when each setting in force was read, in mappings as in the part `in_force`."""
    ages: dict[str, dict[str, str]] = {name: {} for name in (*_SETTINGS, _SWAP)}
    for (name, key), setting in _find_settings(records).items():
        ages[name][key] = setting.age

    return ages


def _find_settings(records: t.Iterable[Record]) -> dict[tuple[str, str], _Setting]:
    """Return the newest known settings, by the mapping and the key in it."""
    settings: dict[tuple[str, str], _Setting] = {}
    for record in records:
        newest = find_age(record, "in_force")
        ages = get_part(get_part(record, "merging"), "in_force_ages")
        for name, key, value in _list_in_force(record):
            age = get_part(ages, name).get(key, newest)
            found = _Setting(age, encode(value), value)
            known = settings.get((name, key), found)
            settings[name, key] = max(found, known, key=operator.itemgetter(0, 1))

    return settings


def _list_in_force(record: Record) -> t.Iterator[tuple[str, str, t.Any]]:
    """Yield the settings of a record that are known."""
    in_force = get_part(record, "in_force")
    settings = {name: get_part(in_force, name) for name in _SETTINGS}
    settings[_SWAP] = {"": in_force.get(_SWAP)}
    for name, values in settings.items():
        for key, value in values.items():
            if value is not None:
                yield name, key, value


def _add_summary(merged: Record, searched: t.Sequence[Record]) -> Record:
    """Return a merged record with the summary of all records that have one."""
    counted = _join_counts(map(_get_counts, searched))
    units = _merge_units(searched)
    taken_down = _list_units(units, newest=merged["as_of"]["summary"])

    summary = {
        **_merge_rest(searched),
        **_join_counts([counted, count_events(list_events(merged))]),
        "taken_down": taken_down,
        "units_taken_down": _merge_names(searched),
    }
    ages = {name: found.age for name, found in units.items()}
    merging = {**merged["merging"], "counted": counted, "unit_ages": ages}

    return {**merged, "summary": summary, "merging": merging}


def _get_counts(record: Record) -> Data:
    """Return the counts of a record; of a merged one, those before the merged events were counted."""
    counted: Data = get_part(record, "merging").get("counted", record["summary"])
    return counted


def _join_counts(summaries: t.Iterable[Data]) -> Record:
    """Return the highest counts: no summary counts a kill that did not occur, and several can count the same ones."""
    known = list(summaries)
    joined: Record = {}
    for name, join in _JOINS.items():
        values = map(operator.methodcaller("get", name), known)
        joined[name] = join(filter(None, values))

    return joined


def _find_highest_by_name(counts: t.Iterable[Data]) -> dict[str, int]:
    """Return the highest count of each name."""
    highest: collections.Counter[str] = collections.Counter()
    for one in counts:
        highest |= collections.Counter(one)

    return dict(highest)


_find_highest = functools.partial(max, default=0)
_JOINS: dict[str, t.Callable[[t.Iterable[t.Any]], t.Any]] = {
    "count": _find_highest,
    "other_units": _find_highest,
    "other_victims": _find_highest,
    "by_killer": _find_highest_by_name,
    "by_unit": _find_highest_by_name,
    "by_victim": _find_highest_by_name,
    "by_cause": _find_highest_by_name,
    "first": functools.partial(min, default=None),
    "last": functools.partial(max, default=None),
}
"""How the members of a summary are joined that count events."""


def _merge_rest(searched: t.Sequence[Record]) -> Record:
    """Return the members of the newest summary; of several that are equally new, the same ones in any order."""
    newest = _find_newest_age(searched, "summary")
    merged: Record = {}
    for record in searched:
        if find_age(record, "summary") == newest:
            merged = _join_members(merged, record["summary"])

    return merged


def _join_members(first: Record, second: Record) -> Record:
    joined = {**first}
    for name, value in second.items():
        joined[name] = max(value, first.get(name, value), key=encode)

    return joined


def _merge_units(searched: t.Iterable[Record]) -> dict[str, _Unit]:
    """Return the units that went down, each as the newest search that lists it has seen it."""
    units: dict[str, _Unit] = {}
    for record in searched:
        age = find_age(record, "summary")
        ages = get_part(get_part(record, "merging"), "unit_ages")
        for unit in record["summary"]["taken_down"]:
            name = unit["unit"]
            found = _Unit(ages.get(name, age), encode({**unit, **_PRESENT}), encode(unit), unit)
            units[name] = max(found, units.get(name, found), key=operator.itemgetter(0, 1, 2))

    return units


def _list_units(units: t.Mapping[str, _Unit], *, newest: str) -> list[Record]:
    """Return the units by name. Whether one is down now is not known if the newest search does not list it."""
    listed = []
    for name in sorted(units):
        found = units[name]
        unit = found.unit
        if found.age < newest:
            unit = {**unit, **_PRESENT}

        listed.append(unit)

    return listed


def _merge_names(searched: t.Iterable[Record]) -> list[str]:
    summaries = map(operator.itemgetter("summary"), searched)
    names = map(operator.itemgetter("units_taken_down"), summaries)

    return sorted(frozenset().union(*names))
