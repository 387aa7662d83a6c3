# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What units need that an OOM kill took down."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.outage import (
    depends_on_restart,
    find_start_refusal,
    is_down,
    suggest_restart,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import UnitEffect, build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.taken_down import TakenDown
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitState
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import REPORT

DATABASE = UnitState(
    "database.service",
    active_state="failed",
    result="oom-kill",
    oom_policy="stop",
    restart="on-abort",
    main_process_killed=True,
    type="notify",
)


def take_down(state: UnitState = DATABASE, **changes: t.Any) -> TakenDown:
    state = state._replace(**changes)
    return TakenDown(state.unit, "oom-kill", 0, state)


def take_down_by_kill(*, main: bool, policy: str = "stop", **report: t.Any) -> TakenDown:
    effect = UnitEffect("database.service", "oom-kill", stopped=True, main_process_killed=main)
    incident = build_incident(REPORT._replace(**report))._replace(effect=effect)
    return take_down(oom_policy=policy)._replace(incident=incident)


@pytest.mark.parametrize(
    ("policy", "restart", "advised"),
    [
        ("stop", "no", True),
        ("stop", "on-success", True),
        ("stop", "on-watchdog", True),
        ("stop", "on-abort", True),
        ("stop", "on-abnormal", False),
        ("stop", "on-failure", False),
        ("stop", "always", False),
        ("stop", None, False),
        ("kill", "on-abort", True),
        ("kill", "on-failure", False),
        ("continue", "on-abort", False),
        ("continue", "no", True),
        (None, "no", True),
    ],
)
def test_a_restart_is_advised_if_the_one_in_force_does_not_apply(
    policy: str | None, restart: str | None, *, advised: bool
) -> None:
    assert bool(list(suggest_restart(take_down(oom_policy=policy, restart=restart)))) is advised


@pytest.mark.parametrize(
    ("policy", "variables"),
    [
        ("stop", {"oom_policy_units": ["database.service"], "oom_policy_restart": "on-failure"}),
        (
            "kill",
            {
                "oom_policy_units": ["database.service"],
                "oom_policy_restart": "on-failure",
                "oom_policy_policy": "kill",
            },
        ),
    ],
)
def test_a_restart_keeps_the_policy_of_killing_all_processes(policy: str, variables: dict[str, t.Any]) -> None:
    (remedy,) = suggest_restart(take_down(oom_policy=policy))
    assert (remedy.role, remedy.variables) == ("oom_policy", variables)


def test_the_restart_that_does_not_apply_is_named() -> None:
    (remedy,) = suggest_restart(take_down())
    assert remedy.why == (
        "database.service has Restart=on-abort, which does not apply after such an OOM kill. With Restart=on-failure, "
        "systemd restarts it."
    )


@pytest.mark.parametrize(
    ("unit", "depends"),
    [
        (take_down(), True),
        (take_down(main_process_killed=None), True),
        (take_down(main_process_killed=False), False),
        (take_down()._replace(confirmed=False), False),
        (take_down(is_transient=True), False),
        (take_down(type="oneshot"), False),
        (take_down(UnitState("user@1500.service", main_process_killed=True)), False),
        (take_down(UnitState("session-1.scope", main_process_killed=True)), False),
        (take_down(UnitState("dev-sda.swap", main_process_killed=True)), False),
        (take_down_by_kill(main=True), True),
        (take_down_by_kill(main=False), False),
        (take_down_by_kill(main=False, group=True), True),
        (take_down_by_kill(main=False, killer="systemd-oomd"), True),
        (take_down_by_kill(main=False, policy="kill"), True),
    ],
)
def test_a_unit_depends_on_restart_if_its_main_process_may_have_been_killed(unit: TakenDown, *, depends: bool) -> None:
    assert depends_on_restart(unit) is depends


@pytest.mark.parametrize(
    ("changes", "down"),
    [
        ({}, True),
        ({"active_state": "inactive"}, True),
        ({"active_state": "activating"}, False),
        ({"active_state": "deactivating"}, False),
        ({"active_state": "active"}, False),
        ({"result": "exit-code"}, False),
        ({"result": "signal"}, False),
        ({"active_state": None}, None),
    ],
)
def test_a_unit_is_down_if_systemd_says_so(changes: dict[str, t.Any], down: bool | None) -> None:
    assert is_down(take_down(**changes)) is down


@pytest.mark.parametrize(("active_state", "down"), [("failed", True), ("activating", False), ("active", False)])
def test_a_unit_that_the_kill_of_its_main_process_ended_is_down(active_state: str, *, down: bool) -> None:
    unit = take_down(active_state=active_state, result="signal", oom_policy="continue", restart="no")
    assert is_down(unit._replace(ended_by_signal=True)) is down


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({}, None),
        ({"unit": "pool@main.service"}, None),
        ({"unit": "app.socket", "type": None}, None),
        ({"unit": "session-1.scope"}, "It was a group of processes that a program had started, and ended with them."),
        ({"unit": "user@1500.service"}, "It belongs to the login of a user, who starts it by logging in."),
        ({"type": "oneshot"}, "It is a job, not a service that keeps running. Run it again when it suits."),
        ({"is_transient": True}, "A program such as systemd-run had created it, and decides whether to run it again."),
        ({"timers": "backup.timer", "type": "oneshot"}, "backup.timer starts it the next time."),
    ],
)
def test_what_does_not_keep_running_by_itself_is_not_started(changes: dict[str, t.Any], refusal: str | None) -> None:
    assert find_start_refusal(DATABASE._replace(**changes)) == refusal
