# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times and the sentence that are returned."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.summary import (
    format_time,
    write_history_message,
    write_message,
)


@pytest.mark.parametrize(
    ("realtime_us", "time"),
    [
        (1795416526787033, "2026-11-23T06:48:46.787033Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253402300799999999, "9999-12-31T23:59:59.999999Z"),
        (253402300800000000, None),
        (-62135596800000001, None),
        (2**64, None),
        (2**100, None),
        (None, None),
    ],
)
def test_a_time_outside_the_years_1_to_9999_is_unknown(realtime_us: int | None, time: str | None) -> None:
    assert format_time(realtime_us) == time


def sum_up(count: int, *units: dict[str, t.Any], complete: bool = True) -> dict[str, t.Any]:
    """Return a result; `complete` is whether `units` are certainly all units that went down."""
    summary = {
        "count": count,
        "units_taken_down": [unit["unit"] for unit in units],
        "units_taken_down_complete": complete,
        "taken_down": [*units],
    }
    return {"summary": summary, "coverage": {"complete": complete, "from": None}}


A: dict[str, t.Any] = {"unit": "a.service", "confirmed": True, "is_down": False}
DOWN = {**A, "unit": "down.service", "is_down": True}
UNCONFIRMED = {**A, "unit": "b.service", "confirmed": False}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (sum_up(0), "No OOM kill found."),
        (sum_up(0, complete=False), "Unknown: no OOM kill was found, but not everything could be searched."),
        (sum_up(0, A), "No record of an OOM kill was found, but OOM kills took services down: a.service."),
        (sum_up(2, A), "2 OOM events; services taken down: a.service."),
        (
            sum_up(2, A, complete=False),
            "2 OOM events; services taken down: a.service; whether there were others is not known.",
        ),
        (sum_up(1), "1 OOM event; services taken down: none."),
        (sum_up(1, complete=False), "1 OOM event; services taken down: not known."),
        (
            sum_up(2, UNCONFIRMED, DOWN),
            "2 OOM events; services taken down: b.service (not confirmed), down.service (still down).",
        ),
        (sum_up(8, *([A] * 7)), f"8 OOM events; services taken down: {'a.service, ' * 5}and 2 more."),
    ],
)
def test_message_sums_up_the_search(result: dict[str, t.Any], message: str) -> None:
    assert write_message(result) == message


def test_message_says_since_when_nothing_was_found() -> None:
    result = {**sum_up(0), "coverage": {"complete": True, "from": "2026-11-20T08:53:20.000000Z"}}
    assert write_message(result) == "No OOM kill found since 2026-11-20 08:53:20 UTC."


@pytest.mark.parametrize(
    ("names", "others", "message"),
    [
        (["a"], 0, "OOM kills of 1 kind: a of a.service (7)."),
        (["a", None], 0, "OOM kills of 2 kinds: a of a.service (7), unknown (7)."),
        (["a"] * 5, 3, f"OOM kills of 8 kinds: {', '.join(['a of a.service (7)'] * 5)}, and 3 more."),
    ],
)
def test_history_is_one_sentence(names: list[str | None], others: int, message: str) -> None:
    kinds = [{"victim": name, "unit": name and f"{name}.service", "count": 7} for name in names]
    assert write_history_message({"history": {"kinds": kinds, "other_kinds": others}}) == message


@pytest.mark.parametrize("result", [sum_up(0), sum_up(0, complete=False), sum_up(0, A), sum_up(1)])
def test_history_without_kinds_says_what_the_search_says(result: dict[str, t.Any]) -> None:
    history = {"kinds": [], "other_kinds": 0}
    assert write_history_message({**result, "history": history}) == write_message(result)
