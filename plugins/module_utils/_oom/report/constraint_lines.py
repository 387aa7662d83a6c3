# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the lines about the cgroup, the cpuset and the nodes that an OOM kill was limited to.

Since Linux 5.0, the `oom-kill:` line has all of it. Older kernels print a line about the cgroups (`Task in ...`), a
line about the cpuset (`NAME cpuset=...`), and, from 4.8 to 4.20, the nodemask in the trigger line.

Formats: mm/oom_kill.c, mm/memcontrol.c and kernel/cgroup/cpuset.c of Linux 2.6.9 to 6.18.
"""

from __future__ import annotations

import re
import typing as t

from .kill_lines import INVOKED
from .model import Victim

_OLD_NODEMASK = re.compile(r" nodemask=(\(null\)|\d[\d,-]*\d|\d)")
_OLD_CPUSET = re.compile(r"cpuset=(.*) mems_allowed=(\S*)$", re.DOTALL)
_TASK_IN = re.compile(r"Task in (/.*) killed as a result of limit of (/.*)", re.DOTALL)

# Authors who quote the line put "..." for some of its fields.
_OOM_KILL = re.compile(r"oom-kill:constraint=(\w+),(?:nodemask=(\(null\)|\d[\d,-]*|),?|\.\.\.,) ?")
_CPUSET = "cpuset="
_MEMS_ALLOWED = ",mems_allowed="
_LIMIT_CGROUP = "oom_memcg="
_LIMIT_START = f"{_LIMIT_CGROUP}/"
_GLOBAL = "global_oom"
_GLOBAL_CGROUP = f"{_GLOBAL},task_memcg="
_GLOBAL_START = f"{_GLOBAL_CGROUP}/"
_CGROUP = ",task_memcg="
_TASK = ",task="
# The kernel limits the path of a cgroup to 4096 bytes.
_LONGEST_CGROUP = 4096
_PID_AND_UID = re.compile(r",pid=(\d{1,20}),(?:uid=(\d{1,20}),?)?$")


class Constraint(t.NamedTuple):
    """The fields of an `oom-kill:` line, or the same facts from the lines of older kernels."""

    constraint: str | None = None
    nodemask: str | None = None
    cpuset: str | None = None
    mems_allowed: str | None = None
    limit_cgroup: str | None = None
    cgroup: str | None = None
    is_global: bool = False
    name: str | None = None
    pid: int | None = None
    uid: int | None = None


_UNKNOWN = Constraint()


class _Place(t.NamedTuple):
    """The part of an `oom-kill:` line between the nodemask and the task."""

    cpuset: str
    is_global: bool = False
    limit_cgroup: str | None = None
    cgroup: str | None = None


class _Task(t.NamedTuple):
    """The end of an `oom-kill:` line, and the index at which it begins."""

    start: int
    name: str | None = None
    pid: int | None = None
    uid: int | None = None


class ConstraintLines:
    """Collects the lines of one report that say what the OOM kill was limited to."""

    def __init__(self) -> None:
        self.has_task_in = False
        self._oom_kill = ""
        self._old = _UNKNOWN

    @property
    def text(self) -> str:
        """Return the `oom-kill:` line of the report, or the empty string if it has none."""
        return self._oom_kill

    @property
    def has_oom_kill(self) -> bool:
        """Return whether the report has an `oom-kill:` line."""
        return bool(self._oom_kill)

    @property
    def has_line(self) -> bool:
        """Return whether the report has an `oom-kill:` or a `Task in` line."""
        return self.has_oom_kill or self.has_task_in

    def take_trigger(self, text: str) -> None:
        """Take a trigger line, which can have a nodemask."""
        nodemask = parse_old_nodemask(text)
        if nodemask is not None:
            self._old = self._old._replace(nodemask=nodemask)

    def take_oom_kill(self, text: str) -> bool:
        """Take an `oom-kill:` line, and return whether `text` is one. The first one counts."""
        if not text.startswith("oom-kill:"):
            return False

        if not self._oom_kill:
            self._oom_kill = text

        return True

    def take_task_in(self, text: str) -> bool:
        """Take `Task in /CGROUP killed as a result of limit of /LIMIT`, and return whether `text` is such a line."""
        match = _TASK_IN.match(text)
        if match is None:
            return False

        cgroup, limit_cgroup = match.groups()
        self._old = self._old._replace(cgroup=cgroup, limit_cgroup=limit_cgroup)
        self.has_task_in = True

        return True

    def take_cpuset(self, text: str, trigger_name: str) -> bool:
        """Take `NAME cpuset=CPUSET mems_allowed=NODES` of the trigger, and return whether `text` is that line."""
        if not text.startswith(f"{trigger_name} {_CPUSET}"):
            return False

        match = _OLD_CPUSET.match(text, len(trigger_name) + 1)
        cpuset, mems_allowed = match.groups() if match else (None, None)
        self._old = self._old._replace(cpuset=cpuset, mems_allowed=mems_allowed)

        return True

    def build_constraint(self, victims: t.Sequence[Victim]) -> Constraint:
        """Return the facts of the `oom-kill:` line, or those of the older lines if there is none that can be parsed."""
        constraint = parse_constraint(self._oom_kill, *victims[:1])

        return constraint or self._old


def parse_old_nodemask(text: str) -> str | None:
    """Return the nodemask that Linux 4.8 to 4.20 prints in the trigger line."""
    found = _OLD_NODEMASK.search(text, text.rfind(INVOKED))
    if found is None:
        return None

    return found.group(1)


def parse_constraint(text: str, victim: Victim | None = None) -> Constraint | None:
    """Return the fields of an `oom-kill:` line, or None if `text` is not one.

    Users choose the names of the cpuset, of both cgroups and of the task, and these may contain commas. The name of a
    cpuset has no slash, so the first `,oom_memcg=/` (or `global_oom,task_memcg=/`) is the kernel's own. The cgroup of
    the victim is the cgroup of the limit or lies below it. The name of the task has at most 15 bytes, so it begins at
    the last `,task=`, unless the name in the kill line (`victim`) shows that it begins earlier.
    """
    text = text.rstrip().rstrip(">")
    head = _OOM_KILL.match(text)
    if head is None:
        return None

    task = _parse_task(text, head.end() - 1, victim)
    place = _parse_place(text[head.end() : max(task.start, head.end())].rstrip(","))
    cpuset, mems_allowed = _split_cpuset(place.cpuset)

    return Constraint(
        constraint=head.group(1),
        nodemask=(head.group(2) or "").rstrip(",") or None,
        cpuset=cpuset or None,
        mems_allowed=mems_allowed or None,
        limit_cgroup=place.limit_cgroup,
        cgroup=place.cgroup,
        is_global=place.is_global,
        name=task.name,
        pid=task.pid,
        uid=task.uid,
    )


def _parse_task(text: str, start: int, victim: Victim | None) -> _Task:
    """Return the end of an `oom-kill:` line after `start`, which is about the chosen process.

    Where the line is truncated, the name of a cgroup can look like its end, so then the kill line counts.
    """
    tail = _PID_AND_UID.search(text)
    if tail is None:
        return _Task(_find_task(text, start, len(text), victim))

    end = tail.start()
    task_start = _find_task(text, start, end, victim)
    uid = _parse_number(tail.group(2))
    if uid is None and victim is not None:
        return _Task(task_start)

    name = None
    if task_start < end:
        name = text[task_start + len(_TASK) : end]

    return _Task(task_start, name, int(tail.group(1)), uid)


def _parse_number(digits: str | None) -> int | None:
    if digits is None:
        return None

    return int(digits)


def _find_task(text: str, start: int, end: int, victim: Victim | None) -> int:
    """Return the index of `,task=` between `start` and `end`, or `end` if it is missing."""
    if victim is not None:
        expected = end - len(victim.name) - len(_TASK)
        if expected >= start and text.startswith(f"{_TASK}{victim.name}", expected):
            return expected

    last = text.rfind(_TASK, start, end)
    if last < 0:
        return end

    return last


def _parse_place(text: str) -> _Place:
    limit_start = _find_field(text, _LIMIT_START)
    global_start = _find_field(text, _GLOBAL_START)

    # The first field is the kernel's own. The later one is part of the name of a cgroup.
    has_limit = limit_start >= 0
    if has_limit and (global_start < 0 or limit_start < global_start):
        limit_cgroup, cgroup = _split_cgroups(text[limit_start + len(_LIMIT_CGROUP) :])
        return _Place(text[: max(limit_start - 1, 0)], limit_cgroup=limit_cgroup, cgroup=cgroup)

    if global_start >= 0:
        cgroup = text[global_start + len(_GLOBAL_CGROUP) :]
        return _Place(text[: max(global_start - 1, 0)], is_global=True, cgroup=cgroup)

    if text.endswith(_GLOBAL):
        return _Place(text[: -len(_GLOBAL)].rstrip(","), is_global=True)

    return _Place(text)


def _find_field(text: str, field: str) -> int:
    """Return the index of a field at the beginning of `text` or after a comma, or -1 if it is missing."""
    if text.startswith(field):
        return 0

    comma = text.find(f",{field}")
    if comma < 0:
        return -1

    return comma + 1


def _split_cpuset(text: str) -> tuple[str, str]:
    """Split `cpuset=CPUSET,mems_allowed=NODES`; both are empty if `text` has another format."""
    if not text.startswith(_CPUSET):
        return "", ""

    cpuset, _separator, mems_allowed = text[len(_CPUSET) :].rpartition(_MEMS_ALLOWED)

    return cpuset, mems_allowed


def _split_cgroups(text: str) -> tuple[str, str | None]:
    """Split `LIMIT,task_memcg=VICTIM`, where the victim's cgroup is the limit's or lies below it."""
    at = text.find(_CGROUP, 0, _LONGEST_CGROUP)
    while at >= 0:
        limit, cgroup = text[:at], text[at + len(_CGROUP) :]
        if _is_within(cgroup, limit):
            return limit, cgroup
        at = text.find(_CGROUP, at + 1, _LONGEST_CGROUP)

    limit, separator, cgroup = text.rpartition(_CGROUP)
    if not separator:
        return text, None

    return limit, cgroup


def _is_within(cgroup: str, ancestor: str) -> bool:
    return cgroup == ancestor or cgroup.startswith(f"{ancestor.rstrip('/')}/")
