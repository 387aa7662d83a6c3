# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task table, by its own heading: columns came and went from kernel to kernel, and were carried back to old ones.

Formats: dump_tasks() in mm/oom_kill.c of Linux 2.6.27 to 6.18.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Task

HEADING = re.compile(r"\[ +pid +\] +(?P<columns>[a-z_ ]*\btotal_vm +rss [a-z_ ]*\bname) *$")

# Field of a task, and what the column counts: "pages" or plain numbers.
_FIELDS = {
    "uid": ("uid", None),
    "tgid": ("tgid", None),
    "total_vm": ("total_vm_bytes", "pages"),
    "rss": ("rss_bytes", "pages"),
    "rss_anon": ("rss_anon_bytes", "pages"),
    "rss_file": ("rss_file_bytes", "pages"),
    "rss_shmem": ("rss_shmem_bytes", "pages"),
    "pgtables_bytes": ("pgtables_bytes", None),
    "swapents": ("swap_bytes", "pages"),
    "oom_score_adj": ("oom_score_adj", None),
}
# Page tables by level, each one page (4.14 and before).
_TABLE_PAGES = ("nr_ptes", "nr_pmds", "nr_puds")


def parse_heading(text: str) -> tuple[str, ...] | None:
    """Return the columns of a table's heading, from `pid` to `name`; None where the line is no heading."""
    match = HEADING.match(text)
    return ("pid", *match.group("columns").split()) if match else None


def split_row(text: str, columns: t.Sequence[str]) -> list[str] | None:
    """Return the fields of `[  pid  ] ...` by column, None where the line is no row of such a table."""
    pid, found, rest = text[1:].partition("]")
    fields = rest.split(None, len(columns) - 2)
    if len(fields) == len(columns) - 2:
        fields.append("")
    fields.insert(0, pid)
    if not found or len(fields) != len(columns):
        return None
    try:
        list(map(int, fields[:-1]))
    except ValueError:
        return None
    return fields


def to_tasks(rows: t.Sequence[t.Sequence[str]], columns: t.Sequence[str], page_size: int | None) -> tuple[Task, ...]:
    """Return rows (as `split_row` leaves them) as tasks; without a page size, what is counted in pages is None."""
    if not rows:
        return ()
    by_column: dict[str, t.Sequence[t.Any]] = dict(zip(columns, zip(*rows)))
    nothing: t.Sequence[None] = (None,) * len(rows)
    values: dict[str, t.Sequence[t.Any]] = {"pid": list(map(int, by_column["pid"])), "name": by_column["name"]}
    for column, (field, unit) in _FIELDS.items():
        if column not in by_column or (unit == "pages" and page_size is None):
            continue
        numbers = map(int, by_column[column])
        values[field] = [number * page_size for number in numbers] if unit == "pages" and page_size else list(numbers)
    levels = [by_column[level] for level in _TABLE_PAGES if level in by_column]
    if levels and page_size:
        values["pgtables_bytes"] = [sum(map(int, row)) * page_size for row in zip(*levels)]
    return tuple(map(Task, *(values.get(field, nothing) for field in Task._fields)))
