# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data classes of OOM reports.

Sizes are in bytes, `None` means unknown, and names are as raw as in the log.
"""

from __future__ import annotations

import types
import typing as t

from .name_counts import NameCounts

QUOTED = "quotation"
"""`Origin.source` of lines that a document quotes. A quoted report without a trigger line counts as an example."""
KERNEL_SOURCES = ("kernel", QUOTED)
USERSPACE_SOURCES = ("systemd-oomd", "earlyoom", "nohang", "nohang-desktop", "psi-monitor")

_EMPTY: t.Mapping[t.Any, t.Any] = types.MappingProxyType({})


class Origin(t.NamedTuple):
    """The boot, the host and the program that a line comes from."""

    boot_id: str | None = None
    hostname: str | None = None
    source: str | None = None
    """The program in the prefix (`kernel`, `systemd-oomd`, `earlyoom`), or None if the prefix has none."""


class Line(t.NamedTuple):
    """One message without its prefix. A message from the journal is one record, which may contain newlines."""

    text: str
    realtime_us: int | None = None
    """Microseconds since 1970, UTC; None if the source has no year or no time zone."""
    monotonic_us: int | None = None
    cursor: str | None = None
    """The position of the line in its source: a journal cursor or a line number."""
    origin: Origin = Origin()
    """Consecutive lines mostly share one object, so a reader can compare it by identity."""
    printed: str | None = None
    """The line of a text log with its prefix, as printed; None if it has no prefix or comes from the journal."""

    @property
    def boot_id(self) -> str | None:
        """Return the boot id of the origin."""
        return self.origin.boot_id

    @property
    def hostname(self) -> str | None:
        """Return the host name of the origin."""
        return self.origin.hostname

    @property
    def source(self) -> str | None:
        """Return the program of the origin."""
        return self.origin.source


class Task(t.NamedTuple):
    """One row of the task table. A field is None if the kernel has no such column or the page size is unknown."""

    name: str
    pid: int
    uid: int | None = None
    tgid: int | None = None
    total_vm_bytes: int | None = None
    rss_bytes: int | None = None
    rss_anon_bytes: int | None = None
    rss_file_bytes: int | None = None
    rss_shmem_bytes: int | None = None
    pgtables_bytes: int | None = None
    swap_bytes: int | None = None
    oom_score_adj: int | None = None


class Trigger(t.NamedTuple):
    """The process whose allocation invoked the OOM killer, and the allocation."""

    name: str
    pid: int | None = None
    gfp_mask: str | None = None
    """The number as printed, for example `0x140cca`."""
    gfp_flags: tuple[str, ...] = ()
    """Names as printed, such as `GFP_HIGHUSER_MOVABLE`. Before Linux 4.6, the names of the bits that never moved."""
    order: int | None = None
    """The request was for 2 to the power of `order` pages; -1 means a manual OOM kill (sysrq)."""
    oom_score_adj: int | None = None


class Victim(t.NamedTuple):
    """A killed process, from its kill line; `swap_bytes` is from its row of the task table."""

    name: str
    pid: int
    uid: int | None = None
    total_vm_bytes: int | None = None
    anon_rss_bytes: int | None = None
    file_rss_bytes: int | None = None
    shmem_rss_bytes: int | None = None
    pgtables_bytes: int | None = None
    swap_bytes: int | None = None
    oom_score_adj: int | None = None
    reaped: bool = False
    """The OOM reaper freed its memory before the process exited."""


class Choice(t.NamedTuple):
    """The process in "Kill process ... or sacrifice child" or in the `oom-kill:` line; not always the victim."""

    name: str
    pid: int
    uid: int | None = None
    score: int | None = None


class Limit(t.NamedTuple):
    """Usage and limits of the cgroup that reached its limit. A limit of None beside a known usage means no limit."""

    usage_bytes: int | None = None
    limit_bytes: int | None = None
    failcnt: int | None = None
    swap_usage_bytes: int | None = None
    """Swap alone, or memory and swap together if `memsw` is true (`memory+swap:`, cgroup v1)."""
    swap_limit_bytes: int | None = None
    memsw: bool = False
    kmem_usage_bytes: int | None = None
    """The kernel's memory for the cgroup, which is part of its memory (`kmem:`, cgroup v1)."""
    kmem_limit_bytes: int | None = None
    kmem_failcnt: int | None = None
    stat: t.Mapping[str, int] = _EMPTY
    """Statistics of the cgroup by printed key (`anon`, `file`, `rss`, `pgfault`): sizes in bytes, events as counts."""


class Slab(t.NamedTuple):
    """One cache of unreclaimable kernel objects."""

    name: str
    used_bytes: int
    total_bytes: int
    """Includes free places in partly used slabs."""


class Allocation(t.NamedTuple):
    """All memory that one line of the kernel's code has allocated and not freed."""

    function: str
    module: str | None
    source: str
    """The file and the line, such as `fs/inode.c:260`."""
    size_bytes: int
    calls: int
    """The number of allocations."""


class Memory(t.NamedTuple):
    """The memory of the whole host at the time of the report."""

    page_size: int | None = None
    ram_bytes: int | None = None
    reserved_bytes: int | None = None
    holes_bytes: int | None = None
    """Addresses without RAM between parts of it. Some kernels print them as reserved RAM. The two sizes above are
    without them, unless this is None: then the zones do not show whether there are some."""
    free_bytes: int | None = None
    page_cache_bytes: int | None = None
    """Includes shared memory and the swap cache, as `total pagecache pages` does."""
    slab_bytes: int | None = None
    slab_reclaimable_bytes: int | None = None
    slab_unreclaimable_bytes: int | None = None
    shmem_bytes: int | None = None
    pagetables_bytes: int | None = None
    kernel_stack_bytes: int | None = None
    huge_pages_bytes: int | None = None
    huge_pages_free_bytes: int | None = None
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None
    swap_cache_bytes: int | None = None
    counters: t.Mapping[str, int] = _EMPTY
    """All counters of the Mem-Info block in bytes, by their kernel names (`active_anon`, `unevictable`, `free_cma`)."""
    hwpoisoned_bytes: int | None = None
    """Pages that the kernel no longer uses, because the hardware reported errors in them."""
    slabs: tuple[Slab, ...] = ()
    """The caches of unreclaimable kernel objects, the largest first; empty unless they took most of the memory."""
    allocations: tuple[Allocation, ...] = ()
    """The kernel's largest allocations by code, the largest first; empty without memory allocation profiling."""


class Zone(t.NamedTuple):
    """The watermarks and free blocks of one zone of one node; `node` is None on a kernel without NUMA."""

    node: int | None
    zone: str
    free_bytes: int | None = None
    min_bytes: int | None = None
    low_bytes: int | None = None
    high_bytes: int | None = None
    present_bytes: int | None = None
    managed_bytes: int | None = None
    reserved_highatomic_bytes: int | None = None
    free_cma_bytes: int | None = None
    lowmem_reserve_bytes: tuple[int, ...] = ()
    """The amount this zone holds back, by the index of the highest zone that a request can use."""
    free_blocks: t.Mapping[int, int] = _EMPTY
    """Number of free blocks by block size in bytes; empty if the text has no buddy list of this zone."""
    block_types: t.Mapping[int, str] = _EMPTY
    """Migrate types of the free blocks by block size, as letters: U, M, E (or R), H, C, I."""

    @property
    def largest_free_block_bytes(self) -> int | None:
        """Return the size of the largest free block, 0 if all lists are empty, or None without a buddy list."""
        if not self.free_blocks:
            return None

        sizes = [size for size, count in self.free_blocks.items() if count]

        return max(sizes, default=0)


class Candidate(t.NamedTuple):
    """A cgroup that systemd-oomd considered before a kill. It prints rounded sizes."""

    cgroup: str
    memory_bytes: int | None = None
    swap_bytes: int | None = None
    pressure_percent: float | None = None
    """The share of the last 10 seconds in which all its processes waited for memory."""
    scanned_pages: int | None = None
    """The number of pages that the kernel has scanned to reclaim memory of the cgroup."""


class OomReport(t.NamedTuple):
    """One OOM kill with everything that the log says about it.

    A kill line without a report becomes an `OomReport` with victims and little else.
    """

    first: Line
    last: Line
    kill: Line | None = None
    """The kill line of the first victim."""
    killer: str = "kernel"
    """`kernel`, `systemd-oomd`, `earlyoom` or `nohang`, or `unknown` if only systemd's notice is known."""
    scope: str = "unknown"
    """`global`, `memcg`, `cpuset`, `mempolicy` or `unknown`."""
    constraint: str | None = None
    """As printed, for example `CONSTRAINT_MEMCG`. `scope` is more reliable: Linux 5.0 prints `CONSTRAINT_NONE`."""
    manual: bool = False
    requester: str | None = None
    """The userspace killer that asked for the manual kill, such as `earlyoom`."""
    trigger: Trigger | None = None
    victims: tuple[Victim, ...] = ()
    """Empty if the report ends without a kill. Each pid occurs once."""
    further_victims: NameCounts | None = None
    """The names of the victims beyond the first 1000, which are only counted."""
    chosen: Choice | None = None
    group: bool = False
    """The kernel killed the whole cgroup because its `memory.oom.group` is set."""
    no_killable: bool = False
    """There was no process to kill. The kernel panicked or the request failed."""
    exiting: bool = False
    """The chosen process had already begun to exit, so the kernel killed none."""
    panicked: bool = False
    """The kernel panicked because `vm.panic_on_oom` is set or there was no process to kill."""
    allocating_task: bool = False
    """The kernel killed the trigger, whatever its size (`vm.oom_kill_allocating_task`)."""
    cgroup: str | None = None
    """The cgroup of the victim (`task_memcg`)."""
    limit_cgroup: str | None = None
    """The cgroup that reached its limit (`oom_memcg`)."""
    limit: Limit | None = None
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    memory: Memory | None = None
    zones: tuple[Zone, ...] = ()
    tasks: t.Sequence[Task] = ()
    task_columns: tuple[str, ...] = ()
    """The columns in the heading of the table, with `name` last; empty if there is no heading."""
    page_size: int | None = None
    """Bytes; from a buddy list, or from the victim's row, which counts in pages what its kill line gives in kB."""
    kernel_release: str | None = None
    unit: str | None = None
    """The unit that systemd names in its notice of a kill; None if the kill's own report is known."""
    reason: str | None = None
    """Why a userspace killer killed, in its own words."""
    candidates: tuple[Candidate, ...] = ()
    """The cgroups that systemd-oomd considered, the first to be killed first."""
    unread: tuple[str, ...] = ()
    """Lines inside the report that are neither read nor of a kind that is ignored on purpose, up to 100 of them."""
    complete: bool = False
    """The report has its beginning, its middle and its kill line, without a contradiction; rows are not checked."""
    notes: tuple[str, ...] = ()

    @property
    def victims_count(self) -> int:
        """Return the number of all victims."""
        if self.further_victims is None:
            return len(self.victims)

        return len(self.victims) + self.further_victims.total


class Unparsed(t.NamedTuple):
    """A line about a kill that the reader cannot parse, with the reason."""

    line: Line
    reason: str
