# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence for the cause of a kill, in whole sentences with the report's own figures."""

from __future__ import annotations

import operator
import typing as t

from ..._size import format_size
from ..incident.incident import Incident, UnitEffect
from ..report.model import Limit, Memory, OomReport, Task, Victim
from .allocation import Request, Supply, can_serve, describe_purpose, find_request
from .breakdown import Breakdown, compute_share
from .consumers import Consumers, Group, Sums, find_anonymous_bytes
from .figures import Figures, find_lost_ram
from .kernel_use import describe_kernel_share, describe_slabs, find_kernel_bytes_of_cgroup
from .limit_owner import describe_reached_limit
from .unknown import list_known, sum_known, zero_if_unknown

# Parts of the RAM that are named; smaller ones are summed.
_NAMED_SHARE = 0.01
# Parts of the RAM that get a sentence of their own if processes do not hold them.
_NOTABLE_SHARE = 0.25
_PART_NAMES = {
    "shmem": "shared memory",
    "slab reclaimable": "reclaimable kernel objects",
    "slab unreclaimable": "unreclaimable kernel objects",
}
# Processes hold at least this share of the anonymous memory if their table is whole and none has ended just before.
_EXPECTED_SHARE = 0.5
_FEW = 3
_KIB = 1024

_UNACCOUNTED = (
    "is unaccounted for: drivers, a balloon of the hypervisor, the cache of ZFS, zram or a leak in the kernel may hold "
    "it"
)
_KEPT_FOR = {"H": "highatomic", "C": "CMA", "I": "isolated"}

_SWAP_VERDICTS = {
    "ram_and_swap_exhausted": ", so swap was exhausted",
    "ram_exhausted_swap_free": ", so swap was not exhausted",
}
_EXHAUSTION = ("ram_and_swap_exhausted", "ram_exhausted_no_swap", "ram_exhausted_swap_free", "kernel_memory")

# Uses of a cgroup's memory: the kernel's key, and the one of older kernels or of version 1 of cgroups.
_STATISTICS = (
    ("anonymous", "anon", "rss"),
    ("page cache", "file", "cache"),
    ("shared memory", "shmem", "shmem"),
    ("network buffers", "sock", "sock"),
)

_get_pid_and_name = operator.attrgetter("pid", "name")


def collect_evidence(incident: Incident, figures: Figures, cause: str) -> t.Iterator[str]:
    """Yield the sentences that show why `cause` is the cause, and what became of the unit."""
    report = incident.report
    yield from _describe_reason(report)
    for victim in report.victims[:_FEW]:
        yield from _describe_victim(victim)

    yield from _describe_choice(report)
    yield from _describe_tasks(report, figures)
    if report.killer == "kernel" and report.scope == "memcg":
        yield from _describe_limit(report)
    elif report.memory:
        yield from _describe_parts(report.memory, figures.parts)
        yield from _describe_lost_ram(figures)
        yield from _describe_free_lists(figures.supplies)
        yield from _describe_swap(report.memory, cause)
        yield from _describe_request(report, figures.supplies, cause)

    yield from _describe_effect(incident)
    yield from _describe_gaps(report)


def _describe_gaps(report: OomReport) -> t.Iterator[str]:
    """Yield that circumstances of the kill are unknown, because the log does not hold the whole report."""
    if report.complete or report.tasks:
        return

    unknown = "some of its circumstances are unknown"
    if report.memory is None and report.limit is None:
        unknown = "its circumstances are unknown"

    yield f"The log does not hold the whole report of this kill, so {unknown}."


def _describe_reason(report: OomReport) -> t.Iterator[str]:
    """Yield why a killer outside the kernel killed, in its own words."""
    if report.reason:
        yield f"{report.killer} reported: {report.reason}"


def _describe_victim(victim: Victim) -> t.Iterator[str]:
    rss = sum_known((victim.anon_rss_bytes, victim.file_rss_bytes, victim.shmem_rss_bytes))
    parts = [_format_known("{} of RAM", rss), _format_swap(victim.swap_bytes)]
    yield from _enumerate(f"The killed process {victim.name} (pid {victim.pid}) held", parts)


def _describe_choice(report: OomReport) -> t.Iterator[str]:
    """Yield why the kernel killed another process than the one with the highest score."""
    if report.allocating_task:
        yield (
            "vm.oom_kill_allocating_task is set: the kernel kills the process that requests memory, whatever its size."
        )
        return

    chosen = report.chosen
    if chosen is None or chosen.score is None:
        return

    if report.victims and report.victims[0].pid != chosen.pid:
        yield (
            f"The kernel had chosen {chosen.name} (pid {chosen.pid}, score {chosen.score}), but killed one of its "
            "children instead, to lose less work."
        )


def _describe_tasks(report: OomReport, figures: Figures) -> t.Iterator[str]:
    """Yield what all processes held together, then the largest of them and the largest cgroups."""
    consumers = figures.consumers
    together = consumers.together
    if together.number == 1:
        return

    if together.rss_bytes is None or not report.page_size:
        return

    ram = _describe_rss(together.rss_bytes, report.page_size)
    swap = _describe_swap_entries(together.swap_bytes, report.page_size)
    sharing = _describe_sharing(together)
    begin = f"Together, the {together.number} processes held"
    if not consumers.is_whole:
        begin = f"The task table may not be whole. Together, the {together.number} processes that it shows held"

    yield from _enumerate(begin, [ram, swap], end=sharing)
    yield from _describe_missing_rows(together.rss_bytes, find_anonymous_bytes(report, figures.parts))
    yield from _describe_largest(report, consumers.names[0], is_whole=consumers.is_whole)
    yield from _describe_cgroups(consumers)


def _describe_missing_rows(rss: int, anonymous: int | None) -> t.Iterator[str]:
    """Yield that the processes of the table held much less than the anonymous memory that the kernel counts."""
    counted = zero_if_unknown(anonymous)
    if rss >= counted * _EXPECTED_SHARE:
        return

    total = format_size(counted)
    yield (
        f"The kernel counted {total} of anonymous memory, but these processes held only {format_size(rss)} of RAM: "
        "rows of the table are missing, or processes that had begun to exit held the rest."
    )


def _describe_rss(size: int, page_size: int) -> str:
    ram = format_size(size)
    pages = size // page_size
    page = format_size(page_size)

    return f"{ram} of RAM (RSS, {pages} pages of {page})"


def _describe_swap_entries(size: int | None, page_size: int) -> str:
    swap = _format_swap(size)
    if not size:
        return swap

    entries = size // page_size
    return f"{swap} ({entries} entries)"


def _describe_sharing(together: Sums) -> str:
    if together.rss_shared_once_bytes is None:
        return "; pages that they share are counted once for each process"

    ram = format_size(together.rss_shared_once_bytes)
    return f"; {ram} of RAM if pages that they share are counted only once"


def _describe_cgroups(consumers: Consumers) -> t.Iterator[str]:
    parts = []
    for cgroup, _tasks, sums in consumers.cgroups:
        if cgroup:
            held = format_size(sums.held_bytes)
            parts.append(f"{cgroup} {held}")

    if len(parts) > 1:
        yield f"RAM and swap by cgroup, as far as the cgroups are known: {', '.join(parts[:_FEW])}."


def _describe_largest(report: OomReport, largest: Group[str], *, is_whole: bool) -> t.Iterator[str]:
    """Yield which processes of one name held most, and why they were spared if they were."""
    name, tasks, together = largest
    if not together.held_bytes:
        return

    held = format_size(together.held_bytes)
    holder = f"{name} (pid {tasks[0].pid})"
    if len(tasks) > 1:
        holder = f"The {len(tasks)} processes named {name}"

    spared = ""
    if report.victims and not _was_killed(report, largest):
        spared = _explain_why_spared(tasks, report.victims[0])

    among = ""
    if not is_whole:
        among = " of these"

    where = "RAM and swap"
    if together.swap_bytes is None:
        where = "RAM (the table does not show swap)"

    yield f"{holder} held the most{among}: {held} of {where}.{spared}"


def _was_killed(report: OomReport, group: Group[str]) -> bool:
    """Return whether one of the tasks of one name was killed.

    Rows of the table can be cut, so a victim without a row is recognised by its name.
    """
    name, tasks, _together = group
    # If a damaged table has a pid twice, the row of the group counts.
    listed_names = dict(map(_get_pid_and_name, (*report.tasks, *tasks)))

    return any(listed_names.get(victim.pid, victim.name) == name for victim in report.victims)


def _explain_why_spared(tasks: t.Sequence[Task], victim: Victim) -> str:
    spared = " It was not killed"
    owner = "its"
    if len(tasks) > 1:
        spared = " None of them was killed"
        owner = "their"

    adjustments = {task.oom_score_adj for task in tasks}
    if adjustments == {-1000}:
        return f"{spared}, because an oom_score_adj of -1000 forbids it."

    killed = zero_if_unknown(victim.oom_score_adj)
    highest = max(list_known(adjustments), default=killed)
    if highest >= killed:
        return f"{spared}."

    return f"{spared}, because {owner} oom_score_adj ({highest}) is lower than that of the killed process ({killed})."


def _describe_limit(report: OomReport) -> t.Iterator[str]:
    """Yield the limit that was hit, and what the memory of its cgroup was used for."""
    limit = report.limit or Limit()
    if report.limit_cgroup:
        reached = describe_reached_limit(limit)
        yield (
            f"The cgroup {report.limit_cgroup} reached its {reached}; the memory of the whole host was not the reason."
        )

    yield from _describe_usage(limit)
    statistics = [_describe_statistic(limit, *statistic) for statistic in _STATISTICS]
    kernel = find_kernel_bytes_of_cgroup(limit)
    if kernel:
        statistics.append(f"{format_size(kernel)} kernel memory")

    yield from _enumerate("Memory of the cgroup:", statistics, last=", ")
    yield from describe_kernel_share(limit)


def _describe_usage(limit: Limit) -> t.Iterator[str]:
    if limit.usage_bytes is None or limit.swap_usage_bytes is None:
        return

    ram = format_size(limit.usage_bytes)
    if limit.memsw:
        together = format_size(limit.swap_usage_bytes)
        yield f"The cgroup used {ram} of RAM, and {together} of RAM and swap together."
        return

    swap = _format_swap(limit.swap_usage_bytes)
    allowed = ""
    if limit.swap_limit_bytes == 0:
        allowed = "; its swap limit is 0"

    yield f"The cgroup used {ram} of RAM and {swap}{allowed}."


def _describe_statistic(limit: Limit, name: str, key: str, old_key: str) -> str:
    """Return the size under `key`, or else under `old_key`, with its name; nothing if it is 0."""
    old_size = limit.stat.get(old_key, 0)
    size = limit.stat.get(key, old_size)
    if not size:
        return ""

    return f"{format_size(size)} {name}"


def _describe_parts(memory: Memory, parts: Breakdown | None) -> t.Iterator[str]:
    """Yield what the RAM was used for, with a sentence for each large part that processes do not hold."""
    if parts is None or not memory.ram_bytes:
        return

    ram = format_size(memory.ram_bytes)
    texts = []
    names = dict(_PART_NAMES)
    if _may_be_holes(memory):
        names["reserved"] = "reserved or without RAM (holes between the addresses)"

    for name, part in _sort_parts(parts, memory.ram_bytes).items():
        size = format_size(part)
        texts.append(f"{size} {names.get(name, name)}")

    yield f"Use of the {ram} of RAM: {', '.join(texts)}."
    yield from _describe_notable_parts(memory, parts)


def _may_be_holes(memory: Memory) -> bool:
    """Return whether much of the RAM is reserved, and the zones do not show whether there is RAM at all."""
    if memory.holes_bytes is not None:
        return False

    return compute_share(memory.reserved_bytes, memory) >= _NOTABLE_SHARE


def _sort_parts(parts: Breakdown, ram_bytes: int) -> dict[str, int]:
    """Return the sizes of the large parts of the RAM by name, the largest first, and the sum of the rest."""
    sizes = parts.list_parts(at_least=_NAMED_SHARE * ram_bytes)
    largest_first = dict(sorted(sizes.items(), key=lambda part: -part[1]))
    rest = ram_bytes - sum(sizes.values())
    if rest > 0:
        largest_first["other"] = rest

    return largest_first


def _describe_notable_parts(memory: Memory, parts: Breakdown) -> t.Iterator[str]:
    notable = (
        (parts.missing_bytes, _UNACCOUNTED),
        (parts.slab_unreclaimable_bytes, "held kernel objects that cannot be reclaimed"),
        (parts.shmem_bytes, "held shared memory and files in tmpfs, which can exist without any process"),
        (parts.huge_pages_bytes, "was reserved as huge pages"),
        (memory.counters.get("unevictable"), "was locked and could not be swapped out"),
    )
    for part, description in notable:
        if compute_share(part, memory) >= _NOTABLE_SHARE:
            size = format_size(zero_if_unknown(part))
            yield f"{size} of RAM {description}."

    yield from describe_slabs(memory)


def _describe_lost_ram(figures: Figures) -> t.Iterator[str]:
    """Yield that the host had more RAM before, and that it no longer uses RAM with errors."""
    memory = figures.memory
    if memory.hwpoisoned_bytes:
        size = format_size(memory.hwpoisoned_bytes)
        yield f"{size} of RAM was out of use, because the hardware had reported errors in it (hwpoisoned)."

    lost = find_lost_ram(figures)
    if lost:
        before = format_size(zero_if_unknown(figures.earlier_ram_bytes))
        now = format_size(zero_if_unknown(memory.ram_bytes))
        yield f"An earlier report of this host shows {before} of RAM, this one {now}: {format_size(lost)} is missing."


def _describe_free_lists(supplies: t.Iterable[Supply]) -> t.Iterator[str]:
    lists = map(_describe_free_list, supplies)
    yield from _enumerate("The buddy lists held", lists)


def _describe_free_list(supply: Supply) -> str:
    zone = supply.zone
    if not zone.free_blocks:
        return ""

    total = sum(size * count for size, count in zone.free_blocks.items())
    largest = zero_if_unknown(zone.largest_free_block_bytes)
    return f"{total // _KIB} kB in {supply.name} (largest block {largest // _KIB} kB)"


def _describe_swap(memory: Memory, cause: str) -> t.Iterator[str]:
    total = memory.swap_total_bytes
    free = memory.swap_free_bytes
    if total == 0:
        yield "The host had no swap."
        return

    if total is not None and free is not None:
        verdict = _SWAP_VERDICTS.get(cause, "")
        yield f"{format_size(free)} of the {format_size(total)} of swap was free{verdict}."


def _describe_request(report: OomReport, supplies: t.Sequence[Supply], cause: str) -> t.Iterator[str]:
    """Yield what was requested, and what each zone had for it."""
    request = find_request(report)
    if not request.size:
        return

    size = format_size(request.size)
    amount = f"a single page ({size})"
    if request.order > 0:
        amount = f"{size} in one piece (order {request.order})"

    requester = _name_requester(request)
    purpose = describe_purpose(request.flags)
    yield f"{requester} {amount} {purpose}.{_judge_request(request, cause)}"
    if cause == "fragmentation":
        yield from _describe_kept_blocks(supplies, size)

    yield from _describe_zones(supplies, cause)


def _name_requester(request: Request) -> str:
    if not request.requester:
        return "The request was for"

    return f"{request.requester} requested"


def _judge_request(request: Request, cause: str) -> str:
    """Return what the size of the request shows about the cause."""
    if cause == "fragmentation":
        return (
            " Enough memory was free above the minimum watermark, but no block that the request could use was large "
            "enough: this is fragmentation."
        )

    if request.order > 0:
        return ""

    if cause in _EXHAUSTION:
        return " Any free block can serve such a request, so the cause is exhaustion, not fragmentation."

    return " Any free block can serve such a request."


def _describe_kept_blocks(supplies: t.Iterable[Supply], size: str) -> t.Iterator[str]:
    """Yield why large blocks in the buddy lists did not help."""
    blocks = 0
    letters: set[str] = set()
    for supply in supplies:
        if supply.is_enough:
            blocks += supply.kept_blocks
            letters |= supply.kept_types

    if letters:
        kinds = [_KEPT_FOR[letter] for letter in sorted(letters, key=list(_KEPT_FOR).index)]
        yield (
            f"Free blocks of {size} or more in zones with enough memory: {blocks}, all of them kept for other requests "
            f"({', '.join(kinds)})."
        )


def _describe_zones(supplies: t.Sequence[Supply], cause: str) -> t.Iterator[str]:
    """Yield what each zone had for the request, and which zones the request could not use."""
    margins = map(_describe_margin, supplies)
    begin = "Free memory above the minimum watermark and the reserves for other requests:"
    yield from _enumerate(begin, margins, last=", ")

    if cause == "unknown" and can_serve(supplies):
        yield (
            "At the time of the report, the request could have been served: either memory had been freed in the "
            "meantime, or the kernel refused the request for another reason."
        )

    closed_zones = map(_describe_closed_zone, supplies)
    yield from _enumerate("The request could not use", closed_zones)


def _describe_margin(supply: Supply) -> str:
    if supply.margin_bytes is None:
        return ""

    size = format_size(abs(supply.margin_bytes))
    if supply.margin_bytes < 0:
        return f"{supply.name} {size} short"

    return f"{supply.name} {size} to spare"


def _describe_closed_zone(supply: Supply) -> str:
    if supply.usable or not supply.zone.free_bytes:
        return ""

    free = format_size(supply.zone.free_bytes)
    return f"{supply.name} with {free} free"


def _describe_effect(incident: Incident) -> t.Iterator[str]:
    """Yield what systemd logged about the unit."""
    effect = incident.effect
    if effect.stopped is None:
        return

    unit = effect.unit
    policy = _describe_policy(effect)
    if not effect.stopped:
        yield f"systemd noticed the OOM kill in {unit} and left the unit running{policy}."
    elif incident.report.group:
        yield f"The kernel killed all processes of {unit}, as OOMPolicy=kill requires{policy}."
    elif effect.result == "oom-kill" and not effect.main_process_killed:
        yield (
            f"systemd logged the result oom-kill for {unit}: with OOMPolicy=stop, which is the default, "
            f"it stops the whole unit when the kernel kills one of its processes{policy}."
        )
    else:
        yield f"systemd logged the result {effect.result} for {unit}{policy}."


def _describe_policy(effect: UnitEffect) -> str:
    if not effect.oom_policy:
        return ""

    return f" (OOMPolicy={effect.oom_policy} is in force now)"


def _enumerate(begin: str, parts: t.Iterable[str], *, last: str = " and ", end: str = "") -> t.Iterator[str]:
    """Yield a sentence that lists the parts between `begin` and `end`, nothing if all parts are empty.

    `last` is the text before the last part.
    """
    present = list(filter(None, parts))
    if not present:
        return

    listed = present.pop()
    if present:
        listed = f"{', '.join(present)}{last}{listed}"

    yield f"{begin} {listed}{end}."


def _format_known(template: str, size: int | None) -> str:
    """Return the size in a phrase, nothing if it is unknown."""
    if size is None:
        return ""

    return template.format(format_size(size))


def _format_swap(size: int | None) -> str:
    """Return the size in words, nothing if it is unknown."""
    if size == 0:
        return "no swap"

    return _format_known("{} of swap", size)
