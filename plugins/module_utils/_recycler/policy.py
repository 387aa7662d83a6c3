# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workers to drain or retire, and when. Pure.

A worker over its limit is first taken out of service (drained): its socket loses its name, so mod_fcgid sends it no
other request while it finishes the current one. It is signalled once it has been idle for long enough. A worker over
its hard limit is also signalled if it is still busy after the grace time. The largest workers go first, and of each
program no more than mod_fcgid replaces in time.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from .._fcgid.worker import Worker, has_script
from .settings import Bounds, Settings

Key = t.Tuple[int, int]

# What Worker.activity and Worker.counted_as return. Python 3.8 cannot subscript tuple where a type is made.
_Activity = t.Tuple[t.Tuple[int, int, int], ...]
_Program = t.Tuple[str, str]

# How fast mod_fcgid replaces workers of one program: a worker that ends adds 2 to a score, its successor adds 1, and
# each second subtracts 1. Above 10, mod_fcgid starts no worker: requests wait, and fail in the end (fcgid_spawn_ctl.c,
# 2.3.9).
_REPLACED_IN_SECONDS = 3


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is remembered about a worker until the next check. Times are of the monotonic clock.

    `begun` is whether there was an order to drain it. `drained` and `retired` are whether that was done.
    """

    activity: _Activity
    accesses: int | None
    idle_since: float | None
    over_hard_since: float | None
    begun: bool
    drained: bool = False
    retired: bool = False


_NEVER_SEEN = Seen(activity=(), accesses=None, idle_since=None, over_hard_since=None, begun=False)


@dataclasses.dataclass(frozen=True)
class Order:
    """A worker to drain or to retire. `reason` is `limit` or `hard_limit`, and `bound` its bytes."""

    act: str
    worker: Worker
    reason: str
    bound: int
    idle_seconds: int | None


class _Quota:
    """How many workers of each program may begin to go in one check, so that mod_fcgid can replace them in time."""

    def __init__(self, interval: int) -> None:
        self._most = max(interval // _REPLACED_IN_SECONDS, 1)
        self._begun: t.Counter[_Program] = collections.Counter()

    def take(self, program: _Program) -> bool:
        """Count one more worker of `program`, and return whether it may go."""
        self._begun[program] += 1
        return self._begun[program] <= self._most


def make_key(worker: Worker) -> Key:
    """Return the key of this process, which no later process with its pid has."""
    return worker.pid, worker.started


def decide(
    workers: t.Sequence[Worker], seen: t.Mapping[Key, Seen], settings: Settings, now: float
) -> tuple[list[Order], dict[Key, Seen]]:
    """Return the orders, in the order in which to execute them, and what to remember about the workers."""
    orders: list[Order] = []
    seen_now: dict[Key, Seen] = {}
    quota = _Quota(settings.interval)
    for worker in sorted(workers, key=_find_peak, reverse=True):
        key = make_key(worker)
        current = _update(seen.get(key, _NEVER_SEEN), worker, settings, now)
        found = _find_orders(worker, current, settings, now)
        begins = not current.begun and _has_reason(found, "limit")
        if begins and not quota.take(worker.counted_as):
            found = list(_select_reason(found, "hard_limit"))

        seen_now[key] = _note_orders(current, found)
        orders += found

    return orders, seen_now


def find_bounds(worker: Worker, settings: Settings) -> Bounds:
    """Return the bounds of the first entry that matches the worker, or those for all workers."""
    for entry in settings.scripts:
        if entry.user in {"", worker.user} and has_script(worker, [entry.pattern]):
            return entry.bounds

    return settings.bounds


def find_passed_bound(worker: Worker, settings: Settings) -> int | None:
    """Return the lowest bound that the worker has passed, None if it has passed none."""
    bounds = find_bounds(worker, settings)
    # The settings refuse a hard limit below the limit.
    for bound in (bounds.limit, bounds.hard_limit):
        if bound is not None and worker.memory.peak_bytes > bound:
            return bound

    return None


def _find_peak(worker: Worker) -> int:
    return worker.memory.peak_bytes


def _has_reason(orders: t.Iterable[Order], reason: str) -> bool:
    return any(_select_reason(orders, reason))


def _select_reason(orders: t.Iterable[Order], reason: str) -> t.Iterator[Order]:
    for order in orders:
        if order.reason == reason:
            yield order


def _note_orders(seen: Seen, orders: t.Iterable[Order]) -> Seen:
    for order in orders:
        if order.act == "drain":
            return dataclasses.replace(seen, begun=True)

    return seen


def _update(before: Seen, worker: Worker, settings: Settings, now: float) -> Seen:
    """Return what to remember about the worker, as it is now."""
    accesses = None
    if worker.row:
        accesses = worker.row.accesses

    return dataclasses.replace(
        before,
        activity=worker.activity,
        accesses=accesses,
        idle_since=_find_idle_since(worker, before, accesses, now),
        over_hard_since=_find_over_hard_since(worker, before, settings, now),
    )


def _find_idle_since(worker: Worker, before: Seen, accesses: int | None, now: float) -> float | None:
    """Return the time since when the worker is known to be idle, None if it is not idle.

    It was idle at the last check as well. Since then, the kernel has run none of its processes, or mod_fcgid has
    counted no request. The idle time on mod_status's page does not help: it begins with the last request, however long
    that took.
    """
    if worker.state != "idle":
        return None
    if before.idle_since is None:
        return now

    has_not_run = before.activity == worker.activity
    has_no_request = accesses is not None and accesses == before.accesses
    if has_not_run or has_no_request:
        return before.idle_since

    return now


def _find_over_hard_since(worker: Worker, before: Seen, settings: Settings, now: float) -> float | None:
    """Return when the worker was first seen over its hard limit. VmHWM never falls, so it stays over it."""
    hard_limit = find_bounds(worker, settings).hard_limit
    if hard_limit is None or worker.memory.peak_bytes <= hard_limit:
        return None
    if before.over_hard_since is None:
        return now

    return before.over_hard_since


def _find_orders(worker: Worker, seen: Seen, settings: Settings, now: float) -> list[Order]:
    """Return the orders for one worker, without regard to others."""
    bound = find_passed_bound(worker, settings)
    if bound is None or worker.state == "exiting" or seen.retired:
        return []

    retire = Order("retire", worker, "limit", bound, _count_seconds(seen.idle_since, now))
    if settings.drain and settings.dry_run:
        # Once drained, it would be retired sooner or later.
        return [retire]

    orders = []
    if settings.drain and not seen.drained:
        orders.append(dataclasses.replace(retire, act="drain"))
    if _has_lasted(seen.idle_since, settings.min_idle, now):
        orders.append(retire)
    elif _has_lasted(seen.over_hard_since, settings.grace, now):
        hard_limit = find_bounds(worker, settings).hard_limit or bound
        orders.append(dataclasses.replace(retire, reason="hard_limit", bound=hard_limit))

    return orders


def _count_seconds(since: float | None, now: float) -> int | None:
    if since is None:
        return None

    return int(now - since)


def _has_lasted(since: float | None, seconds: int | None, now: float) -> bool:
    if since is None or seconds is None:
        return False

    return now - since >= seconds
