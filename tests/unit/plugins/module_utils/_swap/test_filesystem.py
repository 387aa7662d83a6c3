# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filesystem that holds the managed files."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.filesystem import Filesystem, observe_filesystem
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import Kernel


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def observed(kernel: Kernel) -> Filesystem:
    return observe_filesystem(kernel.path.parent, kernel.host, kernel)


@pytest.mark.parametrize(("filesystem", "devices"), [("btrfs", 2), ("ext4", 1)])
def test_number_of_devices(kernel: Kernel, filesystem: str, devices: int) -> None:
    kernel.write("proc/self/mountinfo", f"22 1 0:30 / / rw - {filesystem} /dev/vdy rw\n")
    for name in ("11/devices/vdx", "22/devices/vdy", "22/devices/vdz"):
        (kernel.root / "sys/fs/btrfs" / name).mkdir(parents=True)
    assert observed(kernel).devices == devices


SHOWN = """\
@
\tName: \t\t\t@
\tUUID: \t\t\t3c9a0e8b-7d0c-1f4a-9a8d-0c6b1f1d2e3f
\tSubvolume ID:\t\t256
\tSnapshot(s):
\t\t\t\t@/.snapshots/1/snapshot
\t\t\t\tby hand
\tQuota group:\t\t0/256
"""


def test_snapshots_of_btrfs_subvolume(kernel: Kernel) -> None:
    kernel.write("proc/self/mountinfo", "22 1 0:30 / / rw - btrfs /dev/vdy rw\n")
    kernel.answers["btrfs"] = SHOWN
    assert observed(kernel).snapshots == ("@/.snapshots/1/snapshot", "by hand")


def test_other_filesystems_have_no_snapshots(kernel: Kernel) -> None:
    kernel.answers["btrfs"] = SHOWN
    assert (observed(kernel).snapshots, kernel.calls) == ((), [])


def test_failure_to_list_snapshots_is_an_error(kernel: Kernel) -> None:
    kernel.write("proc/self/mountinfo", "22 1 0:30 / / rw - btrfs /dev/vdy rw\n")
    kernel.failing.add("btrfs")
    with pytest.raises(CommandError) as error:
        observed(kernel)
    assert str(error.value).startswith("Could not list the snapshots of the btrfs subvolume ")
