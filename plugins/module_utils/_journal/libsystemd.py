# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journal files, read with libsystemd.

Files are opened one by one. sd_journal_previous(3) compares all open files at each step, and a walk needs few of them.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import math
import operator
import os
import pathlib
import typing as t

from .contents import BootTimes, FileTimes
from .walk import CURSOR, FAR_FUTURE_US, Walk

_LIBRARY = "libsystemd.so.0"

Entry = t.Tuple[int, int, str, t.List[t.Optional[str]]]
"""The time since 1970 and since the boot in microseconds, the boot, and the values of the fields of the walk."""

_Waiting = t.Tuple[int, int, t.Iterator[Entry]]
"""The time of a file's next entry, the file's number, and its entries; times are negative on the way back."""


def open_files(paths: t.Iterable[pathlib.Path]) -> list[File]:
    """Open journal files. Raises OSError if libsystemd is missing."""
    lib = ctypes.CDLL(_LIBRARY)
    return [File(lib, path) for path in paths]


def walk_through(files: t.Sequence[File], walk: Walk) -> list[Entry]:
    """Return the entries that a walk finds in all files, each once."""
    readable = [file for file in files if file.last_us]
    if walk.cursor:
        return _walk_since_boot(readable, walk)

    return _walk_by_time(readable, walk)


def _walk_since_boot(files: t.Sequence[File], walk: Walk) -> list[Entry]:
    """Return the entries in the order of the time since the boot, which is the second part of each."""
    entries = [file.read_entries(walk) for file in files]
    merged = heapq.merge(*entries, key=operator.itemgetter(1))
    # Two files may hold the same entry.
    distinct = map(operator.itemgetter(0), itertools.groupby(merged))
    return list(itertools.islice(distinct, walk.limit))


def _walk_by_time(files: t.Sequence[File], walk: Walk) -> list[Entry]:
    """Return the entries in the order of the time since 1970; a file is not read before its time has come."""
    sign = -1 if walk.backwards else 1
    waiting = _queue_files(files, walk, sign)
    found: list[Entry] = []
    while waiting:
        _time, number, entries = heapq.heappop(waiting)
        # The time of the next entry of another file.
        others = math.inf
        if waiting:
            others = waiting[0][0]
        # All entries of a walk go through here, up to 40,000 of them, so this loop is kept tight.
        for entry in entries:
            if sign * entry[0] > others:
                heapq.heappush(waiting, (sign * entry[0], number, itertools.chain([entry], entries)))
                break
            if entry in found[-1:]:
                continue
            found.append(entry)
            if len(found) == walk.limit:
                return found
            if walk.until and walk.is_end(entry[1], entry[3][0] or ""):
                return found

    return found


def _queue_files(files: t.Sequence[File], walk: Walk, sign: int) -> list[_Waiting]:
    """Return a heap of the files that may hold entries of the walk, the one whose time comes first on top."""
    begin = sign * walk.realtime_us
    waiting: list[_Waiting] = []
    for number, file in enumerate(files):
        ends = (sign * file.first_us, sign * file.last_us)
        if max(ends) >= begin:
            next_time = max(min(ends), begin)
            waiting.append((next_time, number, file.read_entries(walk)))

    heapq.heapify(waiting)
    return waiting


class File:
    """An open journal file; one that libsystemd cannot open has no entries."""

    def __init__(self, lib: ctypes.CDLL, path: pathlib.Path) -> None:
        self._lib = lib
        self._path = path
        self._handle = ctypes.c_void_p()
        self._matches: t.Sequence[str] = ()
        self.first_us = 0
        self.last_us = 0
        self._open()

    def _open(self) -> None:
        paths = (ctypes.c_char_p * 2)(os.fsencode(self._path), None)
        result = self._lib.sd_journal_open_files(ctypes.byref(self._handle), paths, 0)
        if result < 0:
            return

        # 0 stands for no limit to the length of a field.
        self._lib.sd_journal_set_data_threshold(self._handle, ctypes.c_size_t(0))
        first = ctypes.c_uint64()
        last = ctypes.c_uint64()
        result = self._lib.sd_journal_get_cutoff_realtime_usec(self._handle, ctypes.byref(first), ctypes.byref(last))
        if result > 0:
            self.first_us = first.value
            self.last_us = last.value

    def read_times(self) -> FileTimes:
        """Return the times of the file's first and last entry, and its boots."""
        boots: list[BootTimes] = []
        if self.last_us:
            boots = list(self._read_boots())

        return FileTimes(
            path=str(self._path),
            first_us=self.first_us,
            last_us=self.last_us,
            boots=boots,
        )

    def read_entries(self, walk: Walk) -> t.Iterator[Entry]:
        """Yield the entries of this file that a walk finds, in its direction, however many there are."""
        self._set_matches(walk.matches)
        self._seek(walk)
        # Tens of thousands of entries go through the loop below, so all that can be made once is made here, and the
        # loop is kept tight.
        step = self._lib.sd_journal_next
        if walk.backwards:
            step = self._lib.sd_journal_previous
        handle = self._handle
        get_realtime = self._lib.sd_journal_get_realtime_usec
        get_monotonic = self._lib.sd_journal_get_monotonic_usec
        get_data = self._lib.sd_journal_get_data
        string_at = ctypes.string_at
        boot = (ctypes.c_char * 16)()
        number = ctypes.c_uint64()
        to_number = ctypes.byref(number)
        # The address is read as a number, which is never None, unlike the value of a c_void_p.
        address = ctypes.c_size_t()
        to_address = ctypes.byref(address)
        size = ctypes.c_size_t()
        to_size = ctypes.byref(size)
        # libsystemd gives a field as "NAME=value".
        names = [(name.encode("ascii"), len(name) + 1) for name in walk.fields]
        cursor_at = _find_cursor(walk.fields)
        while step(handle) > 0:
            get_realtime(handle, to_number)
            realtime_us = number.value
            get_monotonic(handle, to_number, boot)
            values = [
                string_at(address.value, size.value)[prefix:].decode("utf-8", "surrogateescape")
                if get_data(handle, name, to_address, to_size) == 0
                else None
                for name, prefix in names
            ]
            if cursor_at is not None:
                values[cursor_at] = self._read_cursor()
            yield realtime_us, number.value, boot.raw.hex(), values

    def _set_matches(self, matches: t.Sequence[str]) -> None:
        if matches == self._matches:
            return

        self._lib.sd_journal_flush_matches(self._handle)
        for match in matches:
            self._lib.sd_journal_add_match(self._handle, os.fsencode(match), ctypes.c_size_t(0))
        self._matches = matches

    def _seek(self, walk: Walk) -> None:
        if walk.cursor:
            self._lib.sd_journal_seek_cursor(self._handle, walk.cursor.encode("ascii"))
        else:
            self._lib.sd_journal_seek_realtime_usec(self._handle, ctypes.c_uint64(walk.realtime_us))

    def _read_boots(self) -> t.Iterator[BootTimes]:
        """Yield the boots that have entries in this file."""
        boots = self._query_boots()
        for match in boots:
            matches: tuple[str, ...] = (match,)
            if len(boots) == 1:
                # All entries match anyway, and a walk without matches is faster.
                matches = ()

            times = self._read_boot(match.partition("=")[2], matches)
            if times is not None:
                yield times

    def _read_boot(self, boot_id: str, matches: tuple[str, ...]) -> BootTimes | None:
        """Return the times of the entries that match, or None if the file is damaged and none can be read."""
        to_first = Walk(matches=matches, realtime_us=0, backwards=False, limit=1, fields=(CURSOR,))
        first = next(self.read_entries(to_first), None)
        last_us = self._find_last_us(matches)
        if first is None or last_us is None:
            return None

        first_us, _monotonic_us, _boot_id, (cursor,) = first
        return BootTimes(
            boot_id=boot_id,
            first_us=first_us,
            last_us=last_us,
            cursor=cursor or "",
        )

    def _query_boots(self) -> list[str]:
        """Return the matches of the boots that the file's index knows, such as `_BOOT_ID=...`."""
        boots = []
        address = ctypes.c_size_t()
        size = ctypes.c_size_t()
        self._lib.sd_journal_query_unique(self._handle, b"_BOOT_ID")
        while self._lib.sd_journal_enumerate_unique(self._handle, ctypes.byref(address), ctypes.byref(size)) > 0:
            boots.append(ctypes.string_at(address.value, size.value).decode("ascii"))

        return boots

    def _find_last_us(self, matches: tuple[str, ...]) -> int | None:
        """Return the time of the last entry that matches, or of the last one in the file without matches.

        If the clock was set back, the last entry is not the one with the latest time.
        """
        if not matches:
            return self.last_us

        to_last = Walk(matches=matches, realtime_us=FAR_FUTURE_US, backwards=True, limit=1, fields=())
        last = next(self.read_entries(to_last), None)
        if last is None:
            return None

        return last[0]

    def _read_cursor(self) -> str:
        text = ctypes.c_char_p()
        self._lib.sd_journal_get_cursor(self._handle, ctypes.byref(text))
        return (text.value or b"").decode("ascii")


def _find_cursor(fields: t.Sequence[str]) -> int | None:
    """Return the place of the cursor among the fields, or None if it is not among them."""
    if CURSOR not in fields:
        return None

    return list(fields).index(CURSOR)
