# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel itself says of a unit's cgroup and of the host's memory: the adapter to /sys and /proc."""

from __future__ import annotations

import errno
import pathlib
import typing as t

from .._files import read_file
from .._proc import parse_meminfo
from .dropin import DropinError, Host, Limit
from .values import Totals

_CGROUPS = "sys/fs/cgroup"
_DROPPABLE = ("active_file", "inactive_file", "slab_reclaimable")


def read_limits(cgroup: str, files: t.Mapping[str, str], root: pathlib.Path) -> dict[str, Limit]:
    """Return the limits of `cgroup` (as systemd writes it, from /) and of those above it, by directive.

    `files` names the file of each directive; what the cgroup does not have, or version 1, is left out.
    """
    if cgroup.strip("/") == "":
        return {}
    top = root / _CGROUPS
    folder = top / cgroup.strip("/")
    above = [parent for parent in folder.parents if top in parent.parents]
    limits = {}
    for directive, name in files.items():
        found = _read(folder / name)
        if found:
            values = [(f"/{parent.relative_to(top)}", _read(parent / name)) for parent in above]
            limits[directive] = Limit(
                file=folder / name,
                value=_number(found),
                above=tuple((path, _number(value)) for path, value in values if value),
            )
    return limits


def read_memory(cgroup: str, root: pathlib.Path) -> int | None:
    """Return the bytes that `cgroup` uses and the kernel cannot drop; None where it does not say, as in version 1.

    This is memory.current without what memory.stat counts as files and as reclaimable slab (the kernel's
    admin-guide/cgroup-v2.rst): the memory of processes, shared memory and tmpfs, of which some may go to swap, and most
    of the kernel's own.
    """
    folder = root / _CGROUPS / cgroup.strip("/")
    current = _number(_read(folder / "memory.current")) if cgroup.strip("/") else None
    if current is None:
        return None
    counts = dict(line.split() for line in _read(folder / "memory.stat").splitlines())
    return current - sum(int(counts.get(name, 0)) for name in _DROPPABLE)


def write_limit(file: pathlib.Path, text: str, *, must: bool) -> None:
    """Have the kernel take one limit; a cgroup that has gone with its unit needs none.

    Raises DropinError where the kernel refuses it and `must` take it.
    """
    try:
        file.write_text(text)
    except OSError as error:
        if must and error.errno not in (errno.ENOENT, errno.ENODEV):
            raise DropinError(f"Could not write {text} to {file}: {error.strerror}.") from error


def read_host(root: pathlib.Path) -> Host:
    """Return the totals that systemd takes percentages of, the swap, and whether cgroups are of version 2."""
    meminfo = parse_meminfo(_read(root / "proc/meminfo"))
    tasks = [_read(root / name) for name in ("proc/sys/kernel/pid_max", "proc/sys/kernel/threads-max")]
    tasks.append(_read(root / _CGROUPS / "pids.max"))
    limit = _number(_read(root / _CGROUPS / "memory.max"))
    ram = meminfo.get("MemTotal", 0)
    return Host(
        totals=Totals(
            ram_bytes=ram if limit is None else min(ram, limit),
            tasks=min((int(text) for text in tasks if text.isdigit()), default=0),
        ),
        swap_bytes=meminfo.get("SwapTotal"),
        unified=(root / _CGROUPS / "cgroup.controllers").exists(),
    )


def _read(path: pathlib.Path) -> str:
    return (read_file(path) or "").strip()


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None
