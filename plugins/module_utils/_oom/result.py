# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found, as the plain data that `oom_info` returns."""

from __future__ import annotations

import typing as t

from .explain.allocation import Supply, impossible_zones
from .explain.breakdown import Breakdown
from .explain.cause import Diagnosis, diagnose
from .explain.consumers import Consumers, Sums, held
from .explain.figures import Figures, figures_of
from .explain.remedies import still_needed
from .incident.cgroup import read_cgroup
from .incident.findings import Findings
from .incident.incident import Incident, UnitEffect
from .report.log_lines import stamp_of
from .report.model import OomReport, Task
from .report.task_table import Table
from .summary import as_coverage, as_summary, as_time

_MEMORY = (
    "page_size",
    "ram_bytes",
    "reserved_bytes",
    "free_bytes",
    "page_cache_bytes",
    "slab_bytes",
    "swap_total_bytes",
    "swap_free_bytes",
    "swap_cache_bytes",
)
_ZONE = ("node", "zone", "free_bytes", "min_bytes", "low_bytes", "high_bytes", "present_bytes", "managed_bytes")
_LIMIT = ("usage_bytes", "limit_bytes", "failcnt", "swap_usage_bytes", "swap_limit_bytes", "stat")


def as_result(findings: Findings, *, tasks: str, top: int) -> dict[str, t.Any]:
    """Return the module's result; `tasks` (`top`, `all` or `none`) and `top` say how many task rows."""
    rows = {"none": 0, "top": top, "all": None}[tasks]
    incidents = (*findings.older, *findings.incidents)
    figures = list(map(figures_of, incidents))
    diagnoses = list(map(diagnose, incidents, figures))
    explained = list(zip(incidents, figures, diagnoses))[len(findings.older) :]
    found = [remedy for _incident, _figures, diagnosis in reversed(explained) for remedy in diagnosis.remedies]
    return {
        "events": [_event(*one, rows) for one in explained],
        "remedies": [remedy._asdict() for remedy in still_needed(found, findings.today)],
        "summary": as_summary(list(zip(incidents, diagnoses)), findings.units_taken_down),
        "coverage": as_coverage(findings.coverage),
    }


def _event(incident: Incident, figures: Figures, diagnosis: Diagnosis, rows: int | None) -> dict[str, t.Any]:
    report, at, place = incident.report, incident.at, incident.place
    damaged = report.tasks.damaged if isinstance(report.tasks, Table) else 0
    return {
        "id": incident.key,
        "log": _log(incident),
        "killer": report.killer,
        "trusted": incident.log is None,
        "complete": report.complete and not damaged,
        "time": as_time(at.realtime_us),
        "boot_id": at.boot_id,
        "monotonic_us": at.monotonic_us,
        "hostname": at.hostname,
        "kernel_release": report.kernel_release,
        "scope": report.scope,
        "manual": report.manual,
        "trigger": report.trigger._asdict() if report.trigger else None,
        "victims": [victim._asdict() for victim in report.victims],
        "cgroup": report.cgroup,
        "limit_cgroup": report.limit_cgroup,
        "unit": place.unit,
        "user_unit": place.user_unit,
        "slice": place.slice,
        "container_id": place.container_id,
        "pod_uid": place.pod_uid,
        "limit": _picked(report.limit, _LIMIT),
        "memory": _memory(report, figures.parts),
        "zones": [_zone(supply) for supply in figures.supplies],
        "tasks": _tasks(report.tasks, figures.consumers, rows),
        "unit_effect": _effect(incident.effect),
        "diagnosis": _diagnosis(diagnosis),
        "notes": [
            *([f"Read from {incident.log}: text does not prove who wrote it."] if incident.log else []),
            *report.notes,
            *([f"damaged rows in the task table: {damaged}"] if damaged else []),
            *_of_impossible_zones(report),
        ],
    }


def _log(incident: Incident) -> dict[str, t.Any] | None:
    """Return where in a text log an incident begins, and when by that log's own words."""
    first = incident.report.first
    if incident.log is None or first.cursor is None:
        return None
    return {"path": incident.log, "line": int(first.cursor), "stamp": stamp_of(first)}


def _of_impossible_zones(report: OomReport) -> t.Iterator[str]:
    names = dict.fromkeys(zone.zone for zone in impossible_zones(report))
    if names:
        yield (
            f"the report's watermarks are impossible, and tell nothing: those of {', '.join(names)} are above the "
            "memory that there is"
        )


def _memory(report: OomReport, parts: Breakdown | None) -> dict[str, t.Any] | None:
    memory = report.memory
    if memory is None:
        return None
    total, free = memory.swap_total_bytes, memory.swap_free_bytes
    return {
        **{name: getattr(memory, name) for name in _MEMORY},
        "page_size": report.page_size,
        "swap_used_bytes": None if total is None or free is None else total - free,
        "breakdown": parts._asdict() if parts else None,
    }


def _zone(supply: Supply) -> dict[str, t.Any]:
    zone = supply.zone
    return {
        **{name: getattr(zone, name) for name in _ZONE},
        "free_blocks": {str(size): count for size, count in sorted(zone.free_blocks.items())},
        "largest_free_block_bytes": zone.largest_free_block_bytes,
        "usable": supply.usable,
        "reserve_bytes": supply.reserve_bytes,
        "margin_bytes": supply.margin_bytes,
        "fitting_blocks": supply.fitting_blocks,
    }


def _tasks(tasks: t.Sequence[Task], consumers: Consumers, rows: int | None) -> dict[str, t.Any] | None:
    if not tasks:
        return None
    return {
        **_sums(consumers.together),
        "by_name": [{"name": name, **_sums(together)} for name, _tasks, together in consumers.names[:rows]],
        "by_cgroup": [
            {"cgroup": cgroup, "unit": place.user_unit or place.unit, **_sums(together)}
            for cgroup, _tasks, together in consumers.cgroups[:rows]
            for place in [read_cgroup(cgroup)]
        ],
        "rows": [task._asdict() for task in sorted(tasks, key=held, reverse=True)[:rows]],
    }


def _sums(together: Sums) -> dict[str, t.Any]:
    sizes = together._asdict()
    return {"count": sizes.pop("number"), **sizes}


def _diagnosis(diagnosis: Diagnosis) -> dict[str, t.Any]:
    return {
        **diagnosis._asdict(),
        "remedies": [remedy._asdict() for remedy in diagnosis.remedies],
        "advice": [advice._asdict() for advice in diagnosis.advice],
    }


def _effect(effect: UnitEffect | None) -> dict[str, t.Any] | None:
    return _picked(effect, ("unit", "result", "stopped", "restarted", "oom_policy", "down_seconds"))


def _picked(value: t.Any, names: t.Sequence[str]) -> dict[str, t.Any] | None:
    return {name: getattr(value, name) for name in names} if value is not None else None
