# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an incident to a kill: what the history of a host keeps of it."""

from __future__ import annotations

from ..explain.consumers import Consumers, Sums, sum_tasks
from ..explain.unknown import sum_known
from ..incident.incident import Incident
from ..report.model import Limit, Memory, Task, Victim
from .model import Kill


class Kills:
    """The kills of incidents whose time is known."""

    def __init__(self) -> None:
        self.found: list[Kill] = []

    def add(self, incident: Incident, consumers: Consumers, cause: str) -> None:
        """Add an incident; `consumers` are those in its report, and `cause` that of its diagnosis."""
        if incident.at.realtime_us is not None:
            self.found.append(build_kill(incident, consumers, cause))


def build_kill(incident: Incident, consumers: Consumers, cause: str) -> Kill:
    """Return an incident as a kill; `consumers` are those in its report, and `cause` that of its diagnosis."""
    victim = _find_victim(incident)
    name = ""
    uid = None
    if victim is not None:
        name = victim.name
        uid = victim.uid

    namesakes = _sum_namesakes(consumers, name, uid)
    limit = incident.report.limit or Limit()
    memory = incident.report.memory or Memory()

    return Kill(
        time_us=incident.time.realtime_us,
        boot_id=incident.time.boot_id,
        unit=_name_place(incident),
        victim=name,
        cause=cause,
        rss_bytes=_sum_rss(victim),
        swap_bytes=_find_swap(incident, victim),
        uid=uid,
        namesakes=namesakes.number or None,
        namesakes_bytes=_find_held(namesakes),
        limit_bytes=limit.limit_bytes,
        ram_bytes=memory.ram_bytes,
        swap_total_bytes=memory.swap_total_bytes,
        evicted_bytes=_find_evicted(limit, incident.report.page_size),
    )


def _find_victim(incident: Incident) -> Victim | None:
    """Return the first victim."""
    return next(iter(incident.report.victims), None)


def _name_place(incident: Incident) -> str:
    """Return the unit of the victim, or else its cgroup.

    A unit of a user is named by its cgroup, since the host may have a unit of the same name.
    """
    place = incident.place
    cgroup = incident.report.cgroup or ""
    if place.user_unit is not None:
        return cgroup

    return place.unit or cgroup


def _sum_rss(victim: Victim | None) -> int | None:
    if victim is None:
        return None

    return sum_known((victim.anon_rss_bytes, victim.file_rss_bytes, victim.shmem_rss_bytes))


def _find_swap(incident: Incident, victim: Victim | None) -> int | None:
    """Return the swapped memory of the victim: a host without swap has none, even if the report shows no task table."""
    if victim is None:
        return None

    memory = incident.report.memory
    if memory is not None and memory.swap_total_bytes == 0:
        return 0

    return victim.swap_bytes


def _find_evicted(limit: Limit, page_size: int | None) -> int | None:
    """Return the page cache that the kernel took from a cgroup; it counts the pages as `pgsteal` (memory.stat)."""
    pages = limit.stat.get("pgsteal")
    if pages is None or page_size is None:
        return None

    return pages * page_size


def _sum_namesakes(consumers: Consumers, victim: str, uid: int | None) -> Sums:
    """Return the sums of the processes in the task table that have the name and the user of the victim.

    Other users can give their processes any name.
    """
    namesakes: list[Task] = []
    for name, tasks, _sums in consumers.names:
        if name == victim:
            namesakes += tasks

    if uid is not None:
        namesakes = [task for task in namesakes if task.uid == uid]

    return sum_tasks(namesakes)


def _find_held(sums: Sums) -> int | None:
    if sums.rss_bytes is None:
        return None

    return sums.held_bytes
