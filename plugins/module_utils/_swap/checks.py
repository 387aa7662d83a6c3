# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reasons to refuse a plan before anything is changed. Pure."""

from __future__ import annotations

import posixpath
import typing as t

from .._size import format_size
from .state import Area, Entry, Folder, Obstacle, State, SwapError
from .steps import Step
from .wanted import Wanted

_SUITABLE_FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs")
_UNSUITABLE_FILESYSTEMS = {
    "overlay": "the kernel rejects swap files on it",
    "aufs": "the kernel rejects swap files on it",
    "squashfs": "it is read-only",
    "tmpfs": "it is in memory itself",
    "ramfs": "it is in memory itself",
    "zfs": "swapping to it can lock up the host",
    "nfs": "swapping over the network can lock up the host",
    "nfs4": "swapping over the network can lock up the host",
    "cifs": "swapping over the network can lock up the host",
    "9p": "swapping over the network can lock up the host",
    "ceph": "swapping over the network can lock up the host",
    "fuse": "it is served by a program that may be swapped out itself",
    "fuseblk": "it is served by a program that may be swapped out itself",
    "virtiofs": "it is served by a program on the host of the virtual machine",
    "vfat": "it cannot restrict a file to root, nor hold a file of 4 GiB",
    "exfat": "it cannot restrict a file to root",
}


def refuse_container(container: str) -> None:
    """Raise SwapError if the host is a container of that kind."""
    if container:
        raise SwapError(
            f"Swap cannot be managed in a container ({container}): it belongs to the host's kernel.",
            hint="Manage it on the host.",
        )


def require_manageable_host(state: State) -> None:
    """Raise SwapError if this process cannot change the swap of the host."""
    refuse_container(state.container)
    if not state.privileged:
        raise SwapError(
            "Switching swap on and off requires the capability CAP_SYS_ADMIN.",
            hint="Run the task with become: true.",
        )


def require_no_obstacles(state: State, steps: t.Iterable[Step]) -> None:
    """Raise SwapError if the file of one of the `steps` cannot be changed, or the program that it runs is missing."""
    for step in steps:
        missing_program = state.obstacles.get(step.program)
        obstacle = state.obstacles.get(step.path, missing_program)
        if obstacle:
            raise SwapError(obstacle.reason, hint=obstacle.hint)


def require_use_after_boot(state: State, wanted: Wanted, paths: t.Collection[str]) -> None:
    """Raise SwapError if the files of this module at `paths` will not be in use after the next boot."""
    if wanted.persist == "none":
        return

    for path in paths:
        for obstacle in _list_boot_obstacles(state, wanted, path):
            raise SwapError(
                f"The swap of this host would not be in use after the next boot: {obstacle.reason}.",
                hint=f"{obstacle.hint} For swap until the next boot alone, use persist: none.",
            )


def _list_boot_obstacles(state: State, wanted: Wanted, path: str) -> t.Iterator[Obstacle]:
    """Yield what keeps the file of this module at `path` from being switched on at boot."""
    yield from state.boot.obstacles
    if wanted.persist == "fstab":
        yield from state.boot.table_obstacles

    unit = state.find_unit(path)
    if unit.masked:
        name = posixpath.basename(unit.path)
        yield Obstacle(f"its unit {name} is masked", f"If it is to be in use, run: systemctl unmask {name}.")


def require_safe_folders(state: State) -> None:
    """Raise SwapError if users other than root can replace a swap file by another file."""
    for folder in state.folders:
        _require_safe_folder(folder)


def _require_safe_folder(folder: Folder) -> None:
    if folder.kind != "directory":
        raise SwapError(
            f"Refused to manage a swap file below {folder.path}: it is a {folder.kind}.",
            hint="Use a path without symbolic links.",
        )

    if folder.uid != 0 or folder.mode & 0o022:
        raise SwapError(
            f"Refused to manage a swap file below {folder.path}: users other than root can write to it "
            f"(owner {folder.uid}, mode {folder.mode:04o}).",
            hint="Use a path in a directory that only root can write to.",
        )


def require_own_files(state: State, wanted: Wanted) -> None:
    """Raise SwapError if a file of this module has other names, or holds a hibernated system."""
    for entry in state.own_entries:
        if entry.links > 1:
            raise SwapError(
                f"Refused to change {entry.path}: the file has {entry.links} hard links.",
                hint="Remove the other links.",
            )

        if entry.is_suspended and not wanted.force:
            raise SwapError(
                f"Refused to change {entry.path}: it holds the image of a hibernated system.",
                hint="Resume that system first, or discard the image with force: true.",
            )


def require_no_hibernation(state: State, wanted: Wanted, retired: t.Iterable[Entry]) -> None:
    """Raise SwapError if the host may resume from one of the `retired` files, unless that is forced."""
    if wanted.force:
        return

    for entry in retired:
        if entry.path in state.hibernates_to:
            raise SwapError(
                f"Refused to remove {entry.path}: this host hibernates to it (resume= or resume_offset=).",
                hint="Make the host resume from another swap area first, or use force: true.",
            )


def require_suitable_filesystem(state: State) -> None:
    """Raise SwapError if the filesystem does not support a new swap file, or not safely."""
    filesystem = state.filesystem
    if filesystem not in _SUITABLE_FILESYSTEMS:
        family = filesystem.split(".")[0]
        reason = _UNSUITABLE_FILESYSTEMS.get(family, "it is not known to support swap files")
        raise SwapError(
            f"Refused to create a swap file on {filesystem}: {reason}.",
            hint=f"Use a path on one of these filesystems: {', '.join(_SUITABLE_FILESYSTEMS)}.",
        )

    elsewhere = "Use a path on another filesystem."
    if filesystem == "btrfs" and state.kernel < (5, 0):
        raise SwapError("Refused to create a swap file on btrfs: Linux before 5.0 does not support it.", hint=elsewhere)

    if state.devices > 1:
        raise SwapError(
            f"Refused to create a swap file on {filesystem} over {state.devices} devices: the kernel supports only "
            "one.",
            hint=elsewhere,
        )

    if state.snapshots:
        raise SwapError(
            f"Refused to create a swap file below {state.folders[-1].path}: its btrfs subvolume has snapshots "
            f"({', '.join(state.snapshots)}), and no more can be taken while a swap file is in use.",
            hint="Create a subvolume for the swap file, for example with: btrfs subvolume create /swap.",
        )


def require_free_names(state: State) -> None:
    """Raise SwapError if something that is not swap has one of the names of managed files."""
    for entry in state.entries:
        if entry.is_ours or state.find_area(entry.path):
            continue

        description = f"a {entry.kind}"
        if entry.kind == "file":
            description = "a file that this module did not create"
        raise SwapError(
            f"Refused to change {entry.path}: it is {description}, and it is not in use as swap.",
            hint="Move it away, or choose another path.",
        )


def has_disk_room(state: State, wanted: Wanted, size_bytes: int) -> bool:
    """Return whether the disk has room for a file that provides `size_bytes`, beside everything that is there."""
    return _find_disk_need(state, wanted, size_bytes) <= _find_disk_free(state)


def require_disk_room(state: State, wanted: Wanted, size_bytes: int, retired: t.Iterable[Entry]) -> None:
    """Raise SwapError if the disk has no room for such a file even after the `retired` files are removed."""
    needed = _find_disk_need(state, wanted, size_bytes)
    free = _find_disk_free(state) + sum(entry.file_bytes for entry in retired)
    if needed > free:
        raise SwapError(
            f"There is not enough disk space for another {format_size(size_bytes)} of swap below "
            f"{state.folders[-1].path}: {format_size(free)} is free, and {format_size(wanted.reserve_bytes)} of it "
            "must stay free.",
            hint="Free some space, use a path on another filesystem, request less swap, or lower the reserve.",
        )


def find_disk_room(state: State, wanted: Wanted) -> int:
    """Return the bytes of swap that a new file can provide, beside everything that is on the disk."""
    return max(_find_disk_free(state) - wanted.reserve_bytes - state.page_size, 0)


def _find_disk_need(state: State, wanted: Wanted, size_bytes: int) -> int:
    if size_bytes == 0:
        return 0

    return size_bytes + state.page_size + wanted.reserve_bytes


def _find_disk_free(state: State) -> int:
    if state.leftover is None:
        return state.free_bytes

    return state.free_bytes + state.leftover.file_bytes


def require_swapoff_room(
    areas: t.Iterable[Area], paths: t.Collection[str], memory_available_bytes: int, reserve_bytes: int
) -> None:
    """Raise SwapError if memory and the areas that stay have no room for what the areas at `paths` hold.

    swapoff(2) reads back every page of an area. If the pages do not fit, the kernel starts to kill processes.
    """
    used = swap_free = 0
    for area in areas:
        if area.path in paths:
            used += area.used_bytes
        elif not area.is_compressed:
            swap_free += area.free_bytes

    room = max(memory_available_bytes - reserve_bytes, 0) + swap_free
    if used > room:
        raise SwapError(
            f"Refused to switch off {', '.join(paths)}: {format_size(used)} of swap in use would have to move, but "
            f"there is room for only {format_size(room)} ({format_size(memory_available_bytes)} of available memory "
            f"minus a reserve of {format_size(reserve_bytes)}, plus {format_size(swap_free)} free in other areas).",
            hint="Free memory, free disk space so that a new area can come first, or lower the reserve.",
        )
