# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe the filesystem that holds the managed files."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from .._command import Run
from .host import Host
from .tables import Mount, find_mount, parse_snapshots

# The inode number of the root of every subvolume: BTRFS_FIRST_FREE_OBJECTID of include/uapi/linux/btrfs_tree.h.
_SUBVOLUME_INODE = 256


@dataclasses.dataclass(frozen=True)
class Filesystem:
    """The type of a filesystem, the number of devices that it spans, and the snapshots of its btrfs subvolume."""

    type: str
    devices: int
    snapshots: tuple[str, ...]


def observe_filesystem(folder: pathlib.Path, host: Host, run: Run) -> Filesystem:
    """Return the filesystem that holds `folder`. Raises SwapError or CommandError."""
    mount = find_mount(host.read_proc("self/mountinfo"), str(folder))
    if mount.filesystem != "btrfs":
        return Filesystem(type=mount.filesystem, devices=1, snapshots=())

    return Filesystem(
        type=mount.filesystem,
        devices=_count_devices(mount, host),
        snapshots=_list_snapshots(folder, run),
    )


def _count_devices(mount: Mount, host: Host) -> int:
    """Return the number of devices that the kernel lists for the btrfs, 1 if it lists none."""
    name = os.path.basename(os.path.realpath(mount.source))
    for devices in (host.root / "sys/fs/btrfs").glob("*/devices"):
        names = os.listdir(str(devices))
        if name in names:
            return len(names)

    return 1


def _list_snapshots(folder: pathlib.Path, run: Run) -> tuple[str, ...]:
    """Return the snapshots of the btrfs subvolume that holds `folder`."""
    subvolume = _find_subvolume(folder)
    shown = run(["btrfs", "subvolume", "show", str(subvolume)])
    if shown.returncode:
        raise shown.failed(f"list the snapshots of the btrfs subvolume {subvolume}")

    return parse_snapshots(shown.stdout)


def _find_subvolume(folder: pathlib.Path) -> pathlib.Path:
    for path in (folder, *folder.parents):
        if os.stat(str(path)).st_ino == _SUBVOLUME_INODE:
            return path

    return folder
