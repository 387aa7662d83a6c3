# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's swap looks like, and pure readers of the tables that tell it."""

from __future__ import annotations

import dataclasses
import itertools
import posixpath
import re
import struct
import typing as t

from .._errors import OomguardError
from .fstab import swap_lines, unescape
from .unit import unit_name

# The volume name in the header of each file that is ours: what has it may be switched off and removed, no other.
LABEL = "oomguard"

# union swap_header of include/linux/swap.h: 1024 bytes of boot code, version, last page, bad pages, UUID, name.
_VERSION_OFFSET = 1024
_NAME_OFFSET = 1052
_NAME_LENGTH = 16
_SIGNATURE_LENGTH = 10
_SIGNATURE = b"SWAPSPACE2"
# What the kernel, uswsusp and TuxOnIce put in its place when they hibernate.
_HIBERNATED = (b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001")
_RELEASE = re.compile(r"(\d+)\.(\d+)")


class SwapError(OomguardError):
    """The swap of this host cannot be, or was not, brought to what was asked."""


@dataclasses.dataclass(frozen=True)
class Area:
    """A swap area in use, as /proc/swaps shows it; the size is without the header page."""

    path: str
    type: str
    size_bytes: int
    used_bytes: int
    priority: int | None

    @property
    def compressed(self) -> bool:
        """Tell whether the area is zram: compressed RAM, not room beside it."""
        return self.path.startswith("/dev/zram")

    @property
    def free_bytes(self) -> int:
        """Return what the area can still take."""
        return self.size_bytes - self.used_bytes


@dataclasses.dataclass(frozen=True)
class Header:
    """The first page of a swap area; the size is without that page."""

    label: str
    size_bytes: int
    suspended: bool


@dataclasses.dataclass(frozen=True)
class Entry:
    """What lies at one of the names that managed files have; `header` is None where it is not a swap area."""

    path: str
    kind: str
    header: Header | None
    file_bytes: int
    mode: int
    uid: int
    links: int

    @property
    def ours(self) -> bool:
        """Tell whether it is a file that this code has made."""
        return self.kind == "file" and self.header is not None and self.header.label == LABEL

    @property
    def size_bytes(self) -> int:
        """Return what the file offers as swap, 0 where it is none."""
        return self.header.size_bytes if self.header else 0


@dataclasses.dataclass(frozen=True)
class Unit:
    """The systemd unit file of the swap file `area`; `text` is empty where there is none.

    A link, by which systemd masks a unit, is nothing of ours: `text` then tells where it leads.
    """

    path: str
    area: str
    text: str
    enabled: bool


@dataclasses.dataclass(frozen=True)
class Folder:
    """One folder on the way from / to the managed files, without following links."""

    path: str
    kind: str
    mode: int
    uid: int


@dataclasses.dataclass(frozen=True)
class Mount:
    """A mounted filesystem: its type, and the device or whatever else it is made of."""

    filesystem: str
    source: str


@dataclasses.dataclass(frozen=True)
class State:
    """All that decides what has to be done.

    `devices` is how many the filesystem spans, `snapshots` are those of the btrfs subvolume, `leftover` is the file
    that an interrupted run was still making; `booted` tells whether systemd runs the host, and `hibernates_to` are the
    paths of our files of which one is where the host looks for its image when it wakes.
    """

    areas: tuple[Area, ...]
    entries: tuple[Entry, ...]
    leftover: Entry | None
    folders: tuple[Folder, ...]
    filesystem: str
    devices: int
    snapshots: tuple[str, ...]
    kernel: tuple[int, int]
    free_bytes: int
    memory_available_bytes: int
    page_size: int
    fstab: str
    units: tuple[Unit, ...]
    unit_folder: str
    booted: bool
    hibernates_to: tuple[str, ...]
    container: str
    privileged: bool

    def area(self, path: str) -> Area | None:
        """Return the area in use at `path`."""
        return next((area for area in self.areas if area.path == path), None)

    def free_name(self, path: str) -> str:
        """Return the first of the names of managed files that nothing has."""
        return free_name(path, [entry.path for entry in self.entries])

    @property
    def own_bytes(self) -> int:
        """Return what our files in use come to."""
        areas = [self.area(entry.path) for entry in self.entries if entry.ours]
        return sum(area.size_bytes for area in areas if area)

    def settled_by(self, path: str) -> frozenset[str]:
        """Return what has our file at `path` in use after a boot, as `persist` calls it."""
        ways = {"fstab": any(line.path == path for line in swap_lines(self.fstab)), "systemd": self.unit(path).enabled}
        return frozenset(way for way, does in ways.items() if does)

    def unit(self, area: str) -> Unit:
        """Return the unit of the swap file at `area`."""
        absent = Unit(path=posixpath.join(self.unit_folder, unit_name(area)), area=area, text="", enabled=False)
        return next((unit for unit in self.units if unit.area == area), absent)


def free_name(path: str, taken: t.Collection[str]) -> str:
    """Return the first of `path`, `path.1`, `path.2`... that is not taken."""
    names = itertools.chain([path], (f"{path}.{number}" for number in itertools.count(1)))
    return next(name for name in names if name not in taken)


def parse_swaps(text: str) -> tuple[Area, ...]:
    """Return the areas that /proc/swaps lists, in its order."""
    rows = [line.split() for line in text.splitlines()[1:]]
    return tuple(
        Area(
            path=unescape(path),
            type=kind,
            size_bytes=int(size) * 1024,
            used_bytes=int(used) * 1024,
            priority=int(priority),
        )
        for path, kind, size, used, priority in rows
    )


def parse_header(page: bytes) -> Header | None:
    """Return what the first page of a swap area says, None where `page` is not one. Its length is the page size."""
    signature = page[-_SIGNATURE_LENGTH:]
    if len(page) < _NAME_OFFSET + _NAME_LENGTH or signature not in (_SIGNATURE, *_HIBERNATED):
        return None
    _version, last_page = struct.unpack_from("=II", page, _VERSION_OFFSET)
    label = page[_NAME_OFFSET : _NAME_OFFSET + _NAME_LENGTH].split(b"\0")[0]
    return Header(
        label=label.decode("ascii", "backslashreplace"),
        size_bytes=last_page * len(page),
        suspended=signature in _HIBERNATED,
    )


def parse_mount(mountinfo: str, folder: str) -> Mount:
    """Return the mount that holds `folder`, a path without links, from /proc/self/mountinfo."""
    best, mount = "", Mount(filesystem="unknown", source="")
    for line in filter(None, mountinfo.split("\n")):
        before, _dash, after = line.partition(" - ")
        point = unescape(before.split(" ")[4])
        inside = point in ("/", folder) or folder.startswith(f"{point}/")
        # The last of several mounts at one point hides the others.
        if inside and len(point) >= len(best):
            filesystem, source = after.split(" ")[:2]
            best, mount = point, Mount(filesystem=filesystem, source=unescape(source))
    return mount


def parse_release(release: str) -> tuple[int, int]:
    """Return the first two numbers of a kernel's release, such as `6.1.0-37-amd64`; zeros where it has none."""
    match = _RELEASE.match(release)
    return (int(match.group(1)), int(match.group(2))) if match else (0, 0)


def parse_snapshots(text: str) -> tuple[str, ...]:
    """Return the snapshots that `btrfs subvolume show` lists, by their paths in the filesystem."""
    _before, _title, after = text.partition("Snapshot(s):")
    listed = itertools.takewhile(lambda line: line.startswith("\t\t"), after.split("\n")[1:])
    return tuple(line.strip() for line in listed)


def parse_resume(command_line: str) -> tuple[str, int]:
    """Return from /proc/cmdline where the kernel looks for a hibernated system: `resume=` and `resume_offset=`."""
    settings = dict(word.partition("=")[::2] for word in command_line.split())
    offset = settings.get("resume_offset", "")
    return settings.get("resume", ""), int(offset) if offset.isdigit() else 0


def parse_privileged(status: str) -> bool:
    """Tell from /proc/self/status whether this process may switch swap on and off (CAP_SYS_ADMIN, number 21)."""
    capabilities = next((line.split()[1] for line in status.splitlines() if line.startswith("CapEff:")), "0")
    return bool(int(capabilities, 16) & 1 << 21)


def summary(areas: t.Iterable[Area]) -> str:
    """Return one line for each area, without what changes by itself: the text of a diff."""
    return "".join(f"{area.path} ({area.type}): {area.size_bytes} bytes\n" for area in areas)
