# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kill happened: the cause that the report's own figures show, with a summary of one or two sentences."""

from __future__ import annotations

import typing as t

from ..incident.incident import Incident, UnitEffect
from ..report.model import Memory, OomReport
from .allocation import (
    Supply,
    can_serve,
    find_allowed_nodes,
    find_impossible_zones,
    find_request,
)
from .breakdown import Breakdown
from .choices import find_choices
from .evidence import collect_evidence
from .figures import Figures
from .kernel_use import has_kernel_most, has_kernel_most_of_cgroup
from .limit_owner import describe_owner_at_limit
from .remedies import Advice, Remedy, find_advice, find_remedies
from .swap_size import UNLIMITED, SwapLimits, is_used_up
from .unknown import zero_if_unknown

_REASONS = {
    "ram_and_swap_exhausted": "because RAM and swap were exhausted",
    "ram_exhausted_no_swap": "because RAM was exhausted and the host had no swap",
    "ram_exhausted_swap_free": "because RAM was exhausted while swap was still free",
    "fragmentation": "because no free block that the request could use was large enough",
    "low_zone": "because the memory zones that the request could use were exhausted",
    "kernel_memory": (
        "because most of the RAM was held by the kernel, its drivers or a balloon of the hypervisor, not by processes "
        "or files"
    ),
    "cpuset_or_mempolicy": "because the memory that the request could use on the nodes it was bound to was exhausted",
    "pressure": "because memory was short",
    "manual": "because somebody requested it (SysRq)",
    "unknown": "for a reason that the log does not show",
}
# What became of a unit that was stopped and whose next start is not found, by whether it is up now.
_RETURNS = {
    True: ", and it is up again.",
    False: ", and it has not come back.",
    None: ". Whether it has come back is not known.",
}
_KILLERS = {"kernel": "The kernel", "unknown": "An OOM killer"}
_CAUSE_OF_KILLER = {"unknown": "unknown"}
_CAUSE_OF_SCOPE = {
    "memcg": "cgroup_limit",
    "cpuset": "cpuset_or_mempolicy",
    "mempolicy": "cpuset_or_mempolicy",
}

# A group can have thousands of processes with different names.
_MAX_NAMES = 10


class Diagnosis(t.NamedTuple):
    """Why a kill happened; `evidence` are whole sentences."""

    cause: str
    kind: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    advice: tuple[Advice, ...] = ()


def diagnose(incident: Incident, figures: Figures, limits: SwapLimits = UNLIMITED) -> Diagnosis:
    """Explain one incident. A cause is claimed only if the report's figures show it.

    `limits` are those of the swap that may be suggested for its host.
    """
    cause = incident.cause or find_cause(incident.report, figures.supplies, figures.parts)
    return Diagnosis(
        cause=cause,
        kind=_describe_kind(incident, cause),
        summary=_summarise(incident, cause),
        evidence=tuple(collect_evidence(incident, figures, cause)),
        remedies=(
            *find_remedies(incident, figures, cause, limits),
            *find_choices(incident, figures, cause, limits),
        ),
        advice=tuple(find_advice(incident, figures, cause, limits)),
    )


def _describe_kind(incident: Incident, cause: str) -> str:
    """Return what similar events have in common."""
    report = incident.report
    names = ", ".join(_shorten(list(dict.fromkeys(incident.victim_names))))
    place = incident.place.unit or report.cgroup

    return f"{report.killer}: {names} of {place}: {cause}"


def _shorten(names: list[str]) -> list[str]:
    """Return the first names, and the number of those that are left out."""
    if len(names) <= _MAX_NAMES:
        return names

    return [*names[:_MAX_NAMES], f"{len(names) - _MAX_NAMES} more"]


def find_cause(report: OomReport, supplies: t.Sequence[Supply], parts: Breakdown | None) -> str:
    """Return the cause that a report shows.

    `supplies` are the memory that each zone had for the request, `parts` what the RAM was used for.
    """
    if report.killer != "kernel":
        return _CAUSE_OF_KILLER.get(report.killer, "pressure")

    if report.manual:
        return "manual"

    if report.scope in _CAUSE_OF_SCOPE:
        return _CAUSE_OF_SCOPE[report.scope]

    if report.memory is None or find_impossible_zones(report):
        return "unknown"

    request = find_request(report)
    if not request.is_known:
        return "unknown"

    shown = (report.memory.ram_bytes, *supplies)
    if not any(shown):
        return "unknown"

    if request.order > 0 and _is_fragmented(supplies):
        return "fragmentation"

    if not _is_low_zone(supplies):
        return _find_exhaustion(report.memory, supplies, parts)

    if find_allowed_nodes(report):
        return "cpuset_or_mempolicy"

    return "low_zone"


def _find_exhaustion(memory: Memory, supplies: t.Iterable[Supply], parts: Breakdown | None) -> str:
    """Return the cause that the figures of RAM and swap show, "unknown" if memory was available after all."""
    cause = _find_cause_in_swap(memory)
    if cause != "ram_and_swap_exhausted" and can_serve(supplies):
        return "unknown"

    if has_kernel_most(memory, parts):
        return "kernel_memory"

    return cause


def _find_cause_in_swap(memory: Memory) -> str:
    """Return the cause that the figures of swap show, provided that RAM was exhausted."""
    total = memory.swap_total_bytes
    free = memory.swap_free_bytes
    if total == 0 or _has_no_swap_support(memory):
        return "ram_exhausted_no_swap"

    if total is None or free is None:
        return "unknown"

    if is_used_up(total, free):
        return "ram_and_swap_exhausted"

    return "ram_exhausted_swap_free"


def _has_no_swap_support(memory: Memory) -> bool:
    """Return whether the kernel cannot swap.

    It then prints nothing of swap between the page cache and the amount of RAM. If one of both is missing, so can lines
    about swap be.
    """
    swap = {memory.swap_total_bytes, memory.swap_free_bytes, memory.swap_cache_bytes}
    if swap != {None}:
        return False

    return None not in (memory.page_cache_bytes, memory.ram_bytes)


def _is_fragmented(supplies: t.Iterable[Supply]) -> bool:
    """Return whether some zones had enough memory for the request, but none of them a block that was large enough."""
    fitting_blocks = {supply.fitting_blocks for supply in supplies if supply.is_enough}
    return fitting_blocks == {0}


def _is_low_zone(supplies: t.Sequence[Supply]) -> bool:
    """Return whether the zones that the request could use were exhausted, while another had plenty."""
    usable = [supply for supply in supplies if supply.usable]
    exhausted = set(map(_is_exhausted, usable))
    if exhausted != {True}:
        return False

    return any(supply.is_closed_with_plenty for supply in supplies)


def _is_exhausted(supply: Supply) -> bool:
    """Return whether a zone was below the watermark at which the kernel begins to reclaim memory."""
    if supply.margin_bytes is None:
        return False

    zone = supply.zone
    slack = zero_if_unknown(zone.low_bytes) - zero_if_unknown(zone.min_bytes)

    return supply.margin_bytes <= slack


def _summarise(incident: Incident, cause: str) -> str:
    kill = _summarise_kill(incident.report, _describe_cause(incident.report, cause))
    effect = incident.effect
    if not effect.unit:
        return kill

    if effect.stopped is None:
        return f"{kill} Whether {effect.unit} went down is not known."

    if not effect.stopped:
        return f"{kill} {effect.unit} stayed up."

    outage = _summarise_outage(effect, group=incident.report.group)
    return f"{kill} {outage}"


def _describe_cause(report: OomReport, cause: str) -> str:
    if cause == "cgroup_limit":
        return f"because {_describe_limit(report)}"

    if report.requester is not None:
        return f"because {report.requester} requested it (SysRq)"

    return _REASONS[cause]


def _describe_limit(report: OomReport) -> str:
    owner = describe_owner_at_limit(report)
    if has_kernel_most_of_cgroup(report.limit):
        return f"{owner}, most of which was kernel memory"

    return owner


def _summarise_kill(report: OomReport, reason: str) -> str:
    """Return a sentence that says which process was killed, and why."""
    if report.killer == "kernel" and not report.victims:
        return _summarise_without_victim(report, reason)

    killer = _KILLERS.get(report.killer, report.killer)
    victims = _name_victims(report)
    return f"{killer} killed {victims} {reason}."


def _name_victims(report: OomReport) -> str:
    if report.unit is not None:
        return f"processes of {report.unit}"

    if not report.victims and report.cgroup is None:
        return f"processes of a cgroup in {report.limit_cgroup}"

    if not report.victims:
        return f"the processes of {report.cgroup}"

    first = report.victims[0]
    name = f"{first.name} (pid {first.pid})"
    others = report.victims_count - 1
    if not others:
        return name

    return f"{name} and {others} more in its cgroup"


def _summarise_without_victim(report: OomReport, reason: str) -> str:
    if report.panicked:
        return f"The kernel panicked. It had invoked the OOM killer {reason}."

    if report.no_killable:
        return f"The kernel found no process to kill. It had invoked the OOM killer {reason}."

    if report.exiting:
        return f"The kernel invoked the OOM killer {reason}. It killed no process, because one was already exiting."

    chosen = report.chosen
    if chosen is not None:
        return f"The kernel chose {chosen.name} (pid {chosen.pid}) {reason}. The log does not show the kill itself."

    return f"The kernel invoked the OOM killer {reason}. The log does not name the killed process."


def _summarise_outage(effect: UnitEffect, *, group: bool) -> str:
    outage = f"systemd then stopped the whole unit {effect.unit}"
    if group:
        outage = f"These were all processes of {effect.unit}"
    elif effect.main_process_killed:
        outage = f"{effect.unit} went down, because this was its main process"

    if effect.down_seconds is None:
        return f"{outage}{_RETURNS[effect.is_up]}"

    duration = _format_duration(effect.down_seconds)
    if effect.restarted:
        return f"{outage}; systemd restarted it after {duration}."

    return f"{outage}; it was started again after {duration}."


def _format_duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"

    if hours:
        return f"{hours} h {minutes} min"

    if minutes:
        return f"{minutes} min {rest} s"

    return f"{seconds:.1f} s"
