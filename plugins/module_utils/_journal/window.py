# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requested part of a journal: how far it extends, why it may be incomplete, and the search in it."""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import types
import typing as t

from .complaints import JournalError
from .contents import BOOT_PRECISION_US, Boot
from .journal import Journal
from .journalctl import Query
from .order import Setback, is_since_ambiguous, is_until_ambiguous, is_written_after
from .record import Record
from .request import EVERYTHING, Request, Search
from .selection import WHOLE, Selection, select_files
from .start import Start, Survey, find_start, make_survey
from .times import format_time

_AMBIGUOUS = "The clock was set back, so it is uncertain which journal entries belong to the requested period."
# Even an idle host logs something within a day.
_SILENT_SECONDS = 86_400
# Of journalctl at once.
_MOST_RUNS = 8


class Extent(t.NamedTuple):
    """How far the requested part of the journal extends; `gaps` say why it may be incomplete.

    `last_boot` is the boot of the newest entry. `boot_begins` and `boot_ends` give the time of the first and the last
    entry of each boot that the journal knows of, requested or not.
    """

    first_us: int
    last_us: int
    boots: int
    cursor: str
    last_boot: str
    boot_ends: t.Mapping[str, int]
    gaps: tuple[str, ...] = ()
    boot_begins: t.Mapping[str, int] = types.MappingProxyType({})


class Window:
    """The requested part of a journal, which can be searched."""

    def __init__(self, journal: Journal, request: Request, extent: Extent, selection: Selection) -> None:
        self.extent = extent
        self._journal = journal
        self._request = request
        self._selection = selection

    def find(self, searches: t.Sequence[Search]) -> t.Iterator[Record]:
        """Yield the records that the searches find, newest first. Raises JournalError."""
        return filter(self._is_requested, self._find_in_selection(searches))

    def _find_in_selection(self, searches: t.Sequence[Search]) -> t.Iterator[Record]:
        whole = self._selection._replace(parts=WHOLE)
        if self._selection == whole:
            return self._begin(searches, whole)

        try:
            found = self._begin(searches, self._selection)
        except JournalError:
            return self._begin(searches, whole)
        if self._journal.was_rotated():
            # Entries of one of these files may be in another one by now.
            return self._begin(searches, whole)
        return found

    def _is_requested(self, record: Record) -> bool:
        if self._request.after_cursor is not None:
            return is_written_after(record.cursor, self._request.after_cursor)

        return record.realtime_us >= self._selection.not_before_us

    def _begin(self, searches: t.Sequence[Search], selection: Selection) -> t.Iterator[Record]:
        """Return what the searches find, newest first, after the first chunk of each has been read."""
        runs: list[t.Iterator[Record]] = []
        for search in searches:
            runs += self._list_runs(search, selection)

        # journalctl runs once here for each of them, unless a kernel is very verbose.
        with concurrent.futures.ThreadPoolExecutor(min(len(runs), _MOST_RUNS)) as pool:
            begun = list(pool.map(_take_first, runs))
        whole = map(itertools.chain, begun, runs)
        return heapq.merge(*whole, key=lambda record: -record.realtime_us)

    def _list_runs(self, search: Search, selection: Selection) -> t.Iterator[t.Iterator[Record]]:
        """Yield what each run of journalctl finds for one search."""
        for files in selection.list_parts(search, self._journal.files):
            yield self._run(search, files, selection.since_us)

    def _run(self, search: Search, files: t.Sequence[str], since_us: int) -> t.Iterator[Record]:
        """Yield what one search finds in some files, newest first."""
        arguments = self._request.arguments
        if since_us:
            arguments = [*arguments, f"--since={format_time(since_us)}"]

        query = Query(
            arguments,
            matches=search.matches,
            fields=search.fields,
            pattern=search.pattern,
            files=files,
            verbose=True,
        )
        return self._journal.read_back(query, not_before_us=since_us, later_arguments=self._request.boot_arguments)


def find_window(journal: Journal, request: Request = EVERYTHING) -> Window | None:
    """Return the requested part of a journal, or None if the journal holds nothing of it. Raises JournalError."""
    survey = make_survey(journal, request)
    start = find_start(journal, request, survey)
    if start is None or start.newest is None:
        return None
    if start.newest.realtime_us < start.first_us:
        return None

    extent = _make_extent(request, survey, start, start.newest)
    selection = select_files(
        request,
        start.first_us,
        files=journal.files,
        listed=survey.contents.files,
        setbacks=survey.setbacks,
        has_parallel_boots=survey.has_parallel_boots,
    )
    return Window(journal, request, extent, selection)


def _make_extent(request: Request, survey: Survey, start: Start, newest: Record) -> Extent:
    """Return how far the part extends from its start to its newest entry."""
    boots = survey.contents.boots
    gaps = (
        *start.gaps,
        *_list_ambiguities(request, start.first_us, survey.setbacks),
        *_list_silence(request, newest),
    )
    return Extent(
        first_us=start.first_us,
        last_us=newest.realtime_us,
        boots=_count_boots(request, boots, start.first_us, newest.realtime_us),
        cursor=newest.cursor,
        last_boot=newest.boot_id,
        boot_ends={boot.boot_id: boot.last_us for boot in boots},
        gaps=gaps,
        boot_begins={boot.boot_id: boot.first_us for boot in boots},
    )


def _list_ambiguities(request: Request, first_us: int, setbacks: t.Sequence[Setback]) -> t.Iterator[str]:
    """Yield a gap if journalctl may have mistaken where the part begins or ends."""
    ambiguities = []
    if request.since is not None:
        ambiguities.append(is_since_ambiguous(request.since, first_us, setbacks))
    if request.until is not None:
        ambiguities.append(is_until_ambiguous(request.until, setbacks))

    if any(ambiguities):
        yield _AMBIGUOUS


def _list_silence(request: Request, newest: Record) -> t.Iterator[str]:
    """Yield a gap if the journal should have newer entries than it has."""
    if request.now is None or not request.should_be_recent:
        return

    silent_seconds = request.now - newest.realtime_us / 1_000_000
    if silent_seconds > _SILENT_SECONDS:
        hours = silent_seconds / 3600
        yield f"The newest journal entry is {hours:.0f} hours old. Check that systemd-journald runs."


def _count_boots(request: Request, boots: t.Iterable[Boot], first_us: int, last_us: int) -> int:
    """Return how many boots have entries between two times."""
    if request.has_boot:
        return 1

    return sum(_has_entries_between(boot, first_us, last_us) for boot in boots)


def _has_entries_between(boot: Boot, first_us: int, last_us: int) -> bool:
    return boot.first_us <= last_us and boot.last_us + BOOT_PRECISION_US > first_us


def _take_first(records: t.Iterator[Record]) -> list[Record]:
    """Return the first record as a list, empty if there is none."""
    return list(itertools.islice(records, 1))
