# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was looked at, and all that was found in numbers, as the plain data that `oom_info` returns."""

from __future__ import annotations

import collections
import datetime as dt
import typing as t

from .search.search import Coverage

if t.TYPE_CHECKING:
    from .explain.cause import Diagnosis
    from .incident.incident import Incident


def nothing_found(coverage: Coverage) -> dict[str, t.Any]:
    """Return what `oom_info` returns where there was no kill."""
    return {"events": [], "remedies": [], "summary": as_summary((), ()), "coverage": as_coverage(coverage)}


def as_summary(counted: t.Sequence[tuple[Incident, Diagnosis]], units_taken_down: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the numbers of all incidents."""
    times = [incident.at.realtime_us for incident, _diagnosis in counted if incident.at.realtime_us is not None]
    return {
        "count": len(counted),
        "by_killer": _counts(incident.report.killer for incident, _diagnosis in counted),
        "by_unit": _counts(incident.place.unit for incident, _diagnosis in counted if incident.place.unit),
        "by_victim": _counts(victim.name for incident, _diagnosis in counted for victim in incident.report.victims),
        "by_cause": _counts(diagnosis.cause for _incident, diagnosis in counted),
        "first": as_time(min(times, default=None)),
        "last": as_time(max(times, default=None)),
        "units_taken_down": list(units_taken_down),
    }


def as_coverage(coverage: Coverage) -> dict[str, t.Any]:
    """Return what was looked at, and what could not be."""
    return {
        "from": as_time(coverage.first_us),
        "to": as_time(coverage.last_us),
        "boots": coverage.boots,
        "persistent": coverage.persistent,
        "complete": coverage.complete,
        "missed_records": coverage.missed_records,
        "unparsed": coverage.unparsed,
        "untrusted": coverage.untrusted,
        "cursor": coverage.cursor,
        "notes": [*coverage.gaps, *coverage.notes],
    }


def _counts(names: t.Iterable[str]) -> dict[str, int]:
    return dict(collections.Counter(names).most_common())


def as_time(realtime_us: int | None) -> str | None:
    """Return a time as ISO 8601 has it, None where it is not known or not in the years 1 to 9999."""
    if realtime_us is None:
        return None
    try:
        moment = dt.datetime.fromtimestamp(realtime_us // 1_000_000, tz=dt.timezone.utc)
    except (ValueError, OverflowError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{realtime_us % 1_000_000:06d}Z"
