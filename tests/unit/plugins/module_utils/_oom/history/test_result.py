# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the history as plain data."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.kinds import group_kills
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Modification
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.result import build_kind
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
    EPOCH_US,
    HOUR_US,
    make_kill,
    make_past,
)


def test_kind_has_its_number_and_its_first_and_last_time() -> None:
    kills = [make_kill(1), make_kill(3)]
    (kind,) = group_kills(kills)
    data = build_kind(kind, make_past(*kills), now_us=0)
    assert data["count"] == 2
    assert (data["first"], data["last"]) == ("2026-11-18T12:06:40.000000Z", "2026-11-18T14:06:40.000000Z")


def test_unknown_names_are_null() -> None:
    kill = make_kill(1, unit="", victim="")
    (kind,) = group_kills([kill])
    data = build_kind(kind, make_past(kill), now_us=0)
    assert (data["unit"], data["victim"]) == (None, None)


def test_change_is_judged() -> None:
    kills = [make_kill(hours) for hours in range(5, 500, 40)]
    swap = Modification(EPOCH_US + 500 * HOUR_US, "swap", "4294967296", "10737418240", "oomguard")
    (kind,) = group_kills(kills)
    (since,) = build_kind(kind, make_past(*kills, modifications=[swap]), now_us=0)["since"]
    assert (since["verdict"], since["chance"] < 0.001) == ("fewer", True)
    assert since["sentence"].startswith("0 kills in 21 days since swap went from 4.0 GiB to 10.0 GiB, after 13 kills")
    assert since["after"] == {"kills": 0, "occasions": 0, "up_seconds": 500 * 3600}
    assert since["changes"] == [
        {
            "time": "2026-12-09T07:06:40.000000Z",
            "what": "swap",
            "before": "4294967296",
            "after": "10737418240",
            "by": "oomguard",
            "unit": None,
        }
    ]
