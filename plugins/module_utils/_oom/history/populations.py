# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many processes of the victims' names run now on this host, and how large they are."""

from __future__ import annotations

import pathlib
import re
import typing as t

from ..explain.unknown import zero_if_unknown
from .model import Kill, Population

_PROC = pathlib.Path("/proc")
_MANY = 5
_KIB = 1024
# proc_pid_status(5). A process of the kernel has no such lines.
_SIZE = re.compile(r"^(?:VmRSS|VmSwap):\s+(\d+) kB$", re.MULTILINE)


def observe_populations(kills: t.Iterable[Kill], proc: pathlib.Path = _PROC) -> dict[str, Population]:
    """Return the processes with the names of victims that had several namesakes when they were killed."""
    names = {kill.victim for kill in kills if zero_if_unknown(kill.namesakes) >= _MANY}
    if not names:
        return {}

    folders: dict[str, list[pathlib.Path]] = {}
    for folder in proc.glob("[0-9]*"):
        name = _read(folder / "comm").rstrip("\n")
        folders.setdefault(name, []).append(folder)

    found = names.intersection(folders)
    return {name: _build_population(folders[name]) for name in found}


def _build_population(folders: t.Sequence[pathlib.Path]) -> Population:
    """Return the processes with these folders in /proc."""
    sizes = list(map(_read_size, folders))
    return Population(len(sizes), sum(sizes) // len(sizes))


def _read_size(folder: pathlib.Path) -> int:
    """Return the resident and swapped memory of a process, 0 if it has ended."""
    return sum(map(int, _SIZE.findall(_read(folder / "status")))) * _KIB


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
