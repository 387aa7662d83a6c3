# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows why a kill happened, in whole sentences with the report's own figures."""

from __future__ import annotations

import typing as t

from ..._size import format_size
from ..incident.incident import Incident, UnitEffect
from ..report.model import Memory, OomReport, Task, Victim
from .allocation import Supply, purpose
from .breakdown import share
from .consumers import Consumers, Group, known_sum
from .figures import Figures

# Parts of the RAM that are named; what is smaller is summed.
_NAMED_SHARE = 0.01
# Parts of the RAM that are worth a word where they are not what processes hold.
_NOTABLE_SHARE = 0.25
_FEW = 3

_KEPT_FOR = {"H": "highatomic", "C": "CMA", "I": "isolated"}

_STATISTICS = (
    ("anonymous", ("anon", "rss")),
    ("page cache", ("file", "cache")),
    ("shared memory", ("shmem",)),
    ("kernel memory", ("kernel", "slab")),
    ("network buffers", ("sock",)),
)


def evidence(incident: Incident, figures: Figures, cause: str) -> t.Iterator[str]:
    """Yield what shows that `cause` is the cause, and what came of it."""
    report = incident.report
    if report.reason:
        yield f"{report.killer} says: {report.reason}"
    yield from _of_the_victims(report)
    yield from _of_the_tasks(report, figures.consumers)
    if report.scope == "memcg":
        yield from _of_the_limit(report)
    elif report.memory:
        yield from _of_the_memory(report, report.memory, figures)
        yield from _of_the_swap(report.memory, cause)
        yield from _of_the_request(report, figures.supplies, cause)
    if incident.effect:
        yield from _of_the_unit(incident.effect, group=report.group)
    if not report.complete and not report.tasks:
        yield "The log holds no whole report of this kill, so that its circumstances are not known."


def _of_the_victims(report: OomReport) -> t.Iterator[str]:
    for victim in report.victims[:_FEW]:
        rss = known_sum((victim.anon_rss_bytes, victim.file_rss_bytes, victim.shmem_rss_bytes))
        parts = [f"{format_size(rss)} of RAM"] if rss is not None else []
        parts += [_swap(victim.swap_bytes)] if victim.swap_bytes is not None else []
        if parts:
            yield f"{victim.name} (pid {victim.pid}), which was killed, held {' and '.join(parts)}."
    chosen = report.chosen
    if report.allocating_task:
        yield "vm.oom_kill_allocating_task is set: the process that asked for memory is killed, whatever its size."
    elif chosen and report.victims and chosen.score is not None and chosen.pid != report.victims[0].pid:
        yield (
            f"The kernel had chosen {chosen.name} (pid {chosen.pid}, score {chosen.score}), and killed a child of it "
            "instead, to lose less work."
        )


def _of_the_tasks(report: OomReport, consumers: Consumers) -> t.Iterator[str]:
    together = consumers.together
    if together.rss_bytes is None or not report.page_size or together.number == 1:
        return
    page = f"pages of {format_size(report.page_size)}"
    pages = together.rss_bytes // report.page_size
    swap, once = together.swap_bytes, together.rss_shared_once_bytes
    text = (
        f"The {together.number} processes together held {format_size(together.rss_bytes)} of RAM (RSS, {pages} {page})"
    )
    if swap is not None:
        text += f" and {_swap(swap)}" + (f" ({swap // report.page_size} entries)" if swap else "")
    if once is None:
        yield f"{text}; a page that several of them share is counted for each."
    else:
        yield f"{text}; {format_size(once)} where pages that they share are counted once."
    yield from _of_the_largest(report, consumers.names[0])
    known = [(cgroup, held) for cgroup, _tasks, held in consumers.cgroups if cgroup]
    if len(known) > 1:
        parts = [f"{cgroup} {format_size(held.held_bytes)}" for cgroup, held in known[:_FEW]]
        yield f"By cgroup, as far as it is known, RAM and swap were held by {', '.join(parts)}."


def _of_the_largest(report: OomReport, largest: Group[str]) -> t.Iterator[str]:
    name, tasks, together = largest
    size = together.held_bytes
    if not size:
        return
    who = f"the {len(tasks)} processes named {name}" if len(tasks) > 1 else f"{name} (pid {tasks[0].pid})"
    text = f"The largest part was held by {who}: {format_size(size)} of RAM and swap"
    if not report.victims or _was_killed(report, largest):
        yield f"{text}."
    else:
        yield f"{text}, which was not killed{_why_spared(tasks, report.victims[0])}."


def _was_killed(report: OomReport, group: Group[str]) -> bool:
    """Tell whether one of a group of tasks was killed: by its name only where it has no row, since rows can be cut."""
    name, tasks, _together = group
    own, listed = ({task.pid for task in some} for some in (tasks, report.tasks))
    return any(victim.pid in own if victim.pid in listed else victim.name == name for victim in report.victims)


def _why_spared(tasks: t.Sequence[Task], victim: Victim) -> str:
    adjustments = {task.oom_score_adj for task in tasks}
    if adjustments == {-1000}:
        return ", since its oom_score_adj of -1000 forbids it"
    own = victim.oom_score_adj or 0
    highest = max((adjustment for adjustment in adjustments if adjustment is not None), default=own)
    return f", since its oom_score_adj ({highest}) is below that of the killed ({own})" if highest < own else ""


def _of_the_limit(report: OomReport) -> t.Iterator[str]:
    limit = report.limit
    if report.limit_cgroup:
        size = f" of {format_size(limit.limit_bytes)}" if limit and limit.limit_bytes is not None else ""
        yield (
            f"The memory limit{size} that was hit is that of the cgroup {report.limit_cgroup}; "
            "the host itself was not out of memory."
        )
    if limit is None:
        return
    if limit.usage_bytes is not None and limit.swap_usage_bytes is not None and not limit.memsw:
        ram, swap = format_size(limit.usage_bytes), _swap(limit.swap_usage_bytes)
        allowed = "; its limit of swap is 0" if limit.swap_limit_bytes == 0 else ""
        yield f"The cgroup used {ram} of RAM and {swap}{allowed}."
    parts = [
        f"{format_size(size)} {name}"
        for name, keys in _STATISTICS
        for size in [next((limit.stat[key] for key in keys if key in limit.stat), 0)]
        if size
    ]
    if parts:
        yield f"Its memory was {', '.join(parts)}."


def _of_the_memory(report: OomReport, memory: Memory, figures: Figures) -> t.Iterator[str]:
    parts = figures.parts
    if parts and memory.ram_bytes:
        known = parts.parts()
        named = {name: size for name, size in known.items() if size >= _NAMED_SHARE * memory.ram_bytes}
        rest = memory.ram_bytes - sum(named.values())
        texts = [f"{format_size(size)} {name}" for name, size in sorted(named.items(), key=lambda part: -part[1])]
        texts += [f"{format_size(rest)} other"] if rest > 0 else []
        yield f"Of {format_size(memory.ram_bytes)} of RAM: {', '.join(texts)}."
        for size, what in (
            (parts.missing_bytes, "is in nobody's account: drivers, a balloon of the hypervisor, zram or a leak"),
            (parts.slab_unreclaimable_bytes, "was the kernel's own objects, which cannot be taken back"),
            (parts.shmem_bytes, "was shared memory and files in tmpfs, which no process needs to hold"),
            (parts.huge_pages_bytes, "was set aside as huge pages"),
            (memory.counters.get("unevictable"), "was locked, so that it could not go to swap"),
        ):
            if share(size, memory) >= _NOTABLE_SHARE:
                yield f"{format_size(size or 0)} of RAM {what}."
    lists = [
        f"{sum(size * count for size, count in zone.free_blocks.items()) // 1024} kB in {_place(report, supply)}"
        f" (largest block {(zone.largest_free_block_bytes or 0) // 1024} kB)"
        for supply in figures.supplies
        for zone in [supply.zone]
        if zone.free_blocks
    ]
    if lists:
        yield f"The free lists held {_listed(lists)}."


def _of_the_swap(memory: Memory, cause: str) -> t.Iterator[str]:
    total, free = memory.swap_total_bytes, memory.swap_free_bytes
    if total == 0:
        yield "The host had no swap."
    elif total is not None and free is not None:
        verdict = "swap was not exhausted" if cause == "ram_exhausted_swap_free" else "swap was exhausted"
        told = f": {verdict}" if cause.startswith("ram_") else ""
        yield f"Of {format_size(total)} of swap, {format_size(free)} was free{told}."


def _of_the_request(report: OomReport, weighed: t.Sequence[Supply], cause: str) -> t.Iterator[str]:
    trigger = report.trigger
    if trigger is None or trigger.order is None or trigger.order < 0 or not report.page_size:
        return
    size = format_size(report.page_size << trigger.order)
    what = f"{trigger.name} asked for" if trigger.name else "The request was for"
    whom = purpose(trigger.gfp_flags) if trigger.gfp_flags else "for an unknown purpose"
    if trigger.order == 0:
        verdict = ": this is exhaustion, not fragmentation" if cause.startswith("ram_") else ""
        yield f"{what} a single page ({size}) {whom}; any free block can serve that{verdict}."
    elif cause == "fragmentation":
        yield (
            f"{what} {size} in one piece (order {trigger.order}) {whom}: there was memory enough above the minimum, "
            "but no block of that size where it could be used: this is fragmentation."
        )
        yield from _of_the_kept_blocks([supply for supply in weighed if supply.is_enough], size)
    else:
        yield f"{what} {size} in one piece (order {trigger.order}) {whom}."
    yield from _of_the_zones(report, weighed, cause)


def _of_the_kept_blocks(enough: t.Sequence[Supply], size: str) -> t.Iterator[str]:
    """Yield why large blocks in the free lists did not help."""
    letters = {letter for supply in enough for letter in supply.kept_types}
    if letters:
        kinds = ", ".join(kind for letter, kind in _KEPT_FOR.items() if letter in letters)
        blocks = sum(supply.kept_blocks for supply in enough)
        yield f"Free blocks of {size} or more there: {blocks}, all of them set aside for other requests ({kinds})."


def _of_the_zones(report: OomReport, weighed: t.Sequence[Supply], cause: str) -> t.Iterator[str]:
    margins = [
        f"{_place(report, supply)} {_margin(supply.margin_bytes)}"
        for supply in weighed
        if supply.margin_bytes is not None
    ]
    if margins:
        yield f"Beyond the minimum watermark and the reserves for other requests: {', '.join(margins)}."
    if cause == "unknown" and any(supply.could_serve for supply in weighed):
        yield (
            "At the moment of the report the request could have been met: memory had been freed meanwhile, or it was "
            "refused for another reason."
        )
    closed = [
        f"{_place(report, supply)} with {format_size(supply.zone.free_bytes)} free"
        for supply in weighed
        if not supply.usable and supply.zone.free_bytes
    ]
    if closed:
        yield f"Not open to this request: {_listed(closed)}."


def _margin(size: int) -> str:
    return f"{format_size(size)} to spare" if size >= 0 else f"{format_size(-size)} short"


def _place(report: OomReport, supply: Supply) -> str:
    several = len({zone.node for zone in report.zones}) > 1
    return f"{supply.zone.zone} of node {supply.zone.node}" if several else supply.zone.zone


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


def _listed(parts: t.Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _swap(size: int) -> str:
    return f"{format_size(size)} of swap" if size else "no swap"
