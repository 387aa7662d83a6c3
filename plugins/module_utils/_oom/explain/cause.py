# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kill happened: the cause that the report's own figures show, told in one or two sentences."""

from __future__ import annotations

import typing as t

from ..incident.incident import Incident, UnitEffect
from ..report.model import Memory, OomReport
from .allocation import (
    Supply,
    allowed_nodes,
    impossible_zones,
)
from .evidence import evidence
from .figures import Figures
from .remedies import Advice, Remedy, advice, remedies

# The last of the swap stays with the CPUs, which take slots in batches.
_SWAP_EXHAUSTED_SHARE = 0.02

_CAUSES = {
    "ram_and_swap_exhausted": "RAM and swap were exhausted",
    "ram_exhausted_no_swap": "RAM was exhausted and there was no swap",
    "ram_exhausted_swap_free": "RAM was exhausted while swap was still free",
    "cgroup_limit": "its cgroup had reached its memory limit",
    "fragmentation": "no free block that the request could use was large enough",
    "low_zone": "the memory zones that the request could use were exhausted",
    "cpuset_or_mempolicy": "the memory that the request was bound to was exhausted",
    "pressure": "memory was short",
    "manual": "somebody asked for it (SysRq)",
}


class Diagnosis(t.NamedTuple):
    """Why a kill happened; `evidence` are whole sentences."""

    cause: str
    kind: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    advice: tuple[Advice, ...] = ()


def diagnose(incident: Incident, figures: Figures) -> Diagnosis:
    """Explain one incident. A cause is claimed only where the report's figures show it."""
    cause = incident.cause or cause_of(incident.report, figures.supplies)
    return Diagnosis(
        cause=cause,
        kind=_kind(incident, cause),
        summary=_summary(incident, cause),
        evidence=tuple(evidence(incident, figures, cause)),
        remedies=tuple(remedies(incident, figures, cause)),
        advice=tuple(advice(incident, figures, cause)),
    )


def _kind(incident: Incident, cause: str) -> str:
    """Return what events that are alike have in common."""
    names = ", ".join(dict.fromkeys(victim.name for victim in incident.report.victims))
    return f"{incident.report.killer}: {names} of {incident.place.unit or incident.report.cgroup}: {cause}"


def cause_of(report: OomReport, weighed: tuple[Supply, ...]) -> str:
    """Return the cause that a report shows, with what each zone had for the request."""
    order = report.trigger.order if report.trigger else None
    if report.killer != "kernel":
        return "pressure"
    if report.manual or order == -1:
        return "manual"
    if report.scope == "memcg":
        return "cgroup_limit"
    if report.scope in {"cpuset", "mempolicy"}:
        return "cpuset_or_mempolicy"
    if report.memory is None or order is None or impossible_zones(report):
        return "unknown"
    if order > 0 and _is_fragmented(weighed):
        return "fragmentation"
    if _is_low_zone(weighed):
        return "cpuset_or_mempolicy" if allowed_nodes(report) else "low_zone"
    cause = _exhaustion(report.memory)
    return "unknown" if cause != "ram_and_swap_exhausted" and any(supply.could_serve for supply in weighed) else cause


def _exhaustion(memory: Memory) -> str:
    total, free = memory.swap_total_bytes, memory.swap_free_bytes
    # A kernel that cannot swap prints nothing of swap, before it prints how much RAM there is.
    if total == 0 or (total is None and free is None and memory.ram_bytes and memory.counters):
        return "ram_exhausted_no_swap"
    if total is None or free is None:
        return "unknown"
    return "ram_and_swap_exhausted" if free <= total * _SWAP_EXHAUSTED_SHARE else "ram_exhausted_swap_free"


def _is_fragmented(weighed: tuple[Supply, ...]) -> bool:
    """Tell whether some zone had memory enough for the request, and none of those that had a block large enough."""
    enough = [supply for supply in weighed if supply.is_enough]
    return bool(enough) and all(supply.fitting_blocks == 0 for supply in enough)


def _is_low_zone(weighed: tuple[Supply, ...]) -> bool:
    """Tell whether the zones that the request could use were exhausted, while another had plenty."""
    usable = [supply for supply in weighed if supply.usable]
    exhausted = bool(usable) and all(map(_is_exhausted, usable))
    return exhausted and any(supply.is_closed_with_plenty for supply in weighed)


def _is_exhausted(supply: Supply) -> bool:
    """Tell whether a zone was below the watermark at which the kernel begins to reclaim memory."""
    slack = (supply.zone.low_bytes or 0) - (supply.zone.min_bytes or 0)
    return supply.margin_bytes is not None and supply.margin_bytes <= slack


def _summary(incident: Incident, cause: str) -> str:
    report, effect = incident.report, incident.effect
    killer = "The kernel" if report.killer == "kernel" else report.killer
    why = f", because {_CAUSES[cause]}" if cause in _CAUSES else " for a reason that the log does not tell"
    if report.victims:
        first = report.victims[0]
        others = len(report.victims) - 1
        who = f"{first.name} (pid {first.pid})" + (f" and {others} more of its cgroup" if others else "")
        parts = [f"{killer} killed {who}{why}."]
    elif report.killer != "kernel":
        parts = [f"{killer} killed the processes of {report.cgroup}{why}."]
    else:
        parts = [_without_a_kill(report, f": {_CAUSES[cause]}" if cause in _CAUSES else "")]
    if effect and effect.stopped:
        parts.append(_outage(effect, group=report.group))
    elif effect and effect.stopped is False:
        parts.append(f"{effect.unit} stayed up.")
    return " ".join(parts)


def _without_a_kill(report: OomReport, why: str) -> str:
    if report.panicked:
        return f"The kernel panicked when it ran out of memory{why}."
    if report.no_killable:
        return f"The kernel found no process to kill when it ran out of memory{why}."
    return f"The kernel ran out of memory{why}; the log does not show whom it killed."


def _outage(effect: UnitEffect, *, group: bool) -> str:
    if group:
        why = f"That was all of {effect.unit}"
    elif effect.main_process_killed:
        why = f"{effect.unit} went down with it, since this was its main process"
    else:
        why = f"systemd then ended the whole of {effect.unit}"
    if effect.down_seconds is None:
        return f"{why}, and it has not come back."
    how = "systemd restarted it" if effect.restarted else "it was started again"
    return f"{why}; {how} after {_duration(effect.down_seconds)}."


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days or hours:
        return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
