# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's view of a unit's cgroup and of the host's memory: the adapter to /sys and /proc."""

from __future__ import annotations

import errno
import pathlib
import typing as t

from .._files import read_file
from .._proc import parse_meminfo
from .model import DropinError, Host, Limit, Totals

_CGROUPS = "sys/fs/cgroup"
_DROPPABLE = ("active_file", "inactive_file", "slab_reclaimable")
_TASK_LIMITS = ("proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max", f"{_CGROUPS}/pids.max")


def read_limits(cgroup: str, files: t.Mapping[str, str], root: pathlib.Path) -> dict[str, Limit]:
    """Return the limits of `cgroup` (as systemd writes it, from /) and of those above it, by directive.

    `files` names the file of each directive. A file that the cgroup lacks is left out; version 1 has none of them.
    """
    name = cgroup.strip("/")
    if name == "":
        return {}

    top = root / _CGROUPS
    limits = {}
    for directive, file in files.items():
        path = top / name / file
        text = _read(path)
        if text:
            value = _parse_number(text)
            above = _read_above(name, file, top)
            limits[directive] = Limit(file=path, value=value, above=tuple(above))

    return limits


def _read_above(cgroup: str, file: str, top: pathlib.Path) -> t.Iterator[tuple[str, int | None]]:
    """Yield path and limit of each cgroup above `cgroup`, from the parent on; the root cgroup has no limits."""
    *ancestors, _root = pathlib.PurePosixPath(cgroup).parents
    for ancestor in ancestors:
        text = _read(top / ancestor / file)
        if text:
            yield f"/{ancestor}", _parse_number(text)


def read_memory(cgroup: str, root: pathlib.Path) -> int | None:
    """Return the bytes in use by `cgroup` that the kernel cannot drop; None if they are unknown, as in version 1.

    This is memory.current without the files and the reclaimable slab in memory.stat (the kernel's
    admin-guide/cgroup-v2.rst). What remains is the memory of processes, shared memory and tmpfs, some of which may be
    swapped out, and most memory of the kernel.
    """
    name = cgroup.strip("/")
    if name == "":
        return None

    folder = root / _CGROUPS / name
    text = _read(folder / "memory.current")
    current = _parse_number(text)
    if current is None:
        return None

    droppable = 0
    counters = _read(folder / "memory.stat")
    for line in counters.splitlines():
        counter, amount = line.split()
        if counter in _DROPPABLE:
            droppable += int(amount)

    return current - droppable


def write_limit(file: pathlib.Path, text: str, *, required: bool) -> None:
    """Write one limit to a cgroup, unless that cgroup has gone with its unit.

    Raises DropinError if the kernel refuses a limit that is `required`.
    """
    try:
        file.write_text(text)
    except OSError as error:
        is_gone = error.errno in (errno.ENOENT, errno.ENODEV)
        if required and not is_gone:
            raise DropinError(f"Could not write {text} to {file}: {error.strerror}.") from error


def read_host(root: pathlib.Path) -> Host:
    """Return the host's memory, tasks and swap, and whether its cgroups are of version 2."""
    meminfo = parse_meminfo(_read(root / "proc/meminfo"))
    ram_bytes = meminfo.get("MemTotal", 0)
    # The root cgroup has a limit in a container only.
    limit = _parse_number(_read(root / _CGROUPS / "memory.max"))
    if limit is not None:
        ram_bytes = min(ram_bytes, limit)

    texts = [_read(root / name) for name in _TASK_LIMITS]
    numbers = map(int, filter(str.isdigit, texts))
    tasks = min(numbers, default=0)

    return Host(
        totals=Totals(ram_bytes=ram_bytes, tasks=tasks),
        swap_bytes=meminfo.get("SwapTotal"),
        unified=(root / _CGROUPS / "cgroup.controllers").exists(),
    )


def _read(path: pathlib.Path) -> str:
    text = read_file(path) or ""
    return text.strip()


def _parse_number(text: str) -> int | None:
    if not text.isdigit():
        return None

    return int(text)
