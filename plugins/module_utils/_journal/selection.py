# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Select the files and the time that a search has to read, and divide the files between runs of journalctl."""

from __future__ import annotations

import itertools
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

WHOLE: t.Sequence[t.Sequence[str]] = [[]]
"""The parts of a journal that one run of journalctl reads whole."""


class Selection(t.NamedTuple):
    """What a search has to read.

    journalctl starts at `since_us`, if that is not 0. Records before `not_before_us` are not part of the request.
    `parts` divides the files between runs of journalctl. A run without files reads the whole journal.
    """

    since_us: int
    not_before_us: int
    parts: t.Sequence[t.Sequence[str]] = WHOLE

    def list_parts(self, search: Search, files: t.Sequence[pathlib.Path]) -> t.Sequence[t.Sequence[str]]:
        """Return the files of each run of journalctl for one search.

        Each run opens its files, which takes longer than a narrow search of them unless they are too many.
        """
        is_one_part = len(self.parts) == 1
        has_too_many_files = len(files) > _MOST_FILES
        if search.wide or is_one_part or has_too_many_files:
            return self.parts

        return WHOLE


def select_files(
    request: Request,
    first_us: int,
    *,
    files: t.Sequence[pathlib.Path],
    listed: t.Sequence[FileTimes],
    setbacks: t.Sequence[Setback],
    has_parallel_boots: bool = False,
) -> Selection:
    """Return what a search has to read.

    `first_us` is where the requested part begins, `files` are the files of the journal, and `listed` those that
    libsystemd has listed. In a journal that `has_parallel_boots`, journalctl finds only the beginning of one boot.
    """
    not_before_us = 0
    can_seek = request.after_cursor is not None
    if request.since:
        not_before_us = first_us
        # journalctl finds the beginning of the part by its time.
        can_seek = not is_passed_twice(first_us, setbacks)

    if can_seek:
        recent = _select_recent(request, first_us, files, listed)
        parts = _avoid_wildcards([recent])
        # In parallel boots, journalctl would stop at the beginning of the part in one of them.
        since_us = first_us * (not has_parallel_boots)
        return Selection(since_us=since_us, not_before_us=not_before_us, parts=parts)

    if request.is_open and measure_size(files) >= _WORTH_TWO:
        parts = _avoid_wildcards(_divide(files))
        return Selection(since_us=0, not_before_us=not_before_us, parts=parts)

    return Selection(since_us=0, not_before_us=not_before_us)


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

    # The time of a file that could not be opened is 0.
    recent = [file.path for file in listed if not 0 < file.last_us < first_us]
    if len(recent) == len(listed):
        return []
    return recent


def _divide(files: t.Sequence[pathlib.Path]) -> t.Sequence[t.Sequence[str]]:
    """Return parts of about equal size: one for each of two processors, and none of too many files."""
    paths = sorted(map(str, files))
    processors = os.cpu_count() or 1
    fewest_parts = -(-len(paths) // _MOST_FILES)
    number = max(min(processors, 2, len(paths)), fewest_parts)
    if number == 1:
        return WHOLE

    return [paths[first::number] for first in range(number)]


def _avoid_wildcards(parts: t.Sequence[t.Sequence[str]]) -> t.Sequence[t.Sequence[str]]:
    """Return the parts, or the whole journal if journalctl would take a path for a pattern."""
    paths = itertools.chain.from_iterable(parts)
    if _WILDCARDS.isdisjoint("".join(paths)):
        return parts

    return WHOLE
