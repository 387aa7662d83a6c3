# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a host whose search went on where its last one ended. Pure."""

from __future__ import annotations

import json
import typing as t

from .merge import merge_records
from .record import Data, Record


def continue_record(last: Record, record: Record) -> Record:
    """Return what both searches say together; the second one covers only what came after the first one.

    The changes in the last record are left out, since whoever writes the record adds them.
    """
    merged = {**merge_records([last, record]), "applied": []}
    if last["coverage"] is None or record["coverage"] is None:
        return merged

    complete = _are_both(last["summary"], record["summary"], "units_taken_down_complete")
    merged["coverage"] = _join_coverage(last["coverage"], record["coverage"])
    merged["summary"] = {**merged["summary"], "units_taken_down_complete": complete}
    merged["remedies"] = _drop_duplicates([*record["remedies"], *last["remedies"]])

    return merged


def _join_coverage(first: Data, second: Data) -> Record:
    cursor = second.get("cursor") or first.get("cursor")
    notes = dict.fromkeys([*second["notes"], *first["notes"]])

    return {
        **second,
        "from": first["from"] or second["from"],
        "complete": _are_both(first, second, "complete"),
        "cursor": cursor,
        "notes": list(notes),
    }


def _are_both(first: Data, second: Data, name: str) -> bool:
    return all((first[name], second[name]))


def _drop_duplicates(remedies: t.Iterable[Data]) -> list[Data]:
    """Return each remedy once, whatever reason it has."""
    by_effect: dict[str, Data] = {}
    for remedy in remedies:
        effect = json.dumps([remedy["role"], remedy["variables"]], sort_keys=True)
        by_effect.setdefault(effect, remedy)

    return list(by_effect.values())
