# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal through libsystemd.

Files are opened one by one, since sd_journal_previous(3) compares all open files at each step, and a walk wants few of
them.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import os
import pathlib
import typing as t

_LIBRARY = "libsystemd.so.0"
CURSOR = "__CURSOR"
"""The name under which an entry's cursor can be asked for."""
FAR_FUTURE_US = 1 << 62

Entry = t.Tuple[int, int, str, t.List[t.Optional[str]]]
"""The time since 1970 and since the boot in microseconds, the boot, and the fields that were asked for."""


BootTimes = t.Tuple[str, int, int, str]
"""A boot, the times of its first and its last entry, and the first one's cursor."""

FileTimes = t.Tuple[str, int, int, t.List[BootTimes]]
"""A file, the times of its first and its last entry, 0 where it could not be opened, and the boots in it."""


class Walk(t.NamedTuple):
    """A question: up to `limit` entries that match, from a time on, or backwards from that time.

    Or else from a `cursor` on, in the order of the time since the boot; let the matches name one boot then.

    `matches` are one term: values of one field are alternatives, fields are joined by "and". A walk ends with the first
    entry that has the text `until` in the first of its `fields`, and was received no later than `passing_us` since the
    boot.
    """

    matches: t.Sequence[str]
    realtime_us: int
    backwards: bool
    limit: int
    fields: t.Sequence[str]
    passing_us: int = 0
    until: str = ""
    cursor: str = ""


def open_files(paths: t.Iterable[pathlib.Path]) -> list[File]:
    """Open journal files. Raises OSError where there is no libsystemd."""
    lib = ctypes.CDLL(_LIBRARY)
    return [File(lib, path) for path in paths]


def walk_through(files: t.Sequence[File], walk: Walk) -> list[Entry]:
    """Return the entries of all files in order; a file is not looked into before its time has come."""
    if walk.cursor:
        merged = heapq.merge(*(file.entries(walk) for file in files if file.last_us), key=lambda entry: entry[1])
        return list(itertools.islice((entry for entry, _same in itertools.groupby(merged)), walk.limit))
    sign = -1 if walk.backwards else 1
    begin = sign * walk.realtime_us
    # When a file's next entry comes, the file's number, and the entries.
    waiting: list[tuple[int, int, t.Iterator[Entry]]] = []
    for number, file in enumerate(files):
        nearest, farthest = sorted((sign * file.first_us, sign * file.last_us))
        if file.last_us and farthest >= begin:
            waiting.append((max(nearest, begin), number, file.entries(walk)))
    heapq.heapify(waiting)
    found: list[Entry] = []
    while waiting:
        _time, number, entries = heapq.heappop(waiting)
        others = waiting[0][0] if waiting else None
        for entry in entries:
            if others is not None and sign * entry[0] > others:
                heapq.heappush(waiting, (sign * entry[0], number, itertools.chain([entry], entries)))
                break
            if entry in found[-1:]:
                continue
            found.append(entry)
            if len(found) == walk.limit:
                return found
            if walk.until and entry[1] <= walk.passing_us and walk.until in (entry[3][0] or ""):
                return found
    return found


class File:
    """An open journal file; one that libsystemd cannot open has no entries."""

    def __init__(self, lib: ctypes.CDLL, path: pathlib.Path) -> None:
        self._lib = lib
        self._path = path
        self._handle = ctypes.c_void_p()
        self._matches: t.Sequence[str] = ()
        self.first_us = self.last_us = 0
        paths = (ctypes.c_char_p * 2)(os.fsencode(path), None)
        if lib.sd_journal_open_files(ctypes.byref(self._handle), paths, 0) < 0:
            return
        lib.sd_journal_set_data_threshold(self._handle, ctypes.c_size_t(0))
        first, last = ctypes.c_uint64(), ctypes.c_uint64()
        if lib.sd_journal_get_cutoff_realtime_usec(self._handle, ctypes.byref(first), ctypes.byref(last)) > 0:
            self.first_us, self.last_us = first.value, last.value

    @property
    def times(self) -> FileTimes:
        return str(self._path), self.first_us, self.last_us, list(self._boots()) if self.last_us else []

    def entries(self, walk: Walk) -> t.Iterator[Entry]:
        """Yield what this file has to say to the question."""
        lib, handle, number, size = self._lib, self._handle, ctypes.c_uint64(), ctypes.c_size_t()
        if walk.matches != self._matches:
            lib.sd_journal_flush_matches(handle)
            for match in walk.matches:
                lib.sd_journal_add_match(handle, os.fsencode(match), ctypes.c_size_t(0))
            self._matches = walk.matches
        if walk.cursor:
            lib.sd_journal_seek_cursor(handle, walk.cursor.encode("ascii"))
        else:
            lib.sd_journal_seek_realtime_usec(handle, ctypes.c_uint64(walk.realtime_us))
        step = lib.sd_journal_previous if walk.backwards else lib.sd_journal_next
        # Thousands of entries go through here: what can be made once is.
        realtime, monotonic = lib.sd_journal_get_realtime_usec, lib.sd_journal_get_monotonic_usec
        get, text, data, boot = lib.sd_journal_get_data, ctypes.string_at, ctypes.c_void_p(), (ctypes.c_char * 16)()
        to_data, to_size, to_number = ctypes.byref(data), ctypes.byref(size), ctypes.byref(number)
        names = [(name.encode("ascii"), len(name) + 1) for name in walk.fields]
        cursor_at = list(walk.fields).index(CURSOR) if CURSOR in walk.fields else None
        while step(handle) > 0:
            realtime(handle, to_number)
            realtime_us = number.value
            monotonic(handle, to_number, boot)
            values = [
                text(data.value or 0, size.value)[prefix:].decode("utf-8", "surrogateescape")
                if get(handle, name, to_data, to_size) == 0
                else None
                for name, prefix in names
            ]
            if cursor_at is not None:
                values[cursor_at] = self._cursor()
            yield realtime_us, number.value, boot.raw.hex(), values

    def _boots(self) -> t.Iterator[BootTimes]:
        lib, handle = self._lib, self._handle
        lib.sd_journal_query_unique(handle, b"_BOOT_ID")
        boots, data, size = [], ctypes.c_void_p(), ctypes.c_size_t()
        while lib.sd_journal_enumerate_unique(handle, ctypes.byref(data), ctypes.byref(size)) > 0:
            boots.append(ctypes.string_at(data.value or 0, size.value).decode("ascii"))
        for boot in boots:
            matches = (boot,) if len(boots) > 1 else ()
            first = next(self.entries(Walk(matches, 0, False, 1, (CURSOR,))), None)
            # Where the clock was set back, the file's last entry is not its latest.
            last = next(self.entries(Walk(matches, FAR_FUTURE_US, True, 1, ())), None) if matches else (self.last_us,)
            if first and last:
                yield boot.partition("=")[2], first[0], last[0], first[3][0] or ""

    def _cursor(self) -> str:
        text = ctypes.c_char_p()
        self._lib.sd_journal_get_cursor(self._handle, ctypes.byref(text))
        return (text.value or b"").decode("ascii")
