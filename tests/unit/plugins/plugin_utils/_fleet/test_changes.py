# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the results of the roles say about changes."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.changes import (
    Change,
    describe_change,
    list_changes,
    read_in_force,
)

DROPIN = {"oom_policy_unit": "shop.service", "changed": True, "effective": {"Service": {"OOMPolicy": "continue"}}}
SWAP = {"changed": True, "before": {"total_bytes": 0}, "after": {"total_bytes": 1024}}
FCGID = {"changed": True, "unit": "apache2.service", "effective": {"FcgidProcessLifeTime": 600}}
SECOND = {**FCGID, "unit": "apache2@second.service", "effective": {"FcgidProcessLifeTime": 60}}
UNIT = {"unit": "shop.service", "oom_policy": "stop", "active_state": "failed"}
FOUND = {"summary": {"taken_down": [UNIT]}}


@pytest.mark.parametrize(
    ("name", "result", "change"),
    [
        (
            "oom_policy_set",
            {"results": [DROPIN]},
            Change("oom_policy", "drop-in of shop.service", "OOMPolicy=stop", "OOMPolicy=continue"),
        ),
        ("__swap_set", SWAP, Change("swap", "total swap", "0 B", "1.0 KiB")),
        (
            "fcgid_set",
            {"results": [FCGID]},
            Change("fcgid", "directives of mod_fcgid in apache2.service", None, "FcgidProcessLifeTime 600"),
        ),
        (
            "fcgid_ceilings_set",
            {"results": [{**DROPIN, "__fcgid_result": FCGID}]},
            Change("fcgid", "ceilings of apache2.service", None, "OOMPolicy=continue"),
        ),
        (
            "__oom_policy_default_set",
            {"changed": True, "effective": {"Manager": {"DefaultOOMPolicy": "continue"}}},
            Change("oom_policy", "default of all units", None, "DefaultOOMPolicy=continue"),
        ),
        ("__zram_set", {"changed": True}, Change("zram", "compressed swap area")),
        (
            "oomguard_started",
            {"results": [{"oomguard_unit": "shop.service", "changed": True}]},
            Change("start", "shop.service", "failed", "started"),
        ),
    ],
    ids=["drop-in", "swap", "directives", "ceilings", "default", "zram", "start"],
)
def test_result_that_changed_something_is_a_change(name: str, result: dict[str, t.Any], change: Change) -> None:
    assert list(list_changes({"detect_result": FOUND, name: result})) == [change]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"detect_result": {"unreachable": True}},
        {"__swap_set": {**SWAP, "changed": False}},
        {"__swap_set": {"skipped": True, "changed": False}},
        {"oom_policy_set": {"results": [{**DROPIN, "changed": False}]}},
        {"oom_policy_set": {"skipped": True, "results": []}},
    ],
)
def test_result_that_changed_nothing_is_no_change(variables: dict[str, t.Any]) -> None:
    assert list(list_changes(variables)) == []


def test_each_instance_of_apache_is_a_change() -> None:
    changes = list_changes({"fcgid_set": {"results": [SECOND, FCGID]}})
    assert [change.after for change in changes] == ["FcgidProcessLifeTime 60", "FcgidProcessLifeTime 600"]


def test_file_and_its_use_are_one_change() -> None:
    changes = list_changes({"__swap_sysctl_file": {"changed": True}, "__swap_sysctl_applied": {"changed": True}})
    assert list(changes) == [Change("swap", "kernel settings for swap")]


def test_what_was_before_is_null_if_it_is_not_known() -> None:
    (change,) = list_changes({"oom_policy_set": {"results": [DROPIN]}})
    assert change.before is None


def test_change_has_a_time_in_the_record() -> None:
    described = describe_change(Change("swap", "total swap", "0 B", "1.0 GiB"), time="2026-11-29T03:00:00Z")
    assert described == {"time": "2026-11-29T03:00:00Z", "what": "total swap", "before": "0 B", "after": "1.0 GiB"}


def test_settings_in_force_are_those_that_the_modules_saw() -> None:
    in_force = read_in_force(
        {"oom_policy_set": {"results": [DROPIN]}, "__swap_set": SWAP, "fcgid_set": {"results": [SECOND, FCGID]}}
    )
    assert in_force == {
        "oom_policy": {"shop.service": "continue"},
        "swap_total_bytes": 1024,
        "fcgid": {"FcgidProcessLifeTime": 600},
    }


def test_settings_that_no_module_saw_are_null() -> None:
    assert read_in_force({}) == {"oom_policy": {}, "swap_total_bytes": None, "fcgid": {}}
