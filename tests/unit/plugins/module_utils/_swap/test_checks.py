# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans that are refused."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import (
    Boot,
    Entry,
    Folder,
    Obstacle,
    State,
    SwapError,
)
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    ABSENT,
    EXACT,
    GIB,
    MIB,
    SYSTEMD,
    WANTED,
    area,
    entry,
    managed,
    state,
    step_names,
    unit,
)

IMMUTABLE = Obstacle("Could not change /etc/fstab: it is immutable. Nothing was changed.", "Use chattr.")
MASKED = Boot(obstacles=(Obstacle("swap.target is masked", "Unmask it."),))
MASKED_UNIT = dataclasses.replace(unit("/swapfile", text="a link to /dev/null"), enabled=False, masked=True)
LINK = Entry(path="/swapfile", kind="symbolic link", header=None, file_bytes=9, mode=0o777, uid=0, links=1)


class Refusal(t.NamedTuple):
    host: State
    wanted: Wanted
    message: str


REFUSALS = {
    "foreign file": Refusal(
        state(entries=[dataclasses.replace(LINK, kind="file", mode=0o644)]),
        WANTED,
        "Refused to change /swapfile: it is a file that this module did not create, and it is not in use as swap. "
        "Move it away, or choose another path.",
    ),
    "symbolic link": Refusal(
        state(entries=[LINK]),
        WANTED,
        "Refused to change /swapfile: it is a symbolic link, and it is not in use as swap. "
        "Move it away, or choose another path.",
    ),
    "folder": Refusal(
        state(entries=[dataclasses.replace(LINK, kind="directory")]),
        WANTED,
        "Refused to change /swapfile: it is a directory, and it is not in use as swap. "
        "Move it away, or choose another path.",
    ),
    "hard link": Refusal(
        state(entries=[entry("/swapfile", GIB, links=2)]),
        WANTED,
        "Refused to change /swapfile: the file has 2 hard links. Remove the other links.",
    ),
    "suspended": Refusal(
        state(entries=[entry("/swapfile", GIB, suspended=True)]),
        WANTED,
        "Refused to change /swapfile: it holds the image of a hibernated system. "
        "Resume that system first, or discard the image with force: true.",
    ),
    "hibernation": Refusal(
        managed(GIB, hibernates_to=("/swapfile",)),
        ABSENT,
        "Refused to remove /swapfile: this host hibernates to it (resume= or resume_offset=). "
        "Make the host resume from another swap area first, or use force: true.",
    ),
    "immutable fstab": Refusal(
        state(obstacles={"/etc/fstab": IMMUTABLE}),
        WANTED,
        "Could not change /etc/fstab: it is immutable. Nothing was changed. Use chattr.",
    ),
    "area that is not in fstab, which is immutable": Refusal(
        managed(10 * GIB, fstab="", obstacles={"/etc/fstab": IMMUTABLE}),
        WANTED,
        "Could not change /etc/fstab: it is immutable. Nothing was changed. Use chattr.",
    ),
    "immutable swap file": Refusal(
        managed(GIB, obstacles={"/swapfile": Obstacle("/swapfile is immutable.", "Use chattr.")}),
        ABSENT,
        "/swapfile is immutable. Use chattr.",
    ),
    "missing program": Refusal(
        state(obstacles={"findmnt": Obstacle("The program findmnt is not installed.", "Install util-linux.")}),
        WANTED,
        "The program findmnt is not installed. Install util-linux.",
    ),
    "masked target": Refusal(
        state(boot=MASKED),
        WANTED,
        "The swap of this host would not be in use after the next boot: swap.target is masked. Unmask it. "
        "For swap until the next boot alone, use persist: none.",
    ),
    "masked target, and nothing else to change": Refusal(
        managed(10 * GIB, boot=MASKED),
        WANTED,
        "The swap of this host would not be in use after the next boot: swap.target is masked. Unmask it. "
        "For swap until the next boot alone, use persist: none.",
    ),
    "fstab that nobody reads": Refusal(
        state(boot=Boot(table_obstacles=(Obstacle("the kernel's command line says fstab=no", "Remove it."),))),
        WANTED,
        "The swap of this host would not be in use after the next boot: the kernel's command line says fstab=no. "
        "Remove it. For swap until the next boot alone, use persist: none.",
    ),
    "masked unit of a line in fstab": Refusal(
        state(units=(MASKED_UNIT,)),
        WANTED,
        "The swap of this host would not be in use after the next boot: its unit swapfile.swap is masked. "
        "If it is to be in use, run: systemctl unmask swapfile.swap. "
        "For swap until the next boot alone, use persist: none.",
    ),
    "masked unit, which is to be written": Refusal(
        state(units=(MASKED_UNIT,)),
        SYSTEMD,
        "Refused to replace /etc/systemd/system/swapfile.swap: it masks the unit, which is then never started. "
        "If this host is to have swap, run: systemctl unmask swapfile.swap.",
    ),
    "foreign unit": Refusal(
        managed(GIB, units=(unit("/swapfile", text="[Swap]\nWhat=/swapfile\n"),)),
        SYSTEMD,
        "Refused to replace /etc/systemd/system/swapfile.swap: this module did not create it. "
        "Move it away, or choose another value for persist.",
    ),
    "host without systemd": Refusal(
        state(booted=False), SYSTEMD, "This host was not booted with systemd. Use persist: fstab."
    ),
    "container": Refusal(
        state(container="lxc"),
        WANTED,
        "Swap cannot be managed in a container (lxc): it belongs to the host's kernel. Manage it on the host.",
    ),
    "container without room": Refusal(
        state(container="lxc", free_bytes=0),
        WANTED,
        "Swap cannot be managed in a container (lxc): it belongs to the host's kernel. Manage it on the host.",
    ),
    "overlay without room": Refusal(
        state(filesystem="overlay", free_bytes=0),
        WANTED,
        "Refused to create a swap file on overlay: the kernel rejects swap files on it. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "no privilege": Refusal(
        state(privileged=False),
        WANTED,
        "Switching swap on and off requires the capability CAP_SYS_ADMIN. Run the task with become: true.",
    ),
    "overlay": Refusal(
        state(filesystem="overlay"),
        WANTED,
        "Refused to create a swap file on overlay: the kernel rejects swap files on it. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "fuse": Refusal(
        state(filesystem="fuse.sshfs"),
        WANTED,
        "Refused to create a swap file on fuse.sshfs: it is served by a program that may be swapped out itself. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "unknown filesystem": Refusal(
        state(filesystem="f2fs"),
        WANTED,
        "Refused to create a swap file on f2fs: it is not known to support swap files. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "fuseblk": Refusal(
        state(filesystem="fuseblk"),
        WANTED,
        "Refused to create a swap file on fuseblk: it is served by a program that may be swapped out itself. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "vfat": Refusal(
        state(filesystem="vfat"),
        WANTED,
        "Refused to create a swap file on vfat: it cannot restrict a file to root, nor hold a file of 4 GiB. "
        "Use a path on one of these filesystems: ext2, ext3, ext4, xfs, btrfs.",
    ),
    "btrfs with an old kernel": Refusal(
        state(filesystem="btrfs", kernel=(4, 19)),
        WANTED,
        "Refused to create a swap file on btrfs: Linux before 5.0 does not support it. "
        "Use a path on another filesystem.",
    ),
    "snapshots": Refusal(
        state(filesystem="btrfs", snapshots=("@/.snapshots/1", "@/.snapshots/2")),
        WANTED,
        "Refused to create a swap file below /: its btrfs subvolume has snapshots (@/.snapshots/1, @/.snapshots/2), "
        "and no more can be taken while a swap file is in use. "
        "Create a subvolume for the swap file, for example with: btrfs subvolume create /swap.",
    ),
    "several devices": Refusal(
        state(filesystem="btrfs", devices=2),
        WANTED,
        "Refused to create a swap file on btrfs over 2 devices: the kernel supports only one. "
        "Use a path on another filesystem.",
    ),
    "writable folder": Refusal(
        state(folders=(Folder("/", "directory", 0o755, 0), Folder("/pub", "directory", 0o1777, 0))),
        WANTED,
        "Refused to manage a swap file below /pub: users other than root can write to it (owner 0, mode 1777). "
        "Use a path in a directory that only root can write to.",
    ),
    "linked folder": Refusal(
        state(folders=(Folder("/", "directory", 0o755, 0), Folder("/srv", "symbolic link", 0o777, 0))),
        WANTED,
        "Refused to manage a swap file below /srv: it is a symbolic link. Use a path without symbolic links.",
    ),
    "disk too small": Refusal(
        state(free_bytes=10 * GIB),
        WANTED,
        "There is not enough disk space for another 10.0 GiB of swap below /: 10.0 GiB is free, and 256.0 MiB of it "
        "must stay free. Free some space, use a path on another filesystem, request less swap, or lower the reserve.",
    ),
    "exact size below that of foreign areas": Refusal(
        state(area("/dev/vda5", 12 * GIB)),
        EXACT,
        "Cannot bring the swap of this host to exactly 10.0 GiB: areas other than the files that this module "
        "created for /swapfile already provide 12.0 GiB. Switch them off (files of this module with state: absent and "
        "their path), request more swap, or use mode: at_least.",
    ),
    "another priority without room for both": Refusal(
        managed(10 * GIB, free_bytes=5 * GIB),
        dataclasses.replace(WANTED, priority=5),
        "There is not enough disk space for another 10.0 GiB of swap below /: 5.0 GiB is free, and 256.0 MiB of it "
        "must stay free. Free some space, use a path on another filesystem, request less swap, or lower the reserve.",
    ),
    "masked unit": Refusal(
        managed(10 * GIB, units=(unit("/swapfile", text="a link to /dev/null"),)),
        SYSTEMD,
        "Refused to replace /etc/systemd/system/swapfile.swap: this module did not create it. Move it away, or choose "
        "another value for persist.",
    ),
    "contents without room": Refusal(
        managed(GIB, used=300 * MIB),
        ABSENT,
        "Refused to switch off /swapfile: 300.0 MiB of swap in use would have to move, but there is room for only "
        "44.0 MiB (300.0 MiB of available memory minus a reserve of 256.0 MiB, plus 0 B free in other areas). "
        "Free memory, free disk space so that a new area can come first, or lower the reserve.",
    ),
    "contents without room, and a full disk": Refusal(
        managed(10 * GIB, used=300 * MIB, free_bytes=GIB),
        dataclasses.replace(EXACT, size_bytes=2 * GIB),
        "Refused to switch off /swapfile: 300.0 MiB of swap in use would have to move, but there is room for only "
        "44.0 MiB (300.0 MiB of available memory minus a reserve of 256.0 MiB, plus 0 B free in other areas). "
        "Free memory, free disk space so that a new area can come first, or lower the reserve.",
    ),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(refusal: Refusal) -> None:
    with pytest.raises(SwapError) as error:
        make_plan(refusal.host, refusal.wanted)
    assert str(error.value) == refusal.message


def test_obstacles_elsewhere_do_not_prevent_a_change() -> None:
    host = state(obstacles={"/etc/fstab": IMMUTABLE, "/etc/systemd/system/swapfile.swap": IMMUTABLE})
    assert make_plan(host, dataclasses.replace(WANTED, persist="none")).changed


def test_programs_that_no_step_runs_may_be_missing() -> None:
    host = state(obstacles={"findmnt": IMMUTABLE, "systemctl": IMMUTABLE, "swapoff": IMMUTABLE})
    assert make_plan(host, dataclasses.replace(WANTED, persist="none")).changed


@pytest.mark.parametrize(
    "wanted", [ABSENT, dataclasses.replace(WANTED, persist="none"), dataclasses.replace(WANTED, size_bytes=GIB)]
)
def test_masked_target_prevents_only_own_swap_that_persists(wanted: Wanted) -> None:
    make_plan(state(area("/dev/vda5", GIB), boot=MASKED), wanted)


def test_unread_fstab_does_not_prevent_units() -> None:
    host = state(boot=Boot(table_obstacles=(Obstacle("it is not read", ""),)))
    assert make_plan(host, SYSTEMD).changed


def test_obstacles_do_not_prevent_that_nothing_changes() -> None:
    assert not make_plan(managed(10 * GIB, obstacles={"/etc/fstab": IMMUTABLE}), WANTED).changed


@pytest.mark.parametrize(
    ("hibernates_to", "wanted"),
    [("/swapfile", dataclasses.replace(ABSENT, force=True)), ("/swapfile", WANTED), ("/swapfile.1", ABSENT)],
    ids=["by force", "growing", "to another file"],
)
def test_hibernation_does_not_prevent_other_changes(hibernates_to: str, wanted: Wanted) -> None:
    assert make_plan(managed(GIB, hibernates_to=(hibernates_to,)), wanted).changed


def test_image_of_hibernated_system_is_discarded_by_force() -> None:
    host = state(entries=[entry("/swapfile", 10 * GIB, suspended=True)])
    assert step_names(make_plan(host, dataclasses.replace(WANTED, force=True))) == ["enable /swapfile"]


@pytest.mark.parametrize("filesystem", ["zfs", "tmpfs"])
def test_own_file_is_removed_from_unsuitable_filesystem(filesystem: str) -> None:
    assert make_plan(managed(GIB, filesystem=filesystem), ABSENT).changed


def test_contents_of_old_area_fit_into_new_area() -> None:
    host = managed(10 * GIB, used=300 * MIB, memory_available_bytes=0)
    assert make_plan(host, dataclasses.replace(EXACT, size_bytes=GIB)).changed
