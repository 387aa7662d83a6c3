# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the modules fcgid_config and fcgid_worker_info, and the warnings of fcgid_config. Pure."""

from __future__ import annotations

import dataclasses
import typing as t

from .directives import describe_old_names
from .effect import (
    Override,
    find_doubts,
    find_effective,
    find_effective_number,
    find_overrides,
)
from .instances import Instance
from .memory import Need
from .plan import Plan, State, Wanted
from .status_fetch import StatusPage
from .worker import Worker, has_script


def find_max_processes(state: State, wanted: Wanted) -> int:
    """Return how many workers may run once our file is as wanted."""
    return find_effective_number(state.expect(wanted), "FcgidMaxProcesses")


def build_result(state: State, plan: Plan, wanted: Wanted, need: Need) -> dict[str, t.Any]:
    """Return the result of fcgid_config, without `changed`, `diff` and `unit`."""
    expected = state.expect(wanted)
    overrides = find_overrides(expected, state.name)
    result: dict[str, t.Any] = {
        "path": str(state.path),
        "overridden_by": describe_overrides(overrides),
        "memory": {**dataclasses.asdict(need), "needed_bytes": need.needed_bytes},
        "running": state.running,
        "reloaded": plan.reload,
    }
    if wanted.present:
        result["effective"] = find_effective(expected, wanted.names)

    return result


def describe_overrides(overrides: t.Iterable[Override]) -> list[dict[str, t.Any]]:
    """Return `overridden_by` in the result of fcgid_config."""
    return list(map(dataclasses.asdict, overrides))


def describe_instances(instances: t.Sequence[Instance], unit: str) -> dict[str, t.Any]:
    """Return the instances in the result of fcgid_config, and whether that of this unit is masked."""
    masked = {instance.unit: instance.masked for instance in instances}
    return {"instances": list(map(Instance._asdict, instances)), "masked": masked[unit]}


def find_warnings(state: State, wanted: Wanted, need: Need, *, given_names: t.Iterable[str]) -> t.Iterator[str]:
    """Yield the warnings of fcgid_config. `given_names` are the names of directives as the user has written them."""
    yield from describe_old_names(given_names)
    yield from find_doubts(state.expect(wanted), state.name)
    if need.warning:
        yield need.warning


def describe_workers(
    workers: t.Iterable[Worker], page: StatusPage, *, scripts: t.Sequence[str] | None
) -> dict[str, t.Any]:
    """Return the result of fcgid_worker_info with the workers of these `scripts`, or with all workers."""
    return {
        "workers": [describe_worker(worker) for worker in _select_workers(workers, scripts)],
        "status_page": {"read": page.is_read, "problem": page.problem},
    }


def _select_workers(workers: t.Iterable[Worker], scripts: t.Sequence[str] | None) -> t.Iterator[Worker]:
    for worker in workers:
        if scripts is None or has_script(worker, scripts):
            yield worker


def describe_worker(worker: Worker) -> dict[str, t.Any]:
    """Return one entry of `workers` in the result of fcgid_worker_info."""
    row = worker.row
    limits = {name: {"soft": limit.soft, "hard": limit.hard} for name, limit in worker.limits.items()}
    return {
        "pid": worker.pid,
        "ppid": worker.ppid,
        "script": worker.script,
        "command": worker.command,
        "process_count": len(worker.processes),
        "class": row.command if row else None,
        "user": worker.user,
        "state": worker.state,
        "state_source": worker.state_source,
        "idle_seconds": worker.idle_seconds,
        "age_seconds": worker.age_seconds,
        "accesses": row.accesses if row else None,
        "vm_hwm_bytes": worker.memory.vm_hwm_bytes,
        "rss_bytes": worker.memory.rss_bytes,
        "pss_bytes": worker.pss_bytes,
        "swap_bytes": worker.memory.swap_bytes,
        "limits": limits,
        "oom_score": worker.oom_score,
        "oom_score_adj": worker.oom_score_adj,
        "cgroup": worker.cgroup,
        "socket": worker.socket,
    }
