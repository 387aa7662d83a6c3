# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kill happened, what shows it, and what helps: from the report's own figures, in words and in role variables."""

from __future__ import annotations

import dataclasses
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Memory, OomReport, Task, Victim, Zone
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident import Incident, UnitEffect
from ansible_collections.oomguard.linux.plugins.module_utils._text import format_size

_GIB = 1024**3
_SWAP_TARGET = 10 * _GIB
# The last of the swap stays with the CPUs, which take slots in batches.
_SWAP_EXHAUSTED_SHARE = 0.02

_APACHE = {"apache2.service": "apache2", "httpd.service": "httpd"}
_FCGID_DIRECTIVES = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600, "FcgidIdleScanInterval": 120}

# From the lowest to the highest; a request may use its own zone and those below (gfp.h, gfp_zone).
_ZONES = ("DMA", "DMA32", "Normal", "HighMem", "Movable")

_CAUSES = {
    "ram_and_swap_exhausted": "RAM and swap were exhausted",
    "ram_exhausted_no_swap": "RAM was exhausted and there was no swap",
    "ram_exhausted_swap_free": "RAM was exhausted while swap was still free",
    "cgroup_limit": "its cgroup had reached its memory limit",
    "fragmentation": "no free block was large enough for the request",
    "low_zone": "the memory zones that the request could use were exhausted",
    "cpuset_or_mempolicy": "the memory that the request was bound to was exhausted",
    "pressure": "memory was short",
    "manual": "somebody asked for it (SysRq)",
    "unknown": "of a reason that the log does not tell",
}


@dataclasses.dataclass(frozen=True)
class Remedy:
    """A role of this collection, the variables to run it with, and the reason."""

    role: str
    variables: t.Mapping[str, t.Any]
    why: str


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """Why a kill happened; `evidence` are whole sentences."""

    cause: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def diagnose(incident: Incident) -> Diagnosis:
    """Explain one incident. A cause is claimed only where the report's figures show it."""
    cause = _cause(incident.report)
    return Diagnosis(
        cause=cause,
        summary=_summary(incident, cause),
        evidence=tuple(_evidence(incident, cause)),
        remedies=tuple(_remedies(incident, cause)),
    )


def _cause(report: OomReport) -> str:
    order = report.trigger.order if report.trigger else None
    if report.killer != "kernel":
        return "pressure"
    if report.manual or order == -1:
        return "manual"
    if report.scope == "memcg":
        return "cgroup_limit"
    if report.scope in {"cpuset", "mempolicy"}:
        return "cpuset_or_mempolicy"
    if report.memory is None or order is None:
        return "unknown"
    if order > 0 and _is_fragmented(report, order):
        return "fragmentation"
    if _is_low_zone(report):
        return "low_zone"
    return _exhaustion(report.memory)


def _exhaustion(memory: Memory) -> str:
    total, free = memory.swap_total_bytes, memory.swap_free_bytes
    if total == 0:
        return "ram_exhausted_no_swap"
    if total is None or free is None:
        return "unknown"
    return "ram_and_swap_exhausted" if free <= total * _SWAP_EXHAUSTED_SHARE else "ram_exhausted_swap_free"


def _usable_zones(report: OomReport) -> list[Zone]:
    """Return the zones that the request could use."""
    flags = report.trigger.gfp_flags if report.trigger else ()
    highest = "Normal"
    if any(flag in {"GFP_DMA", "__GFP_DMA"} for flag in flags):
        highest = "DMA"
    elif any(flag in {"GFP_DMA32", "__GFP_DMA32"} for flag in flags):
        highest = "DMA32"
    elif not flags or any("HIGH" in flag or "MOVABLE" in flag for flag in flags):
        highest = "Movable"
    usable = _ZONES[: _ZONES.index(highest) + 1]
    return [zone for zone in report.zones if zone.zone in usable]


def _is_fragmented(report: OomReport, order: int) -> bool:
    """Tell whether some zone had enough free memory for the request, and none a block large enough."""
    if report.page_size is None:
        return False
    size = report.page_size << order
    zones = [zone for zone in _usable_zones(report) if zone.free_bytes is not None and zone.min_bytes is not None]
    enough = [zone for zone in zones if (zone.free_bytes or 0) > (zone.min_bytes or 0) + size]
    blocks = [zone.largest_free_block_bytes for zone in zones]
    return bool(enough) and all(block is not None and block < size for block in blocks)


def _is_low_zone(report: OomReport) -> bool:
    """Tell whether the zones that the request could use were exhausted, while another had plenty."""
    usable = _usable_zones(report)
    others = [zone for zone in report.zones if zone not in usable and zone.zone in _ZONES]
    exhausted = all(zone.free_bytes is not None and zone.free_bytes <= (zone.low_bytes or 0) for zone in usable)
    plenty = any((zone.free_bytes or 0) > 4 * (zone.high_bytes or zone.free_bytes or 0) for zone in others)
    return bool(usable) and exhausted and plenty


def _summary(incident: Incident, cause: str) -> str:
    report, effect = incident.report, incident.effect
    killer = "The kernel" if report.killer == "kernel" else report.killer
    if report.victims:
        first = report.victims[0]
        others = len(report.victims) - 1
        who = f"{first.name} (pid {first.pid})" + (f" and {others} more of its cgroup" if others else "")
        parts = [f"{killer} killed {who}, because {_CAUSES[cause]}."]
    elif report.killer != "kernel":
        parts = [f"{killer} killed the processes of {report.cgroup}, because {_CAUSES[cause]}."]
    elif report.no_killable:
        parts = [f"The kernel found no process to kill when it ran out of memory: {_CAUSES[cause]}."]
    else:
        parts = [f"The kernel ran out of memory ({_CAUSES[cause]}); the log does not show whom it killed."]
    if effect and effect.stopped:
        parts.append(_outage(effect, group=report.group))
    elif effect and effect.stopped is False:
        parts.append(f"{effect.unit} stayed up.")
    return " ".join(parts)


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


def _evidence(incident: Incident, cause: str) -> t.Iterator[str]:
    report = incident.report
    if report.reason:
        yield f"{report.killer} says: {report.reason}"
    yield from _of_the_victims(report)
    yield from _of_the_tasks(report)
    if report.scope == "memcg":
        yield from _of_the_limit(report)
    elif report.memory:
        yield from _of_the_memory(report, report.memory)
        yield from _of_the_request(report, cause)
    if incident.effect:
        yield from _of_the_unit(incident.effect, group=report.group)
    if not report.complete and not report.tasks:
        yield "The log holds no whole report of this kill, so that its circumstances are not known."


def _of_the_victims(report: OomReport) -> t.Iterator[str]:
    for victim in report.victims[:3]:
        parts = [f"{format_size(rss)} of RAM" for rss in [_rss(victim)] if rss is not None]
        parts += [_swap(victim.swap_bytes)] if victim.swap_bytes is not None else []
        if parts:
            yield f"{victim.name} (pid {victim.pid}), which was killed, held {' and '.join(parts)}."


def _of_the_tasks(report: OomReport) -> t.Iterator[str]:
    rss = _sum(task.rss_bytes for task in report.tasks)
    if rss is None or not report.page_size or len(report.tasks) == 1:
        return
    swap = _sum(task.swap_bytes for task in report.tasks)
    page = f"pages of {format_size(report.page_size)}"
    pages = rss // report.page_size
    text = f"The {len(report.tasks)} processes together held {format_size(rss)} of RAM (RSS, {pages} {page})"
    if swap is not None:
        text += f" and {_swap(swap)}" + (f" ({swap // report.page_size} entries)" if swap else "")
    yield f"{text}; a page that several of them share is counted for each."
    name, tasks = max(by_name(report.tasks).items(), key=lambda item: sum(map(held, item[1])))
    of_it = sum(map(held, tasks))
    if not of_it:
        return
    who = f"the {len(tasks)} processes named {name}" if len(tasks) > 1 else f"{name} (pid {tasks[0].pid})"
    others = "" if any(victim.name == name for victim in report.victims) else ", which was not killed"
    yield f"The largest part was held by {who}: {format_size(of_it)} of RAM and swap{others}."


def _of_the_limit(report: OomReport) -> t.Iterator[str]:
    limit = report.limit
    if report.limit_cgroup:
        size = f" of {format_size(limit.limit_bytes)}" if limit and limit.limit_bytes is not None else ""
        yield (
            f"The memory limit{size} that was hit is that of the cgroup {report.limit_cgroup}; "
            "the host itself was not out of memory."
        )
    if limit and limit.usage_bytes is not None and limit.swap_usage_bytes is not None and not limit.memsw:
        ram, swap = format_size(limit.usage_bytes), _swap(limit.swap_usage_bytes)
        yield f"The cgroup used {ram} of RAM and {swap}."


def _of_the_memory(report: OomReport, memory: Memory) -> t.Iterator[str]:
    total, free = memory.swap_total_bytes, memory.swap_free_bytes
    if total == 0:
        yield "The host had no swap."
    elif total is not None and free is not None:
        verdict = "swap was exhausted" if _exhaustion(memory) == "ram_and_swap_exhausted" else "swap was not exhausted"
        yield f"Of {format_size(total)} of swap, {format_size(free)} was free: {verdict}."
    zones = [
        f"{zone.zone} {format_size(zone.free_bytes)}"
        + (f" (largest block {format_size(zone.largest_free_block_bytes)})" if zone.largest_free_block_bytes else "")
        for zone in report.zones
        if zone.free_bytes is not None
    ]
    free_ram = memory.free_bytes if memory.free_bytes is not None else _sum(zone.free_bytes for zone in report.zones)
    if free_ram is not None and zones:
        of_all = f" of {format_size(memory.ram_bytes)}" if memory.ram_bytes else ""
        yield f"{format_size(free_ram)}{of_all} of RAM was free, by zone: {', '.join(zones)}."


def _of_the_request(report: OomReport, cause: str) -> t.Iterator[str]:
    order = report.trigger.order if report.trigger else None
    if order is None or order < 0 or not report.page_size:
        return
    size = format_size(report.page_size << order)
    if order == 0:
        yield (
            f"The request was for a single page ({size}), which any free block can serve: "
            "this is exhaustion, not fragmentation."
        )
    elif cause == "fragmentation":
        yield (
            f"The request was for {size} in one piece (order {order}): "
            "there was memory above the minimum, but no block of that size."
        )
    else:
        yield f"The request was for {size} in one piece (order {order})."


def _of_the_unit(effect: UnitEffect, *, group: bool) -> t.Iterator[str]:
    policy = f" (OOMPolicy={effect.oom_policy} is in force now)" if effect.oom_policy else ""
    if effect.stopped and group:
        yield f"The kernel killed all of {effect.unit}, as OOMPolicy=kill tells it to{policy}."
    elif effect.stopped and effect.result == "oom-kill" and not effect.main_process_killed:
        yield (
            f"systemd logged the result oom-kill for {effect.unit}: with OOMPolicy=stop, which is the default, "
            f"it ends the whole unit when the kernel kills one of its processes{policy}."
        )
    elif effect.stopped:
        yield f"systemd logged the result {effect.result} for {effect.unit}{policy}."
    elif effect.stopped is False:
        yield f"systemd noticed the kill in {effect.unit} and left the unit running{policy}."


def _remedies(incident: Incident, cause: str) -> t.Iterator[Remedy]:
    report, effect = incident.report, incident.effect
    if effect and _ended_for_a_process(effect) and not report.group and effect.oom_policy in {"stop", None}:
        yield Remedy(
            role="oom_policy",
            variables={"oom_policy_units": [effect.unit]},
            why=f"With OOMPolicy=continue, {effect.unit} goes on when one of its processes is killed.",
        )
    memory = report.memory
    if memory and cause in {"ram_and_swap_exhausted", "ram_exhausted_no_swap"}:
        swap = memory.swap_total_bytes or 0
        target = max(_SWAP_TARGET, -(-2 * swap // _GIB) * _GIB)
        had = f"the {format_size(swap)} that the host had were used up" if swap else "the host had none"
        yield Remedy(
            role="swap",
            variables={"swap_size": f"{target // _GIB}G"},
            why=f"More swap takes in memory that is held but not used, and leaves time to act; {had}.",
        )
    unit = incident.place.unit
    server = _APACHE.get(unit or "")
    if server and report.victims and all(victim.name != server for victim in report.victims):
        yield Remedy(
            role="fcgid",
            variables={"fcgid_directives": _FCGID_DIRECTIVES},
            why=f"{report.victims[0].name} ran under {unit}: a FastCGI worker gives its memory back only when it ends, "
            "and by default mod_fcgid keeps some idle workers for ever.",
        )


def _ended_for_a_process(effect: UnitEffect) -> bool:
    """Tell whether systemd ended a service, which is still there, for a process that was not its main one."""
    ended = effect.stopped and effect.result == "oom-kill" and not effect.main_process_killed
    return bool(ended) and not effect.gone and effect.unit.endswith(".service")


def held(task: Task) -> int:
    """Return the bytes of RAM and swap that a task held."""
    return (task.rss_bytes or 0) + (task.swap_bytes or 0)


def by_name(tasks: t.Iterable[Task]) -> dict[str, list[Task]]:
    """Return the tasks grouped by their names."""
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.name, []).append(task)
    return groups


def _rss(victim: Victim) -> int | None:
    return _sum((victim.anon_rss_bytes, victim.file_rss_bytes, victim.shmem_rss_bytes))


def _sum(values: t.Iterable[int | None]) -> int | None:
    """Return the sum of the values that are known, None where none is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _swap(size: int) -> str:
    return f"{format_size(size)} of swap" if size else "no swap"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days or hours:
        return f"{days} d {hours} h" if days else f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
