# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import Limit, State, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import build_result, list_settings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import (
    LATER,
    WANTED,
    state,
)

MEMORY = pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service/memory.max")


def build(found: State, wanted: Wanted = WANTED) -> dict[str, t.Any]:
    return build_result(found, make_plan(found, wanted), wanted)


def test_setting_in_force_is_verified() -> None:
    result = build(state())
    assert (result["effective"], result["verified"]) == ({"Service": {"OOMPolicy": "continue"}}, True)


def test_override_is_returned_once_and_not_verified() -> None:
    result = build(state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"}))
    override = {"section": "Service", "directive": "OOMPolicy", "value": "stop", "path": LATER}
    assert (result["overridden_by"], result["verified"]) == ([override], False)


def test_check_mode_shows_what_would_be_in_force() -> None:
    found = state(text=None, properties={"OOMPolicy": "stop"})
    result = build_result(found, make_plan(found, WANTED), WANTED, check_mode=True)
    expected: tuple[t.Any, ...] = ({"Service": {"OOMPolicy": "continue"}}, [], False, ["OOMPolicy"], False)
    keys = ("effective", "overridden_by", "verified", "unverified", "reload_required")
    assert tuple(result[key] for key in keys) == expected


def test_check_mode_shows_the_file_that_would_win() -> None:
    found = state(text=None, later="[Service]\nOOMPolicy=kill\n", properties={"OOMPolicy": "kill"})
    result = build_result(found, make_plan(found, WANTED), WANTED, check_mode=True)
    override = {"section": "Service", "directive": "OOMPolicy", "value": "kill", "path": LATER}
    assert (result["effective"], result["overridden_by"]) == ({"Service": {"OOMPolicy": "kill"}}, [override])


def test_check_mode_shows_values_in_force_as_systemd_prints_them() -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1G"], "OOMPolicy": ["stop"]}})
    found = state(properties={"MemoryMax": str(1 << 30)})
    result = build_result(found, make_plan(found, wanted), wanted, check_mode=True)
    assert result["effective"] == {"Service": {"MemoryMax": str(1 << 30), "OOMPolicy": "stop"}}


@pytest.mark.parametrize(
    ("directive", "values", "effective"),
    [
        ("Environment", ["A=1", "", "B=2", "C=3"], "B=2 C=3"),
        ("Restart", ["no", "always"], "always"),
        ("Nice", [""], ""),
    ],
)
def test_check_mode_shows_what_remains_of_the_values(directive: str, values: list[str], effective: str) -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {directive: values}})
    found = state(text=None)
    result = build_result(found, make_plan(found, wanted), wanted, check_mode=True)
    assert result["effective"] == {"Service": {directive: effective}}


def test_check_mode_shows_that_a_reload_would_be_required() -> None:
    wanted = dataclasses.replace(WANTED, reload="never")
    found = state(text=None, properties={"OOMPolicy": "stop"})
    assert build_result(found, make_plan(found, wanted), wanted, check_mode=True)["reload_required"] is True


def test_nothing_is_predicted_if_systemd_does_not_run() -> None:
    found = state(text=None, booted=False)
    result = build_result(found, make_plan(found, WANTED), WANTED, check_mode=True)
    assert (result["effective"], result["unverified"], result["reload_required"]) == ({}, ["OOMPolicy"], False)


def test_nothing_is_effective_if_systemd_does_not_run() -> None:
    result = build(state(booted=False))
    assert (result["effective"], result["unverified"], result["verified"]) == ({}, ["OOMPolicy"], False)


def test_removed_dropin_is_verified_without_values() -> None:
    result = build(state(), dataclasses.replace(WANTED, present=False))
    assert (result["effective"], result["unverified"], result["verified"]) == ({}, [], True)


def test_lower_limit_above_unit_is_the_tightest() -> None:
    limits = {"MemoryMax": Limit(MEMORY, 1 << 30, (("/system.slice", 1 << 20),)), "TasksMax": Limit(MEMORY, 7)}
    wanted = Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1G"]}})
    result = build(state(limits=limits, properties={"MemoryMax": str(1 << 30)}), wanted)
    assert result["limits"] == {
        "MemoryMax": {"value": 1 << 30, "tightest_value": 1 << 20, "tightest_cgroup": "/system.slice"}
    }


def test_own_limit_is_the_tightest_without_lower_one_above() -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {"TasksMax": ["7"]}})
    result = build(state(limits={"TasksMax": Limit(MEMORY, 7)}, properties={"TasksMax": "7"}), wanted)
    assert result["limits"] == {"TasksMax": {"value": 7, "tightest_value": 7, "tightest_cgroup": None}}


def test_active_state_is_that_of_a_running_instance() -> None:
    instance = state(properties={"ActiveState": "active"})
    result = build(state(properties={"ActiveState": "inactive"}, instances=(instance,)))
    assert result["active_state"] == "active"


def test_active_state_is_that_of_the_unit_if_nothing_runs() -> None:
    assert build(state(properties={"ActiveState": "failed"}))["active_state"] == "failed"


@pytest.mark.parametrize(
    ("active", "result", "killed"),
    [("failed", "oom-kill", ["b.service"]), ("failed", "exit-code", []), ("active", "oom-kill", [])],
)
def test_unit_that_an_oom_kill_ended_is_returned(active: str, result: str, killed: list[str]) -> None:
    found = state(properties={"Id": "b.service", "ActiveState": active, "Result": result})
    assert build(found)["oom_killed_units"] == killed


def test_instances_that_an_oom_kill_ended_are_returned() -> None:
    ended = {"ActiveState": "failed", "Result": "oom-kill"}
    instances = [state(properties={"Id": f"b@{number}.service", **ended}) for number in (1, 2)]
    assert build(state(instances=tuple(instances)))["oom_killed_units"] == ["b@1.service", "b@2.service"]


def test_units_with_another_value_in_force_are_exceptions() -> None:
    values = ["continue", "stop"]
    instances = [state(properties={"Id": f"a@{value}.service", "OOMPolicy": value}) for value in values]
    assert build(state(instances=tuple(instances)))["exceptions"] == ["a@stop.service"]


LIMITED = Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1G"]}})


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (state(text=None, properties={"OOMPolicy": "stop"}), "stop"),
        (state(), "continue"),
        (state(booted=False), "continue"),
    ],
    ids=["no file", "in force", "no systemd"],
)
def test_settings_have_the_values_in_force(found: State, value: str) -> None:
    assert list_settings(found, WANTED) == [
        Setting("drop-in 50-oomguard", "apache2.service"),
        Setting("OOMPolicy", "apache2.service", value),
    ]


def test_setting_that_is_removed_has_the_value_in_the_file() -> None:
    _file, policy = list_settings(state(), Wanted(unit="apache2.service", present=False))
    assert policy == Setting("OOMPolicy", "apache2.service", "continue")


@pytest.mark.parametrize(("shown", "value"), [(str(1 << 30), 1 << 30), ("infinity", "infinity")])
def test_size_is_a_number_of_bytes(shown: str, value: str | int) -> None:
    found = state(text=None, properties={"MemoryMax": shown})
    assert list_settings(found, LIMITED)[1] == Setting("MemoryMax", "apache2.service", value)


def test_setting_is_that_of_the_unit_behind_an_alias() -> None:
    found = state(properties={"Id": "apache2.service"})
    alias = dataclasses.replace(WANTED, unit="httpd.service")
    assert {setting.object for setting in list_settings(found, alias)} == {"apache2.service"}


def test_setting_of_a_template_is_that_of_the_template() -> None:
    found = state(properties={"Id": "shop@1.service"}, instances=(state(),))
    template = dataclasses.replace(WANTED, unit="shop@.service")
    assert {setting.object for setting in list_settings(found, template)} == {"shop@.service"}


@pytest.mark.parametrize("directive", ["Environment", "SetCredential", "SetCredentialEncrypted"])
def test_values_that_may_be_secret_are_no_settings(directive: str) -> None:
    found = state(text=f"[Service]\n{directive}=KEY=x\nOOMPolicy=continue\n")
    assert [setting.what for setting in list_settings(found, WANTED)] == ["drop-in 50-oomguard", "OOMPolicy"]
