# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of records, of which any may be missing or unknown. Pure."""

from __future__ import annotations

import collections
import datetime as dt
import itertools
import operator
import typing as t

from .record import Data, Record

_NOTHING: Data = {}
_get_events = operator.itemgetter("events")
_get_time = operator.itemgetter("time")


def get_part(data: Data, name: str) -> Data:
    """Return a mapping in a mapping, an empty one if it is missing or unknown."""
    part = data.get(name)
    if part is None:
        return _NOTHING

    return t.cast("Data", part)


def get_rows(data: Data, name: str) -> t.Sequence[Record]:
    """Return a list of mappings in a mapping, an empty one if it is missing or unknown."""
    rows = data.get(name)
    if rows is None:
        return ()

    return t.cast("t.Sequence[Record]", rows)


def list_events(record: Data) -> list[Record]:
    """Return the short events of a record, oldest first. Those without a time come before all others."""
    return sort_events(itertools.chain.from_iterable(map(_get_events, record["kinds"])))


def sort_events(events: t.Iterable[Record]) -> list[Record]:
    """Return short events, oldest first."""
    return sorted(events, key=rank_event)


def rank_event(event: Data) -> tuple[str, str]:
    """Return the place of an event in time, as far as its time is known."""
    return (event.get("time") or "", event["id"])


def summarize(record: Data) -> Data:
    """Return the summary of a record; of one that was never searched, the totals of the events that it lists."""
    if record["summary"] is not None:
        return t.cast("Data", record["summary"])

    return count_events(list_events(record))


def count_events(events: t.Sequence[Record]) -> Record:
    """Return the totals of short events, by the names that a summary has for them."""
    times = list(filter(None, map(_get_time, events)))

    return {
        "count": len(events),
        "by_killer": _count_values(events, "killer"),
        "by_unit": _count_values(events, "unit"),
        "by_victim": _count_values(events, "victim"),
        "by_cause": _count_values(events, "cause"),
        "first": min(times, default=None),
        "last": max(times, default=None),
    }


def parse_moment(text: str | None) -> dt.datetime | None:
    """Return a time in ISO 8601, None if there is none or it is not one."""
    try:
        moment = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None

    if moment.tzinfo is None:
        return moment.replace(tzinfo=dt.UTC)

    return moment


def format_moment(moment: dt.datetime) -> str:
    """Return a time in UTC as records have it: in ISO 8601, without fractions of a second."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _count_values(events: t.Iterable[Record], name: str) -> dict[str, int]:
    values = map(operator.itemgetter(name), events)
    return dict(collections.Counter(filter(None, values)))
