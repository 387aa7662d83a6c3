# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages to OOM reports, in one pass and in constant memory beside the reports that are still open."""

from __future__ import annotations

import collections
import re
import typing as t

from .draft import NOTHING_PLAIN, Draft
from .kill_lines import (
    ALLOCATING,
    INVOKED,
    parse_choice,
    parse_kill,
    parse_trigger,
    speaks_of_kill,
)
from .model import (
    KERNEL_SOURCES,
    QUOTED,
    Line,
    OomReport,
    Origin,
    Unparsed,
    Victim,
)
from .userspace_killers import (
    USERSPACE_SOURCES,
    UserspaceKillers,
    are_near,
)

# The OOM reaper and other late lines come some seconds and some reports after theirs.
_KEPT_OPEN = 16
# Hosts whose reports can be open at once, in a log that is collected from many.
_MOST_HOSTS = 256
# A report's lines follow one another: what comes after so many other lines, or so much later, is another's.
_FAR_LINES = 500
_FAR_US = 60 * 1000000
# Mem-Info is printed at other times too; the rest of a report is not.
_OTHER_MEM_INFO = re.compile(r"allocation failure|allocation stalls|Show Memory")
# Since 4.4 the order tells who asked for a kill; before, that this was said, and that a worker of the kernel's does it.
_ASKED = "Manual OOM execution"
_WORKERS = ("kworker/", "events/")
_OF_OOM_ALONE = ("Task", "[ pi", "[  p", "oom-")
_REAPED = re.compile(r"oom_reaper: reaped process (\d{1,20})\b")

Found = t.Union[OomReport, Unparsed]


def read_reports(lines: t.Iterable[Line], *, page_size: int | None = None) -> t.Iterator[Found]:
    """Yield the OOM reports in `lines`, oldest first, and the kill lines that could not be read.

    `lines` are kernel messages in their order, without prefixes, from one or more hosts and boots; of other programs
    (`Line.source`) those that kill for want of memory are heard, and the others passed over. A kill line
    without a report is a report of its own: the kernel limits the rate of its reports, not of its kills. `page_size`
    is that of the hosts, for the reports that do not tell it themselves.
    """
    reader = _Reader(page_size)
    plain, into = NOTHING_PLAIN
    here: Origin | None = None
    for line in lines:
        text, origin = line.text, line.origin
        if origin is not here:
            if origin.source is not None and origin.source not in KERNEL_SOURCES:
                yield from reader.hear(line)
                continue
            here = origin
            plain = None if reader.turn_to(origin.hostname, origin.boot_id) else plain
        # Most of a report is its stack and the rows of its table. A line that begins another report has a "=".
        if text and text[0] == plain and "=" not in text:
            into.append(text)
            continue
        says_oom = "oom" in text
        draft = reader.draft
        if draft is not None and not (says_oom and INVOKED in text) and draft.take(text):
            draft.last = line
            reader.idle = 0
            plain, into = draft.plain
            continue
        reader.idle += 1
        if says_oom or "ill" in text or draft is None or draft.victims:
            plain = None
            yield from reader.end_or_open(line)
    reader.close()
    yield from reader.drain()


class _Reader:
    """Keeps the report that is being read, for each host, and the latest ones, which may still get a line."""

    def __init__(self, page_size: int | None) -> None:
        self.found: list[Found] = []
        self.draft: Draft | None = None
        self.idle = 0
        self.host: str | None = None
        self.boot_id: str | None = None
        self._is_other = False
        self._asked: Line | None = None
        self._userspace = UserspaceKillers()
        self._page_size = page_size
        self._page_sizes: dict[str | None, int] = {}
        self._recent: collections.deque[Draft | OomReport] = collections.deque()
        self._elsewhere: dict[str | None, tuple[Draft, int, str | None]] = {}

    def drain(self) -> list[Found]:
        """Return what was found since the last time."""
        found, self.found = self.found, []
        return found

    def turn_to(self, host: str | None, boot_id: str | None) -> bool:
        """Go on with the report of another host, and answer whether it is another; a boot ends the report before it."""
        is_other = host != self.host or boot_id != self.boot_id
        if host != self.host:
            if self.draft is not None:
                self._elsewhere[self.host] = (self.draft, self.idle, self.boot_id)
            self.draft, self.idle, self.boot_id = self._elsewhere.pop(host, (None, 0, boot_id))
            self.host = host
            if len(self._elsewhere) > _MOST_HOSTS:
                self._keep(self._elsewhere.pop(next(iter(self._elsewhere)))[0])
        if boot_id != self.boot_id:
            self._close_draft()
            self.boot_id = boot_id
        return is_other

    def hear(self, line: Line) -> list[Found]:
        """Take a line of another program, and return what has ended by it."""
        report = self._userspace.read(line) if line.source in USERSPACE_SOURCES else None
        if report:
            self._add(report)
        return self.drain()

    def _add(self, report: OomReport) -> None:
        """Add what another killer did, unless the kernel has killed the same process."""
        own = [item for item in (*self._recent, self.draft) if isinstance(item, Draft)]
        if not any(is_same(report, victim, draft.last) for draft in own for victim in draft.victims.values()):
            self._keep(report)

    def end_or_open(self, line: Line) -> list[Found]:
        """End the open report, or open another, with a line that the open one does not know; return what has ended."""
        text = line.text
        trigger = parse_trigger(text) if "oom-killer" in text else None
        if trigger is not None:
            asked = self._asked is not None and trigger.name.startswith(_WORKERS) and are_near(self._asked, line)
            self._open(line).invoked(trigger, text, asked=asked)
        elif speaks_of_kill(text):
            self._kill(line)
        elif text.startswith("oom_reaper:"):
            self._reaped(text)
        elif self.draft is not None and self.draft.group and text.startswith("Tasks in "):
            self._split_group(self.draft, line)
        elif self.draft is None or self.draft.victims or self._is_far(line):
            self._begin(line)
        return self.drain()

    def close(self) -> None:
        """End all reports that are still open."""
        for draft, _idle, _boot_id in self._elsewhere.values():
            self._keep(draft)
        self._elsewhere.clear()
        self._close_draft()
        while self._recent:
            self._finish(self._recent.popleft())

    def _open(self, line: Line, draft: Draft | None = None) -> Draft:
        self._close_draft()
        self.draft, self.idle = draft or Draft(line), 0
        self._is_other = False
        return self.draft

    def _begin(self, line: Line) -> None:
        """Open a report whose beginning is lost, if `line` can be a part of one."""
        if _OTHER_MEM_INFO.search(line.text):
            self._is_other = True
        elif line.text.endswith(_ASKED):
            self._asked = line
        elif Draft.begins(line.text) and not (self._is_other and line.text[:4] not in _OF_OOM_ALONE):
            draft = Draft(line)
            if draft.take(line.text):
                self._open(line, draft)

    def _split_group(self, draft: Draft, line: Line) -> None:
        """Open the report of a second group, whose first kill line came without a report, after the first group's."""
        if line.monotonic_us is None or line.monotonic_us >= (draft.last.monotonic_us or 0):
            self.draft = draft.split()
            self._keep(draft)

    def _is_far(self, line: Line) -> bool:
        draft = self.draft
        if draft is None or self.idle > _FAR_LINES:
            return True
        before, now = draft.last.monotonic_us, line.monotonic_us
        return before is not None and now is not None and abs(now - before) > _FAR_US

    def _kill(self, line: Line) -> None:
        kill = parse_kill(line.text)
        # Without a program's name and an uptime, anybody may have written what begins with other words.
        if kill and kill.by_policy and line.source != "kernel" and line.monotonic_us is None:
            kill = None
        choice = parse_choice(line.text) if kill is None else None
        if kill is None and choice is None:
            if line.source != QUOTED:
                self.found.append(Unparsed(line, "the kill line is cut, or of an unknown form"))
            return
        draft = self.draft
        if draft is not None and (draft.first.source == QUOTED) != (line.source == QUOTED):
            draft = None
        if draft is None or self._is_far(line) or (not draft.awaits(kill) if kill else not draft.awaits_choice):
            draft = self._open(line)
        if kill:
            draft.kill(kill, line)
            for item in [item for item in self._recent if isinstance(item, OomReport)]:
                if is_same(item, kill.victim, line):
                    self._recent.remove(item)
        elif choice:
            draft.chosen, draft.kill_scope = choice
        draft.allocating_task = draft.allocating_task or line.text.startswith(ALLOCATING)
        draft.last = line
        self.idle = 0

    def _reaped(self, text: str) -> None:
        match = _REAPED.match(text)
        if match is None:
            return
        pid = int(match.group(1))
        for draft in (self.draft, *reversed(self._recent)):
            if isinstance(draft, Draft) and pid in draft.victims:
                draft.reaped.add(pid)
                return

    def _close_draft(self) -> None:
        if self.draft is not None:
            self._keep(self.draft)
            self.draft = None

    def _keep(self, item: Draft | OomReport) -> None:
        """Keep a report that has ended for the lines that may still come, and let the oldest one go."""
        self._recent.append(item)
        if len(self._recent) > _KEPT_OPEN:
            self._finish(self._recent.popleft())

    def _finish(self, item: Draft | OomReport) -> None:
        if isinstance(item, OomReport):
            self.found.append(item)
            return
        host = item.first.hostname
        report = item.finish(self._page_sizes.get(host, self._page_size))
        if report is not None:
            self.found.append(report)
            if report.page_size:
                self._page_sizes[host] = report.page_size


def is_same(report: OomReport, victim: Victim, line: Line) -> bool:
    """Answer whether another killer's report is of the same process as the kernel's kill at `line`."""
    return (
        report.first.hostname == line.hostname
        and any(own.pid == victim.pid and own.name == victim.name for own in report.victims)
        and are_near(report.first, line)
    )
