# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings in force on a host."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.merge import merge_records
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.settings import Reading, list_settings
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    make_record,
    make_result,
    make_unit,
    sum_up,
)

OLD = "2026-11-28T03:00:00Z"
NEW = "2026-11-29T03:00:00Z"


def make_down(policy: str | None, collected_at: str = NEW) -> Record:
    summary = sum_up(make_unit(oom_policy=policy))
    return make_record(result=make_result(summary=summary), collected_at=collected_at)


def make_remediated(policy: str | None, collected_at: str = NEW) -> Record:
    in_force = {"oom_policy": {"shop.service": policy}, "swap_total_bytes": None, "fcgid": {}}
    return make_record(result=make_result(), collected_at=collected_at, in_force=in_force)


def test_settings_are_named() -> None:
    in_force = {"oom_policy": {"a.service": "continue"}, "swap_total_bytes": 2**30, "fcgid": {"FcgidMaxProcesses": 7}}
    assert list_settings(make_record(result=make_result(), in_force=in_force)) == [
        Reading(NEW, "OOMPolicy of a.service", "continue"),
        Reading(NEW, "mod_fcgid: FcgidMaxProcesses", "7"),
        Reading(NEW, "total swap", "1.0 GiB"),
    ]


def test_policy_of_a_unit_that_went_down_is_known_without_remediation() -> None:
    assert list_settings(make_down("stop")) == [Reading(NEW, "OOMPolicy of shop.service", "stop")]


def test_unknown_setting_is_not_listed() -> None:
    assert list_settings(make_down(None)) == []
    assert list_settings(make_remediated(None)) == []


def test_newest_value_counts() -> None:
    merged = merge_records([make_remediated("continue", OLD), make_down("stop")])
    assert list_settings(merged) == [Reading(NEW, "OOMPolicy of shop.service", "stop")]
    merged = merge_records([make_remediated("continue"), make_down("stop", OLD)])
    assert list_settings(merged) == [Reading(NEW, "OOMPolicy of shop.service", "continue")]


def test_of_one_run_the_value_after_remediation_counts() -> None:
    record = {**make_down("stop"), "in_force": {"oom_policy": {"shop.service": "continue"}}}
    assert list_settings(record) == [Reading(NEW, "OOMPolicy of shop.service", "continue")]


def test_setting_that_the_last_run_did_not_read_is_as_old_as_it_is() -> None:
    swap = make_record(result=make_result(), in_force={"swap_total_bytes": 2**30}, collected_at=OLD)
    merged = merge_records([swap, make_remediated("continue")])
    assert list_settings(merged) == [
        Reading(NEW, "OOMPolicy of shop.service", "continue"),
        Reading(OLD, "total swap", "1.0 GiB"),
    ]
