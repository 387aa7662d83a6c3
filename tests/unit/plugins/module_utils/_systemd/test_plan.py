# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for a drop-in: what is written and read, and what needs a restart."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings, render_dropin
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Limit, Plan, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import is_restart_required, make_plan
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import (
    CONTINUE,
    PATH,
    TEXT,
    WANTED,
    state,
)


def test_existing_file_needs_nothing() -> None:
    assert not make_plan(state(), WANTED).changed


def test_new_file_is_written_and_read() -> None:
    assert make_plan(state(text=None), WANTED) == Plan(path=PATH, before=None, after=TEXT, reload=True)


def test_unread_file_is_read() -> None:
    assert make_plan(state(properties={"NeedDaemonReload": "yes"}), WANTED) == Plan(
        path=PATH, before=TEXT, after=TEXT, reload=True
    )


def test_file_is_not_read_if_reload_is_never() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", settings=CONTINUE, reload="never")).reload


def test_own_file_is_removed() -> None:
    plan = make_plan(state(), Wanted(unit="apache2.service", present=False))
    assert plan == Plan(path=PATH, before=TEXT, after=None, reload=True)


def test_missing_file_needs_no_removal() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", present=False)).changed


@pytest.mark.parametrize("present", [True, False])
def test_foreign_file_is_neither_replaced_nor_removed(present: bool) -> None:
    with pytest.raises(
        DropinError, match=rf"^{PATH} was not written by this module\. Choose another name, or use force"
    ):
        make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, present=present))


def test_force_replaces_foreign_file_and_keeps_backup() -> None:
    plan = make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, force=True))
    assert plan == Plan(path=PATH, before="[Service]\n", after=TEXT, backup=True, reload=True)


def test_change_by_set_property_is_undone_by_reload() -> None:
    assert make_plan(state(properties={"OOMPolicy": "stop"}), WANTED).reload


def test_override_by_later_file_needs_no_reload() -> None:
    overridden = state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"})
    assert not make_plan(overridden, WANTED).changed


def test_setting_in_force_needs_no_file_unless_pinned() -> None:
    assert not make_plan(state(text=None), dataclasses.replace(WANTED, pin=False)).changed


@pytest.mark.parametrize(
    ("directive", "values", "shown"),
    [
        ("CapabilityBoundingSet", ["CAP_KILL"], "cap_chown cap_kill"),
        ("Environment", ["", "A=1"], "A=1 B=2"),
    ],
)
def test_list_with_more_entries_needs_file(directive: str, values: list[str], shown: str) -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {directive: values}}, pin=False)
    assert make_plan(state(text=None, properties={directive: shown}), wanted).writes


def test_setting_in_force_is_pinned() -> None:
    assert make_plan(state(text=None), WANTED).after == TEXT


@pytest.mark.parametrize("properties", [{"OOMPolicy": "stop"}, {"NeedDaemonReload": "yes"}])
def test_file_is_written_if_setting_is_not_in_force(properties: dict[str, str]) -> None:
    plan = make_plan(state(text=None, properties=properties), dataclasses.replace(WANTED, pin=False))
    assert plan.after == TEXT


def test_existing_file_is_kept_up_to_date() -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {"OOMPolicy": ["kill"]}}, pin=False)
    assert make_plan(state(properties={"OOMPolicy": "kill"}), wanted).writes


def test_leftover_of_killed_run_is_removed() -> None:
    plan = make_plan(state(text=None, has_leftover=True), Wanted(unit="apache2.service", present=False))
    assert (plan.tidy, plan.changed, plan.writes) == (True, True, False)


def test_nothing_is_read_if_systemd_does_not_run() -> None:
    plan = make_plan(state(text=None, booted=False), dataclasses.replace(WANTED, reload="always"))
    assert (plan.writes, plan.reload) == (True, False)


def test_stale_limit_is_part_of_plan() -> None:
    file = pathlib.Path("/sys/fs/cgroup/x/memory.max")
    found = state(limits={"MemoryMax": Limit(file=file, value=None)}, properties={"MemoryMax": "1048576"})
    plan = make_plan(found, Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}}))
    assert plan.limits == (("MemoryMax", file, "1048576", "max"),)


@pytest.mark.parametrize(
    ("settings", "active", "verdict"),
    [
        (CONTINUE, "active", False),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "active", True),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "inactive", False),
    ],
)
def test_setting_that_processes_get_at_start_needs_restart(settings: Settings, active: str, verdict: bool) -> None:
    before = state(text=None, properties={"ActiveState": active})
    assert is_restart_required(before, make_plan(before, Wanted(unit="apache2.service", settings=settings))) is verdict


@pytest.mark.parametrize(("newer", "verdict"), [(True, True), (False, False)])
def test_earlier_change_still_needs_restart(newer: bool, verdict: bool) -> None:
    adjust: Settings = {"Service": {"OOMScoreAdjust": ["-500"]}}
    found = state(render_dropin(adjust), properties={"ActiveState": "active"}, newer_than_unit=newer)
    assert is_restart_required(found, make_plan(found, Wanted(unit="apache2.service", settings=adjust))) is verdict


@pytest.mark.parametrize(("newer", "verdict"), [(True, True), (False, False)])
def test_later_change_does_not_hide_pending_restart(newer: bool, verdict: bool) -> None:
    adjust: Settings = {"Service": {"OOMScoreAdjust": ["-500"]}}
    wanted = Wanted(unit="apache2.service", settings={"Service": {**adjust["Service"], "Restart": ["always"]}})
    before = state(render_dropin(adjust), properties={"ActiveState": "active"}, newer_than_unit=newer)
    after = dataclasses.replace(before, text=render_dropin(wanted.settings), newer_than_unit=True)
    assert is_restart_required(after, make_plan(before, wanted)) is verdict


@pytest.mark.parametrize(("active", "verdict"), [("active", True), ("inactive", False)])
def test_running_instance_needs_restart(active: str, verdict: bool) -> None:
    instance = state(text=None, properties={"ActiveState": active})
    before = state(text=None, properties={"ActiveState": "inactive"}, instances=(instance,))
    wanted = Wanted(unit="apache2@.service", settings={"Service": {"OOMScoreAdjust": ["-500"]}})
    assert is_restart_required(before, make_plan(before, wanted)) is verdict


@pytest.mark.parametrize(("limits", "verdict"), [({"MemoryMax": Limit(PATH, None)}, False), ({}, True)])
def test_limit_needs_restart_if_cgroup_lacks_its_file(limits: dict[str, Limit], verdict: bool) -> None:
    before = state(text=None, properties={"ActiveState": "active"}, limits=limits)
    plan = make_plan(before, Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}}))
    assert is_restart_required(before, plan) is verdict
