# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hold the reports that have ended until no more lines for them can come."""

from __future__ import annotations

import functools
import itertools
import typing as t

from .assembly import build_report
from .draft import Draft
from .model import Line, OomReport, Unparsed, Victim
from .systemd_notices import SYSTEMD_OOMD, is_explained
from .times import is_near

# The lines of the OOM reaper and other late lines come some seconds and some reports after their report.
_MAX_RECENT = 16
# earlyoom up to 1.0, with `-k`, and later than 1.9, with `--kernel-oom`; psi-monitor of Endless OS.
_KERNEL_REQUESTS = (
    "Invoking oom killer: ",
    "trigger_kernel_oom: successfully triggered kernel OOM killer",
    "Above threshold limit, killing task",
)
# Rows and other parts of all these reports together.
MAX_PARTS = 1 << 15

Found = t.Union[OomReport, Unparsed]


class RecentReports:
    """Holds the latest reports, and finishes older ones, in the order in which they ended.

    An item is a draft of the kernel or the finished report of a userspace killer. `page_size` is the page size of the
    hosts, for the reports before the first one of a host that reveals it. `requests` are the lines in which a userspace
    killer says that it asked the kernel for a kill.
    """

    def __init__(self, page_size: int | None, requests: t.Collection[Line] = ()) -> None:
        self._items: list[Draft | OomReport] = []
        self._userspace_kills: list[OomReport] = []
        self._kills: list[OomReport] = []
        self._found: list[Found] = []
        self._requests = requests
        self._size = 0
        self._page_size = page_size
        self._page_sizes: dict[str | None, int] = {}

    def add(self, item: Draft | OomReport) -> None:
        """Add a report that has ended, and finish the oldest one if there are too many."""
        self._items.append(item)
        if isinstance(item, OomReport):
            self._userspace_kills.append(item)
        else:
            self._size += item.size
        while len(self._items) > _MAX_RECENT or self._size > MAX_PARTS:
            self._finish(self._items.pop(0))

    def add_unparsed(self, unparsed: Unparsed) -> None:
        """Add a kill line that cannot be parsed."""
        self._found.append(unparsed)

    def close(self) -> None:
        """Finish all reports."""
        while self._items:
            self._finish(self._items.pop(0))

    def drain(self) -> list[Found]:
        """Return the reports and unparsed lines found since the last call."""
        found = self._found
        self._found = []

        return found

    def iter_drafts(self) -> t.Iterator[Draft]:
        """Yield the reports of the kernel, newest first."""
        for item in reversed(self._items):
            if isinstance(item, Draft):
                yield item

    def drop_userspace_kills(self, victim: Victim, line: Line) -> None:
        """Drop the reports of userspace killers about a victim that the kernel kills, too."""
        for report in list(self._userspace_kills):
            if is_same_kill(report, victim, line):
                self._items.remove(report)
                self._userspace_kills.remove(report)

    def _finish(self, item: Draft | OomReport) -> None:
        if isinstance(item, OomReport):
            self._userspace_kills.remove(item)
            self._finish_report(item)
            return

        self._size -= item.size
        host = item.first.hostname
        report = build_report(item, self._page_sizes.get(host, self._page_size))
        if report is None:
            return

        self._remember(report)
        self._found.append(add_requester(report, self._requests))
        if report.page_size:
            self._page_sizes[host] = report.page_size

    def _remember(self, kill: OomReport) -> None:
        """Remember the latest kills, which later notices can be about."""
        self._kills.append(kill)
        del self._kills[:-_MAX_RECENT]

    def _finish_report(self, report: OomReport) -> None:
        """Finish the report of a userspace killer or a notice of systemd, unless a report explains the notice."""
        # Most notices follow their report, so the later ones are looked at last.
        kills = itertools.chain(self._kills, self._iter_later_kills(report.unit))
        if any(map(functools.partial(is_explained, report), kills)):
            return

        named = self._add_unit(report)
        self._remember(named)
        self._found.append(named)

    def _iter_later_kills(self, unit: str | None) -> t.Iterator[OomReport]:
        """Yield the items that are left, without the later notices about the same unit, of which the first counts."""
        for kill in map(_outline, self._items):
            if kill.unit != unit:
                yield kill

    def _add_unit(self, report: OomReport) -> OomReport:
        """Return the report with the unit that a later notice names, if the report names no cgroup."""
        if (report.killer, report.cgroup) != (SYSTEMD_OOMD, None):
            return report

        for item in map(_outline, self._items):
            if is_explained(item, report):
                return report._replace(unit=item.unit)

        return report


def is_kernel_request(line: Line) -> bool:
    """Return whether earlyoom or psi-monitor says in a line that it asked the kernel for a kill."""
    return line.text.startswith(_KERNEL_REQUESTS)


def add_requester(report: OomReport, requests: t.Iterable[Line]) -> OomReport:
    """Return the report of a manual kill with the userspace killer that asked for it, if one did."""
    if not report.manual:
        return report

    line = report.first
    for request in requests:
        is_same_host = request.hostname == line.hostname
        if is_same_host and is_near(request, line):
            requester = request.source
            note = f"{requester} asked the kernel for this kill through SysRq-f."
            return report._replace(requester=requester, notes=(*report.notes, note))

    return report


def _outline(item: Draft | OomReport) -> OomReport:
    """Return a report, or of a draft its lines and its cgroup."""
    if isinstance(item, OomReport):
        return item

    constraint = item.constraints.build_constraint(())

    return OomReport(first=item.first, last=item.last, cgroup=constraint.cgroup)


def is_same_kill(report: OomReport, victim: Victim, line: Line) -> bool:
    """Return whether the report of a userspace killer is about the same process as the kernel's kill at `line`."""
    if report.first.hostname != line.hostname:
        return False

    processes = [(own.pid, own.name) for own in report.victims]
    if (victim.pid, victim.name) not in processes:
        return False

    return is_near(report.first, line)
