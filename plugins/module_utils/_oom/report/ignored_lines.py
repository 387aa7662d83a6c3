# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of lines of a report that are not read, each with the reason.

Every other line inside a report is read, or counted as unread.

Formats: show_regs(), show_stack() and dump_stack() in arch/ and kernel/ of Linux 2.6.9 to 6.18, mm/page_alloc.c,
mm/show_mem.c, mm/oom_kill.c.
"""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

_HEX = "[0-9a-f]"
_BYTE = rf"<?{_HEX}{{1,2}}>?"
_SYMBOL = r"[A-Za-z_$.][\w$.]{0,200}"
_OFFSET_MARK = "+0x"
_REGISTER = (
    r"[re]?(?:[abcd]x|[sd]i|[bsi]p|flags)|[ER]IP|r\d{1,2}|[cdefgs]s|cr\d|dr\d|orig_[re]ax|pkru|"
    r"x\d{1,2}|pc|lr|sp|fp|ip|pstate|pmr|epc|ra|gp|tp|[ast]\d{1,2}|status|badaddr|cause|era|estat|badv|prmd|euen|ecfg|"
    r"nip|ctr|xer|msr|cfar|dar|dsisr|irqmask|gpr\d\d|acrs|psw|psr|hi|lo|sr|epsr|a0|tstate|tpc|tnpc|y"
)


class IgnoredKind(t.NamedTuple):
    """One kind of lines that are not read, why, and the pattern that such a line begins with."""

    name: str
    reason: str
    pattern: str


_WAY = "shows how the kernel got there, not what used the memory"

IGNORED = (
    IgnoredKind("blank lines", "have no content", r"\s*$"),
    IgnoredKind(
        "marks of the stack",
        _WAY,
        (
            r" *(?:Call [Tt]race:|Backtrace:|Stack ?:|=+$|</?(?:TASK|IRQ|EOI|EOE|NMI|SOFTIRQ|#\w+|UNK|unknown)>"
            r"|---\[ end |--- interrupt: |Exception stack\(|Kernel Offset: |Memory Limit: )"
        ),
    ),
    IgnoredKind("functions on the stack", _WAY, rf".*{re.escape(_OFFSET_MARK)}"),
    IgnoredKind(
        "functions on the stack without an offset",
        _WAY,
        (
            rf" *\(?\[[<(]?{_HEX}{{8,16}}[>)]?\]\)? *"
            rf"(?:0x{_HEX}{{8,16}}|\({_SYMBOL}(?: \[\w+\])?\) from\b|\[|$|{_SYMBOL})"
        ),
    ),
    IgnoredKind("functions on the stack by name", _WAY, rf" +(?:\? )?{_SYMBOL}(?: from)?$"),
    IgnoredKind(
        "words on the stack",
        "are raw memory",
        rf" *(?:{_HEX}{{4,16}}: *)?(?:{_HEX}{{8}}(?:{_HEX}{{8}})?(?:\s+|$))+$",
    ),
    IgnoredKind(
        "registers",
        "are the state of the CPU",
        (
            rf" *(?:(?i:{_REGISTER}) ?(?:: |:$|= ?|\t)|(?i:{_REGISTER}) *: ?{_HEX}{{8,16}}"
            r"|Krnl (?:PSW|Code|GPRS)|Last Breaking-Event|User PSW|ORIG_[RE]AX:|Code: ?|Registers:|REGS: |NIP \["
            r"|Status: |Cause *: |PrId *: |\$ *\d{1,2} *:|epc *: |task: |Process .* \(pid: \d|TSTATE|[gol]\d: "
            rf"|0033:0x|{_HEX}{{4}}:{_HEX}{{8,16}} EFLAGS)"
        ),
    ),
    IgnoredKind(
        "the CPU and the task again",
        "repeats the first line of this kind, which is read",
        r"CPU: \d+ (?:UID: \d+ )?PID: \d+|Pid: \d+, comm: ",
    ),
    IgnoredKind("taint flags", "explain letters of the line before", r"Tainted: "),
    IgnoredKind("the hardware", "is the model of the machine and its firmware", r"Hardware name: |DMI: "),
    IgnoredKind(
        "the rest of the hardware",
        "is the end of a line that a mail program broke",
        r".*(?:, BIOS |\d\d/\d\d/\d{4}\s*$)",
    ),
    IgnoredKind(
        "the rest of the code", "is the end of a line that a mail program broke", rf"{_BYTE}(?:\s+{_BYTE})+\s*$"
    ),
    IgnoredKind(
        "the rest of registers",
        "is the end of a line that a mail program broke",
        rf"{_HEX}{{16}} (?:R[A-Z0-9]{{2}}|x\d+): ?",
    ),
    IgnoredKind(
        "the rest of other lines",
        "is the end of a line that is not read, or of a heading",
        r"delete \d+, find \d|find \d+/\d+$|pages\):$|in pages\):$|PREEMPT",
    ),
    IgnoredKind("modules", "are all that are loaded", r"Modules linked in:|last sysfs file: |\[last unloaded: "),
    IgnoredKind(
        "a queue of work", "is the work of the kernel worker that asked for memory", r"Workqueue: |Sched_ext: "
    ),
    IgnoredKind(
        "lists of the CPUs",
        "hold some 100 pages for each CPU at most, which the counter free_pcp includes",
        r"(?:Node \d+ )?\w+ per-cpu:|CPU +\d+: (?:Hot: )?hi: |cpu \d+ (?:hot|cold): ",
    ),
    IgnoredKind(
        "counts of swapping",
        "count since the boot, so they show nothing about this moment",
        r"Swap cache(?: stats)?: add ",
    ),
    IgnoredKind(
        "further counts of pages",
        "are parts of counters that are read, or overlap with them",
        (
            r"\d+ (?:pages (?:shared|non-shared|dirty|writeback|mapped|slab|pagetables|cma reserved"
            r"|in pagetable cache|HighMem)|free pages|slab pages|pages of slabcache|bounce buffer pages"
            r"|(?:free )?reserved cma pages)\b"
        ),
    ),
    IgnoredKind("protections", "are the reserves of Linux 2.6.9, which are 0 by default", r"protections\[\]:"),
    IgnoredKind(
        "memory protection of cgroups",
        "is what memory.min and memory.low kept from being reclaimed",
        r"Memory cgroup min protection \d+kB -- low protection \d+kB",
    ),
    IgnoredKind("lines of programs", "were written to /dev/kmsg by a program", r"[A-Za-z][\w@.-]{0,63}\[\d{1,10}\]: "),
    IgnoredKind("a policy of BPF", "is the name of the program's policy", r"oom_policy="),
    IgnoredKind(
        "suppressed lines",
        "are the number of lines that the kernel did not print before",
        r"\S+: \d+ (?:output lines|callbacks|messages) suppressed",
    ),
)

# Beginnings of the most frequent lines, all of which the patterns match, too.
_FREQUENT = frozenset(
    ("RIP:", "RSP:", "RAX:", "RDX:", "RBP:", "R10:", "R13:", "Code", "Call", "Hard", " <TA", " </T", "Swap")
)

# Some patterns take a time that grows with the square of the length.
_MAX_LENGTH = 300


# A person or a program that shortened the log put this in the place of lines.
_OMISSION = re.compile(r"(?:--|\.\.\.|…|[<\[(] ?(?i:\.\.\.|…|snip|trim|cut|truncated|skipped|omitted) ?[>\])])\s*$")


def is_omission(text: str) -> bool:
    """Return whether a line stands for lines that were left out, such as `--` in the output of grep."""
    return _OMISSION.match(text) is not None


def is_ignored(text: str) -> bool:
    """Return whether a line inside a report is of a kind that is not read."""
    return _compile_patterns().match(text, 0, _MAX_LENGTH) is not None


@functools.lru_cache(maxsize=None)
def _compile_patterns() -> re.Pattern[str]:
    """Return the patterns of all kinds. Compiling them takes long, and many reports have only frequent lines."""
    return re.compile("|".join([f"(?:{kind.pattern})" for kind in IGNORED]))


def list_unread(texts: t.Iterable[str]) -> list[str]:
    """Return the lines that are of no ignored kind."""
    # Most lines are of two kinds, whose patterns take much longer than this.
    rare = [text for text in texts if _OFFSET_MARK not in text and text[:4] not in _FREQUENT]

    return list(itertools.filterfalse(is_ignored, rare))
