# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build an OOM report from a draft that has ended: combine its lines, and note what is missing."""

from __future__ import annotations

import operator
import re
import typing as t

from .constraint_lines import Constraint
from .draft import Draft
from .ignored_lines import is_omission
from .model import (
    QUOTED,
    Choice,
    Line,
    OomReport,
    Victim,
)
from .task_table import UNKNOWN_COLUMN, Table
from .victim_rows import Row, complete_victim, find_page_size

# Authors shorten paths and lists of fields.
_OMISSION = re.compile(r"[/,=] ?(?:\.\.\.|…)|(?:\.\.\.|…)$")
# Without any other line, such a name looks like a prefix that another program wrote. Names have at most 15 bytes.
_ODD_NAME = re.compile(r"[\w)\]]: |[\"=]|\d\d:\d\d|\A[^\\]{16}")
_get_page_tables = operator.attrgetter("pgtables_bytes")
_SCOPES: t.Mapping[str | None, str] = {
    "CONSTRAINT_CPUSET": "cpuset",
    "CONSTRAINT_MEMORY_POLICY": "mempolicy",
    "CONSTRAINT_MEMCG": "memcg",
}


def build_report(draft: Draft, page_size: int | None) -> OomReport | None:
    """Return the report, or None if the lines are not about an OOM kill.

    `page_size` is the one of other reports of the same host, for a report that does not reveal its own.
    """
    if not _is_oom_report(draft):
        return None

    victims = tuple(draft.victims.values())
    constraint = draft.constraints.build_constraint(victims)
    table = Table(draft.rows, draft.columns)
    rows = {victim.pid: table.find_row(victim.pid) for victim in victims}
    size = _find_page_size(draft, rows) or page_size
    completed = _complete_victims(draft, rows, size)
    problems = list(_find_problems(draft, constraint, rows))
    if any(map(is_omission, draft.unread)):
        problems.append("Lines of the report were left out.")

    return OomReport(
        first=draft.first,
        last=draft.last,
        kill=draft.kill_line,
        scope=_find_scope(draft, constraint),
        constraint=constraint.constraint,
        manual=draft.is_manual,
        trigger=draft.trigger,
        victims=completed,
        further_victims=draft.further_victims or None,
        chosen=_find_choice(draft, constraint),
        group=draft.is_group,
        no_killable=draft.has_no_killable,
        exiting=draft.is_spared,
        panicked=draft.has_panicked,
        allocating_task=draft.is_allocating_task,
        cgroup=constraint.cgroup,
        limit_cgroup=constraint.limit_cgroup,
        limit=draft.limits.build_limit(),
        nodemask=constraint.nodemask,
        cpuset=constraint.cpuset,
        mems_allowed=constraint.mems_allowed,
        memory=draft.memory.build_memory(size),
        zones=draft.memory.build_zones(size),
        tasks=table.with_page_size(size),
        task_columns=() if _has_guessed_columns(draft) else draft.columns,
        page_size=size,
        kernel_release=draft.release,
        unread=tuple(draft.unread),
        complete=not problems,
        notes=(*problems, *_find_mislabelled(victims, completed)),
    )


def _is_oom_report(draft: Draft) -> bool:
    """Return whether the lines are about an OOM kill of this log.

    Mem-Info and a task table are not enough: the lowmemorykiller of Android kernels prints them, too.
    """
    if draft.trigger is not None:
        if draft.first is not draft.last:
            return True

        if draft.first.source == "kernel":
            return True

        return _ODD_NAME.search(draft.trigger.name) is None

    has_target = _has_target(draft)
    if draft.first.source == QUOTED:
        return has_target and not _is_example(draft)

    if has_target:
        return True

    # A document can quote the words of the end alone, but then without the prefix of a log.
    return _has_prefix(draft.first) and _ends_without_kill(draft)


def _has_target(draft: Draft) -> bool:
    """Return whether the report names a process or a cgroup."""
    return any((draft.victims, draft.chosen, draft.constraints.has_line))


def _is_example(draft: Draft) -> bool:
    """Return whether quoted lines explain the format of a log: without the prefix of a log, or shortened."""
    if draft.first.printed is None:
        return True

    if _OMISSION.search(draft.constraints.text):
        return True

    kill = draft.kill_line

    return kill is not None and _OMISSION.search(kill.text) is not None


def _has_prefix(line: Line) -> bool:
    return bool(line.source) or line.monotonic_us is not None


def _ends_without_kill(draft: Draft) -> bool:
    """Return whether no process could be killed, or whether the kernel panicked after its task table."""
    if draft.has_no_killable:
        return True

    return draft.has_panicked and bool(draft.columns)


def _has_guessed_columns(draft: Draft) -> bool:
    return UNKNOWN_COLUMN in draft.columns


def _find_page_size(draft: Draft, rows: t.Mapping[int, Row]) -> int | None:
    """Return the page size that the report reveals, from the most reliable source that has it."""
    size = draft.memory.page_size
    if size:
        return size

    size = find_page_size(draft.victims.values(), rows)
    if size:
        return size

    return draft.limits.find_page_size()


def _complete_victims(draft: Draft, rows: t.Mapping[int, Row], page_size: int | None) -> tuple[Victim, ...]:
    completed = []
    for pid, victim in draft.victims.items():
        is_reaped = pid in draft.reaped
        completed.append(complete_victim(victim, rows[pid], page_size=page_size, is_reaped=is_reaped))

    return tuple(completed)


def _find_scope(draft: Draft, constraint: Constraint) -> str:
    """Return the scope that a line names, or the one that the other lines of the report imply."""
    if draft.constraints.has_task_in or constraint.limit_cgroup:
        return "memcg"

    scope = _SCOPES.get(constraint.constraint, draft.kill_scope)
    if scope is not None:
        return scope

    if constraint.is_global:
        return "global"

    return _guess_scope(draft)


def _guess_scope(draft: Draft) -> str:
    if draft.limits.has_usage:
        return "memcg"

    if draft.memory or draft.has_no_killable:
        return "global"

    return "unknown"


def _find_choice(draft: Draft, constraint: Constraint) -> Choice | None:
    """Return the chosen process: of the line about it, or (since Linux 5.0) of the `oom-kill:` line."""
    if draft.chosen is not None:
        return draft.chosen

    if constraint.pid is None:
        return None

    return Choice(constraint.name or "", constraint.pid, constraint.uid)


def _find_problems(draft: Draft, constraint: Constraint, rows: t.Mapping[int, Row]) -> t.Iterator[str]:
    """Yield a note for each missing or truncated part, and for each contradiction between the lines."""
    has_end = any((draft.victims, draft.is_spared, draft.has_no_killable, draft.has_panicked))
    has_memory_state = any((draft.memory, draft.limits.has_usage))
    checks = (
        (_has_guessed_columns(draft), "The heading of the task table is missing."),
        (draft.trigger is None, "The beginning of the report is missing."),
        (_has_truncated_trigger(draft), "The trigger line is truncated."),
        (not has_end, "The report has no kill line."),
        (_has_truncated_kill(draft), "The kill line is truncated."),
        (draft.trigger and not has_memory_state, "The memory state is missing."),
        (draft.memory.is_cut, "Parts of the memory state are missing."),
        (_has_empty_table(draft), "The task table has no rows."),
        (_lacks_victim_row(draft, rows), "The task table lacks the row of the killed process."),
        (_has_truncated_oom_kill(draft, constraint), "The oom-kill line is truncated."),
    )
    for has_problem, note in checks:
        if has_problem:
            yield note

    kill_pid = next(iter(draft.victims), None)
    if _are_different(constraint.pid, kill_pid):
        yield f"The oom-kill line names process {constraint.pid}, but the kill line names process {kill_pid}."


def _has_empty_table(draft: Draft) -> bool:
    return all((draft.columns, draft.victims, not draft.rows))


def _lacks_victim_row(draft: Draft, rows: t.Mapping[int, Row]) -> bool:
    """Return whether the table has rows, but none of the first victim. The victim can be a thread of a process."""
    if not rows or not draft.rows:
        return False

    pid, row = next(iter(rows.items()))
    if row:
        return False

    mark = re.compile(rf"\[ *(?:\d+\] +\d+ +)?{pid}\b")

    return not any(map(mark.match, draft.rows))


def _has_truncated_trigger(draft: Draft) -> bool:
    return draft.trigger is not None and draft.trigger.gfp_mask is None


def _has_truncated_kill(draft: Draft) -> bool:
    """Return whether a kill line lacks its end. All kernels that print the oom-kill line print sizes after the name."""
    if draft.has_cut_kill:
        return True

    if not draft.victims or not draft.constraints.has_oom_kill:
        return False

    first = next(iter(draft.victims.values()))

    return first.total_vm_bytes is None


def _has_truncated_oom_kill(draft: Draft, constraint: Constraint) -> bool:
    return draft.constraints.has_oom_kill and None in (constraint.pid, constraint.uid)


def _are_different(first: int | None, second: int | None) -> bool:
    """Return whether two values differ. An unknown value differs from none."""
    return None not in (first, second) and first != second


def _find_mislabelled(victims: t.Sequence[Victim], completed: t.Sequence[Victim]) -> t.Iterator[str]:
    """Yield a note if a completed victim has other page tables than its kill line says."""
    # Without rows, most victims are the same.
    if victims == completed:
        return

    printed = list(map(_get_page_tables, victims))
    corrected = list(map(_get_page_tables, completed))
    if printed != corrected:
        yield "The kill line gives the size of the page tables in bytes but labels it kB."
