# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal through libsystemd, for small looks: journalctl opens all its files for each.

A child process looks: a page that the disk does not give (SIGBUS) or a hung file system costs the child alone. Files
are opened one by one, since sd_journal_previous(3) compares all open files at each step, and a look wants few of them.
"""

from __future__ import annotations

import ctypes
import heapq
import json
import os
import select
import signal
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import journal_files

_LIBRARY = "libsystemd.so.0"
CURSOR = "__CURSOR"
"""The name under which an entry's cursor can be asked for."""


class Entry(t.NamedTuple):
    """One journal entry, with those of the wanted fields that it has."""

    realtime_us: int
    monotonic_us: int
    boot_id: str
    fields: dict[str, str]


class Walk(t.NamedTuple):
    """A question: up to `limit` entries that match, from a time on, or backwards from that time.

    `matches` are one term: values of one field are alternatives, fields are joined by "and".
    """

    matches: t.Sequence[str]
    realtime_us: int
    backwards: bool
    limit: int
    fields: t.Sequence[str]


class ReaderError(Exception):
    """There is no answer: libsystemd is not there, a file's page cannot be read, or time was up."""


class Reader:
    """A child process that has the files of a journal open and answers questions about them."""

    def __init__(self, *, directory: str | None = None, namespace: str | None = None, timeout: float = 300) -> None:
        self._timeout = timeout
        self._rest = b""
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._questions)
            os.close(self._answers)
            _serve(questions, answers, directory, namespace)
        os.close(questions)
        os.close(answers)

    def walk(self, walk: Walk) -> list[Entry]:
        """Return the entries in the order of the walk. Raises ReaderError, and from then on always."""
        return [Entry(*entry) for entry in self._ask("walk", *walk)]

    def boots(self) -> dict[str, tuple[int, int]]:
        """Return the times of the first and the last entry of each boot. Raises ReaderError."""
        boots: dict[str, tuple[int, int]] = {}
        for boot_id, first_us, last_us in self._ask("boots"):
            first, last = boots.get(boot_id, (first_us, last_us))
            boots[boot_id] = min(first, first_us), max(last, last_us)
        return boots

    def close(self) -> None:
        """End the child; one that hangs in the kernel is left to it."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            os.close(self._questions)
            os.close(self._answers)
            os.waitpid(self._child, os.WNOHANG)
            self._child = 0

    def _ask(self, *question: t.Any) -> t.Any:
        try:
            _write(self._questions, question)
            return json.loads(self._answer())
        except (OSError, ValueError) as error:
            self.close()
            self._questions = -1
            raise ReaderError(str(error)) from error

    def _answer(self) -> bytes:
        deadline = time.monotonic() + self._timeout
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            if not select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise OSError("The child did not answer in time.")
            parts.append(os.read(self._answers, 1 << 20))
            if not parts[-1]:
                raise OSError("The child has ended.")
        answer, _newline, self._rest = b"".join(parts).partition(b"\n")
        return answer


def _serve(questions: int, answers: int, directory: str | None, namespace: str | None) -> t.NoReturn:
    """Answer until nobody asks; whatever goes wrong ends the child, which the parent notices."""
    try:
        lib = ctypes.CDLL(_LIBRARY)
        files = [_File(lib, str(path)) for path in journal_files(directory, namespace)]
        with open(questions, encoding="ascii") as lines:
            for line in lines:
                name, *arguments = json.loads(line)
                if name == "walk":
                    _write(answers, _walked(files, Walk(*arguments)))
                else:
                    _write(answers, [boot for file in files for boot in file.boots()])
    finally:
        os._exit(0)


def _write(descriptor: int, value: t.Any) -> None:
    data = memoryview(json.dumps(value).encode("ascii") + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]


def _walked(files: t.Sequence[_File], walk: Walk) -> list[Entry]:
    """Return the entries of all files in order; a file is not looked into before its time has come."""
    sign = -1 if walk.backwards else 1
    begin = sign * walk.realtime_us
    # What comes next: its time, the file's number, the entry (None as long as nobody has looked) and those after it.
    waiting: list[tuple[int, int, Entry | None, t.Iterator[Entry]]] = []
    for number, file in enumerate(files):
        nearest, farthest = sorted((sign * file.first_us, sign * file.last_us))
        if file.last_us and farthest >= begin:
            waiting.append((max(nearest, begin), number, None, file.entries(walk)))
    heapq.heapify(waiting)
    found: list[Entry] = []
    while waiting and len(found) < walk.limit:
        _time, number, entry, entries = waiting[0]
        if entry and entry not in found[-1:]:
            found.append(entry)
        entry = next(entries, None)
        if entry:
            heapq.heapreplace(waiting, (sign * entry.realtime_us, number, entry, entries))
        else:
            heapq.heappop(waiting)
    return found


class _File:
    """An open journal file; one that libsystemd cannot open has no entries."""

    def __init__(self, lib: ctypes.CDLL, path: str) -> None:
        self._lib = lib
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

    def entries(self, walk: Walk) -> t.Iterator[Entry]:
        """Yield what this file has to say to the question."""
        lib, handle, number, size = self._lib, self._handle, ctypes.c_uint64(), ctypes.c_size_t()
        if walk.matches != self._matches:
            lib.sd_journal_flush_matches(handle)
            for match in walk.matches:
                lib.sd_journal_add_match(handle, os.fsencode(match), ctypes.c_size_t(0))
            self._matches = walk.matches
        lib.sd_journal_seek_realtime_usec(handle, ctypes.c_uint64(walk.realtime_us))
        step = lib.sd_journal_previous if walk.backwards else lib.sd_journal_next
        # Thousands of entries go through here: what can be made once is.
        realtime, monotonic = lib.sd_journal_get_realtime_usec, lib.sd_journal_get_monotonic_usec
        get, text, data, boot = lib.sd_journal_get_data, ctypes.string_at, ctypes.c_void_p(), (ctypes.c_char * 16)()
        to_data, to_size, to_number = ctypes.byref(data), ctypes.byref(size), ctypes.byref(number)
        names = [(name, name.encode("ascii"), len(name) + 1) for name in walk.fields if name != CURSOR]
        while step(handle) > 0:
            realtime(handle, to_number)
            realtime_us = number.value
            monotonic(handle, to_number, boot)
            fields = {
                name: text(data.value or 0, size.value)[prefix:].decode("utf-8", "surrogateescape")
                for name, encoded, prefix in names
                if get(handle, encoded, to_data, to_size) == 0
            }
            if CURSOR in walk.fields:
                fields[CURSOR] = self._cursor()
            yield Entry(realtime_us, number.value, boot.raw.hex(), fields)

    def boots(self) -> t.Iterator[tuple[str, int, int]]:
        """Yield each boot in this file with the times of its first and its last entry."""
        lib, handle = self._lib, self._handle
        if not self.last_us:
            return
        lib.sd_journal_query_unique(handle, b"_BOOT_ID")
        boots, data, size = [], ctypes.c_void_p(), ctypes.c_size_t()
        while lib.sd_journal_enumerate_unique(handle, ctypes.byref(data), ctypes.byref(size)) > 0:
            boots.append(ctypes.string_at(data.value or 0, size.value).decode("ascii"))
        for boot in boots:
            ends = [
                next(self.entries(Walk((boot,), time_us, backwards, 1, ())), None)
                for time_us, backwards in ((0, False), (self.last_us, True))
            ]
            if ends[0] and ends[1]:
                yield boot.partition("=")[2], ends[0].realtime_us, ends[1].realtime_us

    def _cursor(self) -> str:
        text = ctypes.c_char_p()
        self._lib.sd_journal_get_cursor(self._handle, ctypes.byref(text))
        return (text.value or b"").decode("ascii")
