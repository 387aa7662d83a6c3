# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ceilings for each user of a host with several users, from the memory that each of them held at a kill."""

from __future__ import annotations

import typing as t

from ..._size import format_size
from ..incident.incident import Incident
from ..report.model import Memory, OomReport
from .consumers import Group, compute_held_bytes, group_by_user, is_table_whole
from .figures import Figures
from .remedies import APACHE, FCGID_DIRECTIVES, Remedy
from .unknown import zero_if_unknown

# People and websites have user ids from FIRST_UID of adduser.conf(5) on. Programs may run as nobody, and as the dynamic
# users of systemd (systemd.io/UIDS-GIDS).
_FIRST_USER = 1000
_NO_PERSONS = range(61184, 65536)

_STEP = 64 << 20
# The share of the memory that a user must have held, and that the ceiling leaves to each user.
_SHARE = 0.25


class _Users(t.NamedTuple):
    """The user that held most, the most that another one held, and the memory that all of them share."""

    largest: Group[int | None]
    second_bytes: int
    ram_bytes: int
    swap_bytes: int

    @property
    def available_bytes(self) -> int:
        return self.ram_bytes + self.swap_bytes

    @property
    def held_bytes(self) -> int:
        _uid, _tasks, sums = self.largest
        return sums.held_bytes

    @property
    def ceiling_bytes(self) -> int:
        """Twice what any other user held, but at least a quarter of the memory."""
        needed = max(2 * self.second_bytes, int(self.available_bytes * _SHARE))
        return -(-needed // _STEP) * _STEP


def suggest_ceilings(incident: Incident, figures: Figures) -> t.Iterator[Remedy]:
    """Yield a ceiling for each user if it would have stopped the one that held most, and none of the others."""
    place = incident.place
    is_apache = place.unit in APACHE
    is_of_user = (place.slice or "").startswith("user-")
    # Most kills are neither, and need no sums of the users.
    if not any((is_apache, is_of_user)):
        return

    users = _find_users(incident.report, figures.memory)
    if users is None or users.held_bytes <= users.ceiling_bytes:
        return

    if is_apache:
        yield from _suggest_fewer_workers(users)

    uid, _tasks, _sums = users.largest
    if place.slice == f"user-{uid}.slice":
        yield _suggest_slice(users)


def _find_users(report: OomReport, memory: Memory) -> _Users | None:
    """Return the users, None if the report does not show the memory of at least two, or the memory that they share."""
    if not is_table_whole(report):
        return None

    groups = [group for group in group_by_user(report.tasks) if _is_person(group[0])]
    if len(groups) < 2:
        return None

    _uid, _tasks, second = groups[1]
    ram = zero_if_unknown(memory.ram_bytes)
    swap = zero_if_unknown(memory.swap_total_bytes)
    if report.limit:
        ram = zero_if_unknown(report.limit.limit_bytes)
        swap = zero_if_unknown(report.limit.swap_usage_bytes)

    if not ram:
        return None

    return _Users(groups[0], second.held_bytes, ram, swap)


def _is_person(uid: int | None) -> bool:
    return zero_if_unknown(uid) >= _FIRST_USER and uid not in _NO_PERSONS


def _suggest_slice(users: _Users) -> Remedy:
    """Return the ceiling for the slices of all users, split into RAM and swap as the host has them."""
    swap = users.ceiling_bytes * users.swap_bytes // users.available_bytes
    ram = users.ceiling_bytes - swap
    variables = {"oom_policy_units": ["user-.slice"], "oom_policy_memory_max": f"{ram >> 20}M"}
    if swap:
        variables["oom_policy_memory_swap_max"] = f"{swap >> 20}M"

    return Remedy(
        role="oom_policy",
        variables=variables,
        why=f"{_describe(users)} With a ceiling of {format_size(users.ceiling_bytes)} for each user, the kernel would "
        "have killed only processes of that user, and earlier.",
        risk="A user that needs more than the ceiling loses processes although memory is free.",
        automatic=False,
    )


def _suggest_fewer_workers(users: _Users) -> t.Iterator[Remedy]:
    """Yield the number of workers of each user that stays below the ceiling, if the user had more."""
    _uid, tasks, _sums = users.largest
    worker = max(map(compute_held_bytes, tasks))
    number = max(users.ceiling_bytes // max(worker, 1), 1)
    if number >= len(tasks):
        return

    yield Remedy(
        role="fcgid",
        variables={"fcgid_directives": {**FCGID_DIRECTIVES, "FcgidMaxProcessesPerClass": number}},
        why=f"{_describe(users)} With at most {number} workers of a program, as large as the largest of that user "
        f"({format_size(worker)}), each user stays within {format_size(users.ceiling_bytes)}.",
        risk="A website that needs more workers answers more slowly, or not at all while all of them are busy. If a "
        "worker has child processes (PHP_FCGI_CHILDREN), each of them counts here, so set a lower number.",
        automatic=False,
    )


def _describe(users: _Users) -> str:
    uid, _tasks, _sums = users.largest
    held = format_size(users.held_bytes)
    second = format_size(users.second_bytes)

    return f"User {uid} held {held}, and no other user held more than {second}."
