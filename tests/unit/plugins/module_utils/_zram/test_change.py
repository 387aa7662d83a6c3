# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of zram0 on a simulated host."""

from __future__ import annotations

import contextlib
import dataclasses
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils import _change
from ansible_collections.oomguard.linux.plugins.module_utils._change_record import Setting
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._files import FileError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.change import ZramChange
from ansible_collections.oomguard.linux.plugins.module_utils._zram.config import render_config
from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import State, Wanted, ZramError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.plan import Plan
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import (
    ABSENT,
    HALF,
    MIB,
    WANTED,
    Machine,
)

ZSTD = dataclasses.replace(WANTED, algorithm="zstd")


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


class UnlockedChange(ZramChange):
    """A change on a host that no other run changes."""

    def lock(self) -> t.ContextManager[None]:
        return contextlib.nullcontext()


def bring(wanted: Wanted, machine: Machine, *, check_mode: bool = False) -> tuple[State, Plan]:
    return _change.bring(UnlockedChange(wanted=wanted, host=machine.host), check_mode=check_mode)


def test_device_is_set_up(machine: Machine) -> None:
    state, plan = bring(WANTED, machine)
    assert state.device is not None
    assert (state.device.size_bytes, state.device.algorithm, plan.changed) == (HALF, "lzo-rle", True)


def test_second_run_changes_nothing(machine: Machine) -> None:
    bring(WANTED, machine)
    assert not bring(WANTED, machine)[1].changed


def test_check_mode_changes_nothing(machine: Machine) -> None:
    bring(WANTED, machine, check_mode=True)
    assert machine.config == ""


def test_device_is_stopped_before_systemd_forgets_its_unit(machine: Machine) -> None:
    bring(WANTED, machine)
    machine.calls.clear()
    state, _plan = bring(ABSENT, machine)
    verbs = [command[1] for command in machine.calls if command[0] == "systemctl" and command[1] != "show"]
    assert (state.device, verbs) == (None, ["stop", "stop", "daemon-reload"])


def test_device_is_set_up_anew_with_another_algorithm(machine: Machine) -> None:
    bring(WANTED, machine)
    state, _plan = bring(ZSTD, machine)
    assert state.device is not None
    assert state.device.algorithm == "zstd"


def test_ignored_setting_is_undone(machine: Machine) -> None:
    bring(WANTED, machine)
    machine.ignored = "compression-algorithm"
    with pytest.raises(ZramError, match=r"lzo-rle\. The old configuration was put back\."):
        bring(ZSTD, machine)
    assert machine.config == render_config(WANTED)


def test_ignored_setting_leaves_no_new_device(machine: Machine) -> None:
    machine.ignored = "compression-algorithm"
    with pytest.raises(ZramError, match="The old configuration was put back"):
        bring(ZSTD, machine)
    assert (machine.config, machine.active) == ("", "inactive")


def test_failed_start_is_reported_first(machine: Machine) -> None:
    bring(WANTED, machine)
    machine.refused = ("systemctl", "start", "dev-zram0.swap")
    with pytest.raises(
        OomguardError, match=r"Could not start dev-zram0.swap.*Restoring the old state failed as well: Could not start"
    ):
        bring(ZSTD, machine)


def test_room_is_checked_again_before_the_device_is_stopped(machine: Machine) -> None:
    bring(WANTED, machine)
    change = ZramChange(wanted=ZSTD, host=machine.host)
    plan = change.plan(change.observe())
    machine.write_swaps(f"/dev/zram0 partition {HALF // 1024} {HALF // 1024} 100")
    machine.write("proc/meminfo", f"MemTotal: 1024000 kB\nMemAvailable: {100 * MIB // 1024} kB\n")
    with pytest.raises(SwapError, match="Refused to switch off /dev/zram0"):
        change.apply(plan)
    assert machine.active == "active"


def test_check_mode_finds_a_place_that_cannot_be_written(machine: Machine) -> None:
    machine.write("etc/systemd/zram-generator.conf.d", "not a directory")
    with pytest.raises(FileError, match=r"zram-generator\.conf\.d"):
        bring(WANTED, machine, check_mode=True)


def test_setting_is_the_size_of_the_device(machine: Machine) -> None:
    state, plan = bring(WANTED, machine)
    change = ZramChange(wanted=WANTED, host=machine.host)
    assert change.list_settings(state) == [Setting("zram", "", HALF)]
    assert change.list_settings(plan.state) == [Setting("zram", "", 0)]
