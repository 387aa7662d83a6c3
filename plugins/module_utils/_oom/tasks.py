# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task table, by its own heading: columns came and went from kernel to kernel, and were carried back to old ones.

Formats: dump_tasks() in mm/oom_kill.c of Linux 2.6.27 to 6.18.
"""

from __future__ import annotations

import itertools
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Task

HEADING = re.compile(r"\[ +pid +\] +(?P<columns>[a-z_ ]*\btotal_vm +rss [a-z_ ]*\bname) *$")

_ROW = re.compile(r"\[ *\d+\] +\d+ +\d+ +\d+ +\d+ ")
_FIRST = ("pid", "uid", "tgid", "total_vm", "rss")

# Field of a task, and whether the column counts pages.
_FIELDS = {
    "uid": ("uid", False),
    "tgid": ("tgid", False),
    "total_vm": ("total_vm_bytes", True),
    "rss": ("rss_bytes", True),
    "rss_anon": ("rss_anon_bytes", True),
    "rss_file": ("rss_file_bytes", True),
    "rss_shmem": ("rss_shmem_bytes", True),
    "pgtables_bytes": ("pgtables_bytes", False),
    "swapents": ("swap_bytes", True),
    "oom_score_adj": ("oom_score_adj", False),
}
# Page tables by level, each one page (4.14 and before).
_TABLE_PAGES = ("nr_ptes", "nr_pmds", "nr_puds")


def parse_heading(text: str) -> tuple[str, ...] | None:
    """Return the columns of a table's heading, from `pid` to `name`; None where the line is no heading."""
    match = HEADING.match(text)
    return ("pid", *match.group("columns").split()) if match else None


def guess_columns(row: str) -> tuple[str, ...] | None:
    """Return the columns of a row whose heading is lost: the first five and the last two are the same in all kernels."""
    match = _ROW.match(row)
    if match is None:
        return None
    numbers = list(itertools.takewhile(_is_number, row[match.end() :].split()))
    return (*_FIRST, *("unknown" for _ in numbers[1:]), "oom_score_adj", "name") if numbers else None


def split_row(text: str, columns: t.Sequence[str]) -> list[str]:
    """Return the fields of `[  pid  ] ...` by column: fewer where the row is cut, none where it is no row."""
    pid, _, rest = text[1:].partition("]")
    fields = [pid, *rest.split(None, len(columns) - 2)]
    try:
        list(map(int, fields[: len(columns) - 1]))
    except ValueError:
        fields = list(itertools.takewhile(_is_number, fields))
    if len(fields) == len(columns) - 1:
        fields.append("")
    return fields if len(fields) >= len(_FIRST) else []


def to_tasks(
    rows: t.Sequence[t.Sequence[str]], columns: t.Sequence[str], page_size: int | None
) -> tuple[Task, ...]:
    """Return rows (as `split_row` leaves them) as tasks; without a page size, what is counted in pages is None."""
    whole = [row for row in rows if len(row) == len(columns)]
    cut = [[*row[: len(_FIRST)], ""] for row in rows if len(row) < len(columns)]
    return (*_columnwise(whole, columns, page_size), *_columnwise(cut, (*_FIRST, "name"), page_size))


def _columnwise(
    rows: t.Sequence[t.Sequence[str]], columns: t.Sequence[str], page_size: int | None
) -> t.Iterator[Task]:
    by_column: dict[str, t.Sequence[t.Any]] = dict(zip(columns, zip(*rows)))
    if not by_column:
        return iter(())
    nothing: t.Sequence[None] = (None,) * len(rows)
    values: dict[str, t.Sequence[t.Any]] = {"pid": list(map(int, by_column["pid"])), "name": by_column["name"]}
    for column, (field, in_pages) in _FIELDS.items():
        if column not in by_column or (in_pages and page_size is None):
            continue
        numbers = map(int, by_column[column])
        values[field] = [number * page_size for number in numbers] if in_pages and page_size else list(numbers)
    levels = [by_column[level] for level in _TABLE_PAGES if level in by_column]
    if levels and page_size:
        values["pgtables_bytes"] = [sum(map(int, row)) * page_size for row in zip(*levels)]
    return map(Task, *(values.get(field, nothing) for field in Task._fields))


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").isdigit()
