# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What helps against a kill of each cause: roles of this collection with their variables, else advice in words."""

from __future__ import annotations

import typing as t

from ..._size import format_size, parse_size
from ..incident.host_now import Today
from ..incident.incident import Incident, UnitEffect
from ..report.model import Memory, OomReport
from .breakdown import Breakdown, share
from .consumers import Consumers
from .figures import Figures

_GIB = 1024**3
# A leak fills any swap, and a disk takes minutes to take in more than this, in which the host is of no use.
_MOST_MISSING = 8 * _GIB
# So many processes of one name are a matter of how many are let in, more than of what each holds.
_CROWD = 10

_APACHE = {"apache2.service": "apache2", "httpd.service": "httpd"}
_FCGID_DIRECTIVES = {"FcgidMinProcessesPerClass": 0, "FcgidProcessLifeTime": 600, "FcgidIdleScanInterval": 120}

# What the headers of swap areas take of their size, by far.
_HEADERS = 1 << 20

_SMALLEST_WORKER = 64 << 20
_STEP = 8 << 20

_MANY = 0.25

_EXHAUSTED = ("ram_and_swap_exhausted", "ram_exhausted_no_swap")


class Remedy(t.NamedTuple):
    """A role of this collection, the variables to run it with, the reason, and what it can do harm to."""

    role: str
    variables: t.Mapping[str, t.Any]
    why: str
    risk: str


class Advice(t.NamedTuple):
    """What is for people to decide and to do, the reason, and what it can do harm to."""

    what: str
    why: str
    risk: str


def remedies(incident: Incident, figures: Figures, cause: str) -> t.Iterator[Remedy]:
    """Yield what this collection can do about it."""
    report, effect = incident.report, incident.effect
    for_one_process = report.killer == "kernel" and not report.group
    if effect and _ended_for_a_process(effect) and for_one_process and effect.oom_policy in {"stop", None}:
        yield Remedy(
            role="oom_policy",
            variables={"oom_policy_units": [effect.unit]},
            why=f"With OOMPolicy=continue, {effect.unit} goes on when one of its processes is killed.",
            risk="It goes on without that process: a service that cannot do without it is up, but does not work, "
            "and Restart= does not help.",
        )
    if report.memory and cause in _EXHAUSTED and _can_swap(report.memory, figures.parts):
        yield _more_swap(figures.consumers, report.memory)
    unit = incident.place.unit
    server = _APACHE.get(unit or "")
    if server and report.victims and all(victim.name != server for victim in report.victims):
        yield Remedy(
            role="fcgid",
            variables={"fcgid_directives": _FCGID_DIRECTIVES},
            why=f"{report.victims[0].name} ran under {unit}: if as a FastCGI worker, it gives memory back only when it "
            "ends, and by default mod_fcgid keeps some idle workers for ever.",
            risk="After a quiet time the first requests wait until a worker has started.",
        )
        yield _smaller_workers(report)


def still_needed(found: t.Iterable[Remedy], today: Today) -> list[Remedy]:
    """Return the remedies of a host's events, newest event first, each once, without those that it has by now.

    Of several sizes of swap it is the largest.
    """
    kept: dict[t.Hashable, Remedy] = {}
    for remedy in found:
        if remedy.role in {"fcgid", "fcgid_recycler"} and today.has_fcgid is False:
            continue
        if remedy.role == "swap" and _swap_size(remedy) <= (today.swap_total_bytes or 0) + _HEADERS:
            continue
        key = (remedy.role, *remedy.variables.get("oom_policy_units", ()))
        if key not in kept or (remedy.role == "swap" and _swap_size(remedy) > _swap_size(kept[key])):
            kept[key] = remedy
    return list(kept.values())


def _swap_size(remedy: Remedy) -> int:
    return parse_size(remedy.variables["swap_size"])


def _smaller_workers(report: OomReport) -> Remedy:
    """Return the remedy that lets the workers of the victim's name take half of the memory that there is."""
    name = report.victims[0].name
    count = sum(task.name == name for task in report.tasks)
    whole = report.limit.limit_bytes if report.limit else report.memory.ram_bytes if report.memory else None
    size = max((whole or 0) // 2 // max(count, 1) // _STEP * _STEP, _SMALLEST_WORKER)
    is_known = bool(whole and count)
    together = f"{count} workers at the limit take" if count > 1 else "one worker at the limit takes"
    return Remedy(
        role="fcgid_recycler",
        variables={"fcgid_recycler_limit": f"{size >> 20}M"} if is_known else {},
        why=f"A worker of {name} that has grown beyond the limit is ended when it is idle"
        + (f"; {together} {format_size(size * count)}." if is_known else "."),
        risk="One that is never idle, or grows beyond the limit within one request, is not caught; "
        "below what a worker needs for each request, all are started anew all the time.",
    )


def _can_swap(memory: Memory, parts: Breakdown | None) -> bool:
    """Tell whether it was memory of processes that filled the RAM; the kernel's own does not go to swap."""
    if parts is None or parts.anonymous_bytes is None:
        return True
    return share(parts.anonymous_bytes + (parts.shmem_bytes or 0), memory) >= _MANY


def _more_swap(consumers: Consumers, memory: Memory) -> Remedy:
    """Return the remedy that gives the largest consumer room once more.

    A report tells what there was, and not what was missing: no more than as much again as the RAM and the swap. Where
    shared pages cannot be told, the processes of one name together seem to hold more than that.
    """
    swap = memory.swap_total_bytes or 0
    name, missing = "", _GIB
    if consumers.names:
        name, _tasks, together = consumers.names[0]
        missing = min(together.held_bytes, _MOST_MISSING, (memory.ram_bytes or _MOST_MISSING) + swap)
    target = -(-(swap + missing) // _GIB)
    had = f"the {format_size(swap)} that the host had were used up" if swap else "the host had none"
    room = f"with {target} GiB, {name} could have held {format_size(missing)} more" if name else f"{target} GiB is more"
    rule = (
        "The rule is room for the largest consumer once more, at most as much as there was of RAM and swap together, "
        f"and at most {format_size(_MOST_MISSING)}."
    )
    return Remedy(
        role="swap",
        variables={"swap_size": f"{target}G"},
        why=f"Swap takes in memory that is held but not used, and leaves time to act: {had}; {room}."
        + (f" {rule}" if name else ""),
        risk="A process that grows without end fills any swap, and makes the host slow until then. "
        f"It takes {format_size(target * _GIB - swap)} of disk.",
    )


def advice(incident: Incident, figures: Figures, cause: str) -> t.Iterator[Advice]:
    """Yield what helps beside, and is for people to decide."""
    report = incident.report
    if report.memory and cause in _EXHAUSTED:
        yield from _of_the_crowd(figures.consumers, report.memory)
    if cause == "cgroup_limit":
        yield from _of_the_limit(incident)
    elif cause == "fragmentation":
        yield Advice(
            what="Raise vm.min_free_kbytes, and vm.compaction_proactiveness where the kernel has it (5.9).",
            why="The kernel then keeps more memory free, and in larger blocks.",
            risk="That memory is lost to processes: by too much, the host runs out of memory earlier.",
        )
    elif cause == "low_zone":
        yield Advice(
            what="Use a 64-bit kernel; where a driver asks for memory below 4 GiB, look for a newer one.",
            why="The request could use only a small part of the RAM; more RAM or swap does not help it.",
            risk="Another kernel is a change of the whole system.",
        )
    elif cause == "cpuset_or_mempolicy":
        yield Advice(
            what="Give its cpuset or memory policy more nodes (AllowedMemoryNodes=, NUMAMask=, numactl).",
            why="It was bound to nodes whose memory was used up, whatever the others had free.",
            risk="Memory of other nodes is slower to reach.",
        )
    elif cause == "pressure" and report.killer == "systemd-oomd":
        yield Advice(
            what="Look at ManagedOOMMemoryPressureLimit= and ManagedOOMSwap= of the slices around it, and oomd.conf.",
            why="systemd-oomd kills a whole cgroup, and OOMPolicy= does not restrain it.",
            risk="Where it kills later, the host is slow for longer, and the kernel may kill first.",
        )
    if report.panicked and report.tasks:
        yield Advice(
            what="Set vm.panic_on_oom to 0.",
            why="The kernel then kills one process, and the machine stays up.",
            risk="A cluster that counts on a quick failure of the whole node no longer gets it.",
        )
    if report.allocating_task:
        yield Advice(
            what="Set vm.oom_kill_allocating_task to 0.",
            why="The kernel then kills the process that is worth it, not the one that happens to ask.",
            risk="It takes a look at all processes first, which takes some time where there are many thousands.",
        )
    if report.memory and report.scope != "memcg":
        yield from _of_the_kernel(report.memory, figures.parts)


def _of_the_crowd(consumers: Consumers, memory: Memory) -> t.Iterator[Advice]:
    """Yield what helps before more swap does, where many processes of one name held much of the memory."""
    for name, tasks, together in consumers.names[:1]:
        if len(tasks) >= _CROWD and share(together.held_bytes, memory) >= _MANY:
            yield Advice(
                what=f"First let fewer processes of {name} run at once (a smaller pool of workers, fewer jobs), or set "
                "a ceiling for all of them (MemoryMax= of their unit).",
                why=f"There were {len(tasks)} of them, and more swap is filled by some more.",
                risk="What is beyond their number waits or is refused, and at the ceiling of the unit one of them is "
                "killed.",
            )


def _of_the_limit(incident: Incident) -> t.Iterator[Advice]:
    report, place = incident.report, incident.place
    limit = report.limit
    unit = place.user_unit or place.unit
    owner = report.limit_cgroup or "its cgroup"
    if place.container_id or place.pod_uid:
        owner = "the container (in its runtime, or in the resources of the pod)"
    elif unit and unit in owner:
        owner = f"{unit} (MemoryMax=)"
    yield Advice(
        what=f"Raise the memory limit of {owner}, or make what runs in it need less.",
        why="The limit was reached while the host had memory.",
        risk="What it may use more is missing elsewhere: the sum of all limits should fit into RAM and swap.",
    )
    # Without swap MemoryHigh= below what a unit needs makes it wait for ever, and it is never killed.
    if limit and limit.swap_usage_bytes and not limit.memsw and not place.container_id:
        yield Advice(
            what="Set MemoryHigh= some way below the limit.",
            why="The unit is then slowed down and swapped out before it is killed.",
            risk="Below what it really needs, it is slow for ever.",
        )


def _of_the_kernel(memory: Memory, parts: Breakdown | None) -> t.Iterator[Advice]:
    """Yield what to do about memory that no process held."""
    unused = memory.huge_pages_free_bytes
    if unused and share(unused, memory) >= _MANY / 5:
        yield Advice(
            what="Lower vm.nr_hugepages.",
            why=f"{format_size(unused)} of RAM were set aside as huge pages that nobody used.",
            risk="A program that asks for huge pages later may not get them until the next boot.",
        )
    if not parts:
        return
    for size, what, why, risk in (
        (
            parts.slab_unreclaimable_bytes,
            "Look at slabtop for what the kernel's objects are, and whether they grow.",
            "They took {} of RAM: it may be a leak in the kernel.",
            "Looking changes nothing.",
        ),
        (
            parts.missing_bytes,
            "Look for a balloon of the hypervisor, zram, or a driver that takes memory and does not give it back.",
            "{} of RAM are in nobody's account.",
            "Looking changes nothing.",
        ),
        (
            parts.shmem_bytes,
            "Look for large files in tmpfs (df -t tmpfs) and shared memory (ipcs -m), and limit them (size=).",
            "They took {} of RAM, which killing a process does not free.",
            "A program that writes more than the limit gets an error.",
        ),
    ):
        if share(size, memory) >= _MANY:
            yield Advice(what=what, why=why.format(format_size(size or 0)), risk=risk)


def _ended_for_a_process(effect: UnitEffect) -> bool:
    """Tell whether systemd ended a service, which is still there, for a process that was not its main one."""
    ended = effect.stopped and effect.result == "oom-kill" and not effect.main_process_killed
    return bool(ended) and not effect.gone and effect.unit.endswith(".service")
