# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers for the tables of the kernel and the programs that describe a host's swap. Pure."""

from __future__ import annotations

import itertools
import re
import typing as t

from .fstab import unescape_field
from .state import Area

_KIB = 1024
_RELEASE = re.compile(r"(\d+)\.(\d+)")
# include/uapi/linux/capability.h
_CAP_SYS_ADMIN = 21


class Mount(t.NamedTuple):
    """A mounted filesystem: its mount point, its type and its source, usually a device."""

    point: str
    filesystem: str
    source: str


class Resume(t.NamedTuple):
    """The place where the kernel looks for the image of a hibernated system.

    `device` is empty and `offset`, in pages, is 0 if the command line does not set them.
    """

    device: str
    offset: int


def parse_swaps(text: str) -> tuple[Area, ...]:
    """Return the areas in /proc/swaps, in its order: proc_swaps(5)."""
    lines_below_title = text.splitlines()[1:]
    return tuple(_parse_area(line) for line in lines_below_title)


def _parse_area(line: str) -> Area:
    path, kind, size, used, priority = line.split()
    return Area(
        path=unescape_field(path),
        type=kind,
        size_bytes=int(size) * _KIB,
        used_bytes=int(used) * _KIB,
        priority=int(priority),
    )


def find_mount(mountinfo: str, folder: str) -> Mount:
    """Return the mount that holds `folder`, a path without links, from /proc/self/mountinfo: proc_pid_mountinfo(5)."""
    best = Mount(point="", filesystem="unknown", source="")
    for mount in _parse_mounts(mountinfo):
        if not _is_below(folder, mount.point):
            continue

        # The last of several mounts at one point hides the others.
        if len(mount.point) >= len(best.point):
            best = mount

    return best


def _parse_mounts(mountinfo: str) -> t.Iterator[Mount]:
    for line in mountinfo.split("\n"):
        if not line:
            continue

        before, _dash, after = line.partition(" - ")
        point = before.split(" ")[4]
        filesystem, source = after.split(" ")[:2]
        yield Mount(point=unescape_field(point), filesystem=filesystem, source=unescape_field(source))


def _is_below(folder: str, point: str) -> bool:
    if point in ("/", folder):
        return True

    return folder.startswith(f"{point}/")


def parse_release(release: str) -> tuple[int, int]:
    """Return the first two numbers of a kernel release such as `6.1.0-37-amd64`, or zeros if it has none."""
    match = _RELEASE.match(release)
    if not match:
        return 0, 0

    return int(match.group(1)), int(match.group(2))


def parse_snapshots(text: str) -> tuple[str, ...]:
    """Return the paths, within their filesystem, of the snapshots that `btrfs subvolume show` lists."""
    _before, _title, after = text.partition("Snapshot(s):")
    lines_below_title = after.split("\n")[1:]
    listed = itertools.takewhile(_is_snapshot_line, lines_below_title)
    return tuple(line.strip() for line in listed)


def _is_snapshot_line(line: str) -> bool:
    return line.startswith("\t\t")


def parse_resume(command_line: str) -> Resume:
    """Return the settings `resume=` and `resume_offset=` in /proc/cmdline.

    Source: Documentation/admin-guide/kernel-parameters.txt of Linux.
    """
    settings = parse_settings(command_line.split())
    offset = settings.get("resume_offset", "")
    if not offset.isdigit():
        offset = "0"

    return Resume(device=settings.get("resume", ""), offset=int(offset))


def parse_settings(words: t.Iterable[str]) -> dict[str, str]:
    """Return the value of each `name=value` in `words`. A word without `=` has an empty value."""
    settings: dict[str, str] = {}
    for word in words:
        name, _equals, value = word.partition("=")
        settings[name] = value

    return settings


def find_discard(log: str, path: str) -> bool | None:
    """Return whether the kernel discards the free blocks of the area at `path`, None if its log does not say.

    The line is written at swapon(2), in mm/swapfile.c: `Adding 1020k swap on /swapfile.  Priority:-2 extents:1
    across:1020k SSDscFS`, where `SS` is a solid-state disk, `D` discard with its kinds, and `FS` frontswap.
    """
    line = rf"Adding \d+k swap on {re.escape(path)}\. +Priority:.* across:\d+k ?(?:SS)?(D?)"
    found = re.findall(line, log)
    if not found:
        return None

    return bool(found[-1])


def has_sys_admin(status: str) -> bool:
    """Return whether the process of this /proc/PID/status may switch swap on and off: capabilities(7)."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            capabilities = int(line.split()[1], 16)
            return bool(capabilities & 1 << _CAP_SYS_ADMIN)

    return False
