# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a drop-in: what is written, read, and left to a restart."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    DropinError,
    Limit,
    Plan,
    Settings,
    Wanted,
    render,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan, restart_required
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.states import (
    CONTINUE,
    PATH,
    TEXT,
    WANTED,
    state,
)


def test_what_is_there_already_needs_nothing() -> None:
    assert not make_plan(state(), WANTED).changed


def test_a_new_file_is_written_and_read() -> None:
    assert make_plan(state(text=None), WANTED) == Plan(path=PATH, before=None, after=TEXT, reload=True)


def test_what_systemd_has_not_read_yet_is_read() -> None:
    assert make_plan(state(properties={"NeedDaemonReload": "yes"}), WANTED) == Plan(
        path=PATH, before=TEXT, after=TEXT, reload=True
    )


def test_systemd_is_left_alone_where_told_so() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", settings=CONTINUE, reload="never")).reload


def test_our_file_is_removed() -> None:
    plan = make_plan(state(), Wanted(unit="apache2.service", present=False))
    assert plan == Plan(path=PATH, before=TEXT, after=None, reload=True)


def test_a_file_that_is_gone_already_needs_nothing() -> None:
    assert not make_plan(state(text=None), Wanted(unit="apache2.service", present=False)).changed


@pytest.mark.parametrize("present", [True, False])
def test_a_foreign_file_is_neither_replaced_nor_removed(present: bool) -> None:
    with pytest.raises(
        DropinError, match=rf"^{PATH} was not written by this module\. Choose another name, or use force"
    ):
        make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, present=present))


def test_force_replaces_a_foreign_file_and_keeps_it() -> None:
    plan = make_plan(state("[Service]\n"), Wanted(unit="apache2.service", settings=CONTINUE, force=True))
    assert plan == Plan(path=PATH, before="[Service]\n", after=TEXT, backup=True, reload=True)


def test_what_set_property_has_changed_is_read_again() -> None:
    assert make_plan(state(properties={"OOMPolicy": "stop"}), WANTED).reload


def test_reading_again_would_not_help_against_a_later_file() -> None:
    overridden = state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"})
    assert not make_plan(overridden, WANTED).changed


def test_what_the_unit_has_itself_needs_no_file() -> None:
    assert not make_plan(state(text=None), dataclasses.replace(WANTED, pin=False)).changed


@pytest.mark.parametrize(
    ("directive", "values", "shown"),
    [
        ("CapabilityBoundingSet", ["CAP_KILL"], "cap_chown cap_kill"),
        ("Environment", ["", "A=1"], "A=1 B=2"),
    ],
)
def test_a_list_that_the_unit_has_more_of_needs_the_file(directive: str, values: list[str], shown: str) -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {directive: values}}, pin=False)
    assert make_plan(state(text=None, properties={directive: shown}), wanted).writes


def test_what_the_unit_has_itself_is_pinned() -> None:
    assert make_plan(state(text=None), WANTED).after == TEXT


@pytest.mark.parametrize("properties", [{"OOMPolicy": "stop"}, {"NeedDaemonReload": "yes"}])
def test_a_file_is_written_unless_all_is_in_force(properties: dict[str, str]) -> None:
    plan = make_plan(state(text=None, properties=properties), dataclasses.replace(WANTED, pin=False))
    assert plan.after == TEXT


def test_a_file_that_is_there_is_kept_up_to_date() -> None:
    wanted = Wanted(unit="apache2.service", settings={"Service": {"OOMPolicy": ["kill"]}}, pin=False)
    assert make_plan(state(properties={"OOMPolicy": "kill"}), wanted).writes


def test_what_a_killed_run_has_left_is_removed() -> None:
    plan = make_plan(state(text=None, leftover=True), Wanted(unit="apache2.service", present=False))
    assert (plan.tidy, plan.changed, plan.writes) == (True, True, False)


def test_where_systemd_does_not_run_nothing_is_read() -> None:
    plan = make_plan(state(text=None, booted=False), dataclasses.replace(WANTED, reload="always"))
    assert (plan.writes, plan.reload) == (True, False)


def test_a_limit_that_the_kernel_has_not_is_part_of_the_plan() -> None:
    file = pathlib.Path("/sys/fs/cgroup/x/memory.max")
    found = state(limits={"MemoryMax": Limit(file=file, value=None)}, properties={"MemoryMax": "1048576"})
    plan = make_plan(found, Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}}))
    assert plan.limits == ((file, "1048576"),)


@pytest.mark.parametrize(
    ("settings", "active", "verdict"),
    [
        (CONTINUE, "active", False),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "active", True),
        ({"Service": {"OOMScoreAdjust": ["-500"]}}, "inactive", False),
    ],
)
def test_only_what_processes_get_at_their_start_needs_a_restart(settings: Settings, active: str, verdict: bool) -> None:
    before = state(text=None, properties={"ActiveState": active})
    assert restart_required(before, make_plan(before, Wanted(unit="apache2.service", settings=settings))) is verdict


@pytest.mark.parametrize(("newer", "verdict"), [(True, True), (False, False)])
def test_an_older_change_still_needs_the_restart(newer: bool, verdict: bool) -> None:
    adjust: Settings = {"Service": {"OOMScoreAdjust": ["-500"]}}
    found = state(render(adjust), properties={"ActiveState": "active"}, newer_than_unit=newer)
    assert restart_required(found, make_plan(found, Wanted(unit="apache2.service", settings=adjust))) is verdict


@pytest.mark.parametrize(("newer", "verdict"), [(True, True), (False, False)])
def test_a_further_change_does_not_hide_one_that_waits(newer: bool, verdict: bool) -> None:
    adjust: Settings = {"Service": {"OOMScoreAdjust": ["-500"]}}
    wanted = Wanted(unit="apache2.service", settings={"Service": {**adjust["Service"], "Restart": ["always"]}})
    before = state(render(adjust), properties={"ActiveState": "active"}, newer_than_unit=newer)
    after = dataclasses.replace(before, text=render(wanted.settings), newer_than_unit=True)
    assert restart_required(after, make_plan(before, wanted)) is verdict


@pytest.mark.parametrize(("active", "verdict"), [("active", True), ("inactive", False)])
def test_an_instance_of_a_template_needs_the_restart(active: str, verdict: bool) -> None:
    instance = state(text=None, properties={"ActiveState": active})
    before = state(text=None, properties={"ActiveState": "inactive"}, instances=(instance,))
    wanted = Wanted(unit="apache2@.service", settings={"Service": {"OOMScoreAdjust": ["-500"]}})
    assert restart_required(before, make_plan(before, wanted)) is verdict


@pytest.mark.parametrize(("limits", "verdict"), [({"MemoryMax": Limit(PATH, None)}, False), ({}, True)])
def test_a_limit_needs_a_restart_where_its_cgroup_does_not_have_it(limits: dict[str, Limit], verdict: bool) -> None:
    before = state(text=None, properties={"ActiveState": "active"}, limits=limits)
    plan = make_plan(before, Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}}))
    assert restart_required(before, plan) is verdict
