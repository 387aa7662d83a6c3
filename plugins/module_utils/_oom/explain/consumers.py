# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who held the memory: the task table summed by name and by cgroup."""

from __future__ import annotations

import typing as t

from ..report.model import OomReport, Task

Key = t.TypeVar("Key")


class Sums(t.NamedTuple):
    """What some tasks held together; None where the kernel prints no such column or the page size is unknown."""

    number: int
    rss_bytes: int | None = None
    """A page that several of them share is counted for each."""
    rss_shared_once_bytes: int | None = None
    """Their anonymous memory, and of mapped files and of shared memory what the largest of them has; None before
    Linux 6.8, whose tables tell these from one another."""
    swap_bytes: int | None = None
    pgtables_bytes: int | None = None

    @property
    def held_bytes(self) -> int:
        """The bytes of RAM and swap, shared pages once where that can be told."""
        once = None if self.number == 1 else self.rss_shared_once_bytes
        return ((self.rss_bytes if once is None else once) or 0) + (self.swap_bytes or 0)


def held(task: Task) -> int:
    """Return the bytes of RAM and swap that a task held."""
    return (task.rss_bytes or 0) + (task.swap_bytes or 0)


def sums(tasks: t.Sequence[Task]) -> Sums:
    """Return what `tasks` held together."""
    if not tasks:
        return Sums(number=0)
    columns = dict(zip(Task._fields, zip(*tasks)))
    anonymous = known_sum(columns["rss_anon_bytes"])
    shared = (max(size or 0 for size in columns[name]) for name in ("rss_file_bytes", "rss_shmem_bytes"))
    return Sums(
        number=len(tasks),
        rss_bytes=known_sum(columns["rss_bytes"]),
        rss_shared_once_bytes=None if anonymous is None else anonymous + sum(shared),
        swap_bytes=known_sum(columns["swap_bytes"]),
        pgtables_bytes=known_sum(columns["pgtables_bytes"]),
    )


Group = t.Tuple[Key, t.List[Task], Sums]
"""What some tasks have in common, these tasks, and what they held together."""


class Consumers(t.NamedTuple):
    """Who held the memory, those that held most first."""

    together: Sums
    names: t.Sequence[Group[str]]
    cgroups: t.Sequence[Group[str | None]]


def consumers_of(report: OomReport, living: t.Mapping[int, str]) -> Consumers:
    """Sum a report's task table; `living` are the cgroups of processes that have outlived the kill."""
    return Consumers(sums(report.tasks), by_name(report.tasks), by_cgroup(report, living))


def by_name(tasks: t.Iterable[Task]) -> list[Group[str]]:
    """Return the tasks by their names, those that held most first."""
    return _grouped((task.name, task) for task in tasks)


def by_cgroup(report: OomReport, living: t.Mapping[int, str]) -> list[Group[str | None]]:
    """Return the tasks by their cgroups, those that held most first, and those of unknown cgroups under None.

    The kernel names the victim's cgroup, and lists only tasks in or below the cgroup whose limit was hit.
    """
    cgroups = dict.fromkeys((victim.pid for victim in report.victims), report.cgroup)
    below = report.limit_cgroup if report.scope == "memcg" else None
    return _grouped((living.get(task.pid) or cgroups.get(task.pid) or below, task) for task in report.tasks)


def _grouped(pairs: t.Iterable[tuple[Key, Task]]) -> list[Group[Key]]:
    groups: dict[Key, list[Task]] = {}
    for key, task in pairs:
        groups.setdefault(key, []).append(task)
    summed = [(key, tasks, sums(tasks)) for key, tasks in groups.items()]
    return sorted(summed, key=lambda group: -group[2].held_bytes)


def known_sum(values: t.Collection[int | None]) -> int | None:
    """Return the sum of the values that are known, None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
