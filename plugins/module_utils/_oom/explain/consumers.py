# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes held the memory: the task table summed by name and by cgroup."""

from __future__ import annotations

import collections
import operator
import typing as t

from ..report.model import Limit, OomReport, Task
from ..report.task_table import Table
from .breakdown import Breakdown
from .unknown import sum_known, zero_if_unknown

Key = t.TypeVar("Key")


class Sums(t.NamedTuple):
    """The memory that some tasks held together; None if the table has no such column or the page size is unknown."""

    number: int
    rss_bytes: int | None = None
    """A page that several of them share is counted for each."""
    rss_shared_once_bytes: int | None = None
    """Their anonymous memory, plus the mapped files and the shared memory of the task that has most of each.

    None before Linux 6.8, whose task table does not list the three separately.
    """
    swap_bytes: int | None = None
    pgtables_bytes: int | None = None

    @property
    def held_bytes(self) -> int:
        """The bytes of RAM and swap, with shared pages counted once if the table lists them."""
        swap = zero_if_unknown(self.swap_bytes)
        if self.number == 1 or self.rss_shared_once_bytes is None:
            return zero_if_unknown(self.rss_bytes) + swap

        return self.rss_shared_once_bytes + swap


def compute_held_bytes(task: Task) -> int:
    """Return the bytes of RAM and swap that a task held."""
    # A call for each row of a table would take longer than all else here.
    return (task.rss_bytes or 0) + (task.swap_bytes or 0)


def sum_tasks(tasks: t.Sequence[Task]) -> Sums:
    """Return the memory that `tasks` held together."""
    if not tasks:
        return Sums(number=0)

    # Most groups are one task.
    if len(tasks) == 1:
        return _sum_task(tasks[0])

    # There may be thousands of tasks: transposing all rows at once is faster than asking each row for each column.
    columns = dict(zip(Task._fields, zip(*tasks)))

    return Sums(
        number=len(tasks),
        rss_bytes=sum_known(columns["rss_bytes"]),
        rss_shared_once_bytes=_sum_shared_once(columns),
        swap_bytes=sum_known(columns["swap_bytes"]),
        pgtables_bytes=sum_known(columns["pgtables_bytes"]),
    )


def _sum_task(task: Task) -> Sums:
    shared_once = task.rss_anon_bytes
    if shared_once is not None:
        shared_once += zero_if_unknown(task.rss_file_bytes) + zero_if_unknown(task.rss_shmem_bytes)

    return Sums(
        number=1,
        rss_bytes=task.rss_bytes,
        rss_shared_once_bytes=shared_once,
        swap_bytes=task.swap_bytes,
        pgtables_bytes=task.pgtables_bytes,
    )


def _sum_shared_once(columns: t.Mapping[str, t.Collection[t.Any]]) -> int | None:
    anonymous = sum_known(columns["rss_anon_bytes"])
    if anonymous is None:
        return None

    most_file = max(filter(None, columns["rss_file_bytes"]), default=0)
    most_shmem = max(filter(None, columns["rss_shmem_bytes"]), default=0)

    return anonymous + most_file + most_shmem


Group = t.Tuple[Key, t.List[Task], Sums]
"""The name or cgroup that some tasks have in common, these tasks, and the memory they held together."""


class Consumers(t.NamedTuple):
    """The processes that held the memory; groups are sorted by the memory they held, largest first."""

    together: Sums
    names: t.Sequence[Group[str]]
    cgroups: t.Sequence[Group[str | None]]
    is_whole: bool = True
    """Nothing shows that rows of the task table are missing."""

    @property
    def largest(self) -> Group[str]:
        """The tasks of that name which held the most; no tasks without a task table."""
        if not self.names:
            return "", [], Sums(number=0)

        return self.names[0]


def find_consumers(report: OomReport, survivors: t.Mapping[int, str]) -> Consumers:
    """Sum a report's task table; `survivors` are the cgroups of processes that survived the kill, by pid."""
    return Consumers(
        together=sum_tasks(report.tasks),
        names=group_by_name(report.tasks),
        cgroups=group_by_cgroup(report, survivors),
        is_whole=is_table_whole(report),
    )


def is_table_whole(report: OomReport) -> bool:
    """Return whether nothing shows that rows of the task table are missing."""
    return report.complete and not count_damaged_rows(report)


def count_damaged_rows(report: OomReport) -> int:
    """Return the number of rows of the task table that are truncated."""
    if not isinstance(report.tasks, Table):
        return 0

    return report.tasks.damaged_count


def find_anonymous_bytes(report: OomReport, parts: Breakdown | None) -> int | None:
    """Return the anonymous memory of all processes that the kernel can kill, as it counts it without the task table."""
    if report.scope == "memcg":
        stat = (report.limit or Limit()).stat
        return stat.get("anon", stat.get("rss"))

    if parts is None or report.scope != "global":
        return None

    return parts.anonymous_bytes


def group_by_name(tasks: t.Sequence[Task]) -> list[Group[str]]:
    """Return the tasks grouped by name, the largest group first."""
    return _group_tasks(map(operator.attrgetter("name"), tasks), tasks)


def group_by_user(tasks: t.Sequence[Task]) -> list[Group[int | None]]:
    """Return the tasks grouped by user id, the largest group first; tasks of unknown users are under None."""
    return _group_tasks(map(operator.attrgetter("uid"), tasks), tasks)


def group_by_cgroup(report: OomReport, survivors: t.Mapping[int, str]) -> list[Group[str | None]]:
    """Return the tasks grouped by cgroup, the largest group first; tasks of unknown cgroups are under None.

    The kernel names the victim's cgroup. If a cgroup's limit was hit, it lists only tasks in or below that cgroup.
    """
    cgroups: dict[int, str | None] = dict.fromkeys((victim.pid for victim in report.victims), report.cgroup)
    cgroups.update(survivors)
    fallback = None
    if report.scope == "memcg":
        fallback = report.limit_cgroup

    known = map(cgroups.get, map(operator.attrgetter("pid"), report.tasks))

    return _group_tasks([cgroup or fallback for cgroup in known], report.tasks)


def _group_tasks(keys: t.Iterable[Key], tasks: t.Iterable[Task]) -> list[Group[Key]]:
    """Return the tasks grouped by their keys, which are in the same order."""
    groups: dict[Key, list[Task]] = collections.defaultdict(list)
    for key, task in zip(keys, tasks):
        groups[key].append(task)

    summed = [(key, group, sum_tasks(group)) for key, group in groups.items()]
    return sorted(summed, key=lambda group: -group[2].held_bytes)
