# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings as the plain data that `oom_info` returns."""

from __future__ import annotations

import typing as t

from .._size import format_size
from .explain.allocation import Supply, find_impossible_zones
from .explain.breakdown import Breakdown
from .explain.cause import Diagnosis, diagnose
from .explain.choices import suggest_for_thrashing
from .explain.consumers import Consumers, Sums, compute_held_bytes, count_damaged_rows
from .explain.figures import Figures, RamSizes, compute_figures
from .explain.outage import depends_on_restart, find_start_refusal, is_down, suggest_restart
from .explain.remedies import Remedy, select_needed, suggest_for_outage
from .explain.swap_size import find_swap_limits
from .explain.unknown import zero_if_unknown
from .incident.cgroup import parse_cgroup
from .incident.findings import Findings
from .incident.incident import Incident, UnitEffect
from .incident.taken_down import TakenDown
from .incident.tally import Tally
from .report.model import Limit, Memory, OomReport, Task, Trigger, Zone
from .report.task_table import count_rows, forget_rows
from .summary import build_coverage, build_summary, format_time

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
    "hwpoisoned_bytes",
)
# A result has at most so many rows of task tables. The newest events get theirs first.
_MAX_ROWS = 50_000
# Enough to recognise a line that is quoted.
_LONG = 100
_ZONE = ("node", "zone", "free_bytes", "min_bytes", "low_bytes", "high_bytes", "present_bytes", "managed_bytes")
_SUPPLY = ("usable", "reserve_bytes", "margin_bytes", "fitting_blocks")
_LIMIT = (
    "usage_bytes",
    "limit_bytes",
    "failcnt",
    "swap_usage_bytes",
    "swap_limit_bytes",
    "kmem_usage_bytes",
    "kmem_limit_bytes",
    "kmem_failcnt",
    "stat",
)
_EFFECT = ("unit", "result", "stopped", "restarted", "oom_policy", "down_seconds", "confirmed")

OnKill = t.Callable[[Incident, Consumers, str], None]
"""Receives each incident with the consumers in its report and its cause, while its task table is still known."""


def _ignore(_incident: Incident, _consumers: Consumers, _cause: str) -> None:
    pass


def build_result(findings: Findings, *, tasks: str, top: int, on_kill: OnKill = _ignore) -> dict[str, t.Any]:
    """Return the module's result; `tasks` (`top`, `all` or `none`) and `top` say how many rows of the task table."""
    tally = findings.tally or Tally()
    for incident in findings.older:
        figures = compute_figures(incident)
        cause = diagnose(incident, figures).cause
        tally.add(incident, cause)
        on_kill(incident, figures.consumers, cause)

    wanted = {"none": 0, "top": top, "all": _MAX_ROWS}[tasks]
    events = []
    diagnoses = []
    ram_sizes = RamSizes()
    limits = find_swap_limits(findings.incidents, findings.host_now)
    for incident, rows in zip(findings.incidents, _allot_rows(findings.incidents, wanted)):
        figures = compute_figures(incident, ram_sizes)
        diagnosis = diagnose(incident, figures, limits[incident.at.hostname])
        diagnoses.append(diagnosis)
        tally.add(incident, diagnosis.cause)
        on_kill(incident, figures.consumers, diagnosis.cause)
        events.append(_build_event(incident, figures, diagnosis, rows, trusted=findings.trusted))
        forget_rows(incident.report.tasks)

    diagnosed = dict(zip([incident.key for incident in findings.incidents], diagnoses))
    taken_down = []
    causes = [diagnosis.cause for diagnosis in diagnoses]
    for_thrashing = suggest_for_thrashing(findings.coverage, zip(findings.incidents, causes))
    remedies = [*_list_remedies(diagnoses), *for_thrashing]
    for unit in findings.taken_down:
        own = [*_find_unit_remedies(unit, diagnosed), *suggest_restart(unit)]
        needed = _build_remedies(select_needed(own, findings.host_now), trusted=findings.trusted)
        taken_down.append(_build_taken_down(unit, needed))
        remedies += own

    return {
        "events": events,
        "remedies": _build_remedies(select_needed(remedies, findings.host_now), trusted=findings.trusted),
        "summary": build_summary(tally, taken_down, findings.coverage),
        "coverage": build_coverage(findings.coverage),
    }


def _allot_rows(incidents: t.Sequence[Incident], wanted: int) -> list[int]:
    """Return how many rows of its task table each incident can return; the newest get theirs first."""
    left = _MAX_ROWS
    allotted = []
    for incident in reversed(incidents):
        rows = min(wanted, left)
        allotted.append(rows)
        left -= min(rows, count_rows(incident.report.tasks))

    return allotted[::-1]


def _list_remedies(diagnoses: t.Sequence[Diagnosis]) -> t.Iterator[Remedy]:
    """Yield the remedies of all events, the newest event first."""
    for diagnosis in reversed(diagnoses):
        yield from diagnosis.remedies


def _find_unit_remedies(unit: TakenDown, diagnosed: t.Mapping[str, Diagnosis]) -> t.Iterable[Remedy]:
    """Return the remedies for a unit that went down: those of the kill, or else those that its state shows."""
    if unit.incident is not None and unit.incident.key in diagnosed:
        return diagnosed[unit.incident.key].remedies

    return suggest_for_outage(unit)


def _build_remedies(remedies: t.Iterable[Remedy], *, trusted: bool) -> list[dict[str, t.Any]]:
    return [{**remedy, "trusted": trusted} for remedy in _build_all(remedies)]


def _build_taken_down(unit: TakenDown, remedies: t.Sequence[dict[str, t.Any]]) -> dict[str, t.Any]:
    event_id = None
    main_process_killed = unit.state.main_process_killed
    if unit.incident is not None:
        event_id = unit.incident.key
        main_process_killed = unit.incident.effect.main_process_killed

    return {
        "unit": unit.unit,
        "result": unit.result,
        "time": format_time(unit.time_us),
        "confirmed": unit.confirmed,
        "last_event_id": event_id,
        "main_process_killed": main_process_killed,
        "active_state": unit.state.active_state,
        "oom_policy": unit.state.oom_policy,
        "restart": unit.state.restart,
        "depends_on_restart": depends_on_restart(unit),
        "is_down": is_down(unit),
        "start_refusal": find_start_refusal(unit.state),
        "remedies": remedies,
    }


def _build_event(
    incident: Incident, figures: Figures, diagnosis: Diagnosis, rows: int, *, trusted: bool
) -> dict[str, t.Any]:
    report = incident.report
    at = incident.at
    place = incident.place
    damaged_rows = count_damaged_rows(report)

    return {
        "id": incident.key,
        "log": _build_log(incident),
        "killer": report.killer,
        "trusted": trusted,
        "complete": report.complete and not damaged_rows,
        "time": format_time(at.realtime_us),
        "boot_id": at.boot_id,
        "monotonic_us": at.monotonic_us,
        "hostname": at.hostname,
        "kernel_release": report.kernel_release,
        "scope": report.scope,
        "manual": report.manual,
        "trigger": _build_trigger(report.trigger),
        "victims": _build_all(report.victims),
        "victims_count": report.victims_count,
        "cgroup": report.cgroup,
        "limit_cgroup": report.limit_cgroup,
        "unit": place.unit,
        "user_unit": place.user_unit,
        "slice": place.slice,
        "container_id": place.container_id,
        "pod_uid": place.pod_uid,
        "candidates": _build_all(report.candidates),
        "limit": _build_limit(report.limit),
        "memory": _build_memory(report, figures.parts, rows),
        "zones": [_build_zone(supply) for supply in figures.supplies],
        "tasks": _build_tasks(report.tasks, figures.consumers, rows),
        "unit_effect": _build_effect(incident.effect),
        "diagnosis": _build_diagnosis(diagnosis),
        "notes": list(_collect_notes(incident, damaged_rows)),
    }


def _build_log(incident: Incident) -> dict[str, t.Any] | None:
    """Return where in a text log an incident begins, and the time that the log gives for it."""
    first = incident.report.first
    if incident.log is None or first.cursor is None:
        return None

    return {"path": incident.log, "line": int(first.cursor), "stamp": incident.stamp}


def _collect_notes(incident: Incident, damaged_rows: int) -> t.Iterator[str]:
    report = incident.report
    if incident.log:
        yield f"Read from {incident.log}. A text log does not prove who wrote it."

    yield from report.notes
    yield from incident.notes
    if damaged_rows:
        yield f"Damaged rows in the task table: {damaged_rows}."

    unread = report.unread
    if unread:
        yield f"Lines inside the report that were not understood: {len(unread)}. The first is: {unread[0][:_LONG]}"

    yield from _note_holes(report.memory)

    impossible = dict.fromkeys(zone.zone for zone in find_impossible_zones(report))
    if impossible:
        yield (
            f"The watermarks in the report are impossible and show nothing: those of {', '.join(impossible)} exceed "
            "the existing memory."
        )


def _note_holes(memory: Memory | None) -> t.Iterator[str]:
    if memory is None or not memory.holes_bytes:
        return

    counted = format_size(zero_if_unknown(memory.ram_bytes) + memory.holes_bytes)
    holes = format_size(memory.holes_bytes)
    yield f"Of the {counted} that the report counts as RAM, {holes} are addresses without RAM. They are not included."


def _build_memory(report: OomReport, parts: Breakdown | None, rows: int) -> dict[str, t.Any] | None:
    memory = report.memory
    if memory is None:
        return None

    swap_used = None
    if memory.swap_total_bytes is not None and memory.swap_free_bytes is not None:
        swap_used = memory.swap_total_bytes - memory.swap_free_bytes

    return {
        **_pick(memory, _MEMORY),
        "page_size": report.page_size,
        "swap_used_bytes": swap_used,
        "breakdown": parts._asdict() if parts else None,
        "slabs": _build_all(memory.slabs[:rows]),
        "allocations": _build_all(memory.allocations[:rows]),
    }


def _build_zone(supply: Supply) -> dict[str, t.Any]:
    zone = supply.zone
    return {
        **_pick(zone, _ZONE),
        "free_blocks": _build_free_blocks(zone),
        "largest_free_block_bytes": zone.largest_free_block_bytes,
        **_pick(supply, _SUPPLY),
    }


def _build_free_blocks(zone: Zone) -> dict[str, int]:
    """Return the number of free blocks by size, the smallest first; keys are text, as they are in JSON."""
    return {str(size): count for size, count in sorted(zone.free_blocks.items())}


def _build_tasks(tasks: t.Sequence[Task], consumers: Consumers, rows: int) -> dict[str, t.Any] | None:
    if not tasks:
        return None

    by_name = []
    for name, _tasks, sums in consumers.names[:rows]:
        by_name.append({"name": name, **_build_sums(sums)})

    by_cgroup = []
    for cgroup, _tasks, sums in consumers.cgroups[:rows]:
        unit = parse_cgroup(cgroup).innermost_unit
        by_cgroup.append({"cgroup": cgroup, "unit": unit, **_build_sums(sums)})

    largest = sorted(tasks, key=compute_held_bytes, reverse=True)

    return {
        **_build_sums(consumers.together),
        "by_name": by_name,
        "by_cgroup": by_cgroup,
        "rows": _build_all(largest[:rows]),
    }


def _build_sums(sums: Sums) -> dict[str, t.Any]:
    sizes = sums._asdict()
    return {"count": sizes.pop("number"), **sizes}


def _build_diagnosis(diagnosis: Diagnosis) -> dict[str, t.Any]:
    return {
        **diagnosis._asdict(),
        "remedies": _build_all(diagnosis.remedies),
        "advice": _build_all(diagnosis.advice),
    }


def _build_effect(effect: UnitEffect) -> dict[str, t.Any] | None:
    if not effect.unit:
        return None

    return _pick(effect, _EFFECT)


def _build_trigger(trigger: Trigger | None) -> dict[str, t.Any] | None:
    if trigger is None:
        return None

    return trigger._asdict()


def _build_limit(limit: Limit | None) -> dict[str, t.Any] | None:
    if limit is None:
        return None

    return _pick(limit, _LIMIT)


def _build_all(values: t.Iterable[t.Any]) -> list[dict[str, t.Any]]:
    """Return named tuples as plain data."""
    return [value._asdict() for value in values]


def _pick(value: t.NamedTuple, names: t.Iterable[str]) -> dict[str, t.Any]:
    return {name: getattr(value, name) for name in names}
