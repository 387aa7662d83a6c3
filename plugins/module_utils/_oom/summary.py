# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage of a search, and all incidents in numbers, as the plain data that `oom_info` returns."""

from __future__ import annotations

import collections
import datetime as dt
import typing as t

from .search.coverage import Coverage

if t.TYPE_CHECKING:
    from .explain.cause import Diagnosis
    from .incident.incident import Incident

_SECOND_US = 1_000_000


def build_empty_result(coverage: Coverage) -> dict[str, t.Any]:
    """Return the result of `oom_info` for a host without kills."""
    return {
        "events": [],
        "remedies": [],
        "summary": build_summary((), (), (), coverage),
        "coverage": build_coverage(coverage),
    }


def build_summary(
    incidents: t.Sequence[Incident],
    diagnoses: t.Iterable[Diagnosis],
    taken_down: t.Sequence[dict[str, t.Any]],
    coverage: Coverage,
) -> dict[str, t.Any]:
    """Return all incidents in numbers; `diagnoses` are theirs, `taken_down` the units that went down, as plain data."""
    times = []
    units = []
    victims = []
    for incident in incidents:
        victims += incident.victim_names
        if incident.place.unit:
            units.append(incident.place.unit)

        if incident.at.realtime_us is not None:
            times.append(incident.at.realtime_us)

    return {
        "count": len(incidents),
        "by_killer": _count(incident.report.killer for incident in incidents),
        "by_unit": _count(units),
        "by_victim": _count(victims),
        "by_cause": _count(diagnosis.cause for diagnosis in diagnoses),
        "first": format_time(min(times, default=None)),
        "last": format_time(max(times, default=None)),
        "units_taken_down": [unit["unit"] for unit in taken_down],
        "units_taken_down_complete": all((coverage.complete, *map(_is_effect_known, incidents))),
        "taken_down": list(taken_down),
    }


def _is_effect_known(incident: Incident) -> bool:
    return incident.is_effect_known


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


def _count(names: t.Iterable[str]) -> dict[str, int]:
    """Return how often each name occurs, the most frequent first."""
    return dict(collections.Counter(names).most_common())


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
