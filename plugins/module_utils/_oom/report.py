# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel messages to OOM reports, in one pass and in constant memory beside the reports that are still open."""

from __future__ import annotations

import collections
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.draft import Draft
from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport, Unparsed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.kill_lines import (
    INVOKED,
    parse_choice,
    parse_kill,
    parse_trigger,
)

# The OOM reaper and the members of a group come some seconds and some reports later.
_KEPT_OPEN = 16

_KILL = re.compile(r"(?:[A-Z][A-Za-z ()_]*: )?Kill(?:ed)? process \d")
_REAPED = re.compile(r"oom_reaper: reaped process (\d+) ")

Found = t.Union[OomReport, Unparsed]


def read_reports(lines: t.Iterable[Line]) -> t.Iterator[Found]:
    """Yield the OOM reports in `lines`, oldest first, and the kill lines that could not be read.

    `lines` are kernel messages in their order, without prefixes, from one or more hosts and boots. A kill line
    without a report is a report of its own: the kernel limits the rate of its reports, not of its kills.
    """
    reader = _Reader()
    for line in lines:
        reader.take(line)
        if reader.found:
            yield from reader.drain()
    reader.close()
    yield from reader.drain()


class _Reader:
    """Keeps the report that is being read, and the latest ones, which may still get a line."""

    def __init__(self) -> None:
        self.found: list[Found] = []
        self._draft: Draft | None = None
        self._recent: collections.deque[Draft] = collections.deque()

    def drain(self) -> list[Found]:
        found, self.found = self.found, []
        return found

    def take(self, line: Line) -> None:
        text = line[0]
        draft = self._draft
        if draft is not None:
            if draft.columns and text[:1] == "[" and INVOKED not in text:
                draft.rows.append(text)
                return
            if draft.take(text):
                draft.last = line
                return
        if INVOKED in text:
            trigger = parse_trigger(text)
            if trigger is not None:
                self._open(line).invoked(trigger, text)
                return
        if "Kill" in text and _KILL.match(text):
            self._kill(line)
        elif text[:4] == "oom_":
            self._reaped(text)
        elif draft is None and Draft.begins(text):
            self._open(line).take(text)

    def _open(self, line: Line) -> Draft:
        self.close_draft()
        self._draft = Draft(line)
        return self._draft

    def _kill(self, line: Line) -> None:
        kill = parse_kill(line.text)
        choice = None if kill else parse_choice(line.text)
        if kill is None and choice is None:
            self.found.append(Unparsed(line, "the end of the kill line is missing or unknown"))
            return
        draft = self._draft
        if draft is None or (not draft.awaits(kill.victim) if kill else draft.killed or draft.chosen):
            draft = self._open(line)
        if kill:
            draft.kill(kill)
        elif choice:
            draft.chosen, draft.kill_scope = choice
        draft.last = line

    def _reaped(self, text: str) -> None:
        match = _REAPED.match(text)
        if match is None:
            return
        pid = int(match.group(1))
        drafts = [*self._recent, *([self._draft] if self._draft else [])]
        for draft in reversed(drafts):
            if pid in draft.victims:
                draft.reaped.add(pid)
                return

    def close_draft(self) -> None:
        if self._draft is not None:
            self._recent.append(self._draft)
            self._draft = None
            if len(self._recent) > _KEPT_OPEN:
                self._finish(self._recent.popleft())

    def close(self) -> None:
        self.close_draft()
        while self._recent:
            self._finish(self._recent.popleft())

    def _finish(self, draft: Draft) -> None:
        report = draft.finish()
        if report is not None:
            self.found.append(report)
