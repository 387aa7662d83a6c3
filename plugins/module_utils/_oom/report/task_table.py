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

from .model import Task

HEADING = re.compile(r"\[ +pid +\] +(?P<columns>[a-z_ ]*\btotal_vm +rss [\w() ]*\bname) *$")

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

# A row has some 100 characters, and no number of the kernel's more digits than 2 to the power of 64.
_LONG_ROW = 256
_MOST_DIGITS = 20

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
    numbers = list(itertools.takewhile(is_number, row[match.end() :].split()))
    return (*_FIRST, *("unknown" for _number in numbers[1:]), "oom_score_adj", "name") if numbers else None


class _Rows(t.NamedTuple):
    """Rows of the same columns, column by column as text; the name comes last."""

    columns: t.Sequence[str]
    fields: t.Sequence[t.Sequence[str]]

    @property
    def length(self) -> int:
        return len(self.fields[-1])

    def numbers(self, column: str) -> t.Sequence[int] | None:
        """Return a column's numbers, None where these rows do not have it."""
        if column not in self.columns:
            return None
        texts = self.fields[self.columns.index(column)]
        # The table shows the leaders of thread groups, whose two ids are one.
        return self.numbers("pid") if column == "tgid" and texts == self.fields[0] else list(map(int, texts))

    def tasks(self, page_size: int | None) -> t.Iterator[Task]:
        """Return the rows; without a page size, what is counted in pages is None."""
        names = self.fields[-1]
        values: dict[str, t.Sequence[t.Any]] = {"name": names}
        for column, (field, in_pages) in _FIELDS.items():
            numbers = self.numbers(column) if page_size or not in_pages else None
            if numbers is not None:
                values[field] = [number * page_size for number in numbers] if in_pages and page_size else numbers
        levels = [levels for levels in map(self.numbers, _TABLE_PAGES) if levels is not None]
        if levels and page_size:
            values["pgtables_bytes"] = [sum(row) * page_size for row in zip(*levels)]
        nothing: t.Sequence[None] = (None,) * len(names)
        return map(_new_task, zip(*(values.get(field, nothing) for field in Task._fields)))


_NONE = _Rows((), ((),))


class Table(t.Sequence[Task]):
    """The rows of a task table, which are read when they are asked for; those that are cut come last."""

    def __init__(self, rows: t.Collection[str], columns: t.Sequence[str], page_size: int | None = None) -> None:
        self._rows = rows
        self._columns = columns
        self._page_size = page_size

    @functools.cached_property
    def _parts(self) -> tuple[_Rows, _Rows]:
        return _read_at_once(self._rows, self._columns) or _read_one_by_one(self._rows, self._columns)

    @functools.cached_property
    def _tasks(self) -> tuple[Task, ...]:
        whole, cut = self._parts
        return (*whole.tasks(self._page_size), *cut.tasks(self._page_size))

    def __len__(self) -> int:
        return len(self._tasks)

    @t.overload
    def __getitem__(self, index: int) -> Task: ...

    @t.overload
    def __getitem__(self, index: slice) -> tuple[Task, ...]: ...

    def __getitem__(self, index: int | slice) -> Task | tuple[Task, ...]:
        return self._tasks[index]

    def __iter__(self) -> t.Iterator[Task]:
        return iter(self._tasks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Table) and self._tasks == other._tasks

    def __hash__(self) -> int:
        return hash(self._tasks)

    @property
    def damaged(self) -> int:
        """How many rows are cut, or are none."""
        return len(self._rows) - self._parts[0].length

    def sized(self, page_size: int | None) -> Table:
        """Return the same table with its pages as bytes."""
        return Table(self._rows, self._columns, page_size)

    def row(self, pid: int) -> dict[str, int]:
        """Return the numbers of the row of `pid` by column, in the kernel's units; none where it has no whole row."""
        mark, last = f"{pid}]", len(self._columns) - 1
        for row in [row for row in self._rows if mark in row]:
            words = row[1:].replace("]", "] ", 1).split(None, last)
            if words[0] == mark:
                numbers = [str(pid), *words[1:last]]
                is_whole = len(numbers) == last and all(map(is_number, numbers))
                return dict(zip(self._columns, map(int, numbers))) if is_whole else {}
        return {}


def _read_at_once(rows: t.Collection[str], columns: t.Sequence[str]) -> tuple[_Rows, _Rows] | None:
    """Return the rows of a table none of whose names holds a space or a bracket, None where one does."""
    width = len(columns) + 1
    words = " ".join(rows).replace("[", " [ ").replace("]", " ").split()
    if not words:
        return _NONE, _NONE
    # Each row begins with the same bracket.
    if len(words) != width * len(rows) or words[::width].count("[") != len(rows) or max(map(len, rows)) > _LONG_ROW:
        return None
    fields = [words[column::width] for column in range(1, width)]
    return (_Rows(columns, fields), _NONE) if all(map(_are_numbers, fields[:-1])) else None


def _read_one_by_one(rows: t.Iterable[str], columns: t.Sequence[str]) -> tuple[_Rows, _Rows]:
    """Return the rows that are whole, and those that are cut after their fifth column or later."""
    last = len(columns) - 1
    whole, cut = [], []
    for row in rows:
        words = row[1:].replace("]", " ", 1).split(None, last)
        numbers = list(itertools.takewhile(is_number, words[:last]))
        if len(numbers) == last:
            whole.append([*numbers, *(words[last:] or [""])])
        elif len(numbers) >= len(_FIRST):
            cut.append([*numbers[: len(_FIRST)], ""])
    return (
        _Rows(columns, list(zip(*whole))) if whole else _NONE,
        _Rows((*_FIRST, "name"), list(zip(*cut))) if cut else _NONE,
    )


def _are_numbers(texts: t.Sequence[str]) -> bool:
    # Only adjustments are negative, and few of them differ.
    return "".join(texts).isdecimal() or all(map(is_number, set(texts)))


def is_number(text: str) -> bool:
    """Answer whether `text` is a number that a kernel can print; one of thousands of digits Python refuses to read."""
    return len(text) <= _MOST_DIGITS and (text.isdecimal() or (text[:1] == "-" and text[1:].isdecimal()))
