# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find kernel messages inside lines of other programs: the log of a virtual machine's host, and events of Kubernetes.

vmware.log has the kernel messages of the guest. Events of Kubernetes quote them, as rows of a table, as YAML, and in
the logs of its components; one row can have both messages of a kill. Android's logcat has those of its kernel.
"""

from __future__ import annotations

import re
import typing as t

from .prefixes import Prefix, find_realtime, split_prefix

_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_GUEST = re.compile(
    rf"(?P<before>\s{{0,20}}(?P<time>(?:{_STAMP})?).{{0,80}}?) Guest: <\d{{1,3}}>(?P<message>\[.*)",
    re.DOTALL,
)
_KILL = r"(?P<message>(?:Memory cgroup out of memory: |Out of memory: |)Kill(?:ed)? process \d.*)"
# The columns between differ: the object, the age, the component. The problem detector and the API server log
# an event as `Reason:OOMKilling Message:` and as `reason: 'OOMKilling'`.
_KILLING = re.compile(
    r"(?P<before>.{0,400}?)(?:\b[Rr]eason: ?'?)?\bOOMKilling\b[\w\s.,/()'-]{1,300}?(?:Message:)?" + _KILL,
    re.DOTALL,
)
# The head of the line that a component of Kubernetes itself logs, and what it writes before an event.
_COMPONENT = re.compile(
    r"[IWE]\d{4} \d\d:\d\d:\d\d\.\d{6} +\d{1,10} (?:log_monitor|event)\.go:\d{1,6}\] "
    r"(?:New status generated: |Event\(v1\.ObjectReference\{[^{}]{0,300}\}\): type: 'Warning' )"
)
_YAML = re.compile(
    r"(?P<before>[\s-]{0,40})(?:message|MESSAGE|textPayload): (?P<quote>['\"]?)" + _KILL,
    re.DOTALL,
)
# Ansible prints the lines of a command's output as such a list. The last quote can be missing here, since it is the
# same at the end of all lines.
_YAML_ITEM = re.compile(r"(?P<before>\s{0,40}- )'(?P<message>.*?)'?\s*\Z", re.DOTALL)
_LOGCAT = re.compile(
    r"(?P<before>\s*\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) +(?:root +)?0 +0 [VDIWEF] +(?:kernel *)?: (?P<message>.*)",
    re.DOTALL,
)
_RARE_FORMS = (_YAML, _YAML_ITEM, _LOGCAT)
# Each of these forms begins with this.
_RARE_START = re.compile(r"[\s-]*(?:message|MESSAGE|textPayload|'|\d\d-)")
_SECOND = re.compile(r"(?<= child)\s+(?=Killed process \d)")
_TIME = re.compile(_STAMP)
_TAG = re.compile(r"(?<![\w./@()\]-])(?![A-Z]\d{1,4}:)[\w./@()-]*[^\W\d][\w./@()-]*(?:\[\d+\])?:\s")


def has_embedded(text: str) -> bool:
    """Return whether a text can have kernel messages inside lines of other programs."""
    if "Guest: <" in text or "OOMKilling" in text:
        return True

    # Most texts fail this test.
    if _RARE_START.match(text) is None:
        return False

    matches = [form.match(text) for form in _RARE_FORMS]

    return any(matches)


def split_embedded(raw: str) -> t.Iterator[str | Prefix]:
    """Yield the kernel messages in a line of another program, or the line if it has none."""
    for pattern, unpack in _FORMS:
        match = pattern.match(raw)
        if match is not None and has_no_program(_COMPONENT.sub("", match.group("before"))):
            yield from unpack(match)
            return

    yield raw


def _unpack_guest(match: t.Match[str]) -> t.Iterator[str | Prefix]:
    time, message = match.group("time", "message")
    yield f"{time} {message}".lstrip()


def _unpack_event(match: t.Match[str]) -> t.Iterator[str | Prefix]:
    realtime_us = _find_time(match.group("before"))
    for text in _SECOND.split(match.group("message")):
        yield Prefix(text.strip(), realtime_us=realtime_us)


def _unpack_yaml(match: t.Match[str]) -> t.Iterator[str | Prefix]:
    """Yield a message as a line without a prefix, since YAML can break it into several lines."""
    for text in _SECOND.split(match.group("message")):
        yield text.rstrip().rstrip(match.group("quote"))


def _unpack_yaml_item(match: t.Match[str]) -> t.Iterator[str | Prefix]:
    yield match.group("message").replace("''", "'")


def _unpack_logcat(match: t.Match[str]) -> t.Iterator[str | Prefix]:
    yield Prefix(match.group("message"), source="kernel")


_FORMS = (
    (_GUEST, _unpack_guest),
    (_KILLING, _unpack_event),
    (_YAML, _unpack_yaml),
    (_YAML_ITEM, _unpack_yaml_item),
    (_LOGCAT, _unpack_logcat),
)


def has_no_program(text: str) -> bool:
    """Return whether the beginning of a line names no program, such as one that any user can run.

    A tag without a time before it is no prefix of a log, but still names a program. Older versions of vmware.log have
    the letter and the number of a message there.
    """
    prefix = split_prefix(f"{text} ")
    has_source = prefix is not None and prefix.source is not None

    return not has_source and _TAG.search(f"{text} ") is None


def _find_time(text: str) -> int | None:
    stamp = _TIME.search(text)
    if stamp is None:
        return None

    return find_realtime(f"{stamp.group()} ")
