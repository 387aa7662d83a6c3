# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading off a host what its swap looks like."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pathlib
import re
import stat
import struct
import typing as t

from .._command import Run
from .._files import FileError, leftover_of, read_file
from .._proc import parse_meminfo
from .state import (
    Area,
    Entry,
    Folder,
    Header,
    Mount,
    State,
    SwapError,
    Unit,
    free_name,
    parse_header,
    parse_mount,
    parse_privileged,
    parse_release,
    parse_resume,
    parse_snapshots,
    parse_swaps,
)
from .unit import unit_name

# linux/fs.h: the block of a file's block, and the size of one.
_FIBMAP, _FIGETBSZ = 1, 2

_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "symbolic link"}


@dataclasses.dataclass(frozen=True)
class Host:
    """Where the host tells about itself; tests name folders of their own."""

    proc: pathlib.Path = pathlib.Path("/proc")
    fstab: pathlib.Path = pathlib.Path("/etc/fstab")
    units: pathlib.Path = pathlib.Path("/etc/systemd/system")
    root: pathlib.Path = pathlib.Path("/")
    page_size: int = os.sysconf("SC_PAGE_SIZE")


def observe(path: str, host: Host, run: Run, *, must: bool = True) -> State:
    """Return the state of the host's swap and of the place for managed files, `path` and its numbered siblings.

    Changes nothing. Raises OomguardError, also where the folder is gone that `must` be there.
    """
    folder = pathlib.Path(path).parent
    if not must and not os.path.lexists(str(folder)):
        # No file is left, but what names it for the next boot.
        above = observe(str(folder), host, run, must=False)
        return dataclasses.replace(above, entries=(), leftover=None, units=(_unit(path, host),))
    try:
        free = os.statvfs(str(folder))
    except OSError as error:
        raise SwapError(
            f"Could not look at the folder {folder}: {error.strerror}.", hint="Make it, or name another path."
        ) from error
    leftover = leftover_of(pathlib.Path(path))
    entries = tuple(_entry(entry, host.page_size) for entry in _family(pathlib.Path(path)))
    names = [entry.path for entry in entries]
    mount = parse_mount(_require(host.proc / "self/mountinfo"), str(folder))
    return State(
        areas=observe_areas(host),
        entries=entries,
        leftover=_entry(leftover, host.page_size) if os.path.lexists(str(leftover)) else None,
        folders=tuple(_folder(each) for each in (*reversed(folder.parents), folder)),
        filesystem=mount.filesystem,
        devices=_devices(mount, host),
        snapshots=_snapshots(folder, mount, run),
        kernel=parse_release(_require(host.proc / "sys/kernel/osrelease")),
        free_bytes=free.f_bavail * free.f_frsize,
        memory_available_bytes=observe_memory_available(host),
        page_size=host.page_size,
        fstab=read_file(host.fstab) or "",
        units=tuple(_unit(name, host) for name in (*names, free_name(path, names))),
        unit_folder=str(host.units),
        booted=(host.root / "run/systemd/system").is_dir(),
        hibernates_to=_hibernates_to([pathlib.Path(entry.path) for entry in entries if entry.ours], host),
        container=_container(host),
        privileged=parse_privileged(_require(host.proc / "self/status")),
    )


def observe_areas(host: Host) -> tuple[Area, ...]:
    """Return the swap areas in use."""
    return parse_swaps(_require(host.proc / "swaps"))


def observe_memory_available(host: Host) -> int:
    """Return the bytes of memory that can be had without swapping."""
    sizes = parse_meminfo(_require(host.proc / "meminfo"))
    if "MemAvailable" not in sizes:
        raise SwapError("/proc/meminfo does not tell how much memory is available.", hint="Linux 3.14 and later do.")
    return sizes["MemAvailable"]


def observe_header(path: pathlib.Path, page_size: int) -> Header | None:
    """Return the swap header of the file at `path`, None where it has none. A link is not followed."""
    try:
        descriptor = os.open(str(path), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return parse_header(file.read(page_size))
    except OSError as error:
        hint = "Use become: true." if isinstance(error, PermissionError) else ""
        raise SwapError(f"Could not read {path}: {error.strerror}.", hint=hint) from error


def _require(path: pathlib.Path) -> str:
    text = read_file(path)
    if text is None:
        raise SwapError(
            f"There is no {path}: swap cannot be managed here.", hint="Does the kernel know swap (CONFIG_SWAP)?"
        )
    return text


def _family(path: pathlib.Path) -> list[pathlib.Path]:
    """Return what exists of `path`, `path.1`, `path.2`..., in that order."""
    name = re.compile(rf"{re.escape(path.name)}(?:\.([1-9][0-9]*))?")
    matches = [match for match in map(name.fullmatch, os.listdir(str(path.parent))) if match]
    matches.sort(key=lambda match: int(match.group(1) or 0))
    return [path.with_name(match.group()) for match in matches]


def _entry(path: pathlib.Path, page_size: int) -> Entry:
    status = os.lstat(str(path))
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
    return Entry(
        path=str(path),
        kind=kind,
        header=observe_header(path, page_size) if kind == "file" else None,
        file_bytes=status.st_size,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        links=status.st_nlink,
    )


def _unit(area: str, host: Host) -> Unit:
    name = unit_name(area)
    path = host.units / name
    return Unit(
        path=str(path),
        area=area,
        text=f"a link to {os.readlink(str(path))}" if path.is_symlink() else read_file(path) or "",
        enabled=os.path.lexists(str(host.units / "swap.target.wants" / name)),
    )


def _folder(path: pathlib.Path) -> Folder:
    status = os.lstat(str(path))
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special file")
    return Folder(path=str(path), kind=kind, mode=stat.S_IMODE(status.st_mode), uid=status.st_uid)


def _hibernates_to(paths: t.Sequence[pathlib.Path], host: Host) -> tuple[str, ...]:
    """Return those of `paths` that are, or cannot be told not to be, where the kernel looks for a hibernated system."""
    named, offset = parse_resume(read_file(host.proc / "cmdline") or "")
    offsets = {offset, int(read_file(host.root / "sys/power/resume_offset") or 0)} - {0}
    at_offset = [path for path in paths if offsets and _first_page(path, host.page_size) in (*offsets, None)]
    return tuple(str(path) for path in paths if str(path) == named or path in at_offset)


def _first_page(path: pathlib.Path, page_size: int) -> int | None:
    """Return where on its device the file begins, in pages; None where the filesystem does not tell (btrfs)."""
    with path.open("rb") as file:
        try:
            (block_size,) = struct.unpack("=i", fcntl.ioctl(file, _FIGETBSZ, bytes(4)))
            (block,) = struct.unpack("=i", fcntl.ioctl(file, _FIBMAP, bytes(4)))
        except OSError:
            return None
    return int(block * block_size // page_size)


def _devices(mount: Mount, host: Host) -> int:
    """Return how many devices a btrfs spans, as the kernel lists them; 1 for any other filesystem."""
    name = os.path.basename(os.path.realpath(mount.source))
    spans = [os.listdir(str(folder)) for folder in (host.root / "sys/fs/btrfs").glob("*/devices")]
    return next((len(names) for names in spans if mount.filesystem == "btrfs" and name in names), 1)


def _snapshots(folder: pathlib.Path, mount: Mount, run: Run) -> tuple[str, ...]:
    """Return the snapshots of the btrfs subvolume that holds `folder`; none on any other filesystem."""
    if mount.filesystem != "btrfs":
        return ()
    # The root of every subvolume has this inode number (BTRFS_FIRST_FREE_OBJECTID).
    subvolume = next((path for path in (folder, *folder.parents) if os.stat(str(path)).st_ino == 256), folder)
    shown = run(["btrfs", "subvolume", "show", str(subvolume)])
    if shown.returncode:
        raise shown.failed(f"look for snapshots of the btrfs subvolume {subvolume}")
    return parse_snapshots(shown.stdout)


def _container(host: Host) -> str:
    """Return the kind of container by the marks of systemd, Docker and Podman, "" on a machine of its own."""
    named = read_file(host.root / "run/systemd/container")
    if named is not None:
        return named.strip() or "unknown"
    for mark, kind in ((".dockerenv", "docker"), ("run/.containerenv", "podman")):
        if (host.root / mark).exists():
            return kind
    try:
        environment = read_file(host.proc / "1/environ") or ""
    except FileError:  # other people's environments are hidden from all but root
        return ""
    settings = dict(variable.partition("=")[::2] for variable in environment.split("\0"))
    return settings.get("container", "")
