# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role oom_policy, and the units that it derives from detection."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


def event(result: str | None, policy: str | None, *, trusted: bool = True) -> dict[str, t.Any]:
    return {"trusted": trusted, "unit_effect": {"unit": "a.service", "result": result, "oom_policy": policy}}


def make_remedy(unit: str, *, trusted: bool = True) -> dict[str, t.Any]:
    return {"role": "oom_policy", "variables": {"oom_policy_units": [unit]}, "trusted": trusted}


def test_remedies_of_a_foreign_journal_are_left_alone() -> None:
    found = {"events": [], "remedies": [make_remedy("ssh.service", trusted=False), make_remedy("a.service")]}
    assert value("oom_policy", "__oom_policy_units", detect_result=found) == ["a.service"]


@pytest.mark.parametrize(
    ("events", "advised", "units"),
    [
        ([event("oom-kill", "stop")], ["a.service"], ["a.service"]),
        ([event("oom-kill", "continue")] * 2, [], ["a.service"]),
        ([event("oom-kill", None)], [], []),
        ([event("signal", "continue")], [], []),
        ([{"trusted": True, "unit_effect": None}], [], []),
        ([event("oom-kill", "continue", trusted=False)], [], []),
    ],
    ids=["advised", "fixed before", "gone", "main process", "no unit", "not trusted"],
)
def test_detected_units_are_configured(events: list[dict[str, t.Any]], advised: list[str], units: list[str]) -> None:
    remedies = [make_remedy(unit) for unit in advised]
    remedies += [{"role": "swap", "variables": {"swap_size": "1G"}, "trusted": True}]
    assert value("oom_policy", "__oom_policy_units", detect_result={"events": events, "remedies": remedies}) == units


@pytest.mark.parametrize(
    "given",
    [["a.service", "b.service"], "a.service,b.service", "a.service, b.service"],
    ids=["list", "string", "string with blanks"],
)
def test_units_are_a_list_or_a_string(given: t.Any) -> None:
    assert value("oom_policy", "__oom_policy_units", oom_policy_units=given) == ["a.service", "b.service"]


@pytest.mark.parametrize(("given", "restart"), [(False, "no"), (None, ""), ("", ""), ("always", "always")])
def test_restart_accepts_a_yaml_boolean(given: t.Any, restart: str) -> None:
    assert value("oom_policy", "__oom_policy_restart", oom_policy_restart=given) == restart
