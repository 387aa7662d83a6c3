# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps against a kill of each cause: roles of this collection with their variables, and advice in words."""

from __future__ import annotations

import typing as t

from ..._size import format_size, parse_size
from ..incident.host_now import HostNow
from ..incident.incident import Incident, UnitEffect
from ..incident.taken_down import TakenDown
from ..report.model import Limit, Memory, OomReport
from .breakdown import Breakdown, compute_share
from .consumers import Group, is_table_whole
from .figures import Figures, find_lost_ram
from .kernel_use import name_largest_slabs
from .limit_owner import find_limit_owner
from .swap_size import (
    HEADERS,
    MOST_MISSING,
    MOST_SWAP,
    MOST_SWAP_PER_RAM,
    SwapLimits,
    SwapSize,
    find_swap_size,
    write_size,
)
from .unknown import zero_if_unknown

# With this many processes of one name, the number that may run matters more than the size of each.
_CROWD = 10

APACHE: t.Mapping[str | None, str] = {"apache2.service": "apache2", "httpd.service": "httpd"}
FCGID_DIRECTIVES = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600, "FcgidIdleScanInterval": 120}

_SMALLEST_WORKER = 64 << 20
_STEP = 8 << 20

# Shares of the RAM from which on something is worth a remedy or advice.
_MANY = 0.25
_MANY_HUGE_PAGES = _MANY / 5

EXHAUSTED = ("ram_and_swap_exhausted", "ram_exhausted_no_swap")

_SWAP_RULE = (
    f"the total stays within {format_size(MOST_SWAP)}, {MOST_SWAP_PER_RAM} times the RAM, and half of the free disk "
    "space. For more, set swap_size yourself."
)


class Remedy(t.NamedTuple):
    """A role of this collection, the variables to run it with, the reason, and the harm that it can do."""

    role: str
    variables: t.Mapping[str, t.Any]
    why: str
    risk: str
    automatic: bool = True
    """Whether it can be applied without a person's decision."""


class Advice(t.NamedTuple):
    """Something for people to decide and to do, the reason, and the harm that it can do."""

    what: str
    why: str
    risk: str


def find_remedies(incident: Incident, figures: Figures, cause: str, limits: SwapLimits) -> t.Iterator[Remedy]:
    """Yield the roles of this collection that help against a kill; `limits` are those of the swap of its host."""
    report = incident.report
    yield from _suggest_policy(report, incident.effect)
    if cause in EXHAUSTED:
        yield from _suggest_swap(figures, limits)

    yield from _suggest_workers(incident, figures.memory)


def select_needed(remedies: t.Iterable[Remedy], host: HostNow) -> list[Remedy]:
    """Return the remedies that a host still needs, each once.

    `remedies` are those of the host's events, the newest event first. Of several sizes of swap, the largest is kept;
    of several lists of units for systemd-oomd, the longest.
    """
    kept: dict[t.Hashable, Remedy] = {}
    for remedy in remedies:
        if _is_in_place(remedy, host):
            continue

        restart = remedy.variables.get("oom_policy_restart")
        key = (remedy.role, remedy.automatic, restart, *remedy.variables.get("oom_policy_units", ()))
        if key not in kept or _measure(remedy) > _measure(kept[key]):
            kept[key] = remedy

    return list(kept.values())


def _is_in_place(remedy: Remedy, host: HostNow) -> bool:
    """Return whether the host already has what a remedy brings, or lacks the program that it configures."""
    if remedy.role in {"fcgid", "fcgid_recycler"}:
        return host.has_fcgid is False

    if remedy.role == "zram":
        return host.zram_bytes > 0

    if remedy.role == "systemd_oomd":
        return host.has_oomd is True

    if remedy.role == "swap":
        existing = zero_if_unknown(host.swap_total_bytes)
        return _parse_swap_size(remedy) <= existing + HEADERS

    return False


def _measure(remedy: Remedy) -> int:
    """Return how many units a remedy has systemd-oomd watch, or how much swap it brings."""
    units = remedy.variables.get("systemd_oomd_units", ())
    return len(units) or _parse_swap_size(remedy)


def _parse_swap_size(remedy: Remedy) -> int:
    """Return the swap that a remedy brings, 0 if it brings none."""
    return parse_size(remedy.variables.get("swap_size", "0"))


def _suggest_policy(report: OomReport, effect: UnitEffect) -> t.Iterator[Remedy]:
    """Yield the remedy that keeps the unit up if that would have helped."""
    if report.killer != "kernel" or report.group:
        return

    if _would_policy_help(effect):
        yield _build_policy_remedy(effect.unit)


def suggest_for_outage(unit: TakenDown) -> t.Iterator[Remedy]:
    """Yield the remedies for a unit that went down because of a kill of which no report was read.

    systemd-oomd kills all processes of a unit, the main process among them.
    """
    effect = UnitEffect(
        unit=unit.unit,
        result=unit.result,
        oom_policy=unit.state.oom_policy,
        main_process_killed=unit.state.main_process_killed is not False,
        confirmed=unit.confirmed,
        gone=unit.state.is_transient,
    )
    if _would_policy_help(effect):
        yield _build_policy_remedy(unit.unit)


def _build_policy_remedy(unit: str) -> Remedy:
    return Remedy(
        role="oom_policy",
        variables={"oom_policy_units": [unit]},
        why=f"With OOMPolicy=continue, {unit} keeps running when the kernel kills one of its processes.",
        risk="The service keeps running without that process. If it cannot work without it, it looks healthy but is "
        "not, and Restart= does not help.",
    )


def _would_policy_help(effect: UnitEffect) -> bool:
    """Return whether OOMPolicy=continue would have kept the unit up.

    It would have if systemd certainly stopped a service, which still exists, because of the kill of a process that was
    not the main one.
    """
    if not effect.confirmed:
        return False

    if effect.oom_policy not in {"stop", None}:
        return False

    if effect.main_process_killed or effect.gone:
        return False

    if effect.result != "oom-kill":
        return False

    return effect.unit.endswith(".service")


def _suggest_workers(incident: Incident, memory: Memory) -> t.Iterator[Remedy]:
    """Yield the remedies for FastCGI workers if the victims may have been some: Apache's unit ran them."""
    report = incident.report
    unit = incident.place.unit
    server = APACHE.get(unit)
    if server is None or not report.victims:
        return

    names = incident.victim_names
    if server in names:
        return

    yield Remedy(
        role="fcgid",
        variables={"fcgid_directives": FCGID_DIRECTIVES},
        why=f"{names[0]} ran under {unit}, so it may be a FastCGI worker. A worker returns memory only when it ends, "
        "and by default mod_fcgid keeps some idle workers indefinitely.",
        risk="After an idle period, the first requests wait until a worker has started.",
    )
    yield _build_recycler_remedy(report, memory, names[0])


def _build_recycler_remedy(report: OomReport, memory: Memory, name: str) -> Remedy:
    """Return the remedy that lets the workers called `name` take half of the memory that exists."""
    count = _count_workers(report, name)
    available = memory.ram_bytes
    if report.limit:
        available = report.limit.limit_bytes

    variables = {}
    why = f"A worker of {name} that exceeds the limit is ended when it is idle"
    if available and count:
        size = available // 2 // count // _STEP * _STEP
        size = max(size, _SMALLEST_WORKER)
        variables = {"fcgid_recycler_limit": f"{size >> 20}M"}
        workers = "one worker at the limit takes" if count == 1 else f"{count} workers at the limit take"
        why += f"; {workers} {format_size(size * count)}"

    return Remedy(
        role="fcgid_recycler",
        variables=variables,
        why=f"{why}.",
        risk="A worker finishes its current request first, so growth within one request is not stopped. If the limit "
        "is below what each request needs, all workers are replaced constantly.",
        automatic=False,
    )


def _count_workers(report: OomReport, name: str) -> int:
    """Return the number of processes called `name`, 0 if rows of the task table may be missing."""
    if not is_table_whole(report):
        return 0

    return sum(task.name == name for task in report.tasks)


def _suggest_swap(figures: Figures, limits: SwapLimits) -> t.Iterator[Remedy]:
    """Yield the remedy that adds swap for the largest consumer if memory of processes filled the RAM."""
    size = find_swap_size(figures, limits)
    if size is None or not size.target_bytes:
        return

    variables: dict[str, t.Any] = {"swap_size": write_size(size.target_bytes)}
    if limits.has_zram:
        # The report counts zram as swap, and so does the suggested size.
        variables["swap_count_zram"] = True

    added = format_size(size.target_bytes - size.existing_bytes)
    yield Remedy(
        role="swap",
        variables=variables,
        why="Swap takes up memory that processes hold but do not use, and leaves time to act: "
        f"{_describe_existing_swap(size.existing_bytes)}; {_describe_room(figures.consumers.largest, size)}",
        risk="A process that grows without limit fills any amount of swap, and makes the host slow until then. The "
        f"additional swap takes {added} of disk space.",
    )


def _describe_existing_swap(swap: int) -> str:
    if not swap:
        return "the host had none"

    return f"the {format_size(swap)} that the host had was used up"


def _describe_room(largest: Group[str], size: SwapSize) -> str:
    """Return what the suggested swap has room for, and the rule behind its size."""
    name, tasks, _sums = largest
    target = f"{write_size(size.target_bytes)}iB".replace("G", " G").replace("M", " M")
    if not tasks:
        return f"{target} is more than that."

    rule = (
        "The suggested size adds as much as the largest consumer held, but no more than RAM and swap together, and no "
        f"more than {format_size(MOST_MISSING)}."
    )
    if size.room_bytes < size.missing_bytes:
        rule = f"The largest consumer held more than that, but {_SWAP_RULE}"

    return f"with {target}, {name} could have held {format_size(size.room_bytes)} more. {rule}"


def find_advice(incident: Incident, figures: Figures, cause: str, limits: SwapLimits) -> t.Iterator[Advice]:
    """Yield what else helps, but is for people to decide; `limits` are those of the swap of its host."""
    report = incident.report
    if cause in EXHAUSTED:
        yield from _advise_on_crowd(figures)
        yield from _advise_on_leak(incident, figures, limits)
    elif cause == "cgroup_limit":
        yield from _advise_on_limit(incident)
    elif cause == "pressure":
        yield from _advise_on_oomd(report)
    else:
        yield from _ADVICE.get(cause, ())

    yield from _advise_on_settings(report)
    if report.scope != "memcg":
        yield from _advise_on_lost_ram(figures)
        yield from _advise_on_huge_pages(figures.memory)
        yield from _advise_on_kernel_memory(figures.memory, figures.parts)


_ADVICE = {
    "fragmentation": (
        Advice(
            what="Raise vm.min_free_kbytes, and vm.compaction_proactiveness if the kernel has it (5.9 and later).",
            why="The kernel then keeps more memory free, and in larger blocks.",
            risk="Processes cannot use that memory. If the values are too high, the host runs out of memory earlier.",
        ),
    ),
    "low_zone": (
        Advice(
            what="Use a 64-bit kernel. If a driver requests memory below 4 GiB, look for a newer driver.",
            why="The request could use only a small part of the RAM, so more RAM or swap does not help.",
            risk="Another kernel affects the whole system.",
        ),
    ),
    "cpuset_or_mempolicy": (
        Advice(
            what="Add nodes to its cpuset or memory policy (AllowedMemoryNodes=, NUMAMask=, numactl).",
            why="It was bound to nodes whose memory was used up, regardless of what was free on other nodes.",
            risk="Access to memory of other nodes is slower.",
        ),
    ),
}


def _advise_on_crowd(figures: Figures) -> t.Iterator[Advice]:
    """Yield what helps sooner than more swap if many processes of one name held much of the memory."""
    name, tasks, together = figures.consumers.largest
    share = compute_share(together.held_bytes, figures.memory)
    if len(tasks) < _CROWD or share < _MANY:
        return

    yield Advice(
        what=f"First, let fewer processes of {name} run at once (a smaller pool of workers, fewer jobs), or limit the "
        "memory of all of them together (MemoryMax= of their unit).",
        why=f"There were {len(tasks)} of them, and a few more would also fill additional swap.",
        risk="Work beyond that number waits or is refused. When the unit reaches its limit, one of them is killed.",
    )


def _advise_on_leak(incident: Incident, figures: Figures, limits: SwapLimits) -> t.Iterator[Advice]:
    """Yield what helps if more swap would have helped a little longer, but is not suggested."""
    size = find_swap_size(figures, limits)
    if size is None or size.target_bytes:
        return

    yield Advice(
        what=f"Limit the memory of {_name_largest(incident, figures)} (MemoryMax= of its unit, or a limit of its own), "
        "and look for what makes it grow.",
        why=_explain_refusal(size, limits),
        risk="When the unit reaches its limit, one of its processes is killed.",
    )


def _explain_refusal(size: SwapSize, limits: SwapLimits) -> str:
    """Return why no more swap is suggested."""
    if limits.was_raise_futile:
        least = format_size(limits.least_exhausted_bytes)
        most = format_size(limits.most_exhausted_bytes)
        return (
            f"Swap was exhausted with a total of {least} and with a total of {most}, so more of it did not help. A "
            "leak fills any amount of swap."
        )

    return f"No more swap is suggested: the host had {format_size(size.existing_bytes)}, and {_SWAP_RULE}"


def _name_largest(incident: Incident, figures: Figures) -> str:
    """Return the largest consumer, with its unit if it was the victim."""
    name, _tasks, _sums = figures.consumers.largest
    unit = incident.place.innermost_unit
    if unit and name in incident.victim_names:
        return f"{name} in {unit}"

    return name or "the largest consumer"


def _advise_on_limit(incident: Incident) -> t.Iterator[Advice]:
    owner = find_limit_owner(incident.report)
    why = "The kernel killed because of this limit, whatever memory the host still had."
    if owner.is_above:
        why += " The limit of the killed process's own cgroup was not reached, so raising that one changes nothing."

    yield Advice(
        what=f"Raise {owner.describe_limit()}, or reduce the memory that its processes need.",
        why=why,
        risk="If the memory leaks, a higher limit only delays the next kill. The additional memory is missing "
        "elsewhere: the sum of all limits should fit into RAM and swap.",
    )
    # Without swap, a MemoryHigh= below the need of a unit makes the unit wait forever, and it is never killed.
    if owner.is_unit and _is_swap_used(incident.report.limit):
        yield Advice(
            what=f"Set MemoryHigh= of {owner.name} somewhat below the limit.",
            why="The unit is then slowed down and swapped out before it is killed.",
            risk="If MemoryHigh= is below what the unit really needs, the unit stays slow.",
        )


def _is_swap_used(limit: Limit | None) -> bool:
    """Return whether the unit whose limit was hit used swap; version 1 of cgroups does not show that."""
    if limit is None or limit.memsw:
        return False

    return zero_if_unknown(limit.swap_usage_bytes) > 0


def _advise_on_oomd(report: OomReport) -> t.Iterator[Advice]:
    if report.killer != "systemd-oomd":
        return

    yield Advice(
        what="Check ManagedOOMMemoryPressureLimit= and ManagedOOMSwap= of the slices around it, and oomd.conf.",
        why="systemd-oomd kills a whole cgroup, and OOMPolicy= does not prevent that.",
        risk="If systemd-oomd kills later, the host is slow for longer, and the kernel may kill first.",
    )


def _advise_on_settings(report: OomReport) -> t.Iterator[Advice]:
    """Yield the settings of the kernel that made the kill worse."""
    if report.panicked and report.tasks:
        yield Advice(
            what="Set vm.panic_on_oom to 0.",
            why="The kernel then kills one process, and the host stays up.",
            risk="A cluster that relies on a quick failure of the whole node no longer gets one.",
        )

    if report.allocating_task:
        yield Advice(
            what="Set vm.oom_kill_allocating_task to 0.",
            why="The kernel then kills the process with the highest score, not the one that happens to request memory.",
            risk="The kernel examines all processes first, which takes some time if there are many thousands.",
        )


def _advise_on_lost_ram(figures: Figures) -> t.Iterator[Advice]:
    lost = find_lost_ram(figures) + zero_if_unknown(figures.memory.hwpoisoned_bytes)
    if not lost:
        return

    yield Advice(
        what="Find out why RAM is missing: a failed memory module (dmidecode --type memory, and EDAC or MCE messages "
        "of the kernel), a mem= parameter of the kernel, or the settings of the hypervisor.",
        why=f"{format_size(lost)} of the RAM that the host had is no longer in use.",
        risk="None: looking changes nothing.",
    )


def _advise_on_huge_pages(memory: Memory) -> t.Iterator[Advice]:
    unused = zero_if_unknown(memory.huge_pages_free_bytes)
    if compute_share(unused, memory) < _MANY_HUGE_PAGES:
        return

    yield Advice(
        what="Lower vm.nr_hugepages.",
        why=f"{format_size(unused)} of RAM was reserved as huge pages that nothing used.",
        risk="A program that requests huge pages later may not get them until the next boot.",
    )


def _advise_on_kernel_memory(memory: Memory, parts: Breakdown | None) -> t.Iterator[Advice]:
    """Yield what to do about memory that no process held."""
    if parts is None:
        return

    slab = zero_if_unknown(parts.slab_unreclaimable_bytes)
    shmem = zero_if_unknown(parts.shmem_bytes)
    advice_by_size = (
        (
            slab,
            Advice(
                what=_advise_on_slabs(memory),
                why=f"Kernel objects took {format_size(slab)} of RAM, which may be a leak in the kernel.",
                risk="None: looking changes nothing.",
            ),
        ),
        (
            parts.missing_bytes,
            Advice(
                what="Look for a balloon of the hypervisor, the cache of ZFS, zram, or a driver that takes memory and "
                "does not return it.",
                why=f"{format_size(parts.missing_bytes)} of RAM is unaccounted for.",
                risk="None: looking changes nothing.",
            ),
        ),
        (
            shmem,
            Advice(
                what="Look for large files in tmpfs (df -t tmpfs) and shared memory (ipcs -m), and limit them (size=).",
                why=f"They took {format_size(shmem)} of RAM, which stays in use when a process is killed.",
                risk="A program that writes more than the limit gets an error.",
            ),
        ),
    )
    for size, advice in advice_by_size:
        if compute_share(size, memory) >= _MANY:
            yield advice


def _advise_on_slabs(memory: Memory) -> str:
    if not memory.slabs:
        return "Look in slabtop for the largest kinds of kernel objects, and check whether they grow."

    largest = name_largest_slabs(memory)
    return f"Find out what makes the kernel keep these objects, and check in slabtop whether they grow: {largest}."
