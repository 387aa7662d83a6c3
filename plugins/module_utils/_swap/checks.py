# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before anything is changed, and why. Pure."""

from __future__ import annotations

import typing as t

from .._safe import neutralise
from .._size import format_size
from .state import Area, Entry, State, SwapError
from .wanted import Wanted

_SUITABLE_FILESYSTEMS = ("ext2", "ext3", "ext4", "xfs", "btrfs")
_UNSUITABLE_FILESYSTEMS = {
    "overlay": "the kernel refuses swap files there",
    "aufs": "the kernel refuses swap files there",
    "squashfs": "it cannot be written to",
    "tmpfs": "it lives in memory itself",
    "ramfs": "it lives in memory itself",
    "zfs": "swapping to it can lock up the host",
    "nfs": "swapping over the network can lock up the host",
    "nfs4": "swapping over the network can lock up the host",
    "cifs": "swapping over the network can lock up the host",
    "9p": "swapping over the network can lock up the host",
    "ceph": "swapping over the network can lock up the host",
    "fuse": "a program that may be swapped out itself serves it",
    "fuseblk": "a program that may be swapped out itself serves it",
    "virtiofs": "a program on the machine's host serves it",
    "vfat": "it cannot keep a file to root alone, nor one of 4 GiB",
    "exfat": "it cannot keep a file to root alone",
}


def require_manageable(state: State) -> None:
    """Raise SwapError where this host's swap is not ours to change."""
    if state.container:
        raise SwapError(
            f"Swap cannot be managed in a container ({neutralise(state.container)}): it belongs to the host's kernel.",
            hint="Manage it on the host.",
        )
    if not state.privileged:
        raise SwapError("Switching swap on and off needs the capability CAP_SYS_ADMIN.", hint="Use become: true.")


def require_safe_folders(state: State) -> None:
    """Raise SwapError where somebody else could put another file in the place of ours."""
    for folder in state.folders:
        name = neutralise(folder.path)
        if folder.kind != "folder":
            raise SwapError(
                f"Refused to manage a swap file below {name}: it is a {folder.kind}.",
                hint="Name the path without links.",
            )
        if folder.uid != 0 or folder.mode & 0o022:
            raise SwapError(
                f"Refused to manage a swap file below {name}: users other than root can write there "
                f"(owner {folder.uid}, mode {folder.mode:04o}).",
                hint="Name a path in a folder that belongs to root alone.",
            )


def require_own_files(state: State, wanted: Wanted) -> None:
    """Raise SwapError where a file of ours is more than a swap file."""
    for entry in state.entries:
        name = neutralise(entry.path)
        if entry.ours and entry.links > 1:
            raise SwapError(
                f"Refused to touch {name}: the file has {entry.links} names.", hint="Remove the other hard links."
            )
        if entry.ours and entry.header and entry.header.suspended and not wanted.force:
            raise SwapError(
                f"Refused to touch {name}: it holds the image of a hibernated system.",
                hint="Resume that system first, or give it up with force: true.",
            )


def require_no_hibernation(state: State, wanted: Wanted, retired: t.Iterable[Entry]) -> None:
    """Raise SwapError where a file has to go in which the host looks for its image when it wakes."""
    for entry in retired:
        if entry.path in state.hibernates_to and not wanted.force:
            raise SwapError(
                f"Refused to remove {neutralise(entry.path)}: this host hibernates to it (resume= or resume_offset=).",
                hint="Have it resume from elsewhere first, or use force: true.",
            )


def require_suitable_filesystem(state: State) -> None:
    """Raise SwapError where a new swap file cannot be, or would not be safe."""
    filesystem = neutralise(state.filesystem)
    elsewhere = "Name a path on another filesystem."
    if filesystem not in _SUITABLE_FILESYSTEMS:
        reason = _UNSUITABLE_FILESYSTEMS.get(filesystem.split(".")[0], "it is not known to carry one")
        raise SwapError(
            f"Refused to make a swap file on {filesystem}: {reason}.",
            hint=f"Name a path on one of {', '.join(_SUITABLE_FILESYSTEMS)}.",
        )
    if filesystem == "btrfs" and state.kernel < (5, 0):
        raise SwapError("Refused to make a swap file on btrfs: Linux before 5.0 takes none there.", hint=elsewhere)
    if state.devices > 1:
        raise SwapError(
            f"Refused to make a swap file on {filesystem} over {state.devices} devices: the kernel takes one only.",
            hint=elsewhere,
        )
    if state.snapshots:
        raise SwapError(
            f"Refused to make a swap file below {neutralise(state.folders[-1].path)}: its btrfs subvolume has "
            f"snapshots ({', '.join(map(neutralise, state.snapshots))}), and no more could be taken with one in use.",
            hint="Make a subvolume for it, such as with: btrfs subvolume create /swap.",
        )


def require_free_names(state: State) -> None:
    """Raise SwapError where one of our names is taken by something that is not swap."""
    for entry in state.entries:
        if not entry.ours and not state.area(entry.path):
            what = "a file that was not made here" if entry.kind == "file" else f"a {entry.kind}"
            raise SwapError(
                f"Refused to touch {neutralise(entry.path)}: it is {what}, and not in use as swap.",
                hint="Move it away, or name another path.",
            )


def fits_on_disk(state: State, wanted: Wanted, size_bytes: int) -> bool:
    """Tell whether a file that offers `size_bytes` has room beside all that is there."""
    return _disk_needed(state, wanted, size_bytes) <= _disk_free(state)


def require_disk(state: State, wanted: Wanted, size_bytes: int, retired: t.Iterable[Entry]) -> None:
    """Raise SwapError where such a file has no room, not even once the `retired` files are gone."""
    needed = _disk_needed(state, wanted, size_bytes)
    free = _disk_free(state) + sum(entry.file_bytes for entry in retired)
    if needed > free:
        raise SwapError(
            f"There is not enough room on the disk for {format_size(size_bytes)} more of swap below "
            f"{neutralise(state.folders[-1].path)}: {format_size(free)} are free, and "
            f"{format_size(wanted.reserve_bytes)} of them are to stay so.",
            hint="Free some, name a path on another filesystem, ask for less, or lower the reserve.",
        )


def require_room(
    areas: t.Iterable[Area], going: t.Collection[str], memory_available_bytes: int, reserve_bytes: int
) -> None:
    """Raise SwapError unless what the areas at the paths `going` hold fits into memory and the areas that stay.

    The kernel reads back every page of an area before it lets go of it. Where they do not fit, it kills.
    """
    used = sum(area.used_bytes for area in areas if area.path in going)
    swap_free = sum(area.free_bytes for area in areas if area.path not in going and not area.compressed)
    room = max(memory_available_bytes - reserve_bytes, 0) + swap_free
    if used > room:
        raise SwapError(
            f"Refused to switch off {', '.join(map(neutralise, going))}: {format_size(used)} of swap in use would have "
            f"to move, but there is room for {format_size(room)} ({format_size(memory_available_bytes)} of memory "
            f"available less a reserve of {format_size(reserve_bytes)}, and {format_size(swap_free)} free in other "
            "areas).",
            hint="Free memory, make room on the disk so that a new area can come first, or lower the reserve.",
        )


def _disk_needed(state: State, wanted: Wanted, size_bytes: int) -> int:
    return size_bytes + state.page_size + wanted.reserve_bytes if size_bytes else 0


def _disk_free(state: State) -> int:
    return state.free_bytes + (state.leftover.file_bytes if state.leftover else 0)
