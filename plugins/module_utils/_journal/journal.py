# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One journal, whether libsystemd or journalctl answers.

Short walks go to libsystemd, which is faster. journalctl answers those too, with the same records, if libsystemd is
missing, fails, or does not find what must be there. Searches always go to journalctl, as it reports what it cannot
read.
"""

from __future__ import annotations

import operator
import pathlib
import re
import typing as t

from .._command import Run
from .contents import Contents, merge_boots
from .files import THIS_HOST, Place, find_journal_files
from .journalctl import Journalctl, Query
from .reader import Reader, ReaderError
from .record import FIELDS, Record
from .times import format_time
from .walk import CURSOR, FAR_FUTURE_US, Walk

_CURSOR_TIME = r";t=([0-9a-f]{1,15})(?:;|$)"
# Other entries may have the same time.
_SAME_TIME = 8
# journalctl prints the cursor, the times and the boot in any case. It takes no empty list of fields.
_NO_FIELDS = ("_TRANSPORT",)
# Most reports of OOM kills take 60 to 200 lines.
_WALK_CHUNK = 200


class _Page(t.NamedTuple):
    """Records that one run of journalctl printed, and the cursor to continue at unless they are the last ones."""

    records: t.Sequence[Record]
    continue_at: str = ""


class Journal:
    """A journal; `files` are its files if they are known.

    Without a `reader`, journalctl answers everything. It prints no more than `chunk` records at once, so that memory
    stays bounded.
    """

    def __init__(
        self,
        run: Run,
        place: Place = THIS_HOST,
        *,
        files: t.Sequence[pathlib.Path] = (),
        reader: Reader | None = None,
        timeout: float = 300,
        chunk: int = 5000,
    ) -> None:
        self.files = files
        self._place = place
        self._journalctl = Journalctl(run, place, timeout=timeout)
        self._reader = reader
        self._chunk = chunk

    @property
    def notes(self) -> t.Sequence[str]:
        """What could not be read so far: files and entries."""
        return self._journalctl.notes

    @property
    def unparsed(self) -> int:
        """How many records journalctl did not print whole so far."""
        return self._journalctl.unparsed

    def was_rotated(self) -> bool:
        """Return whether the journal has other files by now."""
        return set(self.files) != set(find_journal_files(self._place))

    def read_contents(self) -> Contents:
        """Return the boots of the journal, and its files if libsystemd lists them. Raises JournalError."""
        contents = self._list_with_libsystemd()
        if contents.boots:
            return contents

        # journalctl says why there is nothing to see.
        self._reader = None
        return Contents(self._journalctl.list_boots())

    def read_newest(self, matches: t.Sequence[str]) -> Record | None:
        """Return the newest record that matches. Raises JournalError."""
        walk = Walk(
            matches=tuple(matches),
            realtime_us=FAR_FUTURE_US,
            backwards=True,
            limit=1,
            fields=FIELDS,
        )
        found = self.walk(walk)
        if not found:
            return None

        return found[0]

    def read_first(
        self, arguments: t.Sequence[str], matches: t.Sequence[str] = (), *, walk: Walk | None = None
    ) -> Record | None:
        """Return the first record that journalctl prints for `arguments`, without fields. Raises JournalError.

        With a `walk` that asks the same question, libsystemd may answer. If it finds nothing, journalctl says why.
        """
        if walk is not None:
            found = self._walk_with_libsystemd(walk)
            if found:
                return found[0]

        query = Query(arguments, matches, _NO_FIELDS)
        return next(self._journalctl.read(query), None)

    def read_entry(self, cursor: str) -> Record | None:
        """Return the record at a cursor, without fields, or None if the journal does not hold it. Raises JournalError.

        For such a cursor, journalctl prints some other record.
        """
        record = self._find_with_libsystemd(cursor)
        if record is None:
            record = self.read_first([f"--cursor={cursor}", "--lines=+1"])
        if record is None or record.cursor != cursor:
            return None

        return record

    def walk(self, walk: Walk) -> list[Record]:
        """Return the records of a walk. Raises JournalError."""
        found = self._walk_with_libsystemd(walk)
        if found is None:
            found = self._walk_with_journalctl(walk)

        return found

    def walk_each(self, walks: t.Sequence[Walk], expected: t.Iterable[Record]) -> t.Iterator[list[Record]]:
        """Yield the records of each walk, which should hold the record that is expected of it. Raises JournalError.

        libsystemd does not find it if it was moved to another file since the files were opened. They may lack the
        cursor.
        """
        answers = self._ask_libsystemd(walks)
        for walk, record in zip(walks, expected):
            found = next(answers, [])
            if not holds(found, record):
                found = self._walk_with_journalctl(walk)
            yield found

    def walk_back_from(self, cursor: str, walk: Walk) -> list[Record]:
        """Return the records of a walk that goes back from a cursor, not from a time. Raises JournalError."""
        return self._walk_back([f"--cursor={cursor}"], walk)

    def read_back(
        self, query: Query, *, chunk: int = 0, not_before_us: int = 0, later_arguments: t.Sequence[str] = ()
    ) -> t.Iterator[Record]:
        """Yield records newest first, back to the first one before a time. Raises JournalError.

        journalctl runs once for each `chunk` of them. After the first chunk, a cursor and the `later_arguments` replace
        the arguments of the query.
        """
        size = chunk or self._chunk
        page = self._read_page(query, size, not_before_us)
        yield from page.records
        while page.continue_at:
            query = query._replace(arguments=[*later_arguments, f"--cursor={page.continue_at}"])
            page = self._read_page(query, size + 1, not_before_us, skipped_cursor=page.continue_at)
            yield from page.records

    def _read_page(self, query: Query, size: int, not_before_us: int, *, skipped_cursor: str = "") -> _Page:
        """Return up to `size` records, newest first.

        A page that continues another one begins with the last record of that one, which is skipped.
        """
        arguments = [*query.arguments, "--reverse", f"--lines={size}"]
        printed = list(self._journalctl.read(query._replace(arguments=arguments)))
        found = printed
        if printed and printed[0].cursor == skipped_cursor:
            found = printed[1:]

        records = [record for record in found if record.realtime_us >= not_before_us]
        is_last = len(printed) < size
        has_older = len(records) < len(found)
        if is_last or has_older:
            return _Page(records)

        return _Page(records, continue_at=records[-1].cursor)

    def _list_with_libsystemd(self) -> Contents:
        """Return the boots and files that libsystemd lists, none if it does not answer."""
        if self._reader is None:
            return Contents([])

        try:
            files = self._reader.list_files()
        except ReaderError:
            return Contents([])
        return Contents(merge_boots(files), files)

    def _find_with_libsystemd(self, cursor: str) -> Record | None:
        """Return the record at a cursor if libsystemd finds it."""
        time = re.search(_CURSOR_TIME, cursor)
        if time is None:
            return None

        walk = Walk(
            matches=(),
            realtime_us=int(time[1], 16),
            backwards=False,
            limit=_SAME_TIME,
            fields=(CURSOR,),
        )
        found = next(self._ask_libsystemd([walk]), [])
        for record in found:
            if record.cursor == cursor:
                return record

        return None

    def _walk_with_libsystemd(self, walk: Walk) -> list[Record] | None:
        return next(self._ask_libsystemd([walk]), None)

    def _ask_libsystemd(self, walks: t.Sequence[Walk]) -> t.Iterator[list[Record]]:
        """Yield the records that libsystemd finds on each walk, and nothing from the first on that it cannot answer."""
        if self._reader is None:
            return

        try:
            yield from self._reader.walk_each(walks)
        except ReaderError:
            self._reader = None

    def _walk_with_journalctl(self, walk: Walk) -> list[Record]:
        if walk.cursor:
            return self._walk_on([f"--cursor={walk.cursor}"], walk)

        time = format_time(walk.realtime_us)
        if not walk.backwards:
            return self._walk_on([f"--since={time}"], walk)
        if walk.realtime_us == FAR_FUTURE_US:
            return self._walk_back([], walk)

        return self._walk_back([f"--until={time}"], walk)

    def _walk_on(self, arguments: t.Sequence[str], walk: Walk) -> list[Record]:
        query = _make_query(walk, [*arguments, f"--lines=+{walk.limit}"])
        return list(self._journalctl.read(query))

    def _walk_back(self, arguments: t.Sequence[str], walk: Walk) -> list[Record]:
        query = _make_query(walk, arguments)
        chunk = min(_WALK_CHUNK, walk.limit)
        found = []
        for record in self.read_back(query, chunk=chunk):
            found.append(record)
            if len(found) == walk.limit:
                break

            text = record.fields.get(walk.fields[0], "")
            if walk.is_end(record.monotonic_us, text):
                break

        return found


def holds(records: t.Iterable[Record], expected: Record) -> bool:
    """Return whether a record is among others."""
    keys = map(operator.attrgetter("key"), records)
    return expected.key in keys


def _make_query(walk: Walk, arguments: t.Sequence[str]) -> Query:
    """Return a query for the fields of a walk, and those that libsystemd knows from the matches."""
    matched = [match.partition("=")[0] for match in walk.matches]
    fields = dict.fromkeys((*walk.fields, *matched))
    return Query(arguments, walk.matches, fields=tuple(fields))
