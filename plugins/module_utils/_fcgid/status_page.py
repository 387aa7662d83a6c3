# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_status's page, in which mod_fcgid lists its workers. Pure.

Only the page in HTML has them, not the one for machines (`?auto`); fcgid_status_hook in mod_fcgid.c, 2.3.9.
"""

from __future__ import annotations

import html.parser
import re
import typing as t

from .worker import Row

_HEADINGS = ["Pid", "Active", "Idle", "Accesses", "State"]
_PROCESS = re.compile(r"Process: .*?\s+\((.*)\)", re.DOTALL)


def parse_page(text: str) -> dict[int, Row]:
    """Return the page's rows by pid. Whatever else stands in the page, such as requests, is passed over."""
    page = _Page()
    page.feed(text)
    page.close()
    return page.rows


class _Page(html.parser.HTMLParser):
    """Collect the cells of each row, and the text between tables, which names the command of the next one."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.rows: dict[int, Row] = {}
        self._command = self._between = ""
        self._ours = False
        self._cells: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: t.Sequence[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "table":
            named = _PROCESS.search(self._between)
            self._command = named.group(1) if named else ""
            self._ours = False
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th") and self._cells is not None:
            self._cells.append("")
        elif tag == "hr":
            self._between = ""

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1] += data
        else:
            self._between += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._cells is not None:
            self._take(self._cells)
            self._cells = None
        elif tag == "table":
            self._between = ""

    def _take(self, cells: list[str]) -> None:
        if cells == _HEADINGS:
            self._ours = True
        elif self._ours and len(cells) == len(_HEADINGS) and all(cell.isdecimal() for cell in cells[:4]):
            pid, _active, idle, accesses = map(int, cells[:4])
            self.rows[pid] = Row(self._command, idle, accesses, cells[4])
