# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps against a kill of each cause: roles of this collection with their variables, and advice in words."""

from __future__ import annotations

import typing as t

from ..._size import format_size, parse_size
from ..incident.host_now import HostNow
from ..incident.incident import Incident, UnitEffect
from ..report.model import Memory, OomReport
from .breakdown import Breakdown, compute_share
from .consumers import Consumers
from .figures import Figures

_GIB = 1024**3
# A leak fills any amount of swap, and a disk takes minutes to take in more than this, while the host is of no use.
_MOST_MISSING = 8 * _GIB
# With this many processes of one name, the number that may run matters more than the size of each.
_CROWD = 10

_APACHE = {"apache2.service": "apache2", "httpd.service": "httpd"}
_FCGID_DIRECTIVES = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600, "FcgidIdleScanInterval": 120}

# An upper bound of what the headers of swap areas take of their size.
_HEADERS = 1 << 20

_SMALLEST_WORKER = 64 << 20
_STEP = 8 << 20

# Shares of the RAM from which on something is worth a remedy or advice.
_MANY = 0.25
_MANY_HUGE_PAGES = _MANY / 5

_EXHAUSTED = ("ram_and_swap_exhausted", "ram_exhausted_no_swap")


class Remedy(t.NamedTuple):
    """A role of this collection, the variables to run it with, the reason, and the harm that it can do."""

    role: str
    variables: t.Mapping[str, t.Any]
    why: str
    risk: str


class Advice(t.NamedTuple):
    """Something for people to decide and to do, the reason, and the harm that it can do."""

    what: str
    why: str
    risk: str


_ADVICE = {
    "fragmentation": Advice(
        what="Raise vm.min_free_kbytes, and vm.compaction_proactiveness where the kernel has it (5.9).",
        why="The kernel then keeps more memory free, and in larger blocks.",
        risk="That memory is lost to processes: by too much, the host runs out of memory earlier.",
    ),
    "low_zone": Advice(
        what="Use a 64-bit kernel; where a driver asks for memory below 4 GiB, look for a newer one.",
        why="The request could use only a small part of the RAM; more RAM or swap does not help it.",
        risk="Another kernel is a change of the whole system.",
    ),
    "cpuset_or_mempolicy": Advice(
        what="Give its cpuset or memory policy more nodes (AllowedMemoryNodes=, NUMAMask=, numactl).",
        why="It was bound to nodes whose memory was used up, whatever the others had free.",
        risk="Memory of other nodes is slower to reach.",
    ),
}
_OOMD_ADVICE = Advice(
    what="Look at ManagedOOMMemoryPressureLimit= and ManagedOOMSwap= of the slices around it, and oomd.conf.",
    why="systemd-oomd kills a whole cgroup, and OOMPolicy= does not restrain it.",
    risk="Where it kills later, the host is slow for longer, and the kernel may kill first.",
)
_PANIC_ADVICE = Advice(
    what="Set vm.panic_on_oom to 0.",
    why="The kernel then kills one process, and the machine stays up.",
    risk="A cluster that counts on a quick failure of the whole node no longer gets it.",
)
_ALLOCATING_TASK_ADVICE = Advice(
    what="Set vm.oom_kill_allocating_task to 0.",
    why="The kernel then kills the process that is worth it, not the one that happens to ask.",
    risk="It takes a look at all processes first, which takes some time where there are many thousands.",
)
# Without swap, a MemoryHigh= below the need of a unit makes the unit wait forever, and it is never killed.
_MEMORY_HIGH_ADVICE = Advice(
    what="Set MemoryHigh= some way below the limit.",
    why="The unit is then slowed down and swapped out before it is killed.",
    risk="Below what it really needs, it is slow for ever.",
)


def find_remedies(incident: Incident, figures: Figures, cause: str) -> t.Iterator[Remedy]:
    """Yield the roles of this collection that help against a kill."""
    report = incident.report
    if incident.effect and _would_policy_help(report, incident.effect):
        yield _build_policy_remedy(incident.effect.unit)
    if report.memory and cause in _EXHAUSTED and _can_swap(report.memory, figures.parts):
        yield _build_swap_remedy(figures.consumers, report.memory)
    if incident.place.unit and _may_be_workers(report, incident.place.unit):
        yield _build_fcgid_remedy(report, incident.place.unit)
        yield _build_recycler_remedy(report)


def select_needed(remedies: t.Iterable[Remedy], host: HostNow) -> list[Remedy]:
    """Return the remedies that a host still needs, each once.

    `remedies` are those of the host's events, the newest event first. Of several sizes of swap, the largest is kept.
    """
    kept: dict[t.Hashable, Remedy] = {}
    for remedy in remedies:
        if _is_in_place(remedy, host):
            continue

        key = (remedy.role, *remedy.variables.get("oom_policy_units", ()))
        if key not in kept or _has_more_swap(remedy, kept[key]):
            kept[key] = remedy

    return list(kept.values())


def _is_in_place(remedy: Remedy, host: HostNow) -> bool:
    """Return whether the host already has what a remedy brings, or lacks the program that it configures."""
    if remedy.role in {"fcgid", "fcgid_recycler"}:
        return host.has_fcgid is False
    if remedy.role == "swap":
        return _parse_swap_size(remedy) <= (host.swap_total_bytes or 0) + _HEADERS

    return False


def _has_more_swap(remedy: Remedy, other: Remedy) -> bool:
    return remedy.role == "swap" and _parse_swap_size(remedy) > _parse_swap_size(other)


def _parse_swap_size(remedy: Remedy) -> int:
    return parse_size(remedy.variables["swap_size"])


def _would_policy_help(report: OomReport, effect: UnitEffect) -> bool:
    """Return whether OOMPolicy=continue would have kept the unit up.

    It would have if systemd stopped a service, which still exists, because the kernel killed a process that was not the
    main one.
    """
    if report.killer != "kernel" or report.group:
        return False
    if effect.oom_policy not in {"stop", None}:
        return False
    if not effect.stopped or effect.result != "oom-kill" or effect.main_process_killed:
        return False

    return not effect.gone and effect.unit.endswith(".service")


def _build_policy_remedy(unit: str) -> Remedy:
    return Remedy(
        role="oom_policy",
        variables={"oom_policy_units": [unit]},
        why=f"With OOMPolicy=continue, {unit} goes on when one of its processes is killed.",
        risk="It goes on without that process: a service that cannot do without it is up, but does not work, "
        "and Restart= does not help.",
    )


def _may_be_workers(report: OomReport, unit: str) -> bool:
    """Return whether the victims may have been FastCGI workers: processes of Apache's unit, none of them Apache."""
    server = _APACHE.get(unit)
    if server is None or not report.victims:
        return False

    return all(victim.name != server for victim in report.victims)


def _build_fcgid_remedy(report: OomReport, unit: str) -> Remedy:
    return Remedy(
        role="fcgid",
        variables={"fcgid_directives": _FCGID_DIRECTIVES},
        why=f"{report.victims[0].name} ran under {unit}: if as a FastCGI worker, it gives memory back only when it "
        "ends, and by default mod_fcgid keeps some idle workers for ever.",
        risk="After a quiet time the first requests wait until a worker has started.",
    )


def _build_recycler_remedy(report: OomReport) -> Remedy:
    """Return the remedy that lets the workers of the victim's name take half of the memory that exists."""
    name = report.victims[0].name
    count = sum(task.name == name for task in report.tasks)
    available = _find_available_memory(report)
    variables = {}
    why = f"A worker of {name} that has grown beyond the limit is ended when it is idle"
    if available and count:
        size = available // 2 // count // _STEP * _STEP
        size = max(size, _SMALLEST_WORKER)
        variables = {"fcgid_recycler_limit": f"{size >> 20}M"}
        workers = f"{count} workers at the limit take" if count > 1 else "one worker at the limit takes"
        why += f"; {workers} {format_size(size * count)}"

    return Remedy(
        role="fcgid_recycler",
        variables=variables,
        why=f"{why}.",
        risk="One that is never idle, or grows beyond the limit within one request, is not caught; "
        "below what a worker needs for each request, all are started anew all the time.",
    )


def _find_available_memory(report: OomReport) -> int | None:
    """Return the size of the limit that was hit, or else of the RAM."""
    if report.limit:
        return report.limit.limit_bytes
    if report.memory:
        return report.memory.ram_bytes

    return None


def _can_swap(memory: Memory, parts: Breakdown | None) -> bool:
    """Return whether memory of processes filled the RAM; the kernel's own memory does not go to swap."""
    if parts is None or parts.anonymous_bytes is None:
        return True

    swappable = parts.anonymous_bytes + (parts.shmem_bytes or 0)
    return compute_share(swappable, memory) >= _MANY


def _build_swap_remedy(consumers: Consumers, memory: Memory) -> Remedy:
    """Return the remedy that adds swap for the largest consumer."""
    swap = memory.swap_total_bytes or 0
    missing = _estimate_missing(consumers, memory, swap)
    target = -(-(swap + missing) // _GIB)
    had = "the host had none"
    if swap:
        had = f"the {format_size(swap)} that the host had were used up"

    why = f"Swap takes in memory that is held but not used, and leaves time to act: {had}; "
    name = consumers.names[0][0] if consumers.names else ""
    if name:
        why += (
            f"with {target} GiB, {name} could have held {format_size(missing)} more. "
            "The rule is room for the largest consumer once more, at most as much as there was of RAM and swap "
            f"together, and at most {format_size(_MOST_MISSING)}."
        )
    else:
        why += f"{target} GiB is more."

    return Remedy(
        role="swap",
        variables={"swap_size": f"{target}G"},
        why=why,
        risk="A process that grows without end fills any swap, and makes the host slow until then. "
        f"It takes {format_size(target * _GIB - swap)} of disk.",
    )


def _estimate_missing(consumers: Consumers, memory: Memory, swap: int) -> int:
    """Return how many more bytes the largest consumer gets room for: as much as it held, within bounds.

    A report shows the memory that existed, not the memory that was missing. The estimate is at most the sum of RAM and
    swap: if the table does not list shared pages separately, the processes of one name seem to hold more than that.
    """
    if not consumers.names:
        return _GIB

    _name, _tasks, largest = consumers.names[0]
    existing = (memory.ram_bytes or _MOST_MISSING) + swap
    return min(largest.held_bytes, _MOST_MISSING, existing)


def find_advice(incident: Incident, figures: Figures, cause: str) -> t.Iterator[Advice]:
    """Yield what helps beside the remedies, and is for people to decide."""
    report = incident.report
    if report.memory and cause in _EXHAUSTED:
        yield from _advise_on_crowd(figures.consumers, report.memory)
    if cause == "cgroup_limit":
        yield from _advise_on_limit(incident)
    if cause in _ADVICE:
        yield _ADVICE[cause]
    if cause == "pressure" and report.killer == "systemd-oomd":
        yield _OOMD_ADVICE
    if report.panicked and report.tasks:
        yield _PANIC_ADVICE
    if report.allocating_task:
        yield _ALLOCATING_TASK_ADVICE
    if report.memory and report.scope != "memcg":
        yield from _advise_on_huge_pages(report.memory)
        yield from _advise_on_kernel_memory(report.memory, figures.parts)


def _advise_on_crowd(consumers: Consumers, memory: Memory) -> t.Iterator[Advice]:
    """Yield what helps sooner than more swap if many processes of one name held much of the memory."""
    if not consumers.names:
        return

    name, tasks, together = consumers.names[0]
    if len(tasks) < _CROWD or compute_share(together.held_bytes, memory) < _MANY:
        return

    yield Advice(
        what=f"First let fewer processes of {name} run at once (a smaller pool of workers, fewer jobs), or set "
        "a ceiling for all of them (MemoryMax= of their unit).",
        why=f"There were {len(tasks)} of them, and more swap is filled by some more.",
        risk="What is beyond their number waits or is refused, and at the ceiling of the unit one of them is killed.",
    )


def _advise_on_limit(incident: Incident) -> t.Iterator[Advice]:
    yield Advice(
        what=f"Raise the memory limit of {_name_limit_owner(incident)}, or make what runs in it need less.",
        why="The limit was reached while the host had memory.",
        risk="What it may use more is missing elsewhere: the sum of all limits should fit into RAM and swap.",
    )

    limit = incident.report.limit
    if limit is None or limit.memsw or incident.place.container_id:
        return

    if limit.swap_usage_bytes:
        yield _MEMORY_HIGH_ADVICE


def _name_limit_owner(incident: Incident) -> str:
    """Return in words whose limit was hit."""
    place = incident.place
    if place.container_id or place.pod_uid:
        return "the container (in its runtime, or in the resources of the pod)"

    owner = incident.report.limit_cgroup or "its cgroup"
    unit = place.user_unit or place.unit
    if unit and unit in owner:
        return f"{unit} (MemoryMax=)"

    return owner


def _advise_on_huge_pages(memory: Memory) -> t.Iterator[Advice]:
    unused = memory.huge_pages_free_bytes
    if not unused or compute_share(unused, memory) < _MANY_HUGE_PAGES:
        return

    yield Advice(
        what="Lower vm.nr_hugepages.",
        why=f"{format_size(unused)} of RAM were set aside as huge pages that nobody used.",
        risk="A program that asks for huge pages later may not get them until the next boot.",
    )


def _advise_on_kernel_memory(memory: Memory, parts: Breakdown | None) -> t.Iterator[Advice]:
    """Yield what to do about memory that no process held."""
    if parts is None:
        return

    slab = parts.slab_unreclaimable_bytes or 0
    if compute_share(slab, memory) >= _MANY:
        yield Advice(
            what="Look at slabtop for what the kernel's objects are, and whether they grow.",
            why=f"They took {format_size(slab)} of RAM: it may be a leak in the kernel.",
            risk="Looking changes nothing.",
        )
    missing = parts.missing_bytes
    if compute_share(missing, memory) >= _MANY:
        yield Advice(
            what="Look for a balloon of the hypervisor, zram, or a driver that takes memory and does not give it back.",
            why=f"{format_size(missing)} of RAM are in nobody's account.",
            risk="Looking changes nothing.",
        )
    shmem = parts.shmem_bytes or 0
    if compute_share(shmem, memory) >= _MANY:
        yield Advice(
            what="Look for large files in tmpfs (df -t tmpfs) and shared memory (ipcs -m), and limit them (size=).",
            why=f"They took {format_size(shmem)} of RAM, which killing a process does not free.",
            risk="A program that writes more than the limit gets an error.",
        )
