# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task table, by its own heading: columns came and went from kernel to kernel, and were carried back to old ones.

Formats: dump_tasks() in mm/oom_kill.c of Linux 2.6.27 to 6.18.
"""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Task

HEADING = re.compile(r"\[ +pid +\] +(?P<columns>[a-z_ ]*\btotal_vm +rss [a-z_ ]*\bname) *$")

_ROW = re.compile(r"\[ *\d+\] +\d+ +\d+ +\d+ +\d+ ")
_FIRST = ("pid", "uid", "tgid", "total_vm", "rss")

# Field of a task, and whether the column counts pages.
_FIELDS = {
    "pid": ("pid", False),
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

# Tables have hundreds of rows: this is a third of what calling Task costs.
_new_task: t.Callable[[t.Iterable[t.Any]], Task] = functools.partial(tuple.__new__, Task)


def parse_heading(text: str) -> tuple[str, ...] | None:
    """Return the columns of a table's heading, from `pid` to `name`; None where the line is no heading."""
    match = HEADING.match(text)
    return ("pid", *match.group("columns").split()) if match else None


def guess_columns(row: str) -> tuple[str, ...] | None:
    """Return the columns of a row whose heading is lost: the first five and the last two are the same everywhere."""
    match = _ROW.match(row)
    if match is None:
        return None
    numbers = list(itertools.takewhile(_is_number, row[match.end() :].split()))
    return (*_FIRST, *("unknown" for _number in numbers[1:]), "oom_score_adj", "name") if numbers else None


class Table(t.NamedTuple):
    """The columns of a table, as numbers; names last. Rows that are cut have their own table of fewer columns."""

    columns: t.Mapping[str, t.Sequence[int]]
    names: t.Sequence[str]

    def find(self, pid: int) -> int | None:
        """Return the index of the row of `pid`."""
        pids = self.columns.get("pid", ())
        return pids.index(pid) if pid in pids else None

    def tasks(self, page_size: int | None) -> t.Iterator[Task]:
        """Return the rows; without a page size, what is counted in pages is None."""
        nothing: t.Sequence[None] = (None,) * len(self.names)
        values: dict[str, t.Sequence[t.Any]] = {"name": self.names}
        for column, (field, in_pages) in _FIELDS.items():
            numbers = self.columns.get(column)
            if numbers is not None and not in_pages:
                values[field] = numbers
            elif numbers is not None and page_size:
                values[field] = [number * page_size for number in numbers]
        levels = [self.columns[level] for level in _TABLE_PAGES if level in self.columns]
        if levels and page_size:
            values["pgtables_bytes"] = [sum(row) * page_size for row in zip(*levels)]
        return map(_new_task, zip(*(values.get(field, nothing) for field in Task._fields)))


def read_table(rows: t.Collection[str], columns: t.Sequence[str]) -> tuple[Table, Table]:
    """Return the whole rows, and those that are cut after their fifth column or later; others are left out."""
    width = len(columns) + 1
    # All rows in one go, as long as no name holds a space or a bracket: each row then begins with the same bracket.
    words = " ".join(rows).replace("[", " [ ").replace("]", " ").split()
    if len(words) == width * len(rows) and words[::width].count("[") == len(rows):
        try:
            return _table([words[column::width] for column in range(1, width)], columns), Table({}, ())
        except ValueError:
            pass
    last = len(columns) - 1
    whole, cut = [], []
    for row in rows:
        fields = row[1:].replace("]", " ", 1).split(None, last)
        numbers = list(itertools.takewhile(_is_number, fields[:last]))
        if len(numbers) == last:
            whole.append([*numbers, *(fields[last:] or [""])])
        elif len(numbers) >= len(_FIRST):
            cut.append([*numbers[: len(_FIRST)], ""])
    return _table(list(zip(*whole)), columns), _table(list(zip(*cut)), (*_FIRST, "name"))


def _table(fields: t.Sequence[t.Sequence[str]], columns: t.Sequence[str]) -> Table:
    if not fields:
        return Table({}, ())
    *numbers, names = fields
    table: dict[str, list[int]] = {}
    for column, texts in zip(columns, numbers):
        # The table shows the leaders of thread groups, whose two ids are one.
        is_pid = column == "tgid" and texts == numbers[0]
        table[column] = table["pid"] if is_pid else list(map(int, texts))
    return Table(table, names)


def _is_number(text: str) -> bool:
    return (text[1:] if text[:1] == "-" else text).isdecimal()
