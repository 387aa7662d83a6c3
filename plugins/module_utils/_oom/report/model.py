# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one OOM report says: sizes in bytes, `None` for what the text does not say, names as raw as they came."""

from __future__ import annotations

import types
import typing as t

QUOTED = "quotation"
"""`Origin.source` of what a document quotes: without its beginning, a report there is taken for an example."""
KERNEL_SOURCES = ("kernel", QUOTED)

_NOTHING: t.Mapping[t.Any, t.Any] = types.MappingProxyType({})


class Origin(t.NamedTuple):
    """Where lines come from."""

    boot_id: str | None = None
    hostname: str | None = None
    source: str | None = None
    """The program that the prefix names (`kernel`, `systemd-oomd`, `earlyoom`); None where it names none."""


class Line(t.NamedTuple):
    """One message, without its prefix; from the journal, one record (so it may hold newlines)."""

    text: str
    realtime_us: int | None = None
    """Microseconds since 1970, UTC; None where the source does not tell year and time zone."""
    monotonic_us: int | None = None
    cursor: str | None = None
    """Where the line stands in its source: a journal cursor, or a line number."""
    origin: Origin = Origin()
    """Lines that follow one another mostly share it, so that another object is all that a reader has to look for."""
    printed: str | None = None
    """The line of a text log with its prefix, as it stands there; None where it has no prefix, and in the journal."""

    @property
    def boot_id(self) -> str | None:
        return self.origin.boot_id

    @property
    def hostname(self) -> str | None:
        return self.origin.hostname

    @property
    def source(self) -> str | None:
        return self.origin.source


class Task(t.NamedTuple):
    """One row of the task table; None where the kernel prints no such column or the page size is unknown."""

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
    """The task whose allocation could not be met, and the allocation."""

    name: str
    pid: int | None = None
    gfp_mask: str | None = None
    """The number as printed, such as `0x140cca`."""
    gfp_flags: tuple[str, ...] = ()
    """Names as printed, such as `GFP_HIGHUSER_MOVABLE`; before 4.6 those of the bits that have never moved."""
    order: int | None = None
    """The request was for 2 to the power of `order` pages; -1 is an OOM kill that somebody asked for (sysrq)."""
    oom_score_adj: int | None = None


class Victim(t.NamedTuple):
    """A killed process, from its kill line (and from its row of the task table: `swap_bytes`)."""

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
    """The OOM reaper freed its memory before the process ended by itself."""


class Choice(t.NamedTuple):
    """The process that "Kill process ... or sacrifice child" or the `oom-kill:` line names; not always the victim."""

    name: str
    pid: int
    uid: int | None = None
    score: int | None = None


class Limit(t.NamedTuple):
    """Usage and limit of the cgroup that was full; a limit of None beside a known usage is "no limit"."""

    usage_bytes: int | None = None
    limit_bytes: int | None = None
    failcnt: int | None = None
    swap_usage_bytes: int | None = None
    """Version 1 counts memory and swap together (`memory+swap:`): `memsw` is then true."""
    swap_limit_bytes: int | None = None
    memsw: bool = False
    stat: t.Mapping[str, int] = _NOTHING
    """The cgroup's statistics: sizes in bytes, events as counts, keys as printed (`anon`, `file`, `rss`, `pgfault`)."""


class Memory(t.NamedTuple):
    """The memory of the whole machine at that moment."""

    page_size: int | None = None
    ram_bytes: int | None = None
    reserved_bytes: int | None = None
    free_bytes: int | None = None
    page_cache_bytes: int | None = None
    """With shared memory and the swap cache, as `total pagecache pages` counts it."""
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
    counters: t.Mapping[str, int] = _NOTHING
    """Every counter of the Mem-Info block in bytes, by the kernel's name (`active_anon`, `unevictable`, `free_cma`)."""


class Zone(t.NamedTuple):
    """One zone of one node: its watermarks and its free blocks; `node` is None on a kernel without NUMA."""

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
    """What this zone keeps back from requests that could have used the zone of that index."""
    free_blocks: t.Mapping[int, int] = _NOTHING
    """Free blocks by block size in bytes; empty where the text has no buddy list of this zone."""
    block_types: t.Mapping[int, str] = _NOTHING
    """Migrate types of the free blocks by block size: letters of U, M, E (or R), H, C, I."""

    @property
    def largest_free_block_bytes(self) -> int | None:
        return max((size for size, count in self.free_blocks.items() if count), default=0) if self.free_blocks else None


class OomReport(t.NamedTuple):
    """One OOM kill with all that the log says of it; a kill line without a report has victims and little else."""

    first: Line
    last: Line
    kill: Line | None = None
    """The kill line of the first victim."""
    killer: str = "kernel"
    """`kernel`, `systemd-oomd`, `earlyoom` or `nohang`."""
    scope: str = "unknown"
    """`global`, `memcg`, `cpuset`, `mempolicy` or `unknown`."""
    constraint: str | None = None
    """As printed, such as `CONSTRAINT_MEMCG`; not to be trusted over `scope` (kernel 5.0 printed `CONSTRAINT_NONE`)."""
    manual: bool = False
    trigger: Trigger | None = None
    victims: tuple[Victim, ...] = ()
    """Empty where the report ends without a kill; each pid once."""
    chosen: Choice | None = None
    group: bool = False
    """The whole cgroup was killed, for its `memory.oom.group`."""
    no_killable: bool = False
    """There was no process to kill, and the machine panicked or the request failed."""
    panicked: bool = False
    """The machine panicked: `vm.panic_on_oom` is set, or there was no process to kill."""
    allocating_task: bool = False
    """The process that asked was killed, whatever its size (`vm.oom_kill_allocating_task`)."""
    cgroup: str | None = None
    """Of the victim (`task_memcg`)."""
    limit_cgroup: str | None = None
    """Of the limit that was hit (`oom_memcg`)."""
    limit: Limit | None = None
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    memory: Memory | None = None
    zones: tuple[Zone, ...] = ()
    tasks: t.Sequence[Task] = ()
    task_columns: tuple[str, ...] = ()
    """The table's own heading, `name` last; empty without a table."""
    page_size: int | None = None
    """Bytes; read off a buddy list, or off the victim's own row, which says in pages what its kill line says in kB."""
    kernel_release: str | None = None
    reason: str | None = None
    """Why a killer outside the kernel did it, in its own words."""
    complete: bool = False
    """The report has its beginning, its middle and its kill line, and nothing in it disagrees (rows of tasks apart)."""
    notes: tuple[str, ...] = ()


class Unparsed(t.NamedTuple):
    """A line that speaks of a kill and could not be read."""

    line: Line
    reason: str
