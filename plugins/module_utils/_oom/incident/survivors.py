# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cgroups of processes that survived a kill: the kernel's task table names no cgroups."""

from __future__ import annotations

import functools
import os
import pathlib
import typing as t

from ..._proc import find_memory_cgroup, parse_cgroups, parse_stat
from .incident import Incident

_PROC = pathlib.Path("/proc")
_MICROSECONDS = 1_000_000


class Process(t.NamedTuple):
    """A process of this host; `started_us` are microseconds since the boot."""

    name: str
    started_us: int
    cgroup: str


def add_cgroups(incidents: t.Sequence[Incident], proc: pathlib.Path = _PROC) -> list[Incident]:
    """Return the incidents; those of the current boot with the cgroups of the processes that still run."""
    boot_id = _read(proc / "sys/kernel/random/boot_id").strip().replace("-", "")
    # The same processes are in the task tables of many incidents.
    read_once = functools.lru_cache(maxsize=None)(functools.partial(read_process, proc=proc))
    result = []
    for incident in incidents:
        cgroups = incident.cgroups
        if incident.at.boot_id == boot_id:
            cgroups = _find_cgroups(incident, read_once)

        result.append(incident._replace(cgroups=cgroups))

    return result


def _find_cgroups(incident: Incident, read: t.Callable[[int], Process | None]) -> dict[int, str]:
    """Return the cgroups of the tasks of an incident that still run, by pid."""
    cgroups = {}
    for task in incident.report.tasks:
        process = read(task.pid)
        if process is None or process.name != task.name:
            continue

        # Otherwise, another process of the same name has got the pid since.
        if process.started_us <= incident.time.monotonic_us:
            cgroups[task.pid] = process.cgroup

    return cgroups


def read_process(pid: int, proc: pathlib.Path = _PROC) -> Process | None:
    """Return a process, None if it has ended."""
    stat = parse_stat(_read(proc / str(pid) / "stat"))
    cgroup = find_memory_cgroup(parse_cgroups(_read(proc / str(pid) / "cgroup")))
    if stat is None or cgroup is None:
        return None

    started_us = stat.started_ticks * _MICROSECONDS // os.sysconf("SC_CLK_TCK")
    return Process(stat.name, started_us, cgroup)


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
