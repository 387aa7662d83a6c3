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
# proc_pid_status(5). A process of the kernel has no sizes.
_SIZE = re.compile(r"^(?:VmRSS|VmSwap):\s+(\d+) kB$", re.MULTILINE)
_USER = re.compile(r"^Uid:\s+(\d+)", re.MULTILINE)

_Key = t.Tuple[str, t.Optional[int]]
"""The name and the user of processes."""


def observe_populations(kills: t.Iterable[Kill], proc: pathlib.Path = _PROC) -> dict[_Key, Population]:
    """Return the processes with the names and users of victims that had several namesakes when they were killed."""
    crowds = [kill for kill in kills if zero_if_unknown(kill.namesakes) >= _MANY]
    if not crowds:
        return {}

    sizes = _read_sizes({kill.victim for kill in crowds}, proc)
    wanted = {(kill.victim, kill.uid) for kill in crowds}

    return {key: _build_population(sizes[key]) for key in wanted.intersection(sizes)}


def _read_sizes(names: t.Container[str], proc: pathlib.Path) -> dict[_Key, list[int]]:
    """Return the sizes of the processes with these names."""
    sizes: dict[_Key, list[int]] = {}
    for folder in proc.glob("[0-9]*"):
        name = _read(folder / "comm").rstrip("\n")
        if name not in names:
            continue

        uid, size = _parse_status(_read(folder / "status"))
        sizes.setdefault((name, uid), []).append(size)

    return sizes


def _parse_status(status: str) -> tuple[int | None, int]:
    """Return the user of a process, and its resident and swapped memory; no user if it has ended."""
    size = sum(map(int, _SIZE.findall(status))) * _KIB
    user = _USER.search(status)
    if user is None:
        return None, size

    return int(user[1]), size


def _build_population(sizes: t.Sequence[int]) -> Population:
    return Population(len(sizes), sum(sizes) // len(sizes))


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
