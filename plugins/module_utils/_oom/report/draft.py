# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One OOM report while it is being read: which line fills which fact, and what the facts come to at its end."""

from __future__ import annotations

import collections
import re
import string
import typing as t

from .kill_lines import (
    Constraint,
    Kill,
    parse_constraint,
    parse_old_nodemask,
)
from .mem_info import PAGE_SIZES, MemInfo
from .model import (
    QUOTED,
    Choice,
    Limit,
    Line,
    OomReport,
    Trigger,
    Victim,
)
from .task_table import (
    Table,
    guess_columns,
    is_number,
    parse_heading,
)

_TASK_LINE = re.compile(
    r"(?:CPU: \d{1,20} (?:UID: \d{1,20} )?PID: (\d{1,20}) Comm: |Pid: (\d{1,20}), comm: )(.*)", re.DOTALL
)
_RELEASE = re.compile(r" (?:Not tainted|Tainted: [A-Z() -]{0,60}?) {1,40}\(?(\d\S{0,99})")
_TASK_IN = re.compile(r"Task in (/.*) killed as a result of limit of (/.*)", re.DOTALL)
_USAGE = re.compile(r"(memory|memory\+swap|swap|kmem): usage (\d{1,20})kB, limit (\d{1,20})kB, failcnt (\d{1,20})$")
_OLD_STAT = re.compile(r"([a-z_]+):(\d{1,20})KB")
_OLD_CPUSET = re.compile(r"cpuset=(.*) mems_allowed=(\S*)$", re.DOTALL)
_GROUP = re.compile(r"Tasks in .* are going to be killed due to memory\.oom\.group set$", re.DOTALL)
_EXITING = "is already exiting. Skip killing the task"

_PANICS = tuple(
    f"Kernel panic - not syncing: {why}" for why in ("Out of memory", "out of memory", "System is deadlocked on memory")
)

# "No limit" is the largest number of pages that the kernel's counters hold, in kB: 64 bit, and 32 bit with 4 kB pages.
_NO_LIMIT_KB = 9007199254740000
_NO_LIMIT_KB_32_BIT = 8589934588


# How some lines begin, and where they go.
Plain = t.Tuple[t.Optional[str], t.Deque[str]]
NOTHING_PLAIN: Plain = (None, collections.deque(maxlen=0))
_STACK: Plain = (" ", collections.deque(maxlen=0))

_KILLED = "Killed process "
_COUNTER_STARTS = frozenset(string.ascii_lowercase)

# As many processes as a kernel has pids for, unless it was told otherwise.
_MOST_ROWS = 1 << 15
# A cgroup has some 60 statistics.
_MOST_KEYS = 1000

_MISLABELLED = "the kill line gives the page tables in bytes, and calls them kB"

_SCOPES = {
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "mempolicy",
    "CONSTRAINT_MEMCG": "memcg",
}


class Draft:
    """Collects one report; `take` answers whether a line was part of it."""

    def __init__(self, line: Line) -> None:
        self.first = self.last = line
        self._kill_line: Line | None = None
        self.trigger: Trigger | None = None
        self.victims: dict[int, Victim] = {}
        self.reaped: set[int] = set()
        self.chosen: Choice | None = None
        self.kill_scope: str | None = None
        self.group = self.allocating_task = False
        self.rows: collections.deque[str] = collections.deque(maxlen=_MOST_ROWS)
        self._columns: tuple[str, ...] = ()
        self._memory = MemInfo()
        self._in_counters = self._in_stat = self._in_table = False
        self._constraint = ""
        self._task_in: tuple[str, str] | None = None
        self._usage: dict[str, tuple[int, int, int]] = {}
        self._stat: dict[str, int] = {}
        self._nodemask: str | None = None
        self._cpuset: tuple[str, str] | None = None
        self._release: str | None = None
        self._manual = self._no_killable = self._spared = self._panicked = False
        self._notes: list[str] = []

    @staticmethod
    def begins(text: str) -> bool:
        """Answer whether `text` can be the first line that is left of a report."""
        return text[:4] in _HANDLERS or text[:1] in _HANDLERS

    def take(self, text: str) -> bool:
        """Take one message, and answer whether it was part of the report."""
        if self.victims:
            return self._group_line(text)
        first = text and text[0]
        if first == " ":
            # The stack, or counters: the lines after the first are indented.
            return self._in_counters and self._memory.counters(text)
        if self._in_stat and self._stat_line(text):
            return True
        # Of a kill line that was broken at its words, the rest has a figure that looks like a counter.
        if self._in_counters and first in _COUNTER_STARTS and _KILLED not in text and self._memory.counters(text):
            return True
        handler = _HANDLERS.get(text[:4]) or _HANDLERS.get(first)
        if handler is not None:
            return handler(self, text)
        return " cpuset=" in text and self._old_cpuset_line(text)

    @property
    def plain(self) -> Plain:
        """The lines that need no look at this place of the report: the rows of its table, or the stack."""
        return ("[", self.rows) if self._in_table else NOTHING_PLAIN if self._in_counters else _STACK

    def invoked(self, trigger: Trigger, text: str, *, asked: bool = False) -> None:
        self.trigger = trigger
        self._manual = asked or trigger.order == -1
        self._nodemask = parse_old_nodemask(text)

    @property
    def awaits_choice(self) -> bool:
        """Answer whether "Kill process ... or sacrifice child" can be this report's."""
        return not (self._spared or self.victims or self.chosen)

    def awaits(self, kill: Kill) -> bool:
        """Answer whether a kill line can be this report's: its first, or one more of the same kill."""
        return not self._spared and (
            not self.victims or self.group or kill.is_sharing or kill.victim.pid in self.victims
        )

    def split(self) -> Draft:
        """Return a group's report that begins with this one's last victim."""
        pid, victim = self.victims.popitem()
        second = Draft(self.last)
        second.group = True
        second.victims[pid] = victim
        second.kill_scope, second._kill_line = self.kill_scope, self.last
        return second

    def kill(self, kill: Kill, line: Line) -> None:
        self._kill_line = self._kill_line or line
        # Old kernels call every choice one of the whole host, and the kill what it is.
        if not self.victims:
            self.kill_scope = kill.scope or self.kill_scope
        self.victims.setdefault(kill.victim.pid, kill.victim)
        self._in_table = False

    def _stat_line(self, text: str) -> bool:
        key, _blank, value = text.partition(" ")
        if is_number(value) and len(self._stat) < _MOST_KEYS:
            self._stat[key] = int(value)
            return True
        # Up to 6.3 all of them came in one record.
        return "\n" in text and sum(map(self._stat_line, text.split("\n"))) > 0

    def _old_cpuset_line(self, text: str) -> bool:
        if self.trigger is None or not text.startswith(f"{self.trigger.name} cpuset="):
            return False
        match = _OLD_CPUSET.match(text, len(self.trigger.name) + 1)
        self._cpuset = (match.group(1), match.group(2)) if match else None
        return True

    def _task_line(self, text: str) -> bool:
        match = _TASK_LINE.match(text)
        if match is None or self.trigger is None or self.trigger.pid is not None:
            return False
        if not match.group(3).startswith(self.trigger.name):
            return False
        self.trigger = self.trigger._replace(pid=int(match.group(1) or match.group(2)))
        release = _RELEASE.search(match.group(3), len(self.trigger.name))
        self._release = release.group(1) if release else None
        return True

    def _memory_line(self, text: str) -> bool:
        if text.startswith("Memory cgroup stats for "):
            self._in_stat = True
            for key, kilobytes in dict(_OLD_STAT.findall(text)).items():
                self._stat[key] = self._stat.get(key, 0) + int(kilobytes) * 1024
            return True
        return text.startswith("Memory limit reached of cgroup ") or self._end_line(text)

    def _free_line(self, text: str) -> bool:
        return text.startswith("Free pages: ") or self._memory.swap(text)

    def _usage_line(self, text: str) -> bool:
        match = _USAGE.match(text)
        if match is None:
            return text.startswith("kmem: usage ")
        usage, limit, failcnt = map(int, match.groups()[1:])
        self._usage.setdefault(match.group(1), (usage, limit, failcnt))
        return True

    def _counters_line(self, text: str) -> bool:
        self._in_counters = self._memory.counters(text)
        return self._in_counters

    def _area_line(self, text: str) -> bool:
        self._in_counters = False
        return self._memory.area(text)

    def _tasks_line(self, text: str) -> bool:
        self._in_stat = False
        if text.startswith("Tasks state ("):
            return True
        match = _TASK_IN.match(text)
        if match:
            self._task_in = (match.group(1), match.group(2))
        return match is not None

    def _group_line(self, text: str) -> bool:
        if self.group:
            return _EXITING in text
        self.group = _GROUP.match(text) is not None
        return self.group

    def _heading_line(self, text: str) -> bool:
        columns = parse_heading(text)
        if columns is None:
            return False
        self._in_stat = False
        self._columns, self._in_table = columns, True
        return True

    def _row(self, text: str) -> bool:
        if not self._columns:
            self._columns = guess_columns(text) or ()
            self._in_table = bool(self._columns)
        if self._in_table:
            self.rows.append(text)
        return self._in_table

    def _constraint_line(self, text: str) -> bool:
        if not text.startswith("oom-kill:"):
            return False
        self._constraint = self._constraint or text
        self._in_table = False
        return True

    def _end_line(self, text: str) -> bool:
        if text.startswith("Out of memory and no killable processes"):
            self._no_killable = True
        elif _EXITING in text:
            self._spared = True
        elif text.startswith(_PANICS):
            self._panicked = True
        else:
            return False
        return True

    def finish(self, page_size: int | None) -> OomReport | None:
        """Return the report, None where nothing in it speaks of an OOM kill.

        Mem-Info and a task table do not: the lowmemorykiller of Android's kernels prints them, too.
        `page_size` is that of other reports of the same host, for a report that does not tell its own.
        """
        told = self.trigger or self.victims or self.chosen or self._constraint or self._task_in
        ended = self._no_killable or (self._panicked and self._columns)
        # Lists of the kernel's messages have these words, without anything of a log before them.
        if not told and not (ended and (self.first.source or self.first.monotonic_us is not None)):
            return None
        if self.trigger is None and self.first.source == QUOTED:
            return None
        victims = tuple(self.victims.values())
        constraint = parse_constraint(self._constraint, victims[0] if victims else None)
        table = Table(self.rows, self._columns)
        rows = {victim.pid: table.row(victim.pid) for victim in victims}
        size = (
            self._memory.page_size
            or _page_size_of_row(rows, victims)
            or _page_size_of_limits(limit for _usage, limit, _failcnt in self._usage.values())
            or page_size
        )
        if "unknown" in self._columns:
            self._notes.append("the heading of the task table is missing")
        self._check(constraint, victims)
        completed = tuple(_complete(victim, rows[victim.pid], size, victim.pid in self.reaped) for victim in victims)
        mislabelled = any(one.pgtables_bytes != other.pgtables_bytes for one, other in zip(victims, completed))
        return OomReport(
            first=self.first,
            last=self.last,
            kill=self._kill_line,
            scope=self._scope(constraint),
            constraint=constraint.constraint if constraint else None,
            manual=self._manual,
            trigger=self.trigger,
            victims=completed,
            chosen=self._choice(constraint),
            group=self.group,
            no_killable=self._no_killable,
            panicked=self._panicked,
            allocating_task=self.allocating_task,
            cgroup=constraint.cgroup if constraint else self._task_in[0] if self._task_in else None,
            limit_cgroup=constraint.limit_cgroup if constraint else self._task_in[1] if self._task_in else None,
            limit=self._limit(),
            nodemask=constraint.nodemask if constraint else self._nodemask,
            cpuset=constraint.cpuset if constraint else self._cpuset[0] if self._cpuset else None,
            mems_allowed=constraint.mems_allowed if constraint else self._cpuset[1] if self._cpuset else None,
            memory=self._memory.memory(size),
            zones=self._memory.zones(size),
            tasks=table.sized(size),
            task_columns=() if "unknown" in self._columns else self._columns,
            page_size=size,
            kernel_release=self._release,
            complete=not self._notes,
            notes=(*self._notes, *([_MISLABELLED] if mislabelled else [])),
        )

    def _scope(self, constraint: Constraint | None) -> str:
        if self._task_in or (constraint and constraint.limit_cgroup):
            return "memcg"
        told = _SCOPES.get(constraint.constraint) if constraint else None
        if told or self.kill_scope:
            return told or self.kill_scope or "unknown"
        if constraint and constraint.is_global:
            return "global"
        return "memcg" if self._usage else "global" if self._memory or self._no_killable else "unknown"

    def _choice(self, constraint: Constraint | None) -> Choice | None:
        if self.chosen or constraint is None or constraint.pid is None:
            return self.chosen
        return Choice(constraint.name or "", constraint.pid, constraint.uid)

    def _limit(self) -> Limit | None:
        if not self._usage and not self._stat:
            return None
        usage, limit, failcnt = self._usage.get("memory", (None, None, None))
        memsw = "memory+swap" in self._usage
        swap_usage, swap_limit, _failcnt = self._usage.get("memory+swap" if memsw else "swap", (None, None, None))
        return Limit(
            usage_bytes=_bytes(usage),
            limit_bytes=_limit_bytes(limit),
            failcnt=failcnt,
            swap_usage_bytes=_bytes(swap_usage),
            swap_limit_bytes=_limit_bytes(swap_limit),
            memsw=memsw,
            stat=self._stat,
        )

    def _check(self, constraint: Constraint | None, victims: t.Sequence[Victim]) -> None:
        """Note what is missing, and where the lines disagree."""
        if self.trigger is None:
            self._notes.append("the beginning of the report is missing")
        elif self.trigger.gfp_mask is None:
            self._notes.append("the line of the allocation is cut")
        if not (victims or self._no_killable or self._panicked):
            self._notes.append("the report has no kill line")
        if self.trigger and not self._memory and not self._usage:
            self._notes.append("the state of the memory is missing")
        if self._constraint and (constraint is None or constraint.pid is None):
            self._notes.append("the oom-kill line is cut")
        elif constraint and victims and constraint.pid != victims[0].pid:
            self._notes.append(
                f"the oom-kill line names process {constraint.pid}, the kill line process {victims[0].pid}"
            )


def _complete(victim: Victim, row: t.Mapping[str, int], page_size: int | None, reaped: bool) -> Victim:
    """Return a victim with what its row of the task table adds."""
    tables = _page_tables(victim, row)
    if not row and not reaped and tables == victim.pgtables_bytes:
        return victim
    swap = row.get("swapents")
    return victim._replace(
        reaped=reaped,
        pgtables_bytes=tables,
        uid=row.get("uid") if victim.uid is None else victim.uid,
        swap_bytes=None if swap is None or page_size is None else swap * page_size,
        oom_score_adj=row.get("oom_score_adj") if victim.oom_score_adj is None else victim.oom_score_adj,
    )


def _page_tables(victim: Victim, row: t.Mapping[str, int]) -> int | None:
    """Return the victim's page tables, which the first 5.4 kernels print in bytes and call kB."""
    tables = victim.pgtables_bytes
    if not tables:
        return tables
    printed = tables // 1024
    # Nothing but whole pages holds page tables; those of the smallest processes are larger than all of their memory.
    is_beyond = printed % min(PAGE_SIZES) == 0 and tables > (victim.total_vm_bytes or tables)
    return printed if is_beyond or printed == row.get("pgtables_bytes") else tables


def _page_size_of_row(rows: t.Mapping[int, t.Mapping[str, int]], victims: t.Sequence[Victim]) -> int | None:
    """Return the page size that makes the total_vm of a victim's row (in pages) that of its kill line (in kB)."""
    for victim in victims:
        pages = rows[victim.pid].get("total_vm", 0)
        size, rest = divmod(victim.total_vm_bytes or 0, pages) if pages else (0, 0)
        if rest == 0 and size in PAGE_SIZES:
            return size
    return None


def _page_size_of_limits(limits: t.Iterable[int]) -> int | None:
    """Return the page size that "no limit" tells: the largest whole number of pages below 2 to the power of 63."""
    return next((size for size in ((2**53 - limit) * 1024 for limit in limits) if size in PAGE_SIZES), None)


def _bytes(kilobytes: int | None) -> int | None:
    return None if kilobytes is None else kilobytes * 1024


def _limit_bytes(kilobytes: int | None) -> int | None:
    if kilobytes is None or kilobytes >= _NO_LIMIT_KB or kilobytes == _NO_LIMIT_KB_32_BIT:
        return None
    return kilobytes * 1024


_HANDLERS: dict[str, t.Callable[[Draft, str], bool]] = {
    "CPU:": Draft._task_line,
    "Pid:": Draft._task_line,
    "Hard": lambda draft, _text: draft.trigger is not None,
    "Memo": Draft._memory_line,
    "memo": Draft._usage_line,
    "swap": Draft._usage_line,
    "kmem": Draft._usage_line,
    "Mem-": lambda _draft, text: text.startswith("Mem-Info:"),
    "acti": Draft._counters_line,
    "Acti": Draft._counters_line,
    "Node": Draft._area_line,
    "DMA ": Draft._area_line,
    "DMA:": Draft._area_line,
    "DMA3": Draft._area_line,
    "Norm": Draft._area_line,
    "High": Draft._area_line,
    "Mova": Draft._area_line,
    "Devi": Draft._area_line,
    "lowm": lambda draft, text: draft._memory.reserve(text),
    "Free": Draft._free_line,
    "Tota": lambda draft, text: draft._memory.swap(text),
    "Task": Draft._tasks_line,
    "[ pi": Draft._heading_line,
    "[  p": Draft._heading_line,
    "oom-": Draft._constraint_line,
    "Out ": Draft._end_line,
    "Kern": Draft._end_line,
    "[": Draft._row,
    **dict.fromkeys("0123456789", lambda draft, text: draft._memory.pages(text)),
}
