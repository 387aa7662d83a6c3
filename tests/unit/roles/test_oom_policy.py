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


def make_remedy(unit: str, *, trusted: bool = True, automatic: bool = True) -> dict[str, t.Any]:
    variables = {"oom_policy_units": [unit]}
    return {"role": "oom_policy", "variables": variables, "trusted": trusted, "automatic": automatic}


def test_remedies_of_a_foreign_journal_and_choices_are_left_alone() -> None:
    remedies = [
        make_remedy("ssh.service", trusted=False),
        make_remedy("user-.slice", automatic=False),
        make_remedy("a.service"),
    ]
    found = {"events": [], "remedies": remedies, "summary": {"taken_down": []}}
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
    remedies += [{**make_remedy("a.service"), "role": "swap", "variables": {"swap_size": "1G"}}]
    found = {"events": events, "remedies": remedies, "summary": {"taken_down": []}}
    assert value("oom_policy", "__oom_policy_units", detect_result=found) == units


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


@pytest.mark.parametrize(
    ("unit", "section", "settings"),
    [
        ("a.service", "Service", {"MemoryMax": "1G", "OOMPolicy": "continue", "Restart": "on-failure"}),
        ("a@.service", "Service", {"MemoryMax": "1G", "OOMPolicy": "continue", "Restart": "on-failure"}),
        ("service.d", "Service", {"MemoryMax": "1G", "OOMPolicy": "continue", "Restart": "on-failure"}),
        ("user-.slice", "Slice", {"MemoryMax": "1G"}),
        ("slice.d", "Slice", {"MemoryMax": "1G"}),
        ("session-.scope", "Scope", {"MemoryMax": "1G"}),
    ],
)
def test_settings_suit_the_kind_of_unit(unit: str, section: str, settings: dict[str, str]) -> None:
    expression = "{__oom_policy_section: __oom_policy_settings}"
    variables = {"oom_policy_memory_max": "1G", "oom_policy_restart": "on-failure"}
    assert value("oom_policy", expression, oom_policy_unit=unit, **variables) == {section: settings}


@pytest.mark.parametrize(
    ("results", "units"),
    [
        ([{"oom_killed_units": ["a.service"]}, {"oom_killed_units": ["b@1.service", "a.service"]}], 2),
        ([{"oom_killed_units": []}, {"failed": True}], 0),
    ],
    ids=["dead", "failed"],
)
def test_dead_units_are_those_that_the_module_reports(results: list[dict[str, t.Any]], units: int) -> None:
    found = value("oom_policy", "__oom_policy_dead_units", oom_policy_units=[], oom_policy_set={"results": results})
    assert found == ["a.service", "b@1.service"][:units]


@pytest.mark.parametrize(
    ("unit", "is_dead"),
    [
        ({"unit": "a.service", "is_down": True, "start_refusal": None}, True),
        ({"unit": "a.service", "is_down": False, "start_refusal": None}, False),
        ({"unit": "a.service", "is_down": None, "start_refusal": None}, False),
        ({"unit": "a.service", "is_down": True, "start_refusal": "It is a job."}, False),
        ({"unit": "b.service", "is_down": True, "start_refusal": None}, False),
    ],
    ids=["down", "up", "unknown", "job", "not configured"],
)
def test_configured_units_that_detection_found_down_are_dead(unit: dict[str, t.Any], *, is_dead: bool) -> None:
    found = {"events": [], "remedies": [], "summary": {"taken_down": [unit]}}
    known = {"detect_result": found, "oom_policy_units": ["a.service"]}
    assert value("oom_policy", "__oom_policy_dead_units", **known) == ["a.service"] * is_dead


def test_no_unit_is_dead_if_none_was_configured() -> None:
    assert value("oom_policy", "__oom_policy_dead_units", oom_policy_units=[]) == []


@pytest.mark.parametrize(
    ("unit", "several"),
    [
        ("a.service", False),
        ("a@1.service", False),
        ("a-b.service", False),
        ("a.d.service", False),
        ("a@.service", True),
        ("a-.service", True),
        ("service.d", True),
    ],
)
def test_name_may_stand_for_several_units(unit: str, several: bool) -> None:
    assert value("oom_policy", "oom_policy_unit is search(__oom_policy_several)", oom_policy_unit=unit) is several


RESTART = {"oom_policy_units": ["database.service"], "oom_policy_restart": "on-failure"}


def settings_of(unit: str, *variables: dict[str, t.Any], trusted: bool = True, **given: t.Any) -> dict[str, t.Any]:
    """Return the settings of a unit with these variables of remedies."""
    remedies = [{**make_remedy(unit, trusted=trusted), "variables": one} for one in variables]
    found = {"events": [], "remedies": remedies, "summary": {"taken_down": []}}
    known = {"detect_result": found, "oom_policy_unit": unit, **given}
    settings: dict[str, t.Any] = value("oom_policy", "__oom_policy_settings", **known)
    return {name: setting for name, setting in settings.items() if setting}


@pytest.mark.parametrize(
    ("variables", "given", "restart"),
    [
        (RESTART, {}, "on-failure"),
        (RESTART, {"oom_policy_restart": "always"}, "always"),
        (RESTART, {"oom_policy_units": ["database.service"]}, None),
        (RESTART, {"trusted": False}, None),
        ({**RESTART, "oom_policy_units": ["other.service"]}, {}, None),
    ],
    ids=["advised", "set", "units named", "not trusted", "another unit"],
)
def test_a_unit_gets_the_restart_that_is_advised_for_it(
    variables: dict[str, t.Any], given: dict[str, t.Any], restart: str | None
) -> None:
    assert settings_of("database.service", variables, **given).get("Restart") == restart


@pytest.mark.parametrize(("advised", "policy"), [({}, "continue"), ({"oom_policy_policy": "kill"}, "kill")])
def test_a_unit_keeps_the_policy_that_is_advised_for_it(advised: dict[str, str], policy: str) -> None:
    assert settings_of("database.service", {**RESTART, **advised})["OOMPolicy"] == policy


def test_a_unit_that_depends_on_its_restart_is_not_configured_without_it() -> None:
    taken_down = [{"unit": "a.service", "depends_on_restart": True}]
    found = {"events": [event("oom-kill", "continue")], "remedies": [], "summary": {"taken_down": taken_down}}
    assert value("oom_policy", "__oom_policy_units", detect_result=found) == []
