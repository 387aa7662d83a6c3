# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of a change of swap."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._swap.change import SwapChange
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import State, SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.steps import ClearLeftover
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    ABSENT,
    GIB,
    WANTED,
    managed,
    state,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import Kernel


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def change_to(wanted: Wanted, kernel: Kernel) -> SwapChange:
    return SwapChange(wanted=wanted, host=kernel.host, run=kernel)


def test_absent_below_missing_folder_changes_nothing(kernel: Kernel) -> None:
    absent = dataclasses.replace(ABSENT, path=f"{kernel.root}/gone/swapfile")
    _state, plan = bring(change_to(absent, kernel), check_mode=True)
    assert not plan.changed


def test_present_below_missing_folder_is_an_error(kernel: Kernel) -> None:
    present = dataclasses.replace(WANTED, path=f"{kernel.root}/gone/swapfile")
    with pytest.raises(SwapError, match="Could not examine the directory"):
        bring(change_to(present, kernel), check_mode=True)


def test_plan_names_the_fstab_of_the_host(kernel: Kernel) -> None:
    plan = change_to(WANTED, kernel).plan(state())
    assert plan.steps[-1].path == f"{kernel.root}/etc/fstab"


def test_plan_is_applied_on_the_host(kernel: Kernel) -> None:
    leftover = kernel.path.with_name(".swapfile.oomguard")
    leftover.touch()
    plan = Plan(steps=(ClearLeftover(path=str(leftover)),), before=())
    assert (change_to(WANTED, kernel).apply(plan), kernel.files()) == (plan, [])


def test_requested_state_is_verified(kernel: Kernel) -> None:
    change_to(WANTED, kernel).verify(managed(10 * GIB))


def test_use_after_boot_is_verified(kernel: Kernel) -> None:
    kernel.answers["systemctl"] = "Id=swapfile.swap\nLoadState=masked\nWantedBy=\n"
    with pytest.raises(SwapError, match=r"nothing wants its unit swapfile\.swap, whose load state is masked"):
        change_to(WANTED, kernel).verify(managed(10 * GIB))


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        (managed(10 * GIB, booted=False), WANTED),
        (state(), ABSENT),
        (managed(10 * GIB, fstab=""), dataclasses.replace(WANTED, persist="none")),
    ],
    ids=["other init", "no files", "until the next boot"],
)
def test_systemd_is_not_asked_without_need(kernel: Kernel, host: State, wanted: Wanted) -> None:
    change_to(wanted, kernel).verify(host)
    assert kernel.calls == []


def test_remaining_steps_fail_verification(kernel: Kernel) -> None:
    with pytest.raises(SwapError, match=r"these steps remain: create /swapfile\.1"):
        change_to(WANTED, kernel).verify(managed(GIB))


def test_state_needs_no_activation(kernel: Kernel) -> None:
    host = managed(10 * GIB)
    assert change_to(WANTED, kernel).activate(host, Plan(steps=(), before=host.areas)) is host


def test_nothing_is_undone(kernel: Kernel) -> None:
    error = SwapError("Could not enable it.", hint="Run the task again.")
    with pytest.raises(SwapError) as raised:
        change_to(WANTED, kernel).undo(Plan(steps=(), before=()), error)
    assert raised.value is error


def test_setting_is_the_total_swap(kernel: Kernel) -> None:
    assert change_to(WANTED, kernel).list_settings(managed(10 * GIB)) == [Setting("swap", "", 10 * GIB)]
