# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role oom_policy makes of its variables, and of what was detected."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


def event(result: str | None, policy: str | None) -> dict[str, t.Any]:
    return {"unit_effect": {"unit": "a.service", "result": result, "oom_policy": policy}}


@pytest.mark.parametrize(
    ("events", "advised", "units"),
    [
        ([event("oom-kill", "stop")], ["a.service"], ["a.service"]),
        ([event("oom-kill", "continue")] * 2, [], ["a.service"]),
        ([event("oom-kill", None)], [], []),
        ([event("signal", "continue")], [], []),
        ([{"unit_effect": None}], [], []),
    ],
    ids=["advised", "mended before", "gone", "main process", "no unit"],
)
def test_the_units_that_are_seen_to(events: list[dict[str, t.Any]], advised: list[str], units: list[str]) -> None:
    remedies = [{"role": "oom_policy", "variables": {"oom_policy_units": [unit]}} for unit in advised]
    remedies += [{"role": "swap", "variables": {"swap_size": "1G"}}]
    assert value("oom_policy", "__oom_policy_units", detect_result={"events": events, "remedies": remedies}) == units


@pytest.mark.parametrize(
    "given", [["a.service", "b.service"], "a.service,b.service", "a.service, b.service"], ids=["list", "text", "blank"]
)
def test_units_are_named_as_people_name_them(given: t.Any) -> None:
    assert value("oom_policy", "__oom_policy_units", oom_policy_units=given) == ["a.service", "b.service"]


@pytest.mark.parametrize(("given", "restart"), [(False, "no"), (None, ""), ("", ""), ("always", "always")])
def test_restart_is_told_however_yaml_reads_it(given: t.Any, restart: str) -> None:
    assert value("oom_policy", "__oom_policy_restart", oom_policy_restart=given) == restart
