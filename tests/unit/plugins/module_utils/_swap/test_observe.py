# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read off a host."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import observe, observe_memory_available
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import (
    Area,
    Header,
    State,
    SwapError,
    Unit,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import unit_name
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import (
    PAGE,
    TITLE,
    Kernel,
    make_swap,
)


@pytest.fixture
def kernel(tmp_path: pathlib.Path) -> Kernel:
    return Kernel(tmp_path)


def observed(kernel: Kernel) -> State:
    return observe(str(kernel.path), kernel.host, kernel)


def a_file(path: pathlib.Path, *, size: int = 16 * PAGE) -> pathlib.Path:
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    return path


def test_areas(kernel: Kernel) -> None:
    kernel.write("proc/swaps", f"{TITLE}/dev/vda5 partition 1020 8 -2\n")
    assert observed(kernel).areas == (Area("/dev/vda5", "partition", 1020 * 1024, 8192, -2),)


def test_our_own_file(kernel: Kernel) -> None:
    make_swap(a_file(kernel.path))
    assert observed(kernel).entries[0].header == Header(label="oomguard", size_bytes=15 * PAGE, suspended=False)


def test_a_foreign_file(kernel: Kernel) -> None:
    a_file(kernel.path)
    assert not observed(kernel).entries[0].ours


def test_the_names_of_the_family_in_order(kernel: Kernel) -> None:
    for name in ("swapfile.10", "swapfile.9", "swapfile", "swapfile.old", "swapfile.01", "swapfile2", "xswapfile"):
        a_file(kernel.path.with_name(name))
    names = [pathlib.Path(entry.path).name for entry in observed(kernel).entries]
    assert names == ["swapfile", "swapfile.9", "swapfile.10"]


def test_a_link_is_not_followed(kernel: Kernel) -> None:
    make_swap(a_file(kernel.path.with_name("target")))
    kernel.path.symlink_to("target")
    assert observed(kernel).entries[0].kind == "symbolic link"


def test_a_pipe_does_not_hang(kernel: Kernel) -> None:
    os.mkfifo(str(kernel.path))
    assert observed(kernel).entries[0].kind == "special file"


def test_hard_links_are_counted(kernel: Kernel) -> None:
    a_file(kernel.path)
    os.link(str(kernel.path), str(kernel.path.with_name("other")))
    assert observed(kernel).entries[0].links == 2


def test_leftover(kernel: Kernel) -> None:
    a_file(kernel.path.with_name(".swapfile.oomguard"), size=PAGE)
    leftover = observed(kernel).leftover
    assert (
        (leftover.path, leftover.file_bytes) == (f"{kernel.root}/data/.swapfile.oomguard", PAGE) if leftover else None
    )


def test_no_leftover(kernel: Kernel) -> None:
    assert observed(kernel).leftover is None


def test_folders_from_the_root_down(kernel: Kernel) -> None:
    assert [folder.path for folder in observed(kernel).folders][:1] == ["/"]


def test_the_last_folder_is_that_of_the_file(kernel: Kernel) -> None:
    assert observed(kernel).folders[-1].path == f"{kernel.root}/data"


def test_a_host_without_fstab(kernel: Kernel) -> None:
    (kernel.root / "etc/fstab").unlink()
    assert observed(kernel).fstab == ""


@pytest.mark.parametrize("enabled", [True, False])
def test_the_unit_of_a_file(kernel: Kernel, *, enabled: bool) -> None:
    a_file(kernel.path)
    unit = kernel.root / "units" / unit_name(str(kernel.path))
    unit.write_text("[Swap]\n")
    if enabled:
        (unit.parent / "swap.target.wants").mkdir()
        (unit.parent / "swap.target.wants" / unit.name).symlink_to(unit)
    assert observed(kernel).units[0] == Unit(str(unit), str(kernel.path), "[Swap]\n", enabled=enabled)


def test_a_masked_unit_is_nothing_of_ours(kernel: Kernel) -> None:
    unit = kernel.root / "units" / unit_name(str(kernel.path))
    unit.symlink_to("/dev/null")
    assert observed(kernel).units == (Unit(str(unit), str(kernel.path), "a link to /dev/null", enabled=False),)


@pytest.mark.parametrize(("filesystem", "devices"), [("btrfs", 2), ("ext4", 1)])
def test_devices_of_a_filesystem(kernel: Kernel, filesystem: str, devices: int) -> None:
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


def test_the_snapshots_of_a_btrfs_subvolume(kernel: Kernel) -> None:
    kernel.write("proc/self/mountinfo", "22 1 0:30 / / rw - btrfs /dev/vdy rw\n")
    kernel.answers["btrfs"] = SHOWN
    assert observed(kernel).snapshots == ("@/.snapshots/1/snapshot", "by hand")


def test_other_filesystems_have_no_snapshots(kernel: Kernel) -> None:
    kernel.answers["btrfs"] = SHOWN
    assert (observed(kernel).snapshots, kernel.calls) == ((), [])


def test_snapshots_that_cannot_be_looked_for_are_an_error(kernel: Kernel) -> None:
    kernel.write("proc/self/mountinfo", "22 1 0:30 / / rw - btrfs /dev/vdy rw\n")
    kernel.failing.add("btrfs")
    with pytest.raises(CommandError) as error:
        observed(kernel)
    assert str(error.value).startswith("Could not look for snapshots of the btrfs subvolume ")


def test_the_release_of_the_kernel(kernel: Kernel) -> None:
    assert observed(kernel).kernel == (6, 1)


def test_a_missing_folder_is_refused(kernel: Kernel) -> None:
    with pytest.raises(SwapError) as error:
        observe(f"{kernel.root}/nothing/swapfile", kernel.host, kernel)
    assert str(error.value) == (
        f"Could not look at the folder {kernel.root}/nothing: No such file or directory. Make it, or name another path."
    )


def test_below_a_folder_that_is_gone_a_unit_may_be_left(kernel: Kernel) -> None:
    path = f"{kernel.root}/gone/swapfile"
    kernel.write(f"units/{unit_name(path)}", "[Swap]\n")
    make_swap(a_file(kernel.root / "gone.1"))
    found = observe(path, kernel.host, kernel, must=False)
    assert (found.entries, [unit.text for unit in found.units]) == ((), ["[Swap]\n"])


def test_a_kernel_without_swap_is_refused(kernel: Kernel) -> None:
    (kernel.proc / "swaps").unlink()
    with pytest.raises(SwapError) as error:
        observed(kernel)
    assert str(error.value) == (
        f"There is no {kernel.proc}/swaps: swap cannot be managed here. Does the kernel know swap (CONFIG_SWAP)?"
    )


def test_memory_available(kernel: Kernel) -> None:
    assert observe_memory_available(kernel.host) == 300000 * 1024


def test_memory_available_of_an_old_kernel(kernel: Kernel) -> None:
    kernel.write("proc/meminfo", "MemTotal: 475312 kB\nMemFree: 1 kB\n")
    with pytest.raises(SwapError) as error:
        observe_memory_available(kernel.host)
    assert str(error.value) == "/proc/meminfo does not tell how much memory is available. Linux 3.14 and later do."


def physical_page(path: pathlib.Path) -> int:
    """Return what filefrag(8) says, the page at which the file begins on its device."""
    said = subprocess.run(["filefrag", "-b4096", "-v", str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout
    first = re.search(r"^ +0: +0\.\. +\d+: +(\d+)\.\.", said, re.MULTILINE)
    assert first
    return int(first.group(1))


def test_the_file_that_the_host_hibernates_to(kernel: Kernel) -> None:
    make_swap(a_file(kernel.path))
    os.sync()
    (kernel.root / "sys/power").mkdir(parents=True)
    kernel.write("sys/power/resume_offset", f"{physical_page(kernel.path)}\n")
    assert observed(kernel).hibernates_to == (str(kernel.path),)


@pytest.mark.parametrize("setting", ["resume=PATH", "resume=/dev/vda1 resume_offset=OFFSET"])
def test_the_file_that_the_kernel_was_told_to_hibernate_to(kernel: Kernel, setting: str) -> None:
    make_swap(a_file(kernel.path))
    os.sync()
    setting = setting.replace("PATH", str(kernel.path)).replace("OFFSET", str(physical_page(kernel.path)))
    kernel.write("proc/cmdline", f"root=/dev/vda1 ro {setting} quiet\n")
    assert observed(kernel).hibernates_to == (str(kernel.path),)


def test_a_host_that_hibernates_to_a_partition(kernel: Kernel) -> None:
    make_swap(a_file(kernel.path))
    kernel.write("proc/cmdline", "root=/dev/vda1 ro resume=UUID=11aa quiet\n")
    assert observed(kernel).hibernates_to == ()


def test_a_host_that_does_not_hibernate_to_a_file(kernel: Kernel) -> None:
    make_swap(a_file(kernel.path))
    (kernel.root / "sys/power").mkdir(parents=True)
    kernel.write("sys/power/resume_offset", "0\n")
    assert observed(kernel).hibernates_to == ()


@pytest.mark.parametrize(
    ("name", "text", "container"),
    [
        ("run/systemd/container", "systemd-nspawn\n", "systemd-nspawn"),
        (".dockerenv", "", "docker"),
        ("run/.containerenv", "", "podman"),
        ("proc/1/environ", "PATH=/bin\0container=lxc\0", "lxc"),
        ("etc/hostname", "host\n", ""),
    ],
)
def test_containers(kernel: Kernel, name: str, text: str, container: str) -> None:
    (kernel.root / name).parent.mkdir(parents=True, exist_ok=True)
    kernel.write(name, text)
    assert observed(kernel).container == container
