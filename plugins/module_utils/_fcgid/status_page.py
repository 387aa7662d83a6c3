# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""mod_status's page, in which mod_fcgid lists its workers. Pure.

Only the HTML page lists them, not the machine-readable one (`?auto`): fcgid_status_hook in mod_fcgid.c, 2.3.9. Where a
website may configure its own directories, it can put any text in place of the page. So the page is read in one pass,
whatever it contains, and `workers.py` compares each row with the process.
"""

from __future__ import annotations

import html
import re
import typing as t

from .worker import Row

_PROCESS = "Process: "
_HEADINGS = "<th>Pid</th><th>Active</th><th>Idle</th><th>Accesses</th><th>State</th>"
_COMMAND_START = "&nbsp;&nbsp;("
_NUMBER = "<td>([0-9]{1,15})</td>"
_ROW = re.compile(f"<tr>{_NUMBER * 4}<td>([^<]{{1,64}})</td></tr>")
# The longest path of Linux. html.unescape() is slow for longer texts.
_LONGEST_COMMAND = 4096


def parse_page(text: str) -> dict[int, Row]:
    """Return the rows of the page that describe workers, by pid. The rest of it, such as requests, is skipped."""
    rows: dict[int, Row] = {}
    for section in _split_sections(text):
        head, headings, table = section.partition(_HEADINGS)
        if not headings:
            continue

        command = _find_command(head)
        for pid, _active, idle, accesses, state in _ROW.findall(table):
            rows[int(pid)] = Row(command, int(idle), int(accesses), state)

    return rows


def _split_sections(text: str) -> t.Iterator[str]:
    """Yield the part of the page for each command."""
    start = text.find(_PROCESS)
    while start >= 0:
        next_start = text.find(_PROCESS, start + 1)
        end = next_start
        if next_start < 0:
            end = len(text)

        yield text[start:end]
        start = next_start


def _find_command(head: str) -> str:
    """Return the command in the text before a table, "" if there is none."""
    _name, bracket, rest = head.partition(_COMMAND_START)
    end = rest.rfind(")")
    if not bracket or not 0 <= end <= _LONGEST_COMMAND:
        return ""

    return html.unescape(rest[:end])
