# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe the state of a host's swap."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import stat
import typing as t

from .._command import Run
from .._files import FileError, name_leftover, read_file
from .._proc import parse_meminfo
from .._systemctl import is_booted
from .filesystem import observe_filesystem
from .header import Header, parse_header
from .hibernation import find_resume_files
from .host import Host, read_optional
from .state import Area, Entry, Folder, State, SwapError, Unit, find_free_name, select_own
from .tables import has_sys_admin, parse_release, parse_settings, parse_swaps
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
        return dataclasses.replace(above, entries=(), leftover=None, units=(_observe_unit(path, host),))

    free_bytes = _observe_disk_free(folder)
    entries = tuple(_observe_entries(pathlib.Path(path), host.page_size))
    names = [entry.path for entry in entries]
    filesystem = observe_filesystem(folder, host, run)
    return State(
        areas=observe_areas(host),
        entries=entries,
        leftover=_observe_leftover(path, host.page_size),
        folders=tuple(_observe_folders(folder)),
        filesystem=filesystem.type,
        devices=filesystem.devices,
        snapshots=filesystem.snapshots,
        kernel=parse_release(host.read_proc("sys/kernel/osrelease")),
        free_bytes=free_bytes,
        memory_available_bytes=observe_memory_available(host),
        page_size=host.page_size,
        fstab=read_optional(host.fstab),
        units=tuple(_observe_units([*names, find_free_name(path, names)], host)),
        unit_folder=str(host.units),
        booted=is_booted(host.root),
        hibernates_to=tuple(find_resume_files(select_own(entries), host)),
        container=_observe_container(host),
        privileged=has_sys_admin(host.read_proc("self/status")),
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
    leftover = name_leftover(pathlib.Path(path))
    if not os.path.lexists(str(leftover)):
        return None

    return _observe_entry(leftover, page_size)


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
    enabled = os.path.lexists(str(host.units / "swap.target.wants" / name))
    return Unit(path=str(path), area=area, text=_read_unit(path), enabled=enabled)


def _read_unit(path: pathlib.Path) -> str:
    if path.is_symlink():
        return f"a link to {os.readlink(str(path))}"

    return read_optional(path)


def _observe_container(host: Host) -> str:
    """Return the kind of container according to the marks of systemd, Docker and Podman, "" if there is none.

    Source: systemd's Container Interface, https://systemd.io/CONTAINER_INTERFACE/.
    """
    named = read_file(host.root / "run/systemd/container")
    if named is not None:
        return named.strip() or "unknown"

    if (host.root / ".dockerenv").exists():
        return "docker"

    if (host.root / "run/.containerenv").exists():
        return "podman"

    try:
        environment = read_optional(host.proc / "1/environ")
    except FileError:  # only root can read the environment of other users' processes
        return ""

    return parse_settings(environment.split("\0")).get("container", "")
