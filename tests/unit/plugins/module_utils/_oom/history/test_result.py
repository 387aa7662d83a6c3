# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the history as plain data."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.kinds import group_kills
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.result import build_kind
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
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
