# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect one OOM report line by line: which line fills which field."""

from __future__ import annotations

import collections
import re
import string
import typing as t

from .constraint_lines import ConstraintLines
from .ignored_lines import list_unread
from .kernel_memory import ALLOCATION_HEADING, SLAB_HEADING
from .kill_lines import Kill
from .limit_lines import LimitLines
from .mem_info import MemInfo
from .model import (
    Choice,
    Line,
    Trigger,
    Victim,
)
from .name_counts import NameCounts
from .task_table import (
    Table,
    guess_columns,
    parse_heading,
)

_TASK_LINE = re.compile(
    r"(?:CPU: \d{1,20} (?:UID: \d{1,20} )?PID: (\d{1,20}) Comm: |Pid: (\d{1,20}), comm: )(.*)", re.DOTALL
)
_RELEASE = re.compile(r" (?:Not tainted|Tainted:(?: {1,20}[A-Z()-]{1,20}){0,30}) {1,40}\(?(\d\S{0,99})")
_GROUP = re.compile(r"Tasks in .* are going to be killed due to memory\.oom\.group set$", re.DOTALL)
_EXITING = "is already exiting. Skip killing the task"
_KILLED = "Killed process "
_COUNTER_STARTS = frozenset(string.ascii_lowercase)

_PANICS = (
    "Kernel panic - not syncing: Out of memory",
    "Kernel panic - not syncing: out of memory",
    "Kernel panic - not syncing: System is deadlocked on memory",
)

# A kernel has this many pids, unless it is configured otherwise.
_MAX_ROWS = 1 << 15

Bulk = t.Tuple[t.Optional[str], t.Deque[str]]
"""The first character of the lines that a reader can pass over without `Draft.take`, and the deque that gets them."""
NO_BULK: Bulk = (None, collections.deque(maxlen=0))

# A stack has some 20 lines.
_MAX_PASSED = 100
# More lines that are not understood show no more, and they can be long.
_MAX_UNREAD = 100
_UNREAD_LENGTH = 200
LONGEST_ROW = 256
"""No row and no line of the stack is longer. What follows is cut off."""

# Of a cgroup that is killed as a whole, further victims are only counted.
_MAX_VICTIMS = 1000
_MAX_PIDS = 1 << 16


class Draft:
    """A report that is being read. `take` returns whether a line is part of it.

    Lines of different parts of a report look alike, so `_in_counters`, `_section` and `bulk` hold the position in the
    report. `_section` takes the rows of a part with a heading of its own.
    """

    def __init__(self, line: Line) -> None:
        self.first = line
        self.last = line
        self.trigger: Trigger | None = None
        self.chosen: Choice | None = None
        self.victims: dict[int, Victim] = {}
        self.further_victims = NameCounts()
        self._further_pids: set[int] = set()
        self.reaped: set[int] = set()
        self.kill_scope: str | None = None
        self.is_group = False
        self.is_allocating_task = False
        self.rows: collections.deque[str] = collections.deque(maxlen=_MAX_ROWS)
        self.kill_line: Line | None = None
        self.constraints = ConstraintLines()
        self.limits = LimitLines()
        self.memory = MemInfo()
        self.columns: tuple[str, ...] = ()
        self.release: str | None = None
        self._in_counters = False
        self._section: t.Callable[[str], bool] | None = None
        self.passed: collections.deque[str] = collections.deque(maxlen=_MAX_PASSED)
        """Lines since the last line of the report that were not taken. Those of the stack are not tried."""
        self._stack: Bulk = " ", self.passed
        self._table: Bulk = "[", self.rows
        self.bulk: Bulk = self._stack
        """The kind of lines that need no `take` at this position: lines of the stack, or rows of the table."""
        self.unread: list[str] = []
        """The lines inside the report that are neither read nor of a kind that is ignored on purpose."""
        self.is_manual = False
        self.is_spared = False
        self.has_cut_kill = False
        self.has_no_killable = False
        self.has_panicked = False

    @staticmethod
    def can_begin(text: str) -> bool:
        """Return whether `text` can be the first line of a report whose beginning is lost."""
        return text[:4] in _HANDLERS or text[:1] in _HANDLERS

    # The reader calls this for each line of a report outside its stack and its table, so it is dense for speed.
    def take(self, text: str) -> bool:
        """Take one message, and return whether it is part of the report."""
        if self.victims:
            return self._take_group(text)

        if self._section is not None and self._section(text):
            return True

        first = text[:1]
        if first == " ":
            # The stack, or counters: their lines are indented after the first.
            return self._in_counters and self.memory.take_counters(text)

        # A kill line that is broken between two words can continue with a figure that looks like a counter.
        if self._in_counters and first in _COUNTER_STARTS and _KILLED not in text and self.memory.take_counters(text):
            return True

        handler = _HANDLERS.get(text[:4]) or _HANDLERS.get(first)
        if handler is not None and handler(self, text):
            return True

        # The name of the trigger comes first, and it can begin as other lines do (`swapper/0 cpuset=...`).
        return " cpuset=" in text and self._take_cpuset(text)

    def pass_over(self, text: str) -> None:
        """Remember a line that is not taken. It is inside the report if a line of the report follows."""
        # Copying a text takes longer than this test.
        if len(text) > LONGEST_ROW:
            text = text[:LONGEST_ROW]
        self.passed.append(text)

    def enclose(self) -> None:
        """Take the lines that were passed over for lines inside the report, because this line of it follows them."""
        unread = list_unread(self.passed)
        self.passed.clear()
        # Most reports have none.
        if unread:
            missing = _MAX_UNREAD - len(self.unread)
            self.unread += [text[:_UNREAD_LENGTH] for text in unread[:missing]]

    @property
    def size(self) -> int:
        """Return the number of parts of the report, which says how much memory it takes."""
        lines = len(self.rows) + len(self.passed)
        victims = len(self.victims) + len(self._further_pids)

        return lines + victims + self.memory.size

    def set_trigger(self, trigger: Trigger, text: str, *, is_requested: bool = False) -> None:
        """Set the trigger of the report.

        `text` is the trigger line. `is_requested` says that a line before it announced a manual OOM kill.
        """
        self.trigger = trigger
        self.is_manual = is_requested or trigger.order == -1
        self.constraints.take_trigger(text)

    @property
    def can_take_choice(self) -> bool:
        """Return whether "Kill process ... or sacrifice child" can be part of this report."""
        return not any((self.is_spared, self.victims, self.chosen))

    def can_take_kill(self, kill: Kill) -> bool:
        """Return whether a kill line can be part of this report: the first one, or another victim of the same kill."""
        if self.is_spared:
            return False

        if not self.victims or self.is_group or kill.is_sharing:
            return True

        return kill.victim.pid in self.victims

    def complete_name(self, kill: Kill) -> Kill | None:
        """Return the kill of a line that ends within the name with the whole name, or None if no line has it."""
        victim = kill.victim
        constraint = self.constraints.build_constraint(())
        names = {constraint.pid: constraint.name}
        rows = [row for row in self.rows if f"{victim.pid}]" in row]
        for task in Table(rows, self.columns):
            names[task.pid] = task.name

        name = names.get(victim.pid) or ")"
        if not f"{name})".startswith(victim.name[: len(name) + 1]):
            return None

        return kill._replace(victim=victim._replace(name=name))

    def add_kill(self, kill: Kill, line: Line) -> None:
        """Add the victim of a kill line."""
        if self.kill_line is None:
            self.kill_line = line

        # Old kernels print the global scope with every choice, and the real scope in the kill line.
        if not self.victims and kill.scope:
            self.kill_scope = kill.scope

        self.has_cut_kill |= kill.is_cut
        self.bulk = self._stack
        if kill.victim.pid in self.victims:
            return

        if len(self.victims) < _MAX_VICTIMS:
            self.victims[kill.victim.pid] = kill.victim
        else:
            self._count_victim(kill.victim)

    def _count_victim(self, victim: Victim) -> None:
        """Count a victim that is not kept. The same process can be killed twice."""
        if victim.pid in self._further_pids:
            return

        if len(self._further_pids) < _MAX_PIDS:
            self._further_pids.add(victim.pid)
        self.further_victims.add(victim.name)
        self.enclose()

    def split_group(self) -> Draft:
        """Move the last victim to a new draft, the report of a second group, and return it."""
        pid, victim = self.victims.popitem()
        second = Draft(self.last)
        second.is_group = True
        second.victims[pid] = victim
        second.kill_scope = self.kill_scope
        second.kill_line = self.last

        return second

    def _take_cpuset(self, text: str) -> bool:
        if self.trigger is None:
            return False

        return self.constraints.take_cpuset(text, self.trigger.name)

    def _take_task(self, text: str) -> bool:
        """Take the heading of the stack, which has the pid of the trigger and the kernel release."""
        trigger = self.trigger
        if trigger is None or trigger.pid is not None:
            return False

        match = _TASK_LINE.match(text)
        if match is None:
            return False

        new_pid, old_pid, rest = match.groups()
        if not rest.startswith(trigger.name):
            return False

        self.trigger = trigger._replace(pid=int(new_pid or old_pid))
        self.release = _find_release(rest, trigger.name)

        return True

    def _take_memory(self, text: str) -> bool:
        if self.limits.take_stat_heading(text):
            self._begin_section(self.limits.take_stat)
            return True

        if text.startswith(ALLOCATION_HEADING):
            self._begin_section(self.memory.kernel.take_allocation)
            return True

        return text.startswith("Memory limit reached of cgroup ") or self._take_end(text)

    def _take_slabs(self, text: str) -> bool:
        if not text.startswith(SLAB_HEADING):
            return False

        self._begin_section(self.memory.kernel.take_slab)

        return True

    def _begin_section(self, take_row: t.Callable[[str], bool]) -> None:
        self._section = take_row
        self.bulk = NO_BULK

    def _take_usage(self, text: str) -> bool:
        return self.limits.take_usage(text)

    def _take_mem_info(self, text: str) -> bool:
        return text.startswith("Mem-Info:")

    def _take_counters(self, text: str) -> bool:
        self._in_counters = self.memory.take_counters(text)
        if self._in_counters:
            self.bulk = NO_BULK

        return self._in_counters

    def _take_area(self, text: str) -> bool:
        if self._in_counters:
            self._in_counters = False
            self.bulk = self._stack

        return self.memory.take_area(text)

    def _take_rest_of_area(self, text: str) -> bool:
        return self.memory.take_rest_of_huge_pages(text)

    def _take_reserve(self, text: str) -> bool:
        return self.memory.take_reserve(text)

    def _take_free(self, text: str) -> bool:
        return text.startswith("Free pages: ") or self.memory.take_swap(text)

    def _take_swap(self, text: str) -> bool:
        return self.memory.take_swap(text)

    def _take_pages(self, text: str) -> bool:
        return self.memory.take_pages(text)

    def _take_tasks(self, text: str) -> bool:
        """Take `Tasks state (memory values in pages):` or `Task in CGROUP killed ...`."""
        self._section = None
        self.bulk = self._stack

        return text.startswith("Tasks state (") or self.constraints.take_task_in(text)

    def _take_group(self, text: str) -> bool:
        """Take a line after the first kill line, which is about a group."""
        if self.is_group:
            return _EXITING in text

        self.is_group = _GROUP.match(text) is not None

        return self.is_group

    def _take_heading(self, text: str) -> bool:
        columns = parse_heading(text)
        if columns is None:
            return False

        self.columns = columns
        self._section = None
        self.bulk = self._table

        return True

    def _take_row(self, text: str) -> bool:
        if not self.columns:
            self.columns = guess_columns(text) or ()
            if self.columns:
                self.bulk = self._table

        if self.bulk is not self._table:
            return False

        self.rows.append(text[:LONGEST_ROW])

        return True

    def _take_constraint(self, text: str) -> bool:
        if not self.constraints.take_oom_kill(text):
            return False

        self.bulk = self._stack

        return True

    def _take_end(self, text: str) -> bool:
        """Take the line of a report that ends without a kill."""
        if text.startswith("Out of memory and no killable processes"):
            self.has_no_killable = True
            return True

        if _EXITING in text:
            self.is_spared = True
            return True

        if text.startswith(_PANICS):
            self.has_panicked = True
            return True

        return False


def _find_release(text: str, trigger_name: str) -> str | None:
    """Return the kernel release after the name of the trigger in the heading of the stack."""
    release = _RELEASE.search(text, len(trigger_name))
    if release is None:
        return None

    return release.group(1)


_HANDLERS: dict[str, t.Callable[[Draft, str], bool]] = {
    "CPU:": Draft._take_task,
    "Pid:": Draft._take_task,
    "Memo": Draft._take_memory,
    "Unre": Draft._take_slabs,
    "memo": Draft._take_usage,
    "swap": Draft._take_usage,
    "kmem": Draft._take_usage,
    "Mem-": Draft._take_mem_info,
    "acti": Draft._take_counters,
    "Acti": Draft._take_counters,
    "Node": Draft._take_area,
    "DMA ": Draft._take_area,
    "DMA:": Draft._take_area,
    "DMA3": Draft._take_area,
    "Norm": Draft._take_area,
    "High": Draft._take_area,
    "Mova": Draft._take_area,
    "Devi": Draft._take_area,
    "huge": Draft._take_rest_of_area,
    "lowm": Draft._take_reserve,
    "Free": Draft._take_free,
    "Tota": Draft._take_swap,
    "Task": Draft._take_tasks,
    "[ pi": Draft._take_heading,
    "[  p": Draft._take_heading,
    "oom-": Draft._take_constraint,
    "Out ": Draft._take_end,
    "Kern": Draft._take_end,
    "[": Draft._take_row,
    **dict.fromkeys("0123456789", Draft._take_pages),
}
"""The methods by the first four characters of a line, or by its first character."""
