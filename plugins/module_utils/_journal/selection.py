# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the files and the time that a search has to read, and divide the files between runs of journalctl."""

from __future__ import annotations

import os
import pathlib
import typing as t

from .contents import FileTimes
from .files import measure_size
from .order import Setback, is_passed_twice
from .request import Request, Search

# From this size on, a second journalctl is worth its start.
_WORTH_TWO = 64 << 20
# With more files than the windows that its cache begins with (mmap-cache.c: 64), journalctl maps some again at each
# step: 96 files at once take three times as long as 48 and 48.
_MOST_FILES = 48
_WILDCARDS = frozenset("*?[\\")


class Selection(t.NamedTuple):
    """What a search has to read.

    journalctl starts at `since_us`, if that is not 0. Records before `not_before_us` are not part of the request.
    `parts` divides the files between runs of journalctl. If it is empty, one run reads the whole journal.
    """

    since_us: int
    not_before_us: int
    parts: t.Sequence[t.Sequence[str]] = ()

    def list_parts(self, search: Search, files: t.Sequence[pathlib.Path]) -> t.Sequence[t.Sequence[str]]:
        """Return the files of each run of journalctl for one search; a run without files reads the whole journal.

        Each run opens its files, which takes longer than a narrow search of them unless they are too many.
        """
        if not self.parts:
            return [[]]

        is_one_part = len(self.parts) == 1
        has_too_many_files = len(files) > _MOST_FILES
        if search.wide or is_one_part or has_too_many_files:
            return self.parts

        return [[]]


def select_files(
    request: Request,
    first_us: int,
    *,
    files: t.Sequence[pathlib.Path],
    listed: t.Sequence[FileTimes],
    setbacks: t.Sequence[Setback],
) -> Selection:
    """Return what a search has to read.

    `first_us` is where the requested part begins, `files` are the files of the journal, and `listed` those that
    libsystemd has listed.
    """
    not_before_us = 0
    if request.since:
        not_before_us = first_us

    starts_at_first = request.after_cursor or _can_seek(request, first_us, setbacks)
    if starts_at_first:
        recent = _select_recent(request, first_us, files, listed)
        parts = _keep_usable([recent])
        return Selection(since_us=first_us, not_before_us=not_before_us, parts=parts)

    if request.is_open and measure_size(files) >= _WORTH_TWO:
        parts = _keep_usable(_divide(files))
        return Selection(since_us=0, not_before_us=not_before_us, parts=parts)

    return Selection(since_us=0, not_before_us=not_before_us)


def _can_seek(request: Request, first_us: int, setbacks: t.Sequence[Setback]) -> bool:
    """Return whether journalctl finds the beginning of the part by its time."""
    if not request.since:
        return False

    return not is_passed_twice(first_us, setbacks)


def _select_recent(
    request: Request, first_us: int, files: t.Iterable[pathlib.Path], listed: t.Sequence[FileTimes]
) -> list[str]:
    """Return the files that may hold entries from a time on, or no files to read all of them.

    In each of the others, journalctl would search for the last match, which it may not hold, before it looks at the
    time. A file that could not be opened is kept, so that journalctl names it.
    """
    # journalctl counts boots from the newest one, of which only other files may know.
    if request.has_boot:
        return []

    paths = set(map(str, files))
    listed_paths = {file.path for file in listed}
    if listed_paths != paths:
        # The journal was rotated after one of the two lists was made.
        return []

    recent = [file.path for file in listed if _may_be_recent(file, first_us)]
    if len(recent) == len(listed):
        return []
    return recent


def _may_be_recent(file: FileTimes, first_us: int) -> bool:
    is_unreadable = file.last_us == 0
    if is_unreadable:
        return True

    return file.last_us >= first_us


def _divide(files: t.Sequence[pathlib.Path]) -> list[list[str]]:
    """Return parts of about equal size: one for each of two processors, and none of too many files."""
    paths = sorted(map(str, files))
    processors = os.cpu_count() or 1
    fewest_parts = -(-len(paths) // _MOST_FILES)
    number = max(min(processors, 2), fewest_parts)
    if number == 1:
        return []

    return [paths[first::number] for first in range(number)]


def _keep_usable(parts: list[list[str]]) -> list[list[str]]:
    """Return the parts, or none if one of them is empty or journalctl would take a path for a pattern."""
    for files in parts:
        if not files:
            return []
        if _WILDCARDS.intersection("".join(files)):
            return []

    return parts
