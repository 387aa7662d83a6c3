# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host's zram0."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import ZramError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.observe import observe_state
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import HALF, MIB, RAM, Machine


@pytest.fixture
def machine(tmp_path: pathlib.Path) -> Machine:
    return Machine(tmp_path)


def test_host_without_device(machine: Machine) -> None:
    state = observe_state(machine.host)
    assert (state.device, state.config, state.ram_bytes, state.memory_available_bytes) == (None, "", RAM, 400 * MIB)


def test_host_with_device(machine: Machine) -> None:
    machine.write("etc/systemd/zram-generator.conf.d/50-oomguard.conf", "swap-priority = 7\n")
    machine.start()
    device = observe_state(machine.host).device
    assert device is not None
    assert (device.size_bytes, device.priority, device.algorithm, device.memory_bytes, device.generated) == (
        HALF,
        7,
        "lzo-rle",
        12288,
        True,
    )


def test_device_of_another_program(machine: Machine) -> None:
    machine.write("etc/systemd/zram-generator.conf.d/50-oomguard.conf", "swap-priority = 7\n")
    machine.start()
    machine.active = "inactive"
    device = observe_state(machine.host).device
    assert device is not None
    assert not device.generated


def test_unknown_algorithm(machine: Machine) -> None:
    machine.write("etc/systemd/zram-generator.conf.d/50-oomguard.conf", "swap-priority = 7\n")
    machine.start()
    machine.write("sys/block/zram0/comp_algorithm", "\n")
    device = observe_state(machine.host).device
    assert device is not None
    assert device.algorithm == ""


def test_other_areas_are_not_the_device(machine: Machine) -> None:
    machine.write_swaps("/swapfile file 1024 0 -2", "/dev/zram1 partition 1024 0 100")
    state = observe_state(machine.host)
    assert (state.device, len(state.areas)) == (None, 2)


def test_missing_generator(machine: Machine) -> None:
    (machine.root / "usr/lib/systemd/system-generators/zram-generator").unlink()
    assert not observe_state(machine.host).has_generator


def test_container(machine: Machine) -> None:
    machine.write("run/systemd/container", "lxc\n")
    assert observe_state(machine.host).container == "lxc"


def test_host_without_proc(machine: Machine) -> None:
    (machine.root / "proc/swaps").unlink()
    with pytest.raises(ZramError, match=r"Could not read .*/proc/swaps: there is no such file"):
        observe_state(machine.host)
