# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse the task table according to its heading.

Columns came and went from kernel to kernel, and distributions backported them to older kernels.

Formats: dump_tasks() in mm/oom_kill.c of Linux 2.6.27 to 6.18.
"""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

from .model import Task

UNKNOWN_COLUMN = "unknown"
"""The name of the columns that `guess_columns` cannot name."""

# A heading has some 90 characters. The time of a match grows with the square of the length.
_LONGEST_HEADING = 256
HEADING = re.compile(r"\[ +pid +\] +(?P<columns>[a-z_ ]*?\btotal_vm +rss [\w() ]*\bname) *$")

_ROW = re.compile(r"\[ *\d+\] +\d+ +\d+ +\d+ +\d+ ")
_FIRST = ("pid", "uid", "tgid", "total_vm", "rss")

# Fields of a task by column, for columns with numbers and for columns with pages.
_NUMBER_FIELDS = {
    "pid": "pid",
    "uid": "uid",
    "tgid": "tgid",
    "pgtables_bytes": "pgtables_bytes",
    "oom_score_adj": "oom_score_adj",
}
_PAGE_FIELDS = {
    "total_vm": "total_vm_bytes",
    "rss": "rss_bytes",
    "rss_anon": "rss_anon_bytes",
    "rss_file": "rss_file_bytes",
    "rss_shmem": "rss_shmem_bytes",
    "swapents": "swap_bytes",
}
# Up to Linux 4.14, the table has the number of page tables by level. Each is one page.
_PAGE_TABLE_FIELDS = {
    "nr_ptes": "pte",
    "nr_pmds": "pmd",
    "nr_puds": "pud",
}

# A row has some 100 characters, and no number of the kernel has more digits than 2**64.
_LONG_ROW = 256
_MAX_DIGITS = 20

# A table has hundreds of rows, and this takes a third of the time of calling Task.
_new_task: t.Callable[[t.Iterable[t.Any]], Task] = functools.partial(tuple.__new__, Task)


def parse_heading(text: str) -> tuple[str, ...] | None:
    """Return the columns of a heading, from `pid` to `name`, or None if the line is not a heading."""
    match = HEADING.match(text, 0, _LONGEST_HEADING)
    if match is None:
        return None

    return ("pid", *match.group("columns").split())


def guess_columns(row: str) -> tuple[str, ...] | None:
    """Return the columns of a row without a heading, or None if the line is not a row.

    All tables have the same first five and last two columns. The others are `UNKNOWN_COLUMN`.
    """
    match = _ROW.match(row)
    if match is None:
        return None

    numbers = list(itertools.takewhile(is_number, row[match.end() :].split()))
    if not numbers:
        return None

    unknown = [UNKNOWN_COLUMN] * (len(numbers) - 1)

    return (*_FIRST, *unknown, "oom_score_adj", "name")


class _Rows(t.NamedTuple):
    """Rows with the same columns, stored as one sequence of texts for each column. The last column is the name."""

    columns: t.Sequence[str]
    fields: t.Sequence[t.Sequence[str]]

    @property
    def length(self) -> int:
        """Return the number of rows."""
        return len(self.fields[-1])

    def build_tasks(self, page_size: int | None) -> t.Iterator[Task]:
        """Return the rows as tasks. Fields that the kernel counts in pages are None without a page size."""
        names = self.fields[-1]
        values: dict[str, t.Sequence[t.Any]] = {"name": names}
        values.update(self._parse_fields(_NUMBER_FIELDS))
        if page_size:
            values.update(self._parse_pages(page_size))
        nothing: t.Sequence[None] = (None,) * len(names)
        columns = [values.get(field, nothing) for field in Task._fields]

        return map(_new_task, zip(*columns))

    def _parse_fields(self, fields: t.Mapping[str, str]) -> dict[str, t.Sequence[int]]:
        """Return the numbers of the columns in `fields` that these rows have, by the name of the field."""
        values: dict[str, t.Sequence[int]] = {}
        for column, field in fields.items():
            if column in self.columns:
                texts = self.fields[self.columns.index(column)]
                values[field] = list(map(int, texts))

        return values

    def _parse_pages(self, page_size: int) -> t.Iterator[tuple[str, t.Sequence[int]]]:
        """Yield the fields that the kernel counts in pages, in bytes."""
        for field, numbers in self._parse_fields(_PAGE_FIELDS).items():
            yield field, [number * page_size for number in numbers]

        levels = self._parse_fields(_PAGE_TABLE_FIELDS).values()
        if levels:
            yield "pgtables_bytes", [sum(row) * page_size for row in zip(*levels)]


_NO_ROWS = _Rows((), ((),))


class Table(t.Sequence[Task]):
    """The task table, which parses its rows when they are first used. Truncated rows come last."""

    def __init__(self, rows: t.Collection[str], columns: t.Sequence[str], page_size: int | None = None) -> None:
        self._rows = rows
        self._columns = columns
        self._page_size = page_size

    @functools.cached_property
    def _parts(self) -> tuple[_Rows, _Rows]:
        """The whole rows and the truncated rows."""
        whole = _parse_at_once(self._rows, self._columns)
        if whole is not None:
            return whole, _NO_ROWS

        return _parse_one_by_one(self._rows, self._columns)

    @functools.cached_property
    def _tasks(self) -> tuple[Task, ...]:
        whole, truncated = self._parts

        return (*whole.build_tasks(self._page_size), *truncated.build_tasks(self._page_size))

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
    def damaged_count(self) -> int:
        """Return the number of lines that are truncated rows or not rows at all."""
        whole, _truncated = self._parts

        return len(self._rows) - whole.length

    @property
    def length(self) -> int:
        """Return the number of lines, without parsing them."""
        return len(self._rows)

    def forget(self) -> None:
        """Forget the parsed rows, and keep the lines."""
        self.__dict__.pop("_parts", None)
        self.__dict__.pop("_tasks", None)

    def with_page_size(self, page_size: int | None) -> Table:
        """Return the same table with another page size."""
        return Table(self._rows, self._columns, page_size)

    def find_row(self, pid: int) -> dict[str, int]:
        """Return the numbers in the row of `pid` by column, in the units of the kernel.

        Return an empty dict if `pid` has no row, or a damaged one.
        """
        mark = f"{pid}]"
        for row in _iter_rows_with(mark, self._rows):
            words = row[1:].replace("]", "] ", 1).split(None, len(self._columns) - 1)
            if words[0] == mark:
                return self._parse_row(pid, words[1:])

        return {}

    def _parse_row(self, pid: int, words: t.Sequence[str]) -> dict[str, int]:
        last = len(self._columns) - 1
        numbers = [str(pid), *words[: last - 1]]
        if len(numbers) != last or not all(map(is_number, numbers)):
            return {}

        return dict(zip(self._columns, map(int, numbers)))


def count_rows(tasks: t.Sequence[Task]) -> int:
    """Return the number of lines of a task table, without parsing them, or the number of tasks."""
    if isinstance(tasks, Table):
        return tasks.length

    return len(tasks)


def forget_rows(tasks: t.Sequence[Task]) -> None:
    """Forget the parsed rows of a task table, which take much memory. They would be parsed again."""
    if isinstance(tasks, Table):
        tasks.forget()


def _parse_at_once(rows: t.Collection[str], columns: t.Sequence[str]) -> _Rows | None:
    """Return all rows, or None if a row is damaged or has a name with a space or a bracket.

    Splitting the joined rows is much faster than splitting each row.
    """
    width = len(columns) + 1
    words = " ".join(rows).replace("[", " [ ").replace("]", " ").split()
    if not words:
        return _NO_ROWS

    # Each row begins with a bracket.
    has_all_words = len(words) == width * len(rows)
    if not has_all_words or words[::width].count("[") != len(rows):
        return None

    if max(map(len, rows)) > _LONG_ROW:
        return None

    fields = [words[column::width] for column in range(1, width)]
    if not all(map(_are_numbers, fields[:-1])):
        return None

    return _Rows(columns, fields)


def _parse_one_by_one(rows: t.Iterable[str], columns: t.Sequence[str]) -> tuple[_Rows, _Rows]:
    """Return the whole rows, and the rows that are truncated after their fifth column or later."""
    last = len(columns) - 1
    whole = []
    truncated = []
    for row in rows:
        words = row[1:].replace("]", " ", 1).split(None, last)
        numbers = list(itertools.takewhile(is_number, words[:last]))
        if len(numbers) == last:
            name = words[last:] or [""]
            whole.append([*numbers, *name])
        elif len(numbers) >= len(_FIRST):
            truncated.append([*numbers[: len(_FIRST)], ""])

    return _transpose(columns, whole), _transpose((*_FIRST, "name"), truncated)


def _transpose(columns: t.Sequence[str], rows: t.Sequence[t.Sequence[str]]) -> _Rows:
    if not rows:
        return _NO_ROWS

    return _Rows(columns, list(zip(*rows)))


def _iter_rows_with(mark: str, rows: t.Iterable[str]) -> t.Iterator[str]:
    """Yield the rows that contain `mark`. Searching the joined rows takes less time than searching each row."""
    text = "\0".join(rows) + "\0"
    found = text.find(mark)
    while found >= 0:
        end = text.index("\0", found)
        yield text[text.rfind("\0", 0, found) + 1 : end]
        found = text.find(mark, end)


def _are_numbers(texts: t.Sequence[str]) -> bool:
    """Return whether all texts of a column are numbers."""
    if "".join(texts).isdecimal():
        return True

    # The only negative numbers are adjustments, and these have few different values.
    return all(map(is_number, set(texts)))


def is_number(text: str) -> bool:
    """Return whether `text` is a number that a kernel can print.

    Longer numbers are none: Python refuses to parse thousands of digits.
    """
    if len(text) > _MAX_DIGITS:
        return False

    # This is faster than a pattern, and a cgroup has some 60 statistics.
    return text.isdecimal() or (text[:1] == "-" and text[1:].isdecimal())
