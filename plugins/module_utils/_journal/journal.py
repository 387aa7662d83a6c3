# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd journal, and an honest account of what could not be read.

What is looked for is found by journalctl, which also says what it could not read. The many small looks at what stands
around it go through libsystemd where that can be had, and else through journalctl as well, with the same result.
"""

from __future__ import annotations

import concurrent.futures
import heapq
import itertools
import os
import pathlib
import re
import typing as t

from .._command import Run
from .files import (
    is_of_a_user,
    journal_files,
    total_size,
)
from .journalctl import Journalctl, JournalError
from .libsystemd import (
    CURSOR,
    FAR_FUTURE_US,
    FileTimes,
    Walk,
)
from .order import (
    Span,
    begins_of_the_host,
    is_behind,
    is_mistakable,
    is_passed_twice,
    set_back,
    spans_of,
)
from .reader import Reader, ReaderError
from .record import FIELDS, Record
from .times import at_time, moment, utc

_CURSOR_TIME = r";t=([0-9a-f]{1,15})(?:;|$)"
_GONE = "the rest is gone, or was never kept."
_UNCLEAR = "The clock was set back: it is not known for certain where the time that was asked for is."
# The journal receives its first entries of a boot within seconds; a slow host may take minutes.
_BOOT_BEGINS_US = 600_000_000
# Even an idle host logs something within a day.
_SILENT_SECONDS = 86_400
# Of this size on, a second journalctl is worth its start.
_WORTH_TWO = 64 << 20
# With more files than the windows that its cache begins with (mmap-cache.c: 64), journalctl maps some again at each
# step: 96 files at once take three times as long as 48 and 48.
_MOST_FILES = 48
# Of journalctl at once.
_MOST_RUNS = 8
_BOOT = r"([0-9a-f]{32}) .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"


class Boot(t.NamedTuple):
    """One boot that the journal knows of, with the times of its first and last entry."""

    boot_id: str
    first_us: int
    last_us: int


class Extent(t.NamedTuple):
    """The part of the journal that is looked at; `gaps` say why there may have been more of it."""

    first_us: int
    last_us: int
    boots: int
    cursor: str
    last_boot: str
    boot_ends: t.Mapping[str, int]
    """Of each boot that the journal knows of, when its last entry is of."""
    gaps: tuple[str, ...] = ()


class Search(t.NamedTuple):
    """What is looked for: terms of matches joined by "+", found through the journal's index, so let them be narrow.

    `pattern` (PCRE) narrows them further where journalctl has been built with it.
    """

    matches: t.Sequence[str]
    pattern: str
    fields: t.Sequence[str] = FIELDS
    """What is asked of a record: where anybody may have written it, only what journald itself says of it.

    A client may give a field of its own a thousand values.
    """
    wide: bool = False
    """There may be so many matches that a big journal is better searched by two processors."""


class Journal:
    """A journal, and the part of it that is asked for; `files` are its files, where they are known.

    With `now`, the seconds since 1970, it is a journal that is being written, and is expected to have new entries.
    Without a `reader`, all is asked of journalctl.
    """

    def __init__(
        self,
        run: Run,
        *,
        since: str | None = None,
        until: str | None = None,
        boot: str = "all",
        after_cursor: str | None = None,
        directory: str | None = None,
        namespace: str | None = None,
        timeout: float = 300,
        chunk: int = 5000,
        files: t.Sequence[pathlib.Path] = (),
        reader: Reader | None = None,
        now: float | None = None,
    ) -> None:
        self.journalctl = Journalctl(run, directory=directory, namespace=namespace, timeout=timeout)
        self._reader = reader
        self._chunk = chunk
        self._after_cursor = after_cursor
        self._since, self._until_time = since, until
        self._now = now if boot in {"all", "0"} and not until else None
        self._boot = [f"--boot={boot}"] if boot != "all" else []
        self._until = [f"--until={until}"] if until else []
        self._source = (directory, namespace)
        self._files = files
        self._parts: list[list[str]] = []
        self._since_us = 0
        self._not_before_us = 0
        self._times: t.Sequence[FileTimes] = ()
        self._set_back: list[tuple[int, int]] = []

    def extent(self) -> Extent | None:
        """Return what there is to look at, None where the part that was asked for is empty. Raises JournalError."""
        newest = self._newest()
        boots = self._boots()
        if not boots:
            raise self._nothing()
        oldest_us = self._kept_since(boots)
        first_us, late_us, gaps = oldest_us, 0, []
        if self._after_cursor is not None:
            entry = self._entry_at(self._after_cursor)
            first_us = self._first_behind(entry, oldest_us)
            if first_us < entry.realtime_us:
                # What is newest by its time need not be what was written last.
                newest = self._first([*self._boot, *self._until, "--reverse", "--lines=1"])
        elif self._since is not None:
            begin_us = self._begin_since(self._since)
            if begin_us is None:
                return None
            first_us = begin_us
            late_us = 1_000_000
        elif self._boot and newest is not None:
            first = self._first_since("@0") or newest
            first_us = first.realtime_us
            if first.monotonic_us > _BOOT_BEGINS_US:
                minutes = first.monotonic_us // 60_000_000
                gaps.append(f"The journal begins {minutes} minutes after the boot that was asked for: {_GONE}")
        if first_us < oldest_us + late_us:
            gaps.append(f"The journal begins later than the time that was asked for: {_GONE}")
            first_us = max(first_us, oldest_us)
        if newest is None or newest.realtime_us < first_us:
            return None
        unclear = [_UNCLEAR] if is_mistakable(self._since, first_us, self._until_time, self._set_back) else []
        self._narrow(first_us)
        within = [boot for boot in boots if boot.last_us + 999_999 >= first_us and boot.first_us <= newest.realtime_us]
        return Extent(
            first_us=first_us,
            last_us=newest.realtime_us,
            boots=1 if self._boot else len(within),
            cursor=newest.cursor,
            last_boot=newest.boot_id,
            boot_ends={boot.boot_id: boot.last_us for boot in boots},
            gaps=(*gaps, *unclear, *self._silence(newest)),
        )

    def _silence(self, newest: Record) -> list[str]:
        """Return what is to be said where the journal should go on, and does not."""
        silent = self._now - newest.realtime_us / 1_000_000 if self._now else 0
        if silent <= _SILENT_SECONDS:
            return []
        return [f"The newest entry of the journal is {silent / 3600:.0f} hours old: does systemd-journald still run?"]

    def _narrow(self, first_us: int) -> None:
        """Choose the time and the files to look into."""
        self._not_before_us = first_us if self._since else 0
        if self._after_cursor or (self._since and not is_passed_twice(first_us, self._set_back)):
            self._since_us = first_us
            self._parts = _usable([self._files_since(first_us)])
        elif not (self._boot or self._until) and total_size(self._files) >= _WORTH_TWO:
            paths = sorted(map(str, self._files))
            number = max(min(os.cpu_count() or 1, 2), -(-len(paths) // _MOST_FILES))
            self._parts = _usable([paths[first::number] for first in range(number)]) if number > 1 else []

    def _nothing(self) -> JournalError:
        """Return the error that says why there is no entry at all."""
        if self.journalctl.notes:
            return JournalError(f"No file of the journal could be read: {' '.join(self.journalctl.notes)}")
        return JournalError(
            "The journal is empty.", hint="Does systemd-journald run, and does the directory hold a journal?"
        )

    def find(self, searches: t.Sequence[Search]) -> t.Iterator[Record]:
        """Yield what all the searches find in the part that was asked for, newest first. Call `extent()` before."""
        parts = self._parts
        try:
            found = self._begun(searches)
        except JournalError:
            if not parts:
                raise
            found = None
        if parts and (found is None or set(self._files) != set(journal_files(*self._source))):
            # The journal was rotated: what was in one of these files may be in another one by now.
            self._parts = []
            found = self._begun(searches)
        return filter(self._is_asked_for, found or ())

    def _is_asked_for(self, record: Record) -> bool:
        if self._after_cursor is not None:
            return is_behind(record.cursor, self._after_cursor)
        return record.realtime_us >= self._not_before_us

    def _begun(self, searches: t.Sequence[Search]) -> t.Iterator[Record]:
        """Return what the searches find, newest first, after the first chunk of each has been read."""
        found = [records for search in searches for records in self._found(search)]
        with concurrent.futures.ThreadPoolExecutor(min(len(found), _MOST_RUNS)) as pool:
            # The first chunk is all there is, but for the most verbose kernels.
            begun = list(pool.map(lambda records: list(itertools.islice(records, 1)), found))
        return heapq.merge(*map(itertools.chain, begun, found), key=lambda record: -record.realtime_us)

    def _found(self, search: Search) -> list[t.Iterator[Record]]:
        """Return what one search finds, in as many parts as there are runs of journalctl."""
        since = [f"--since={at_time(self._since_us)}"] if self._since_us else []
        # Each run opens its files, which takes longer than a narrow search of them, where they are not too many.
        is_divided = search.wide or len(self._parts) == 1 or len(self._files) > _MOST_FILES
        parts = self._parts if is_divided else []
        return [
            self.read_back(
                [*self._boot, *self._until, *since],
                search.matches,
                files=files,
                pattern=search.pattern,
                fields=search.fields,
                not_before_us=self._since_us,
                talkative=True,
            )
            for files in parts or [[]]
        ]

    def _first_behind(self, entry: Record, oldest_us: int) -> int:
        """Return a time that nothing which was written behind an entry comes before.

        Where the clock is set back, journald begins a new file, or the host a new boot. Journalctl alone does not tell
        where files begin.
        """
        if not self._times:
            return min(entry.realtime_us, oldest_us)
        begins = (
            us
            for *_file, boots in self._times
            for _id, us, _us, first in boots
            if first and is_behind(first, entry.cursor)
        )
        return min([entry.realtime_us, *begins])

    def _files_since(self, realtime_us: int) -> list[str]:
        """Return the files to look into, none for all; those that could not be opened are journalctl's to name.

        In each of the others it would search for a last match, which may not be there, before it looks at its time. A
        boot may be counted from the newest one, of which other files may know. The child may have listed other files,
        from before a rotation.
        """
        if self._boot or {path for path, *_times in self._times} != set(map(str, self._files)):
            return []
        recent = [path for path, _first_us, last_us, _first in self._times if not last_us or last_us >= realtime_us]
        return [] if len(recent) == len(self._times) else recent

    def newest(self, matches: t.Sequence[str]) -> Record | None:
        """Return the newest record of all that matches."""
        records = self.look_once(Walk(tuple(matches), FAR_FUTURE_US, True, 1, FIELDS))
        if records is None:
            records = list(self.journalctl.read(["--reverse", "--lines=1"], matches))
        return records[0] if records else None

    def look(self, walks: t.Sequence[Walk]) -> t.Iterator[list[Record]]:
        """Yield what the reader finds on each walk, nothing more where there is none, or it has no answer."""
        if self._reader is not None:
            try:
                yield from self._reader.walks(walks)
            except ReaderError:
                self._reader = None

    def look_once(self, walk: Walk) -> list[Record] | None:
        return next(self.look([walk]), None)

    def _boots(self) -> list[Boot]:
        if self._reader is not None:
            try:
                boot_times, self._times = self._reader.contents()
                boots = [Boot(boot_id, *times) for boot_id, times in boot_times.items()]
                self._set_back = set_back(spans_of(self._times))
            except ReaderError:
                boots = []
            if boots:
                return boots
            # It is journalctl's to say why there is nothing to see.
            self._reader = None
        done = self.journalctl.ask(["--list-boots", "--utc"], "list the boots of the journal")
        boots = [
            Boot(boot_id=match[1], first_us=utc(match[2]), last_us=utc(match[3]))
            for line in done.stdout.splitlines()
            for match in [re.search(_BOOT, line)]
            if match
        ]
        self._set_back = set_back(Span("", number, *times) for number, (_id, *times) in enumerate(boots))
        return boots

    def _kept_since(self, boots: t.Sequence[Boot]) -> int:
        """Return since when there are records of the whole host, the kernel's among them: users' may be older."""
        begins = begins_of_the_host(self._times)
        if not self._times and any(map(is_of_a_user, self._files)):
            first = self._first(["--lines=+1"], ["_TRANSPORT=kernel", "+", "_UID=0"])
            begins = [first.realtime_us] if first else []
        return min(begins or [boot.first_us for boot in boots])

    def _newest(self) -> Record | None:
        if not (self._boot or self._until):
            found = self.look_once(Walk((), FAR_FUTURE_US, True, 1, (CURSOR,)))
            if found:
                return found[0]
        return self._first([*self._boot, *self._until, "--reverse", "--lines=1"])

    def _begin_since(self, since: str) -> int | None:
        """Return the time of the first entry since then, the time itself where the clock was set back past it."""
        since_us = moment(since)
        if since_us is not None and is_passed_twice(since_us, self._set_back):
            return since_us
        first = self._first_since(since)
        return first.realtime_us if first else None

    def _first_since(self, since: str) -> Record | None:
        since_us = moment(since)
        if since_us is not None and not self._boot:
            found = self.look_once(Walk((), since_us, False, 1, (CURSOR,)))
            if found:
                return found[0]
        return self._first([*self._boot, f"--since={since}", "--lines=+1"])

    def _entry_at(self, cursor: str) -> Record:
        """Return the record of a cursor; journalctl itself begins just anywhere where there is none."""
        time_us = re.search(_CURSOR_TIME, cursor)
        found = self.look_once(Walk((), int(time_us[1], 16), False, 8, (CURSOR,))) if time_us else None
        for record in found or ():
            if record.cursor == cursor:
                return record
        first = self._first([f"--cursor={cursor}", "--lines=+1"])
        if first is None or first.cursor != cursor:
            raise JournalError(
                "The journal does not hold the entry of after_cursor: it was rotated away, or is another journal's.",
                hint="Leave after_cursor out once, or use since.",
            )
        return first

    def _first(self, arguments: t.Sequence[str], matches: t.Sequence[str] = ()) -> Record | None:
        # Its place and time are wanted alone, and anybody may have written it.
        return next(self.journalctl.read(arguments, matches, fields=("_TRANSPORT",)), None)

    def read_back(
        self,
        arguments: t.Sequence[str],
        matches: t.Sequence[str],
        *,
        files: t.Sequence[str] = (),
        pattern: str | None = None,
        fields: t.Sequence[str] = FIELDS,
        chunk: int | None = None,
        not_before_us: int = 0,
        talkative: bool = False,
    ) -> t.Iterator[Record]:
        """Yield records newest first, asking for no more than `chunk` at once, so that memory stays bounded."""
        chunk = chunk or self._chunk
        where: list[str] = [*arguments]
        last: Record | None = None
        while True:
            # A run that goes on begins with the record that the one before ended with.
            asked = chunk + (last is not None)
            read = self.journalctl.read(
                [*where, "--reverse", f"--lines={asked}"],
                matches,
                files=files,
                pattern=pattern,
                fields=fields,
                talkative=talkative,
            )
            records = list(read)
            fresh = [record for record in records if last is None or record.cursor != last.cursor]
            within = [record for record in fresh if record.realtime_us >= not_before_us]
            yield from within
            if len(records) < asked or not within or len(within) < len(fresh):
                return
            last = fresh[-1]
            where = [*self._boot, f"--cursor={last.cursor}"]


def _usable(parts: list[list[str]]) -> list[list[str]]:
    """Return parts of the journal's files, none where journalctl would take a path for a pattern, or one is empty."""
    is_pattern = any(character in path for files in parts for path in files for character in "*?[\\")
    return parts if all(parts) and not is_pattern else []
