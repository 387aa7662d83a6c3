# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the occasions and the sentence of a rhythm."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.occasions import EVERY_DAY, Rhythm

RHYTHM = Rhythm("daily", DAY, EVERY_DAY, 3 * HOUR, 4 * MINUTE, 2 * MINUTE, 9, 10, False, 9, 12, 9 * DAY, 0.00002)
INTERVAL = RHYTHM._replace(kind="interval", period_us=15 * MINUTE, at_us=7 * MINUTE)
SUNDAYS = RHYTHM._replace(kind="weekly", weekdays=(6,))
AFTER_START = RHYTHM._replace(kind="after_start", period_us=0, weekdays=(), at_us=9 * HOUR + 2 * MINUTE)
PAST = Past(0, 30 * DAY, [(0, 0)], [])


@pytest.mark.parametrize(
    ("rhythm", "sentence"),
    [
        (RHYTHM, "9 of 10 kills came within 4 min after 03:00, on 9 of 12 days"),
        (SUNDAYS, "9 of 10 kills came within 4 min after 03:00, on 9 of 12 Sundays"),
        (
            RHYTHM._replace(kind="weekly", weekdays=(0, 1, 2, 3, 4), has_bursts=True),
            "9 of 10 bursts of kills came within 4 min after 03:00, on 9 of 12 days from Monday to Friday",
        ),
        (
            INTERVAL,
            "9 of 10 kills came every 15 min, within 4 min after 00:07, 00:22, 00:37 and so on, at 9 of 12 such times",
        ),
        (
            AFTER_START,
            "9 of 10 kills came 9 h 2 min to 9 h 6 min after a start of the unit, in 9 of 12 runs at least that long",
        ),
    ],
)
def test_sentence(rhythm: Rhythm, sentence: str) -> None:
    assert rhythm.sentence == f"{sentence} (chance at random: 0.002%)."


@pytest.mark.parametrize(("rhythm", "count"), [(RHYTHM, 14), (SUNDAYS, 2), (INTERVAL, 14 * 96)])
def test_occasions_of_two_weeks(rhythm: Rhythm, count: int) -> None:
    assert rhythm.count_occasions(PAST, DAY, 15 * DAY - 1) == count


def test_first_and_last_moment_are_occasions() -> None:
    assert RHYTHM.count_occasions(PAST, 3 * HOUR, DAY + 3 * HOUR) == 2
    assert RHYTHM.count_occasions(PAST, 3 * HOUR + 1, DAY + 3 * HOUR - 1) == 0


def test_occasions_while_the_host_was_off_do_not_count() -> None:
    past = PAST._replace(boots=[(0, 2 * DAY), (2 * DAY + 4 * HOUR, 4 * DAY)])
    assert RHYTHM.count_occasions(past, 0, 30 * DAY) == 3


def test_occasions_follow_daylight_saving() -> None:
    past = PAST._replace(utc_offsets=[(0, 0), (10 * DAY, 3600)])
    assert RHYTHM.count_occasions(past, 12 * DAY + 2 * HOUR, 12 * DAY + 2 * HOUR) == 1
