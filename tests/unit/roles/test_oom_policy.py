# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role oom_policy makes of its variables, and of what was detected."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


def event(unit: str, result: str | None, policy: str | None, *, advised: bool) -> dict[str, t.Any]:
    remedies = [{"role": "oom_policy", "variables": {"oom_policy_units": [unit]}}] if advised else []
    effect = {"unit": unit, "result": result, "oom_policy": policy}
    return {"unit_effect": effect, "diagnosis": {"remedies": remedies}}


@pytest.mark.parametrize(
    ("events", "units"),
    [
        ([event("a.service", "oom-kill", "stop", advised=True)] * 2, ["a.service"]),
        ([event("a.service", "oom-kill", "continue", advised=False)], ["a.service"]),
        ([event("a.service", "oom-kill", None, advised=False)], []),
        ([event("a.service", "signal", "continue", advised=False)], []),
        ([{"unit_effect": None, "diagnosis": {"remedies": []}}], []),
    ],
    ids=["advised", "mended before", "gone", "main process", "no unit"],
)
def test_the_units_that_are_seen_to(events: list[dict[str, t.Any]], units: list[str]) -> None:
    assert value("oom_policy", "__oom_policy_detected", detect_result={"events": events}) == units


@pytest.mark.parametrize(("given", "restart"), [(False, "no"), (None, ""), ("", ""), ("always", "always")])
def test_restart_is_told_however_yaml_reads_it(given: t.Any, restart: str) -> None:
    assert value("oom_policy", "__oom_policy_restart", oom_policy_restart=given) == restart
