# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cgroups of processes that have outlived a kill: the kernel's task table names none of them.

Formats: /proc/PID/stat and /proc/PID/cgroup, proc(5) and cgroups(7).
"""

from __future__ import annotations

import os
import pathlib
import typing as t

from .incident import Incident

_PROC = pathlib.Path("/proc")
# After the name: the state is field 3, the start 22 (in clock ticks since the boot).
_START = 22 - 3


class Process(t.NamedTuple):
    """A process of this host; `started_us` in microseconds since the boot."""

    name: str
    started_us: int
    cgroup: str


def with_cgroups(incidents: t.Sequence[Incident], proc: pathlib.Path = _PROC) -> list[Incident]:
    """Return the incidents, those of the current boot with the cgroups of the processes that are still there."""
    boot_id = _read(proc / "sys/kernel/random/boot_id").strip().replace("-", "")
    current = {id(incident) for incident in incidents if boot_id and incident.at.boot_id == boot_id}
    pids = {task.pid for incident in incidents if id(incident) in current for task in incident.report.tasks}
    processes = {pid: process for pid in pids for process in [read_process(pid, proc)] if process}
    return [
        incident._replace(cgroups=_cgroups(incident, processes)) if id(incident) in current else incident
        for incident in incidents
    ]


def _cgroups(incident: Incident, processes: t.Mapping[int, Process]) -> dict[int, str]:
    """Return the cgroups of the tasks of an incident; a pid may belong to another process by now."""
    found = ((task, processes.get(task.pid)) for task in incident.report.tasks)
    return {
        task.pid: process.cgroup
        for task, process in found
        if process and process.name == task.name and process.started_us <= (incident.at.monotonic_us or 0)
    }


def read_process(pid: int, proc: pathlib.Path = _PROC) -> Process | None:
    """Return what is known of a process, None where it is gone."""
    head, _bracket, tail = _read(proc / str(pid) / "stat").rpartition(") ")
    fields = tail.split()
    cgroup = _memory_cgroup(_read(proc / str(pid) / "cgroup"))
    if len(fields) <= _START or cgroup is None:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return Process(head.partition(" (")[2], int(fields[_START]) * 1000000 // ticks, cgroup)


def _memory_cgroup(text: str) -> str | None:
    """Return the cgroup that counts the memory: that of version 1's controller, else that of version 2."""
    lines = [line.split(":", 2) for line in text.split("\n") if line.count(":") >= 2]
    version_1 = [path for _number, controllers, path in lines if "memory" in controllers.split(",")]
    version_2 = [path for number, _controllers, path in lines if number == "0"]
    return next(iter(version_1 + version_2), None)


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""
