# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a host's swap, as frozen data."""

from __future__ import annotations

import dataclasses
import itertools
import posixpath
import typing as t

from .._errors import OomguardError
from .fstab import read_swap_options
from .header import LABEL, Header
from .unit import build_unit_name


class SwapError(OomguardError):
    """The swap of this host cannot be, or was not, brought to the requested state."""


@dataclasses.dataclass(frozen=True)
class Area:
    """A swap area in use, as /proc/swaps shows it. The size does not include the header page."""

    path: str
    type: str
    size_bytes: int
    used_bytes: int
    priority: int | None

    @property
    def is_compressed(self) -> bool:
        """Return whether the area is zram, which is compressed RAM and not additional room."""
        return self.path.startswith("/dev/zram")

    @property
    def free_bytes(self) -> int:
        """Return the bytes that the area can still hold."""
        return self.size_bytes - self.used_bytes


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file, or anything else, that has one of the names of managed files.

    `header` is None if it is not a swap area.
    """

    path: str
    kind: str
    header: Header | None
    file_bytes: int
    mode: int
    uid: int
    links: int

    @property
    def is_ours(self) -> bool:
        """Return whether this module created the file."""
        if self.kind != "file" or self.header is None:
            return False

        return self.header.label == LABEL

    @property
    def is_suspended(self) -> bool:
        """Return whether the file holds the image of a hibernated system."""
        return self.header is not None and self.header.suspended

    @property
    def size_bytes(self) -> int:
        """Return the bytes of swap that the file provides, 0 if it is not a swap area."""
        if self.header is None:
            return 0

        return self.header.size_bytes


@dataclasses.dataclass(frozen=True)
class Unit:
    """The systemd unit file of the swap file `area`. `text` is empty if there is none.

    A symbolic link is never ours. In that case `text` says where it leads. A unit that is `masked` is never started.
    """

    path: str
    area: str
    text: str
    enabled: bool
    masked: bool = False


class Obstacle(t.NamedTuple):
    """What prevents something, and what to do about it."""

    reason: str
    hint: str


@dataclasses.dataclass(frozen=True)
class Boot:
    """What decides which swap is in use after the next boot.

    `target` is the unit file of swap.target below /etc. `obstacles` keep all swap units from being started, and
    `table_obstacles` keep fstab from being read. `named` are the paths of the areas that fstab or a unit names.
    """

    target: Unit = Unit(path="/etc/systemd/system/swap.target", area="", text="", enabled=False)
    obstacles: tuple[Obstacle, ...] = ()
    table_obstacles: tuple[Obstacle, ...] = ()
    named: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True)
class Folder:
    """A folder on the path from / to the managed files. Links are not followed."""

    path: str
    kind: str
    mode: int
    uid: int


@dataclasses.dataclass(frozen=True)
class State:
    """Everything that decides which steps are needed.

    `devices` is the number of devices that the filesystem spans. `snapshots` are those of the btrfs subvolume.
    `leftover` is the file that an interrupted run was still creating. `booted` says whether systemd runs the host.
    `hibernates_to` are the paths of our files that the host may resume from. `obstacles` are what keeps the files at
    these paths from being written or removed, and programs that are not installed.
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
    obstacles: t.Mapping[str, Obstacle]
    boot: Boot

    @property
    def own_entries(self) -> tuple[Entry, ...]:
        """Return the files that this module created."""
        return tuple(select_own(self.entries))

    @property
    def own_areas(self) -> tuple[Area, ...]:
        """Return the areas in use that are files of this module."""
        return tuple(self._iterate_own_areas())

    def _iterate_own_areas(self) -> t.Iterator[Area]:
        for entry in self.own_entries:
            area = self.find_area(entry.path)
            if area:
                yield area

    @property
    def own_area_paths(self) -> frozenset[str]:
        """Return the paths of the areas in use that are files of this module."""
        return frozenset(area.path for area in self.own_areas)

    @property
    def own_bytes(self) -> int:
        """Return the bytes of swap in use that files of this module provide."""
        return sum(area.size_bytes for area in self.own_areas)

    @property
    def entry_paths(self) -> list[str]:
        """Return the names of managed files that are taken."""
        return [entry.path for entry in self.entries]

    def find_area(self, path: str) -> Area | None:
        """Return the area in use at `path`."""
        areas = {area.path: area for area in self.areas}
        return areas.get(path)

    def find_unit(self, area: str) -> Unit:
        """Return the unit of the swap file at `area`."""
        path = posixpath.join(self.unit_folder, build_unit_name(area))
        missing = Unit(path=path, area=area, text="", enabled=False)
        units = {unit.area: unit for unit in self.units}
        return units.get(area, missing)

    def find_free_name(self, path: str) -> str:
        """Return the first name of managed files that is not taken."""
        return find_free_name(path, self.entry_paths)

    def find_persistence(self, path: str) -> frozenset[str]:
        """Return the ways, as the option `persist` calls them, in which the file at `path` is in use after a boot."""
        ways = set()
        if path in read_swap_options(self.fstab):
            ways.add("fstab")
        if self.find_unit(path).enabled:
            ways.add("systemd")

        return frozenset(ways)


def select_own(entries: t.Iterable[Entry]) -> t.Iterator[Entry]:
    """Yield those of `entries` that this module created."""
    for entry in entries:
        if entry.is_ours:
            yield entry


def find_free_name(path: str, taken: t.Collection[str]) -> str:
    """Return the first of `path`, `path.1`, `path.2`... that is not in `taken`."""
    name = path
    numbers = itertools.count(1)
    while name in taken:
        name = f"{path}.{next(numbers)}"

    return name


def format_areas(areas: t.Iterable[Area]) -> str:
    """Return the text of a diff: one line for each area, without values that change by themselves."""
    return "".join(f"{area.path} ({area.type}): {area.size_bytes} bytes\n" for area in areas)
