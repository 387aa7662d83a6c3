# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the lines that name processes: the trigger, the chosen process and the victim.

Users choose these names, so each line is parsed from its fixed ends inwards. The remaining middle is the name.

Formats: mm/oom_kill.c of Linux 2.6.9 to 6.18, and bpf_oom_kill_process() of later kernels.
"""

from __future__ import annotations

import re
import typing as t

from .model import Choice, Trigger, Victim

INVOKED = " invoked oom-killer"
ALLOCATING = "Out of memory (oom_kill_allocating_task): "

# Up to Linux 2.6.9, the line does not name the task.
_NAMELESS = "oom-killer:"

# The kernel truncates the name of a task at 15 bytes. Each byte can be escaped as four characters.
_NAME_BYTES = 15
_NAME_LIMIT = 4 * _NAME_BYTES

# The kernel prints none of these after the name. Source code and documents that quote the line do.
_QUOTING = re.compile(r"[\"'`\\;%]")
_ESCAPED_BYTE = re.compile(r"\\x[0-9a-f]{2}|\\[0-7]{3}")
_REST_OF_PREFIX = re.compile(r"\A(?:.*\bkernel: ?\[)?[\d .:TC]{0,40}\](?: ?\[ *[TC]\d+\])? ")
# The beginning of the mask in a line that is cut, perhaps by journalctl at the width of a terminal.
_CUT_MASK = re.compile(r"[: ]*(?:g?f?p?_?m?a?s?k?=?0?x?[0-9a-f]*[>\u2026])?")
_MASK = re.compile(r"gfp_?mask=(0x[0-9a-f]+)(?![0-9a-f>\u2026])(?:\(([^()]*)\))?")
# Before Linux 4.6, flags are a number without names. These bits have never moved, others have.
_OLD_FLAGS = {
    0x01: "__GFP_DMA",
    0x02: "__GFP_HIGHMEM",
    0x04: "__GFP_DMA32",
    0x08: "__GFP_MOVABLE",
    0x40: "__GFP_IO",
    0x80: "__GFP_FS",
}
# Searching a pattern is several times as fast if it begins with plain characters.
_ORDER = re.compile(r" order=(-?\d{1,2})\b")
_ADJUSTMENT = re.compile(r" oom_score_adj=(-?\d{1,20})(?![\d>\u2026])")

# The words before "Killed process" or "Kill process" come from the kernel or from a BPF policy, never from a user. In
# other kernel lines, text from users follows a character that is not in this set.
_WORDS = r"[A-Za-z0-9][A-Za-z0-9 ()_.,+-]{0,63}: "
_REASON = rf"(?P<reason>{_WORDS})?"
_SCOPE = re.compile(
    r"(?P<memcg>Memory cgroup)"
    r"|(?P<mempolicy>No available memory.*MPOL)"
    r"|(?P<cpuset>No available memory)"
    r"|(?P<global>(?i:out of memory))"
)
_KILLED_PROCESS = rf"{_REASON}Killed process (?P<pid>\d{{1,20}})(?:, UID (?P<uid>\d{{1,20}}),)? \("
_NAME = r"(?P<name>.{0,60})\)(?:, UID (?P<later_uid>\d{1,20}))?"
# What is not longer than a name can be the beginning of one, also if it looks like figures.
_CAN_BE_NAME = rf".{{0,{_NAME_BYTES - 1}}}[^>\u2026]\Z"
_KILLED = (
    # Virtuozzo names the container.
    re.compile(
        rf"{_KILLED_PROCESS}(?!{_CAN_BE_NAME}){_NAME}(?: in VE \"[^\"]{{0,60}}\")?"
        r"(?P<figures>,? (?:total-vm|vsz):(?!\d{0,12}k?B?\)).*)",
        re.DOTALL,
    ),
    # Only a line without figures ends with the name, or one that a terminal has cut.
    re.compile(
        rf"{_KILLED_PROCESS}{_NAME}(?P<figures>\.?|,? (?:t?o?t?a?l?-?v?m?|U?I?D? ?\d{{0,20}})[>\u2026])", re.DOTALL
    ),
)
_CUT_NAME = re.compile(rf"{_KILLED_PROCESS}(?P<name>.{{1,{_NAME_BYTES}}}?)[>\u2026]?", re.DOTALL)
# journalctl ends a line with these if it has cut it at the width of a terminal.
_CUT = (">", "\u2026")
_SHARING = re.compile(r"Kill(?:ed)? process (?P<pid>\d{1,20}) \((?P<name>.*)\) sharing same memory", re.DOTALL)
_CHOSEN = re.compile(
    rf"{_REASON}[Kk]ill process (?P<pid>\d{{1,20}}) \((?P<name>.*)\)"
    r" score (?P<score>\d{1,20}) (?:or sacrifice child|or a child|and children\.?)",
    re.DOTALL,
)
_KILL_LINE = re.compile(rf"(?:{_WORDS})?(?:OOM k|[Kk])ill(?:ed)? process \d")
# OpenVZ and Virtuozzo, whose containers are limited by user beancounters (UB). The host is UB 0.
_OPENVZ = re.compile(
    r"Out of memory(?: in UB (?P<beancounter>\d{1,20}))?: OOM killed process (?P<pid>\d{1,20}) \((?P<name>.*)\)"
    r"(?P<figures> (?:score|vm).*|)",
    re.DOTALL,
)
_VICTIM = re.compile(r"(?:OOM k|K)ill(?:ed)? process \d")
_LAST = "oom_score_adj"
# A size without its unit, or a name without its size.
_CUT_FIGURE = re.compile(
    rf"(?:.*kB,)?(?!{_LAST}:-?\d+\Z)[A-Za-z_-]*(?::-?\d*k?(?:B?,?[>\u2026])?)?[>\u2026]?", re.DOTALL
)
_FIGURE = re.compile(r" ([A-Za-z][A-Za-z_-]{0,40}): ?(-?[0-9]{1,20})")


class Kill(t.NamedTuple):
    """The victim of a kill line, and the scope that its words name."""

    victim: Victim
    scope: str | None
    is_sharing: bool = False
    """The process was killed because it shares its memory with the victim of the kill line before."""
    is_from_policy: bool = False
    """The words before "Killed process" are not the kernel's own. They come from a BPF policy or from a quotation."""
    is_cut: bool = False
    """The line ends within its figures."""


def parse_scope(reason: str | None) -> str | None:
    """Return the scope that the words before "Kill process" or "Killed process" name, or None if they name none."""
    match = _SCOPE.match(reason or "")
    if match is None:
        return None

    return match.lastgroup


def parse_trigger(text: str) -> Trigger | None:
    """Return the trigger that a `NAME invoked oom-killer:` line names, or None if `text` is not such a line."""
    name, separator, rest = text.rpartition(INVOKED)
    if text.startswith(_NAMELESS):
        name = ""
        rest = text[len(_NAMELESS) - 1 :]
    elif not separator:
        return None

    if len(name) > _NAME_LIMIT or rest[:1] not in ("", ":"):
        return None

    if _QUOTING.search(rest):
        return None

    mask = _MASK.search(rest)
    if mask is None and not _CUT_MASK.fullmatch(rest):
        return None

    gfp_mask, gfp_flags = _parse_mask(mask)
    own_name = _remove_rest_of_prefix(name)
    if _is_too_long(own_name):
        return None

    return Trigger(
        name=own_name,
        gfp_mask=gfp_mask,
        gfp_flags=gfp_flags,
        order=_find_number(_ORDER, rest),
        oom_score_adj=_find_number(_ADJUSTMENT, rest),
    )


def _remove_rest_of_prefix(name: str) -> str:
    """Return the name of a trigger whose line was copied without the first characters of its prefix."""
    if len(name) <= _NAME_BYTES:
        return name

    return _REST_OF_PREFIX.sub("", name)


def _is_too_long(name: str) -> bool:
    """Return whether the kernel would cut a name, whose bytes can be escaped."""
    if len(name) <= _NAME_BYTES:
        return False

    return len(_ESCAPED_BYTE.sub(".", name)) > _NAME_BYTES


def _parse_mask(mask: t.Match[str] | None) -> tuple[str | None, tuple[str, ...]]:
    """Return the number of the mask, and the names of its flags."""
    if mask is None:
        return None, ()

    number, names = mask.groups()
    if names is None:
        return number, _find_old_flags(int(number, 16))

    if not names:
        return number, ()

    return number, tuple(names.split("|"))


def _find_old_flags(bits: int) -> tuple[str, ...]:
    return tuple([name for bit, name in _OLD_FLAGS.items() if bits & bit])


def is_kill_line(text: str) -> bool:
    """Return whether a line begins as the kernel's kill lines do. It may be truncated."""
    return _KILL_LINE.match(text) is not None


def has_victim(text: str) -> bool:
    """Return whether a line mentions a killed process anywhere."""
    return _VICTIM.search(text) is not None


def parse_kill(text: str) -> Kill | None:
    """Return the victim that a `Killed process PID (NAME)` line names, or None if `text` is not such a line."""
    text = text.rstrip()
    sharing = _SHARING.fullmatch(text)
    if sharing:
        victim = Victim(sharing.group("name"), int(sharing.group("pid")))
        return Kill(victim, scope=None, is_sharing=True)

    with_figures, alone = _KILLED
    match = with_figures.fullmatch(text) or alone.fullmatch(text)
    if match is None:
        return _parse_openvz_kill(text)

    reason = match.group("reason")
    scope = parse_scope(reason)
    is_from_policy = reason is not None and scope is None
    has_figures = len(match.group("figures")) > 1
    if is_from_policy and not has_figures:
        return None

    return Kill(_build_victim(match), scope, is_from_policy=is_from_policy, is_cut=_is_cut(match.group("figures")))


def _is_cut(figures: str) -> bool:
    """Return whether a kill line ends within its figures."""
    _before, blank, last = figures.rpartition(" ")

    return blank != "" and _CUT_FIGURE.fullmatch(last) is not None


def parse_cut_kill(text: str) -> Kill | None:
    """Return the kill of a line that ends within what can be the name, or None.

    The name of the victim is all that follows the parenthesis.
    """
    match = _CUT_NAME.fullmatch(text.rstrip())
    if match is None:
        return None

    reason = match.group("reason")
    scope = parse_scope(reason)
    victim = Victim(match.group("name"), int(match.group("pid")))

    return Kill(victim, scope, is_from_policy=reason is not None and scope is None, is_cut=True)


def _parse_openvz_kill(text: str) -> Kill | None:
    match = _OPENVZ.fullmatch(text)
    if match is None:
        return None

    scope = "global"
    if int(match.group("beancounter") or 0):
        scope = "memcg"

    figures = _parse_figures(match.group("figures"))
    victim = Victim(
        name=match.group("name"),
        pid=int(match.group("pid")),
        total_vm_bytes=_as_bytes(figures.get("vm")),
        swap_bytes=_as_bytes(figures.get("swap")),
    )

    return Kill(victim, scope)


def _build_victim(match: t.Match[str]) -> Victim:
    _reason, pid, early_uid, name, later_uid, text = match.groups()
    figures = _parse_figures(text)
    uid = early_uid or later_uid or figures.get("UID")
    total_vm = figures.get("vsz", figures.get("total-vm"))

    return Victim(
        name=name,
        pid=int(pid),
        uid=_parse_number(uid),
        total_vm_bytes=_as_bytes(total_vm),
        anon_rss_bytes=_as_bytes(figures.get("anon-rss")),
        file_rss_bytes=_as_bytes(figures.get("file-rss")),
        shmem_rss_bytes=_as_bytes(figures.get("shmem-rss")),
        pgtables_bytes=_as_bytes(figures.get("pgtables")),
        oom_score_adj=_parse_number(figures.get("oom_score_adj")),
    )


def _parse_figures(text: str) -> dict[str, str]:
    """Return the numbers in a line by their names, without one that is cut.

    Only the adjustment can be the end of a line. All sizes have a unit.
    """
    if text.endswith(_CUT):
        text = text.rpartition(" ")[0]

    # Names begin after blanks and commas.
    figures = dict(_FIGURE.findall(text.replace(",", " ")))
    last_name, _colon, value = text.rpartition(" ")[2].partition(":")
    if last_name != _LAST and value.isdigit():
        figures.pop(last_name, None)

    return figures


def parse_choice(text: str) -> tuple[Choice, str | None] | None:
    """Return the process and the scope in "Kill process ... or sacrifice child" (up to Linux 5.0).

    Return None if `text` is not such a line, or if the words before are not the kernel's own.
    """
    match = _CHOSEN.fullmatch(text.rstrip())
    if match is None:
        return None

    reason, pid, name, score = match.groups()
    scope = parse_scope(reason)
    if reason is not None and scope is None:
        return None

    return Choice(name, int(pid), score=int(score)), scope


def _find_number(pattern: t.Pattern[str], text: str) -> int | None:
    found = pattern.search(text)
    if found is None:
        return None

    return int(found.group(1))


def _parse_number(digits: str | None) -> int | None:
    if digits is None:
        return None

    return int(digits)


def _as_bytes(kilobytes: str | None) -> int | None:
    if kilobytes is None:
        return None

    return int(kilobytes) * 1024
