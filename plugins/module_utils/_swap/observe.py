# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe the state of a host's swap."""

from __future__ import annotations

import dataclasses
import itertools
import os
import pathlib
import re
import stat
import typing as t

from .._command import Run
from .._files import FileError, check_removable, name_leftover
from .._proc import parse_meminfo
from .._systemctl import is_booted
from .boot import is_masked, observe_boot, read_unit
from .container import observe_container
from .filesystem import observe_filesystem
from .header import Header, parse_header
from .hibernation import find_resume_files
from .host import Host, read_optional
from .state import Area, Entry, Folder, Obstacle, State, SwapError, Unit, find_free_name, select_own
from .steps import PROGRAMS
from .tables import has_sys_admin, parse_release, parse_swaps
from .unit import build_unit_name

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symbolic link"}


def observe_state(path: str, host: Host, run: Run, *, required: bool = True) -> State:
    """Return the state of the host's swap and of the managed files, `path` and its numbered siblings.

    Changes nothing. Raises OomguardError, also if the folder of `path` is missing and `required`.
    """
    folder = pathlib.Path(path).parent
    if not required and not os.path.lexists(str(folder)):
        # No file is left, but fstab or a unit may still name one.
        above = observe_state(str(folder), host, run, required=False)
        unit = _observe_unit(path, host)
        obstacles = dict(_observe_obstacles([above.boot.target.path], (unit,), host))
        return dataclasses.replace(above, entries=(), leftover=None, units=(unit,), obstacles=obstacles)

    free_bytes = _observe_disk_free(folder)
    entries = tuple(_observe_entries(pathlib.Path(path), host.page_size))
    names = [entry.path for entry in entries]
    files = [*names, find_free_name(path, names)]
    leftover_path = str(name_leftover(pathlib.Path(path)))
    units = tuple(_observe_units(files, host))
    filesystem = observe_filesystem(folder, host, run)
    areas = observe_areas(host)
    fstab = read_optional(host.fstab)
    boot = observe_boot(areas, fstab, host, run)
    return State(
        areas=areas,
        entries=entries,
        leftover=_observe_leftover(leftover_path, host.page_size),
        folders=tuple(_observe_folders(folder)),
        filesystem=filesystem.type,
        devices=filesystem.devices,
        snapshots=filesystem.snapshots,
        kernel=parse_release(host.read_proc("sys/kernel/osrelease")),
        free_bytes=free_bytes,
        memory_available_bytes=observe_memory_available(host),
        page_size=host.page_size,
        fstab=fstab,
        units=units,
        unit_folder=str(host.units),
        booted=is_booted(host.root),
        hibernates_to=tuple(find_resume_files(select_own(entries), host)),
        container=observe_container(host.root, host.proc),
        privileged=has_sys_admin(host.read_proc("self/status")),
        obstacles=dict(_observe_obstacles([*files, leftover_path, boot.target.path], units, host)),
        boot=boot,
    )


def observe_areas(host: Host) -> tuple[Area, ...]:
    """Return the swap areas in use."""
    return parse_swaps(host.read_proc("swaps"))


def observe_memory_available(host: Host) -> int:
    """Return the bytes of memory that are available without swapping."""
    sizes = parse_meminfo(host.read_proc("meminfo"))
    if "MemAvailable" not in sizes:
        raise SwapError("/proc/meminfo does not show the available memory.", hint="This requires Linux 3.14 or later.")

    return sizes["MemAvailable"]


def observe_ram(host: Host) -> int:
    """Return the bytes of RAM that the kernel manages."""
    return parse_meminfo(host.read_proc("meminfo"))["MemTotal"]


def observe_header(path: pathlib.Path, page_size: int) -> Header | None:
    """Return the swap header of the file at `path`, None if it has none. A link is not followed."""
    try:
        descriptor = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            page = file.read(page_size)
    except PermissionError as error:
        raise SwapError(f"Could not read {path}: {error.strerror}.", hint="Run the task with become: true.") from error
    except OSError as error:
        raise SwapError(f"Could not read {path}: {error.strerror}.") from error

    return parse_header(page)


def _observe_disk_free(folder: pathlib.Path) -> int:
    try:
        disk = os.statvfs(str(folder))
    except OSError as error:
        raise SwapError(
            f"Could not examine the directory {folder}: {error.strerror}.", hint="Create it, or choose another path."
        ) from error

    return disk.f_bavail * disk.f_frsize


def _observe_entries(path: pathlib.Path, page_size: int) -> t.Iterator[Entry]:
    """Yield those of `path`, `path.1`, `path.2`... that exist, in that order."""
    pattern = re.compile(rf"{re.escape(path.name)}(?:\.([1-9][0-9]*))?")
    by_number: dict[int, pathlib.Path] = {}
    for name in os.listdir(str(path.parent)):
        match = pattern.fullmatch(name)
        if match:
            number = int(match.group(1) or 0)
            by_number[number] = path.with_name(name)

    for number in sorted(by_number):
        yield _observe_entry(by_number[number], page_size)


def _observe_entry(path: pathlib.Path, page_size: int) -> Entry:
    status = os.lstat(str(path))
    kind = _name_kind(status)
    header = None
    if kind == "file":
        header = observe_header(path, page_size)

    return Entry(
        path=str(path),
        kind=kind,
        header=header,
        file_bytes=status.st_size,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        links=status.st_nlink,
    )


def _observe_leftover(path: str, page_size: int) -> Entry | None:
    if not os.path.lexists(path):
        return None

    return _observe_entry(pathlib.Path(path), page_size)


def _observe_folders(folder: pathlib.Path) -> t.Iterator[Folder]:
    """Yield the folders on the path from / to `folder`."""
    for path in (*reversed(folder.parents), folder):
        status = os.lstat(str(path))
        yield Folder(path=str(path), kind=_name_kind(status), mode=stat.S_IMODE(status.st_mode), uid=status.st_uid)


def _name_kind(status: os.stat_result) -> str:
    return _KINDS.get(stat.S_IFMT(status.st_mode), "special file")


def _observe_units(areas: t.Iterable[str], host: Host) -> t.Iterator[Unit]:
    for area in areas:
        yield _observe_unit(area, host)


def _observe_unit(area: str, host: Host) -> Unit:
    name = build_unit_name(area)
    path = host.units / name
    enabled = os.path.lexists(str(_find_boot_link(name, host)))
    return Unit(path=str(path), area=area, text=read_unit(path), enabled=enabled, masked=is_masked(path))


def _find_boot_link(unit: str, host: Host) -> pathlib.Path:
    """Return the link that starts the swap unit of this name at boot."""
    return host.units / "swap.target.wants" / unit


def _observe_obstacles(files: t.Sequence[str], units: t.Iterable[Unit], host: Host) -> t.Iterator[tuple[str, Obstacle]]:
    """Yield what keeps steps from being carried out, by the paths of the steps and the programs that they run."""
    places = dict(zip(files, files))
    # A linked fstab stays a link.
    places[os.path.realpath(str(host.fstab))] = str(host.fstab)
    for unit in units:
        link = _find_boot_link(pathlib.Path(unit.path).name, host)
        places[str(link)] = unit.path
        places[unit.path] = unit.path

    for place, path in places.items():
        obstacle = _find_obstacle(pathlib.Path(place))
        if obstacle:
            yield path, obstacle

    for program in itertools.filterfalse(host.is_installed, PROGRAMS):
        missing = f"The program {program} is not installed. Nothing was changed."
        yield program, Obstacle(missing, f"Install the package {PROGRAMS[program]}.")


def _find_obstacle(path: pathlib.Path) -> Obstacle | None:
    try:
        check_removable(path)
    except FileError as error:
        return Obstacle(error.problem, error.hint)

    return None
