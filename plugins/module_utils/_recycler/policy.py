# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which workers are to go, and when. Pure.

A worker beyond its limit is first taken out of service (drained): its socket loses its name, so that mod_fcgid sends it
no other request and the one in hand is finished. It is signalled once it has been idle for long enough. One beyond its
hard limit that is still busy after the grace time is signalled all the same. The largest go first, and no more of one
program than mod_fcgid replaces in time.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from .._fcgid.worker import Worker, matches
from .settings import Bounds, Settings

Key = t.Tuple[int, int]

# As quickly as mod_fcgid replaces workers of one program: one that ends adds 2 to a score and its successor 1, a second
# takes 1 away, and above 10 none is started (fcgid_spawn_ctl.c, 2.3.9). Requests wait then, and fail in the end.
_REPLACED_IN_SECONDS = 3


@dataclasses.dataclass(frozen=True)
class Seen:
    """What is remembered of one worker until the next look; times are of the monotonic clock.

    `begun` is whether it was ordered to be drained, `drained` and `retired` are whether that was done.
    """

    switches: int
    accesses: int | None
    idle_since: float | None
    over_hard_since: float | None
    begun: bool
    drained: bool = False
    retired: bool = False


@dataclasses.dataclass(frozen=True)
class Order:
    """One worker that is to be drained, or to be retired; `reason` is `limit` or `hard_limit`."""

    act: str
    worker: Worker
    reason: str
    bound: int
    idle_seconds: int | None


def key_of(worker: Worker) -> Key:
    """Return what tells this process from all others, also from a later one with its pid."""
    return worker.pid, worker.started


def decide(
    workers: t.Sequence[Worker], seen: t.Mapping[Key, Seen], settings: Settings, now: float
) -> tuple[list[Order], dict[Key, Seen]]:
    """Return what is to be done, in order, and what to remember."""
    orders: list[Order] = []
    memory: dict[Key, Seen] = {}
    most = max(settings.interval // _REPLACED_IN_SECONDS, 1)
    replaced: t.Counter[str] = collections.Counter()
    for worker in sorted(workers, key=lambda worker: worker.memory.vm_hwm_bytes or 0, reverse=True):
        before = seen.get(key_of(worker))
        found = _orders(worker, before, settings, now)
        begins = any(order.reason == "limit" for order in found) and not (before and before.begun)
        replaced[worker.counted_as] += begins
        if begins and replaced[worker.counted_as] > most:
            found = [order for order in found if order.reason == "hard_limit"]
        memory[key_of(worker)] = Seen(
            switches=worker.memory.switches,
            accesses=worker.row.accesses if worker.row else None,
            idle_since=_idle_since(worker, before, now),
            over_hard_since=_over_hard_since(worker, before, settings, now),
            begun=any(order.act == "drain" for order in found) or bool(before and before.begun),
            drained=bool(before and before.drained),
            retired=bool(before and before.retired),
        )
        orders += found
    return orders, memory


def bounds_of(worker: Worker, settings: Settings) -> Bounds:
    """Return the bounds of the first pattern that fits, else those for all."""
    return next((bounds for pattern, bounds in settings.scripts if matches(worker, [pattern])), settings.bounds)


def over_limit(worker: Worker, settings: Settings) -> int | None:
    """Return the lower bound that the worker has passed, or None."""
    peak, bounds = worker.memory.vm_hwm_bytes, bounds_of(worker, settings)
    passed = [bound for bound in (bounds.limit, bounds.hard_limit) if bound is not None and (peak or 0) > bound]
    return min(passed, default=None)


def _orders(worker: Worker, before: Seen | None, settings: Settings, now: float) -> list[Order]:
    bound = over_limit(worker, settings)
    if bound is None or worker.state == "exiting" or (before and before.retired):
        return []
    orders = []
    idle_since = _idle_since(worker, before, now)
    idle_seconds = None if idle_since is None else int(now - idle_since)
    if settings.drain and settings.dry_run:
        # Once drained, it would go sooner or later.
        return [Order("retire", worker, "limit", bound, idle_seconds)]
    if settings.drain and not (before and before.drained):
        orders.append(Order("drain", worker, "limit", bound, idle_seconds))
    over_hard_since = _over_hard_since(worker, before, settings, now)
    if idle_since is not None and now - idle_since >= settings.min_idle:
        orders.append(Order("retire", worker, "limit", bound, idle_seconds))
    elif over_hard_since is not None and settings.grace is not None and now - over_hard_since >= settings.grace:
        hard = bounds_of(worker, settings).hard_limit
        orders.append(Order("retire", worker, "hard_limit", hard or bound, idle_seconds))
    return orders


def _idle_since(worker: Worker, before: Seen | None, now: float) -> float | None:
    """Return since when the worker is known to be idle.

    It was idle at the last look as well, and either the kernel has not run it since, or mod_fcgid has counted no
    request. The time that mod_status's page gives is no help: it begins with the last request, however long that took.
    """
    if worker.state != "idle":
        return None
    if before is None or before.idle_since is None:
        return now
    accesses = worker.row.accesses if worker.row else None
    undisturbed = before.switches == worker.memory.switches or (accesses is not None and accesses == before.accesses)
    return before.idle_since if undisturbed else now


def _over_hard_since(worker: Worker, before: Seen | None, settings: Settings, now: float) -> float | None:
    """Return when the worker was first seen beyond its hard limit; VmHWM never falls, so it stays beyond."""
    hard = bounds_of(worker, settings).hard_limit
    if hard is None or (worker.memory.vm_hwm_bytes or 0) <= hard:
        return None
    return now if before is None or before.over_hard_since is None else before.over_hard_since
