# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts of /proc that several topics read: proc(5)."""

from __future__ import annotations

import typing as t

_KIB = 1024


class Stat(t.NamedTuple):
    """A process in /proc/PID/stat; `started_ticks` are clock ticks after the boot."""

    name: str
    parent_pid: int
    started_ticks: int


def parse_meminfo(text: str) -> dict[str, int]:
    """Return the values in /proc/meminfo, such as `MemTotal`: sizes in bytes, and those without a unit as counts."""
    values: dict[str, int] = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) < 2:
            continue

        factor = _KIB if len(words) > 2 else 1
        values[words[0].rstrip(":")] = int(words[1]) * factor

    return values


def parse_stat(text: str) -> Stat | None:
    """Return what /proc/PID/stat says, None if it is cut short. A process can have any character in its name."""
    head, bracket, tail = text.rpartition(") ")
    fields = tail.split()
    if not bracket or len(fields) < 20:
        return None

    name = head.partition(" (")[2]
    return Stat(name=name, parent_pid=int(fields[1]), started_ticks=int(fields[19]))


def parse_cgroups(text: str) -> dict[str, str]:
    """Return the cgroup of each controller in /proc/PID/cgroup: cgroups(7).

    Version 2 has the controller "", and systemd's own hierarchy of version 1 "name=systemd".
    """
    paths: dict[str, str] = {}
    for line in text.split("\n"):
        if line.count(":") < 2:
            continue

        _number, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            paths[controller] = path

    return paths


def find_memory_cgroup(paths: t.Mapping[str, str]) -> str | None:
    """Return the cgroup that the memory of a process is charged to, None if it is unknown."""
    return _find_first(paths, ("memory", ""))


def find_unit_cgroup(paths: t.Mapping[str, str]) -> str | None:
    """Return the cgroup in which systemd runs a process, None if it is unknown."""
    return _find_first(paths, ("", "name=systemd", "memory"))


def _find_first(paths: t.Mapping[str, str], controllers: t.Iterable[str]) -> str | None:
    for controller in controllers:
        if controller in paths:
            return paths[controller]

    return None
