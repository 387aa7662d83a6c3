# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The coverage of a search, and all incidents in numbers, as the plain data that `oom_info` returns."""

from __future__ import annotations

import datetime as dt
import typing as t

from .search.coverage import Coverage

if t.TYPE_CHECKING:
    from .incident.tally import Tally

_SECOND_US = 1_000_000


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
