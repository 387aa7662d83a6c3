# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_status's page, in which mod_fcgid lists its workers. Pure.

Only the HTML page lists them, not the machine-readable one (`?auto`): fcgid_status_hook in mod_fcgid.c, 2.3.9.
"""

from __future__ import annotations

import html.parser
import re
import typing as t

from .worker import Row

_HEADINGS = ["Pid", "Active", "Idle", "Accesses", "State"]
_PROCESS = re.compile(r"Process: .*?\s+\((.*)\)", re.DOTALL)


def parse_page(text: str) -> dict[int, Row]:
    """Return the rows of the page that describe workers, by pid. The rest of it, such as requests, is skipped."""
    page = _Page()
    page.feed(text)
    page.close()
    return page.rows


class _Page(html.parser.HTMLParser):
    """Collect the cells of each row, and the text before each table, which names the command of its workers."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: dict[int, Row] = {}
        self._command = ""
        self._text_before = ""
        self._is_ours = False
        self._cells: list[str] | None = None
        self._starts = {
            "table": self._start_table,
            "tr": self._start_row,
            "td": self._start_cell,
            "th": self._start_cell,
            "hr": self._forget_text,
        }
        self._ends = {"tr": self._end_row, "table": self._forget_text}

    def handle_starttag(self, tag: str, attrs: t.Sequence[tuple[str, str | None]]) -> None:
        del attrs
        if tag in self._starts:
            self._starts[tag]()

    def handle_endtag(self, tag: str) -> None:
        if tag in self._ends:
            self._ends[tag]()

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] += data
        else:
            self._text_before += data

    def _start_table(self) -> None:
        self._is_ours = False
        self._command = ""
        match = _PROCESS.search(self._text_before)
        if match:
            self._command = match.group(1)

    def _forget_text(self) -> None:
        self._text_before = ""

    def _start_row(self) -> None:
        self._cells = []

    def _start_cell(self) -> None:
        if self._cells is not None:
            self._cells.append("")

    def _end_row(self) -> None:
        if self._cells is not None:
            self._read_row(self._cells)
        self._cells = None

    def _read_row(self, cells: list[str]) -> None:
        if cells == _HEADINGS:
            self._is_ours = True
            return
        if not self._is_ours or len(cells) != len(_HEADINGS):
            return

        *numbers, state = cells
        if all(map(str.isdecimal, numbers)):
            pid, _active, idle, accesses = map(int, numbers)
            self.rows[pid] = Row(self._command, idle, accesses, state)
