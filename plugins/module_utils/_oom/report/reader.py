# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read OOM reports from kernel messages in one pass. Only open reports are kept in memory."""

from __future__ import annotations

import functools
import re
import typing as t

from .draft import LONGEST_ROW, NO_BULK, Draft
from .kill_lines import (
    ALLOCATING,
    INVOKED,
    Kill,
    is_kill_line,
    parse_choice,
    parse_cut_kill,
    parse_kill,
    parse_trigger,
)
from .model import (
    KERNEL_SOURCES,
    QUOTED,
    USERSPACE_SOURCES,
    Choice,
    Line,
    OomReport,
    Origin,
    Unparsed,
)
from .recent import MAX_PARTS, Found, RecentReports, is_same_kill
from .systemd_notices import SYSTEMD, has_notice, parse_notice
from .times import is_near

if t.TYPE_CHECKING:
    from .userspace_killers import UserspaceKillers

_OTHER_PROGRAMS = frozenset((*USERSPACE_SOURCES, SYSTEMD))

# In a log that is collected from many hosts, at most this many reports of other hosts stay open.
_MAX_HOSTS = 256
# The lines of a report are consecutive. A line after so many others, or so much later, belongs to another report.
_FAR_LINES = 500
_FAR_US = 60 * 1000000
# A slow console takes minutes to print a report.
_LONGEST_REPORT_US = 10 * 60 * 1000000
# The kernel prints Mem-Info for other reasons, too. It prints the other parts only for an OOM kill.
_ODD_NAME = re.compile(r"[\"'`,;|<>{}$^=*\\&!?%~]|\A\W*\s|\A(?=.)(?![\w.@]|[(\[]\w)")
_OTHER_MEM_INFO = re.compile(r"allocation failure|allocation stalls|Show Memory")
_OOM_STARTS = ("Task", "[ pi", "[  p", "oom-")
# Since Linux 4.4, the order shows that a kill is manual. Before, this line and a kernel worker as the trigger show it.
_MANUAL_REQUEST = "Manual OOM execution"
_WORKERS = ("kworker/", "events/")
_REAPED = re.compile(r"oom_reaper: reaped process (\d{1,20})\b")


# A log has millions of lines, so the loop is dense for speed: each call that it saves is several percent of the time.
def read_reports(lines: t.Iterable[Line], *, page_size: int | None = None) -> t.Iterator[Found]:
    """Yield the OOM reports in `lines`, oldest first, and the kill lines that cannot be parsed.

    `lines` are kernel messages in order, without prefixes, from one or more hosts and boots. Lines of other programs
    (`Line.source`) are skipped, unless the program is a userspace killer. A kill line without a report becomes a report
    of its own, because the kernel limits the rate of its reports but not of its kills. `page_size` is the page size of
    the hosts, for reports that do not reveal it.
    """
    reader = _Reader(page_size)
    bulk_start, bulk = NO_BULK
    current: Origin | None = None
    for line in lines:
        text = line.text
        origin = line.origin
        if origin is not current:
            source = origin.source
            if source is not None and source not in KERNEL_SOURCES:
                if source in _OTHER_PROGRAMS:
                    yield from reader.take_line_of_program(line)
                continue

            current = origin
            if reader.switch_origin(origin):
                bulk_start = None

        # Most lines of a report are its stack and the rows of its table. A line that begins another report has a "=".
        if text and text[0] == bulk_start and "=" not in text and len(text) < LONGEST_ROW:
            bulk.append(text)
            continue

        has_oom = "oom" in text
        draft = reader.draft
        if draft is not None and not (has_oom and INVOKED in text) and draft.take(text):
            draft.last = line
            if draft.passed:
                draft.enclose()
            reader.idle = 0
            bulk_start, bulk = draft.bulk
            continue

        reader.idle += 1
        if has_oom or "ill" in text or draft is None or draft.victims:
            bulk_start = None
            yield from reader.take_other_line(line)
        else:
            draft.pass_over(text)

    reader.close()
    yield from reader.drain()


class _Parked(t.NamedTuple):
    """The open report of a host while the lines of another host are read."""

    draft: Draft
    idle: int
    boot_id: str | None


class _Reader:
    """Takes the lines that the loop of `read_reports` cannot pass to the open report.

    `idle` is the number of lines since the last line of the open report.
    """

    def __init__(self, page_size: int | None) -> None:
        self.draft: Draft | None = None
        self.idle = 0
        self._host: str | None = None
        self._boot_id: str | None = None
        self._parked: dict[str | None, _Parked] = {}
        self._parked_size = 0
        self._requests: list[Line] = []
        self._recent = RecentReports(page_size, self._requests)
        self._manual_request: Line | None = None
        self._in_other_mem_info = False

    @functools.cached_property
    def _userspace(self) -> UserspaceKillers:
        # Most hosts have no such killer. They do without its parser: imported here, it costs them no time.
        from .userspace_killers import UserspaceKillers

        return UserspaceKillers(self._requests)

    def drain(self) -> list[Found]:
        """Return the reports and unparsed lines found since the last call."""
        return self._recent.drain()

    def switch_origin(self, origin: Origin) -> bool:
        """Continue the report of the line's host, and return whether host or boot changed. A boot ends a report."""
        host = origin.hostname
        boot_id = origin.boot_id
        if host == self._host and boot_id == self._boot_id:
            return False

        if host != self._host:
            self._park_draft()
            self._host = host
            self._unpark_draft(boot_id)
        if boot_id != self._boot_id:
            self._close_draft()
            self._boot_id = boot_id

        return True

    def _park_draft(self) -> None:
        if self.draft is not None:
            self._parked[self._host] = _Parked(self.draft, self.idle, self._boot_id)
            self._parked_size += self.draft.size

    def _unpark_draft(self, boot_id: str | None) -> None:
        """Open the parked report of the current host, if it has one, and close the oldest one if there are too many."""
        self.draft = None
        self.idle = 0
        self._boot_id = boot_id
        parked = self._parked.pop(self._host, None)
        if parked is not None:
            self.draft, self.idle, self._boot_id = parked
            self._parked_size -= parked.draft.size

        while len(self._parked) > _MAX_HOSTS or self._parked_size > MAX_PARTS:
            oldest = next(iter(self._parked))
            draft = self._parked.pop(oldest).draft
            self._parked_size -= draft.size
            self._recent.add(draft)

    def take_line_of_program(self, line: Line) -> list[Found]:
        """Take a line of a userspace killer or of systemd, and return what is found."""
        if line.source != SYSTEMD:
            self._take_userspace_line(line)
        elif has_notice(line.text):
            self._take_notice(line)

        return self.drain()

    def _take_userspace_line(self, line: Line) -> None:
        if self._has_ended_before(line):
            self._close_draft()

        found = self._userspace.take(line)
        if isinstance(found, Unparsed):
            self._recent.add_unparsed(found)
        elif found is not None and not self._has_kernel_kill(found):
            self._recent.add(found)

    def _take_notice(self, line: Line) -> None:
        notice = parse_notice(line)
        if notice is not None:
            self._recent.add(notice)

    def _has_ended_before(self, line: Line) -> bool:
        """Return whether the open report has its kill, and a line of the same host comes much later."""
        draft = self.draft
        if draft is None or not draft.victims or draft.last.hostname != line.hostname:
            return False

        return not is_near(draft.last, line, within_us=_LONGEST_REPORT_US)

    def _has_kernel_kill(self, report: OomReport) -> bool:
        """Return whether the kernel has killed the victim of a userspace killer."""
        for draft in self._iter_drafts():
            for victim in draft.victims.values():
                if is_same_kill(report, victim, draft.last):
                    return True

        return False

    def _iter_drafts(self) -> t.Iterator[Draft]:
        """Yield the open report and the recent ones of the kernel, newest first."""
        if self.draft is not None:
            yield self.draft

        yield from self._recent.iter_drafts()

    def take_other_line(self, line: Line) -> list[Found]:
        """Take a line that is not part of the open report, and return what is found."""
        # Most lines fail the first test, which is faster than a call.
        is_trigger = "oom-killer" in line.text and self._take_trigger(line)
        if not is_trigger:
            self._take_late_line(line)

        return self.drain()

    def _take_trigger(self, line: Line) -> bool:
        """Take a trigger line, which begins a report, and return whether `line` is one."""
        trigger = parse_trigger(line.text)
        if trigger is None:
            return False

        # What is left of an unknown prefix is no name.
        if not _is_kernel_line(line) and _ODD_NAME.search(trigger.name):
            return False

        is_requested = trigger.name.startswith(_WORKERS) and self._has_manual_request(line)
        draft = Draft(line)
        draft.set_trigger(trigger, line.text, is_requested=is_requested)
        self._open(draft)

        return True

    def _has_manual_request(self, line: Line) -> bool:
        return self._manual_request is not None and is_near(self._manual_request, line)

    def _take_late_line(self, line: Line) -> None:
        """Take a line that names a victim, is about a recent report, or is the first that is left of a report."""
        text = line.text
        draft = self.draft

        if is_kill_line(text):
            self._take_kill_line(line)
            return

        if text.startswith("oom_reaper:"):
            self._mark_reaped(text)
            return

        if draft is not None and draft.is_group and text.startswith("Tasks in "):
            self._split_group(draft, line)
            return

        if draft is None or draft.victims or self._is_far(line):
            self._take_stray_line(line)
            return

        draft.pass_over(text)

    def close(self) -> None:
        """End all reports that are still open."""
        for parked in self._parked.values():
            self._recent.add(parked.draft)
        self._parked.clear()
        self._close_draft()
        self._recent.close()

    def _open(self, draft: Draft) -> Draft:
        """End the open report, and open `draft` in its place."""
        self._close_draft()
        self.draft = draft
        self.idle = 0
        self._in_other_mem_info = False

        return draft

    def _take_stray_line(self, line: Line) -> None:
        """Take a line outside a report. It can be the first one of a report whose beginning is lost."""
        text = line.text
        if _OTHER_MEM_INFO.search(text):
            self._in_other_mem_info = True
            return

        if text.endswith(_MANUAL_REQUEST):
            self._manual_request = line
            return

        if not Draft.can_begin(text):
            return

        if self._in_other_mem_info and not text.startswith(_OOM_STARTS):
            return

        draft = Draft(line)
        if draft.take(text):
            self._open(draft)

    def _split_group(self, draft: Draft, line: Line) -> None:
        """Open the report of a second group, whose first kill line came without a report."""
        before = draft.last.monotonic_us or 0
        is_out_of_order = line.monotonic_us is not None and line.monotonic_us < before
        if is_out_of_order or draft.further_victims:
            return

        self.draft = draft.split_group()
        self._recent.add(draft)

    def _is_far(self, line: Line) -> bool:
        """Return whether a line is too far from the open report to be part of it."""
        draft = self.draft
        if draft is None or self.idle > _FAR_LINES:
            return True

        before = draft.last.monotonic_us
        now = line.monotonic_us
        if before is None or now is None:
            return False

        return abs(now - before) > _FAR_US

    def _take_kill_line(self, line: Line) -> None:
        """Take a line about a kill: "Killed process ..." or "Kill process ... or sacrifice child"."""
        kill = _parse_kernel_kill(line) or self._complete_kill(line)
        if kill is not None:
            self._add_kill(kill, line)
            return

        choice = parse_choice(line.text)
        if choice is not None:
            self._add_choice(choice, line)
            return

        if line.source != QUOTED:
            self._recent.add_unparsed(Unparsed(line, "The kill line is truncated or has an unknown format."))

    def _complete_kill(self, line: Line) -> Kill | None:
        """Return the kill of a line that ends within the name if the open report has the whole name."""
        kill = parse_cut_kill(line.text)
        draft = self.draft
        if kill is None or kill.is_from_policy:
            return None

        if draft is None or self._is_far(line):
            return None

        return draft.complete_name(kill)

    def _add_kill(self, kill: Kill, line: Line) -> None:
        draft = self._find_draft(line)
        if not draft.can_take_kill(kill):
            draft = self._open(Draft(line))

        draft.add_kill(kill, line)
        self._extend(draft, line)
        self._recent.drop_userspace_kills(kill.victim, line)

    def _add_choice(self, choice: tuple[Choice, str | None], line: Line) -> None:
        draft = self._find_draft(line)
        if not draft.can_take_choice:
            draft = self._open(Draft(line))

        draft.chosen, draft.kill_scope = choice
        self._extend(draft, line)

    def _find_draft(self, line: Line) -> Draft:
        """Return the open report, or a new one if the kill line is too far from it or only one of both is quoted."""
        draft = self.draft
        if draft is None or self._is_far(line):
            return self._open(Draft(line))

        if not is_near(draft.last, line, within_us=_LONGEST_REPORT_US):
            return self._open(Draft(line))

        is_quoted = line.source == QUOTED
        if is_quoted != (draft.first.source == QUOTED):
            return self._open(Draft(line))

        return draft

    def _extend(self, draft: Draft, line: Line) -> None:
        if line.text.startswith(ALLOCATING):
            draft.is_allocating_task = True
        draft.last = line
        self.idle = 0

    def _mark_reaped(self, text: str) -> None:
        match = _REAPED.match(text)
        if match is None:
            return

        pid = int(match.group(1))
        for draft in self._iter_drafts():
            if pid in draft.victims:
                draft.reaped.add(pid)
                return

    def _close_draft(self) -> None:
        if self.draft is not None:
            self._recent.add(self.draft)
            self.draft = None


def _parse_kernel_kill(line: Line) -> Kill | None:
    """Return the kill of a line, or None if the line is not a kill line of the kernel.

    Anybody can log a line with the words of a BPF policy. Only the program's name or an uptime shows that it is the
    kernel's.
    """
    kill = parse_kill(line.text)
    if kill is None:
        return None

    if kill.is_from_policy and not _is_kernel_line(line):
        return None

    return kill


def _is_kernel_line(line: Line) -> bool:
    if line.source == QUOTED:
        return False

    return line.source == "kernel" or line.monotonic_us is not None
