# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that name processes and cgroups: who asked for memory, who was chosen, who was killed.

Users choose these names, so each line is read from its fixed ends inwards: what is left in the middle is the name.
Formats: mm/oom_kill.c and mm/memcontrol.c of Linux 2.6.9 to 6.18, and bpf_oom_kill_process() of the kernels to come.
"""

from __future__ import annotations

import re
import typing as t

from .model import Choice, Trigger, Victim

INVOKED = " invoked oom-killer"
ALLOCATING = "Out of memory (oom_kill_allocating_task): "

# Up to 2.6.9 the name of the task was not printed.
_NAMELESS = "oom-killer:"

# The kernel cuts the name of a task at 15 bytes; each could have come as an escape of four characters.
_NAME_BYTES = 15
_NAME_LIMIT = 4 * _NAME_BYTES

# The kernel prints none of these after the name; source code and documents that quote the line do.
_QUOTING = re.compile(r"[\"'`\\;%]")
_MASK = re.compile(r"gfp_?mask=(0x[0-9a-f]+)(?:\(([^()]*)\))?")
# Before 4.6 flags were printed as a number alone. These have never moved, others have.
_OLD_FLAGS = {
    0x01: "__GFP_DMA",
    0x02: "__GFP_HIGHMEM",
    0x04: "__GFP_DMA32",
    0x08: "__GFP_MOVABLE",
    0x40: "__GFP_IO",
    0x80: "__GFP_FS",
}
# A pattern that begins with plain characters is searched for several times as fast as one that does not.
_ORDER = re.compile(r" order=(-?\d{1,2})\b")
_ADJUSTMENT = re.compile(r" oom_score_adj=(-?\d{1,20})")
_OLD_NODEMASK = re.compile(r" nodemask=(\(null\)|\d[\d,-]*\d|\d)")

# The words before "Killed process" or "Kill process" come from the kernel or from a BPF policy, never from a user. In
# other lines of the kernel, what a user has named stands behind a character that is not among these.
_WORDS = r"[A-Za-z0-9][A-Za-z0-9 ()_.,+-]{0,63}: "
_REASON = rf"(?P<reason>{_WORDS})?"
_KILLED = re.compile(
    rf"{_REASON}Killed process (?P<pid>\d{{1,20}})(?:, UID (?P<uid>\d{{1,20}}),)? \((?P<name>.*)\)"
    r"(?:, UID (?P<later_uid>\d{1,20}))?(?P<figures>,? (?:total-vm|vsz):.*|\.?)",
    re.DOTALL,
)
_SHARING = re.compile(r"Kill(?:ed)? process (?P<pid>\d{1,20}) \((?P<name>.*)\) sharing same memory", re.DOTALL)
_CHOSEN = re.compile(
    rf"{_REASON}[Kk]ill process (?P<pid>\d{{1,20}}) \((?P<name>.*)\)"
    r" score (?P<score>\d{1,20}) (?:or sacrifice child|or a child|and children\.?)",
    re.DOTALL,
)
_SPEAKS_OF_KILL = re.compile(rf"(?:{_WORDS})?[Kk]ill(?:ed)? process \d")
_NAMES_VICTIM = re.compile(r"Kill(?:ed)? process \d")
_FIGURE = re.compile(r"([A-Za-z][A-Za-z_-]*): ?(-?\d{1,20})")

_CONSTRAINT = re.compile(r"oom-kill:constraint=(\w+),nodemask=(\(null\)|\d[\d,-]*|),? ?")
_LIMIT = ",oom_memcg=/"
_GLOBAL = ",global_oom,task_memcg=/"
_CHOSEN_TASK = re.compile(r",pid=(\d{1,20}),uid=(\d{1,20})$")


class Constraint(t.NamedTuple):
    """The `oom-kill:` line."""

    constraint: str
    nodemask: str | None
    cpuset: str | None
    mems_allowed: str | None
    limit_cgroup: str | None
    cgroup: str | None
    is_global: bool
    name: str | None
    pid: int | None
    uid: int | None


class Kill(t.NamedTuple):
    """The victim of a kill line, and what its words say of the scope."""

    victim: Victim
    scope: str | None
    is_sharing: bool = False
    """It was killed for sharing its memory with the victim of the kill line before."""
    by_policy: bool = False
    """The words before are none of the kernel's own: those of a BPF policy, or of somebody who quotes the line."""


def scope_of(reason: str | None) -> str | None:
    """Return the scope that the words before "Kill process" or "Killed process" tell, None where they tell none."""
    if not reason:
        return None
    if reason.startswith("Memory cgroup"):
        return "memcg"
    if reason.startswith("No available memory"):
        return "mempolicy" if "MPOL" in reason else "cpuset"
    return "global" if reason.lower().startswith("out of memory") else None


def parse_trigger(text: str) -> Trigger | None:
    """Return the trigger that a `NAME invoked oom-killer:` line names, None where the line is another."""
    name, found, rest = text.rpartition(INVOKED)
    if text.startswith(_NAMELESS):
        name, found, rest = "", INVOKED, text[len(_NAMELESS) - 1 :]
    if not found or len(name) > _NAME_LIMIT or (rest and rest[0] != ":"):
        return None
    mask = _MASK.search(rest)
    if (mask is None and rest.strip(": ")) or _QUOTING.search(rest):
        return None
    if len(name) > _NAME_BYTES:
        # A prefix that has lost its beginning, as the first line does that somebody copies.
        name = name.rpartition("] ")[2]
    order = _ORDER.search(rest)
    adjustment = _ADJUSTMENT.search(rest)
    return Trigger(
        name=name,
        gfp_mask=mask.group(1) if mask else None,
        gfp_flags=_flags(mask) if mask else (),
        order=int(order.group(1)) if order else None,
        oom_score_adj=int(adjustment.group(1)) if adjustment else None,
    )


def _flags(mask: t.Match[str]) -> tuple[str, ...]:
    number, names = mask.groups()
    if names is not None:
        return tuple(names.split("|")) if names else ()
    return tuple(name for bit, name in _OLD_FLAGS.items() if int(number, 16) & bit)


def parse_old_nodemask(text: str) -> str | None:
    """Return the nodemask that kernels 4.8 to 4.20 print in the trigger's line."""
    found = _OLD_NODEMASK.search(text, text.rfind(INVOKED))
    return found.group(1) if found else None


def speaks_of_kill(text: str) -> bool:
    """Answer whether a line begins as the kernel's lines of kills do."""
    return _SPEAKS_OF_KILL.match(text) is not None


def names_victim(text: str) -> bool:
    """Answer whether a line says anywhere that a process was killed."""
    return _NAMES_VICTIM.search(text) is not None


def parse_kill(text: str) -> Kill | None:
    """Return the victim that a `Killed process PID (NAME)` line names, None where the line is another."""
    text = text.rstrip()
    sharing = _SHARING.fullmatch(text)
    if sharing:
        return Kill(Victim(sharing.group("name"), int(sharing.group("pid"))), None, is_sharing=True)
    match = _KILLED.fullmatch(text)
    if match is None:
        return None
    reason, pid, early_uid, name, later_uid, figures = match.groups()
    scope = scope_of(reason)
    by_policy = reason is not None and scope is None
    if by_policy and len(figures) < 2:
        return None
    known: dict[str, str] = dict(_FIGURE.findall(figures))
    uid = early_uid or later_uid or known.get("UID")
    return Kill(
        Victim(
            name=name,
            pid=int(pid),
            uid=int(uid) if uid else None,
            total_vm_bytes=_kilobytes(known, "vsz" if "vsz" in known else "total-vm"),
            anon_rss_bytes=_kilobytes(known, "anon-rss"),
            file_rss_bytes=_kilobytes(known, "file-rss"),
            shmem_rss_bytes=_kilobytes(known, "shmem-rss"),
            pgtables_bytes=_kilobytes(known, "pgtables"),
            oom_score_adj=int(known["oom_score_adj"]) if "oom_score_adj" in known else None,
        ),
        scope,
        by_policy=by_policy,
    )


def parse_choice(text: str) -> tuple[Choice, str | None] | None:
    """Return the process (and the scope) that "Kill process ... or sacrifice child" names (up to kernel 5.0)."""
    match = _CHOSEN.fullmatch(text.rstrip())
    if match is None:
        return None
    reason, pid, name, score = match.groups()
    scope = scope_of(reason)
    return (Choice(name, int(pid), score=int(score)), scope) if scope or reason is None else None


def parse_constraint(text: str, kill: Victim | None = None) -> Constraint | None:
    """Return what an `oom-kill:` line says, with the help of the kill line's own name where there is one.

    The cpuset, both cgroups and the task carry names of users' choice, commas and all. A cpuset's name holds no
    slash, so the first `,oom_memcg=/` (or `global_oom,task_memcg=/`) is the kernel's; the victim's cgroup lies
    within the cgroup of the limit; the task's name has 15 bytes at most, so its end is the last `,task=`.
    """
    text = text.rstrip().rstrip(">").rstrip(",")
    head = _CONSTRAINT.match(text)
    if head is None:
        return None
    tail = _CHOSEN_TASK.search(text)
    end = tail.start() if tail else len(text)
    task = _task_start(text, head.end() - 1, end, kill)
    body = text[head.end() : max(task, head.end())]
    place, is_global, limit_cgroup, cgroup = _split_body(body)
    cpuset, _comma, mems = (
        place[len("cpuset=") :].rpartition(",mems_allowed=") if place.startswith("cpuset=") else ("", "", "")
    )
    return Constraint(
        constraint=head.group(1),
        nodemask=head.group(2).rstrip(",") or None,
        cpuset=cpuset or None,
        mems_allowed=mems or None,
        limit_cgroup=limit_cgroup,
        cgroup=cgroup,
        is_global=is_global,
        name=text[task + len(",task=") : end] if tail and task < end else None,
        pid=int(tail.group(1)) if tail else None,
        uid=int(tail.group(2)) if tail else None,
    )


def _task_start(text: str, start: int, end: int, kill: Victim | None) -> int:
    """Return where `,task=` stands: where the kill line's name says, else at its last place."""
    if kill is not None:
        known = end - len(kill.name) - len(",task=")
        if known >= start and text.startswith(f",task={kill.name}", known):
            return known
    at = text.rfind(",task=", start, end)
    return at if at >= 0 else end


def _split_body(body: str) -> tuple[str, bool, str | None, str | None]:
    """Return the part about the cpuset, whether the OOM is global, the cgroup of the limit and the victim's."""
    limit = 0 if body.startswith(_LIMIT[1:]) else body.find(_LIMIT) + 1
    whole = 0 if body.startswith(_GLOBAL[1:]) else body.find(_GLOBAL) + 1
    if body.startswith(_LIMIT[1:]) or 0 < limit < (whole or len(body)):
        return body[: max(limit - 1, 0)], False, *_split_cgroups(body[limit + len("oom_memcg=") :])
    if body.startswith(_GLOBAL[1:]) or whole:
        return body[: max(whole - 1, 0)], True, None, body[whole + len("global_oom,task_memcg=") :]
    if body.endswith("global_oom"):
        return body[: -len("global_oom")].rstrip(","), True, None, None
    return body, False, None, None


def _split_cgroups(text: str) -> tuple[str, str | None]:
    """Split `LIMIT,task_memcg=VICTIM`, where the victim's cgroup is the limit's or lies below it."""
    mark = ",task_memcg="
    at = text.find(mark)
    while at >= 0:
        limit, victim = text[:at], text[at + len(mark) :]
        if victim == limit or victim.startswith(f"{limit.rstrip('/')}/"):
            return limit, victim
        at = text.find(mark, at + 1)
    limit, found, victim = text.rpartition(mark)
    return (limit, victim) if found else (victim, None)


def _kilobytes(known: dict[str, str], key: str) -> int | None:
    return int(known[key]) * 1024 if key in known else None
