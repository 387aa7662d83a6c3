# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that OOM kills took down, according to their states."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import (
    UnitState,
    UnitStates,
    list_outages,
)

SHOP = UnitState("shop.service", active_state="failed", result="oom-kill", down_us=300)


@pytest.mark.parametrize(
    ("change", "is_outage"),
    [({}, True), ({"result": "signal"}, False), ({"active_state": "active"}, False), ({"active_state": None}, True)],
    ids=["down", "another result", "up again", "in an unknown state"],
)
def test_only_a_unit_that_is_down_because_of_a_kill_is_an_outage(change: dict[str, t.Any], *, is_outage: bool) -> None:
    states = UnitStates({"shop.service": SHOP._replace(**change)})
    assert bool(list_outages(states, since_us=0)) is is_outage


@pytest.mark.parametrize(("ago", "found"), [(100, True), (10, False)], ids=["after the start", "before the start"])
def test_an_outage_counts_from_the_start_of_the_request(ago: int, *, found: bool) -> None:
    down_us = int((time.monotonic() - 50) * 1_000_000)
    states = UnitStates({"shop.service": SHOP._replace(down_us=down_us)})
    since_us = int((time.time() - ago) * 1_000_000)
    assert bool(list_outages(states, since_us=since_us)) is found


def test_the_time_of_an_outage_is_that_of_the_clock() -> None:
    down_us = int(time.monotonic() * 1_000_000)
    outage = list_outages(UnitStates({"shop.service": SHOP._replace(down_us=down_us)}), since_us=0)[0]
    assert abs(outage.time_us / 1_000_000 - time.time()) < 5


@pytest.mark.parametrize(("state", "is_up"), [("active", True), ("activating", False), ("failed", False), (None, None)])
def test_whether_a_unit_is_up(state: str | None, *, is_up: bool | None) -> None:
    assert SHOP._replace(active_state=state).is_up is is_up


@pytest.mark.parametrize(
    ("states", "is_gone"),
    [
        (UnitStates(), False),
        (UnitStates(is_known=True), True),
        (UnitStates({"shop.service": SHOP}, is_known=True), False),
        (UnitStates({"shop.service": SHOP._replace(is_transient=True)}, is_known=True), True),
    ],
    ids=["no answer", "not known", "known", "transient"],
)
def test_a_unit_is_gone_if_systemd_does_not_keep_it(states: UnitStates, *, is_gone: bool) -> None:
    assert states.is_gone("shop.service") is is_gone
