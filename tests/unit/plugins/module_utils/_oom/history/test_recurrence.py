# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the plain data about when kills come."""

from __future__ import annotations

import json

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import HOUR, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.recurrence import build_recurrence
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.histories import (
    FIRST_US,
    UNIT,
    build_nights,
    build_past,
)

CHANCE = "(chance at random: less than 0.0001%)"
RHYTHM = f"8 of 8 kills came within 3 min after 03:00, on 8 of 8 days {CHANCE}."


def test_rhythm_is_plain_data() -> None:
    past = build_nights()
    rhythm = build_recurrence(past.kills, past, past.last_us)["rhythm"]
    assert rhythm == {
        "kind": "daily",
        "time": "03:00",
        "days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "every_seconds": 86400,
        "after_seconds": None,
        "within_seconds": 180,
        "jitter_seconds": 120,
        "matched": 8,
        "kills": 8,
        "hits": 8,
        "occasions": 8,
        "chance": rhythm["chance"],
        "sentence": RHYTHM,
    }


def test_what_preceded_is_plain_data() -> None:
    past = build_nights()
    (preceding,) = build_recurrence(past.kills, past, past.last_us)["preceded_by"]
    assert preceding["name"] == "/usr/local/bin/backup"
    assert preceding["together"] == []
    assert (preceding["before"], preceding["kills"], preceding["shortest_seconds"]) == (8, 8, 59)


def test_forecast_is_plain_data() -> None:
    past = build_nights()
    assert build_recurrence(past.kills, past, past.last_us)["forecast"] == {
        "expected": "2024-10-12T02:02:00.000000Z",
        "earliest": "2024-10-12T02:00:00.000000Z",
        "latest": "2024-10-12T02:03:00.000000Z",
        "share": 1.0,
        "basis": RHYTHM,
        "sentence": (
            "The next kill is expected between 2024-10-12 02:00:00 UTC and 2024-10-12 02:03:00 UTC. "
            "So far, 100% of such times had a kill."
        ),
    }


def test_forecast_of_equal_gaps_is_one_time() -> None:
    gap_us = 7 * HOUR + 780 * SECOND
    past = build_past([FIRST_US + number * gap_us for number in range(1, 20)], 8)
    found = build_recurrence(past.kills, past, past.kills[-1].time_us + HOUR)
    assert found["forecast"]["sentence"].startswith("The next kill is expected at 2024-10-")


def test_time_after_the_start_has_no_time_of_day() -> None:
    starts: dict[float, float] = {}
    for run in range(8):
        starts[FIRST_US + (run + 1) * 11 * HOUR] = FIRST_US + run * 11 * HOUR + SECOND

    past = build_past(starts, 8, starts)._replace(running={UNIT: FIRST_US + 88 * HOUR + SECOND})
    found = build_recurrence(past.kills, past, FIRST_US + 90 * HOUR)
    assert found["rhythm"]["kind"] == "after_start"
    assert found["rhythm"]["time"] is None
    assert found["rhythm"]["after_seconds"] == 11 * 3600 - 1
    assert found["forecast"]["earliest"] == "2024-10-08T03:00:00.000000Z"


def test_single_kill_has_nothing() -> None:
    past = build_past([FIRST_US], 8)
    assert build_recurrence(past.kills, past, past.last_us) == {"rhythm": None, "preceded_by": [], "forecast": None}


def test_data_can_be_written_as_json() -> None:
    past = build_nights()
    found = build_recurrence(past.kills, past, past.last_us)
    assert json.loads(json.dumps(found)) == found
