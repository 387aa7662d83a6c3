# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a host may resume from."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import observe_state
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import write_file
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import Kernel, make_swap


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def physical_page(path: pathlib.Path) -> int:
    """Return the page at which the file begins on its device, according to filefrag(8)."""
    output = subprocess.run(
        ["filefrag", "-b4096", "-v", str(path)], check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    first = re.search(r"^ +0: +0\.\. +\d+: +(\d+)\.\.", output, re.MULTILINE)
    assert first
    return int(first.group(1))


def test_file_at_current_resume_offset(kernel: Kernel) -> None:
    make_swap(write_file(kernel.path))
    os.sync()
    (kernel.root / "sys/power").mkdir(parents=True)
    kernel.write("sys/power/resume_offset", f"{physical_page(kernel.path)}\n")
    assert observe_state(str(kernel.path), kernel.host, kernel).hibernates_to == (str(kernel.path),)


@pytest.mark.parametrize("setting", ["resume=PATH", "resume=/dev/vda1 resume_offset=OFFSET"])
def test_file_on_command_line(kernel: Kernel, setting: str) -> None:
    make_swap(write_file(kernel.path))
    os.sync()
    setting = setting.replace("PATH", str(kernel.path)).replace("OFFSET", str(physical_page(kernel.path)))
    kernel.write("proc/cmdline", f"root=/dev/vda1 ro {setting} quiet\n")
    assert observe_state(str(kernel.path), kernel.host, kernel).hibernates_to == (str(kernel.path),)


def test_host_that_hibernates_to_partition(kernel: Kernel) -> None:
    make_swap(write_file(kernel.path))
    kernel.write("proc/cmdline", "root=/dev/vda1 ro resume=UUID=11aa quiet\n")
    assert observe_state(str(kernel.path), kernel.host, kernel).hibernates_to == ()


def test_host_that_does_not_hibernate_to_file(kernel: Kernel) -> None:
    make_swap(write_file(kernel.path))
    (kernel.root / "sys/power").mkdir(parents=True)
    kernel.write("sys/power/resume_offset", "0\n")
    assert observe_state(str(kernel.path), kernel.host, kernel).hibernates_to == ()
