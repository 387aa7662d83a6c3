# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find kernel messages inside lines of other programs: the log of a virtual machine's host, and events of Kubernetes.

vmware.log has the kernel messages of the guest. `kubectl get events` prints a kill's two messages in one row.
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
_KILLING = re.compile(
    r"(?P<before>.{0,300}?)\bOOMKilling\s+(?:[\w.-]+\s+)?"
    r"(?P<message>(?:Memory cgroup out of memory: |Out of memory: |)Kill(?:ed)? process \d.*)",
    re.DOTALL,
)
_SECOND = re.compile(r"(?<= child)\s+(?=Killed process \d)")
_TIME = re.compile(_STAMP)
_TAG = re.compile(r"(?<![\w./@()\]-])(?![A-Z]\d{1,4}:)[\w./@()-]*[^\W\d][\w./@()-]*(?:\[\d+\])?:\s")


def has_embedded(text: str) -> bool:
    """Return whether a text can have kernel messages inside lines of other programs."""
    return "Guest: <" in text or "OOMKilling" in text


def split_embedded(raw: str) -> t.Iterator[str | Prefix]:
    """Yield the kernel messages in a line of another program, or the line if it has none."""
    guest = _GUEST.match(raw)
    if guest is not None and has_no_program(guest.group("before")):
        time, message = guest.group("time", "message")
        yield f"{time} {message}".lstrip()
        return

    killing = _KILLING.match(raw)
    if killing is None or not has_no_program(killing.group("before")):
        yield raw
        return

    realtime_us = _find_time(killing.group("before"))
    for text in _SECOND.split(killing.group("message")):
        yield Prefix(text.strip(), realtime_us=realtime_us)


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
