# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence for the cause of a kill, in whole sentences with the report's own figures."""

from __future__ import annotations

import typing as t

from ..._size import format_size
from ..incident.incident import Incident, UnitEffect
from ..report.model import Limit, Memory, OomReport, Task, Trigger, Victim, Zone
from .allocation import Supply, describe_purpose, find_order
from .breakdown import Breakdown, compute_share
from .consumers import Consumers, Group
from .figures import Figures
from .unknown import sum_known, zero_if_unknown

# Parts of the RAM that are named; smaller ones are summed.
_NAMED_SHARE = 0.01
# Parts of the RAM that get a sentence of their own if processes do not hold them.
_NOTABLE_SHARE = 0.25
_FEW = 3
_KIB = 1024

_KEPT_FOR = {"H": "highatomic", "C": "CMA", "I": "isolated"}

_SWAP_VERDICTS = {
    "ram_and_swap_exhausted": ": swap was exhausted",
    "ram_exhausted_swap_free": ": swap was not exhausted",
}

_STATISTICS = (
    ("anonymous", ("anon", "rss")),
    ("page cache", ("file", "cache")),
    ("shared memory", ("shmem",)),
    ("kernel memory", ("kernel", "slab")),
    ("network buffers", ("sock",)),
)


def collect_evidence(incident: Incident, figures: Figures, cause: str) -> t.Iterator[str]:
    """Yield the sentences that show why `cause` is the cause, and what became of the unit."""
    report = incident.report
    if report.reason:
        yield f"{report.killer} says: {report.reason}"

    for victim in report.victims[:_FEW]:
        yield from _describe_victim(victim)

    yield from _describe_choice(report)
    yield from _describe_tasks(report, figures.consumers)
    if report.scope == "memcg":
        yield from _describe_limit(report)
    elif report.memory:
        yield from _describe_memory(report.memory, figures.parts)
        yield from _describe_free_lists(report, figures.supplies)
        yield from _describe_swap(report.memory, cause)
        yield from _describe_request(report, figures.supplies, cause)

    if incident.effect:
        yield from _describe_effect(incident.effect, group=report.group)

    if not report.complete and not report.tasks:
        yield "The log holds no whole report of this kill, so that its circumstances are not known."


def _describe_victim(victim: Victim) -> t.Iterator[str]:
    parts = []
    rss = sum_known((victim.anon_rss_bytes, victim.file_rss_bytes, victim.shmem_rss_bytes))
    if rss is not None:
        parts.append(f"{format_size(rss)} of RAM")

    if victim.swap_bytes is not None:
        parts.append(_format_swap(victim.swap_bytes))

    if parts:
        yield f"{victim.name} (pid {victim.pid}), which was killed, held {_join(parts)}."


def _describe_choice(report: OomReport) -> t.Iterator[str]:
    """Yield why the kernel killed another process than the one that it had chosen by its score."""
    if report.allocating_task:
        yield "vm.oom_kill_allocating_task is set: the process that asked for memory is killed, whatever its size."
        return

    chosen = report.chosen
    if chosen is None or chosen.score is None:
        return

    killed_pids = [victim.pid for victim in report.victims[:1]]
    if killed_pids not in ([], [chosen.pid]):
        yield (
            f"The kernel had chosen {chosen.name} (pid {chosen.pid}, score {chosen.score}), and killed a child of it "
            "instead, to lose less work."
        )


def _describe_tasks(report: OomReport, consumers: Consumers) -> t.Iterator[str]:
    """Yield what all processes held together, then the largest of them and the largest cgroups."""
    together = consumers.together
    if together.number == 1 or together.rss_bytes is None or not report.page_size:
        return

    text = f"The {together.number} processes together held {_describe_rss(together.rss_bytes, report.page_size)}"
    if together.swap_bytes is not None:
        text += f" and {_describe_entries(together.swap_bytes, report.page_size)}"

    if together.rss_shared_once_bytes is None:
        yield f"{text}; a page that several of them share is counted for each."
    else:
        yield f"{text}; {format_size(together.rss_shared_once_bytes)} where pages that they share are counted once."

    yield from _describe_largest(report, consumers.names[0])
    yield from _describe_cgroups(consumers)


def _describe_rss(size: int, page_size: int) -> str:
    pages = size // page_size
    return f"{format_size(size)} of RAM (RSS, {pages} pages of {format_size(page_size)})"


def _describe_entries(size: int, page_size: int) -> str:
    if not size:
        return _format_swap(size)

    entries = size // page_size
    return f"{_format_swap(size)} ({entries} entries)"


def _describe_cgroups(consumers: Consumers) -> t.Iterator[str]:
    known = [group for group in consumers.cgroups if group[0]]
    if len(known) < 2:
        return

    parts = [f"{cgroup} {format_size(sums.held_bytes)}" for cgroup, _tasks, sums in known[:_FEW]]
    yield f"By cgroup, as far as it is known, RAM and swap were held by {', '.join(parts)}."


def _describe_largest(report: OomReport, largest: Group[str]) -> t.Iterator[str]:
    """Yield which processes of one name held most, and why they were spared if they were."""
    name, tasks, together = largest
    if not together.held_bytes:
        return

    holder = f"{name} (pid {tasks[0].pid})"
    if len(tasks) > 1:
        holder = f"the {len(tasks)} processes named {name}"

    spared = ""
    if report.victims and not _was_killed(report, largest):
        spared = f", which was not killed{_explain_why_spared(tasks, report.victims[0])}"

    yield f"The largest part was held by {holder}: {format_size(together.held_bytes)} of RAM and swap{spared}."


def _was_killed(report: OomReport, group: Group[str]) -> bool:
    """Return whether one of a group of tasks was killed.

    Rows of the table can be cut, so a victim without a row is recognised by its name.
    """
    name, tasks, _together = group
    own_pids = {task.pid for task in tasks}
    listed_pids = {task.pid for task in report.tasks}
    for victim in report.victims:
        if victim.pid in own_pids:
            return True

        if victim.pid not in listed_pids and victim.name == name:
            return True

    return False


def _explain_why_spared(tasks: t.Iterable[Task], victim: Victim) -> str:
    adjustments = {task.oom_score_adj for task in tasks}
    if adjustments == {-1000}:
        return ", since its oom_score_adj of -1000 forbids it"

    killed = zero_if_unknown(victim.oom_score_adj)
    known = [adjustment for adjustment in adjustments if adjustment is not None]
    highest = max(known, default=killed)
    if highest >= killed:
        return ""

    return f", since its oom_score_adj ({highest}) is below that of the killed ({killed})"


def _describe_limit(report: OomReport) -> t.Iterator[str]:
    """Yield the limit that was hit, and what the memory of its cgroup was used for."""
    if report.limit_cgroup:
        yield (
            f"The memory limit{_format_limit(report.limit)} that was hit is that of the cgroup {report.limit_cgroup}; "
            "the host itself was not out of memory."
        )

    if report.limit:
        yield from _describe_usage(report.limit)
        yield from _describe_statistics(report.limit)


def _format_limit(limit: Limit | None) -> str:
    if limit is None or limit.limit_bytes is None:
        return ""

    return f" of {format_size(limit.limit_bytes)}"


def _describe_usage(limit: Limit) -> t.Iterator[str]:
    if limit.memsw or limit.usage_bytes is None or limit.swap_usage_bytes is None:
        return

    text = f"The cgroup used {format_size(limit.usage_bytes)} of RAM and {_format_swap(limit.swap_usage_bytes)}"
    if limit.swap_limit_bytes == 0:
        text += "; its limit of swap is 0"

    yield f"{text}."


def _describe_statistics(limit: Limit) -> t.Iterator[str]:
    parts = list(_list_statistics(limit))
    if parts:
        yield f"Its memory was {', '.join(parts)}."


def _list_statistics(limit: Limit) -> t.Iterator[str]:
    for name, keys in _STATISTICS:
        size = _find_first(limit.stat, keys)
        if size:
            yield f"{format_size(size)} {name}"


def _find_first(statistics: t.Mapping[str, int], keys: t.Iterable[str]) -> int:
    """Return the value of the first of these keys that the kernel printed, 0 if it printed none."""
    for key in keys:
        if key in statistics:
            return statistics[key]

    return 0


def _describe_memory(memory: Memory, parts: Breakdown | None) -> t.Iterator[str]:
    """Yield what the RAM was used for, with a sentence for each large part that processes do not hold."""
    if parts is None or not memory.ram_bytes:
        return

    sizes = _sort_parts(parts, memory.ram_bytes)
    texts = [f"{format_size(size)} {name}" for name, size in sizes.items()]
    yield f"Of {format_size(memory.ram_bytes)} of RAM: {', '.join(texts)}."

    notable = (
        (parts.missing_bytes, "is in nobody's account: drivers, a balloon of the hypervisor, zram or a leak"),
        (parts.slab_unreclaimable_bytes, "was the kernel's own objects, which cannot be taken back"),
        (parts.shmem_bytes, "was shared memory and files in tmpfs, which no process needs to hold"),
        (parts.huge_pages_bytes, "was set aside as huge pages"),
        (memory.counters.get("unevictable"), "was locked, so that it could not go to swap"),
    )
    for size, description in notable:
        if compute_share(size, memory) >= _NOTABLE_SHARE:
            yield f"{format_size(zero_if_unknown(size))} of RAM {description}."


def _sort_parts(parts: Breakdown, ram_bytes: int) -> dict[str, int]:
    """Return the sizes of the large parts of the RAM by name, the largest first, and the sum of the rest."""
    sizes = {name: size for name, size in parts.parts().items() if size >= _NAMED_SHARE * ram_bytes}
    largest_first = dict(sorted(sizes.items(), key=lambda part: -part[1]))
    rest = ram_bytes - sum(sizes.values())
    if rest > 0:
        largest_first["other"] = rest

    return largest_first


def _describe_free_lists(report: OomReport, supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    zones = [supply.zone for supply in supplies if supply.zone.free_blocks]
    if not zones:
        return

    lists = [_describe_free_list(report, zone) for zone in zones]
    yield f"The free lists held {_join(lists)}."


def _describe_free_list(report: OomReport, zone: Zone) -> str:
    total = sum(size * count for size, count in zone.free_blocks.items())
    largest = zero_if_unknown(zone.largest_free_block_bytes)
    return f"{total // _KIB} kB in {_name_zone(report, zone)} (largest block {largest // _KIB} kB)"


def _describe_swap(memory: Memory, cause: str) -> t.Iterator[str]:
    total = memory.swap_total_bytes
    free = memory.swap_free_bytes
    if total == 0:
        yield "The host had no swap."
        return

    if total is not None and free is not None:
        verdict = _SWAP_VERDICTS.get(cause, "")
        yield f"Of {format_size(total)} of swap, {format_size(free)} was free{verdict}."


def _describe_request(report: OomReport, supplies: t.Sequence[Supply], cause: str) -> t.Iterator[str]:
    """Yield what was asked for, and what each zone had for it."""
    order = find_order(report)
    if order is None or report.trigger is None or not report.page_size:
        return

    size = format_size(report.page_size << order)
    requester = _name_requester(report.trigger)
    purpose = _name_purpose(report.trigger)
    if order == 0:
        yield f"{requester} a single page ({size}) {purpose}; any free block can serve that{_judge_page(cause)}."
    elif cause == "fragmentation":
        yield (
            f"{requester} {size} in one piece (order {order}) {purpose}: there was memory enough above the minimum, "
            "but no block of that size where it could be used: this is fragmentation."
        )
        yield from _describe_kept_blocks(supplies, size)
    else:
        yield f"{requester} {size} in one piece (order {order}) {purpose}."

    yield from _describe_margins(report, supplies)
    if cause == "unknown" and any(supply.could_serve for supply in supplies):
        yield (
            "At the moment of the report the request could have been met: memory had been freed meanwhile, or it was "
            "refused for another reason."
        )

    yield from _describe_closed_zones(report, supplies)


def _name_requester(trigger: Trigger) -> str:
    if not trigger.name:
        return "The request was for"

    return f"{trigger.name} asked for"


def _name_purpose(trigger: Trigger) -> str:
    if not trigger.gfp_flags:
        return "for an unknown purpose"

    return describe_purpose(trigger.gfp_flags)


def _judge_page(cause: str) -> str:
    if cause.startswith("ram_"):
        return ": this is exhaustion, not fragmentation"

    return ""


def _describe_kept_blocks(supplies: t.Iterable[Supply], size: str) -> t.Iterator[str]:
    """Yield why large blocks in the free lists did not help."""
    blocks = 0
    letters: set[str] = set()
    for supply in supplies:
        if supply.is_enough:
            blocks += supply.kept_blocks
            letters |= supply.kept_types

    kinds = [kind for letter, kind in _KEPT_FOR.items() if letter in letters]
    if kinds:
        yield (
            f"Free blocks of {size} or more there: {blocks}, all of them set aside for other requests "
            f"({', '.join(kinds)})."
        )


def _describe_margins(report: OomReport, supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    margins = list(_list_margins(report, supplies))
    if margins:
        yield f"Beyond the minimum watermark and the reserves for other requests: {', '.join(margins)}."


def _list_margins(report: OomReport, supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    for supply in supplies:
        if supply.margin_bytes is not None:
            yield f"{_name_zone(report, supply.zone)} {_format_margin(supply.margin_bytes)}"


def _describe_closed_zones(report: OomReport, supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    closed = list(_list_closed_zones(report, supplies))
    if closed:
        yield f"Not open to this request: {_join(closed)}."


def _list_closed_zones(report: OomReport, supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    for supply in supplies:
        if not supply.usable and supply.zone.free_bytes:
            yield f"{_name_zone(report, supply.zone)} with {format_size(supply.zone.free_bytes)} free"


def _format_margin(size: int) -> str:
    if size < 0:
        return f"{format_size(-size)} short"

    return f"{format_size(size)} to spare"


def _name_zone(report: OomReport, zone: Zone) -> str:
    nodes = {other.node for other in report.zones}
    if len(nodes) == 1:
        return zone.zone

    return f"{zone.zone} of node {zone.node}"


def _describe_effect(effect: UnitEffect, *, group: bool) -> t.Iterator[str]:
    """Yield what systemd logged about the unit."""
    policy = ""
    if effect.oom_policy:
        policy = f" (OOMPolicy={effect.oom_policy} is in force now)"

    if effect.stopped is None:
        return

    if not effect.stopped:
        yield f"systemd noticed the kill in {effect.unit} and left the unit running{policy}."
    elif group:
        yield f"The kernel killed all of {effect.unit}, as OOMPolicy=kill tells it to{policy}."
    elif effect.result == "oom-kill" and not effect.main_process_killed:
        yield (
            f"systemd logged the result oom-kill for {effect.unit}: with OOMPolicy=stop, which is the default, "
            f"it ends the whole unit when the kernel kills one of its processes{policy}."
        )
    else:
        yield f"systemd logged the result {effect.result} for {effect.unit}{policy}."


def _join(parts: t.Sequence[str]) -> str:
    """Return the parts as an enumeration: `a, b and c`."""
    if len(parts) == 1:
        return parts[0]

    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _format_swap(size: int) -> str:
    if not size:
        return "no swap"

    return f"{format_size(size)} of swap"
