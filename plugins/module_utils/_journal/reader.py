# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal through a child process that uses libsystemd; journalctl would open all files for each small walk.

It is a child process because a page that the disk cannot deliver (SIGBUS) or a hung file system then costs only the
child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
import typing as t

from .contents import BootTimes, FileTimes
from .files import THIS_HOST, Place, find_journal_files
from .libsystemd import File, open_files, walk_through
from .record import Record
from .walk import CURSOR, Walk


class ReaderError(Exception):
    """There is no answer: libsystemd is missing, a page of a file cannot be read, or the time is up."""


class _Question(t.NamedTuple):
    """A walk for the child, and the fields that all its records have, as the matches give them."""

    walk: Walk
    known: t.Mapping[str, str]


class Reader:
    """A child process that has the files of a journal open and answers questions about them."""

    def __init__(self, place: Place = THIS_HOST, *, timeout: float = 300) -> None:
        self._timeout = timeout
        self._rest = b""
        self._awaited = 0
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._questions)
            os.close(self._answers)
            _serve(questions, answers, place)
        os.close(questions)
        os.close(answers)

    def walk_each(self, walks: t.Sequence[Walk]) -> t.Iterator[list[Record]]:
        """Yield the records of each walk, in the order of the walk, while the child works on the next one.

        They have the fields of the walk, and those whose value follows from the matches. A further question discards
        the answers that were not read. Raises ReaderError, and from then on for every question.
        """
        questions = list(map(_make_question, walks))
        reduced = [question.walk for question in questions]
        self._ask("walks", reduced, answers=len(walks))
        for question in questions:
            entries = self._read_answer()
            yield _make_records(entries, question)

    def list_files(self) -> list[FileTimes]:
        """Return the files with their boots and times. Raises ReaderError."""
        self._ask("files", answers=1)
        return [_make_file_times(*file) for file in self._read_answer()]

    def close(self) -> None:
        """End the child, without waiting for one that hangs in the kernel."""
        if not self._child:
            return

        os.kill(self._child, signal.SIGKILL)
        os.close(self._questions)
        os.close(self._answers)
        os.waitpid(self._child, os.WNOHANG)
        self._child = 0

    def _ask(self, *question: t.Any, answers: int) -> None:
        # Answers to the question before that nobody read.
        for _unread in range(self._awaited):
            self._read_answer()

        try:
            _write(self._questions, question)
        except OSError as error:
            raise self._give_up(error) from error

        self._awaited = answers

    def _read_answer(self) -> t.Any:
        try:
            answer = json.loads(self._read_line())
        except (OSError, ValueError) as error:
            raise self._give_up(error) from error

        self._awaited -= 1
        return answer

    def _give_up(self, error: Exception) -> ReaderError:
        self.close()
        self._questions = -1
        self._awaited = 0
        return ReaderError(str(error))

    def _read_line(self) -> bytes:
        deadline = time.monotonic() + self._timeout
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            remaining = max(deadline - time.monotonic(), 0)
            ready, _writable, _exceptional = select.select([self._answers], [], [], remaining)
            if not ready:
                raise OSError("The child did not answer in time.")

            part = os.read(self._answers, 1 << 20)
            if not part:
                raise OSError("The child has ended.")
            parts.append(part)

        line, _newline, self._rest = b"".join(parts).partition(b"\n")
        return line


def _make_question(walk: Walk) -> _Question:
    """Return what the child has to read for a walk: not the fields that have a single value to match."""
    known: dict[str, str] = {}
    repeated: set[str] = set()
    for match in walk.matches:
        name, _equals, value = match.partition("=")
        if name in known:
            repeated.add(name)
        known[name] = value

    # Any of the values may be the one of a record.
    for name in repeated:
        del known[name]

    unknown = [name for name in walk.fields if name not in known]
    return _Question(walk._replace(fields=unknown), known)


def _make_records(entries: t.Iterable[t.Any], question: _Question) -> list[Record]:
    """Return the records of entries, with the fields that the child has read and those that the matches give."""
    names = question.walk.fields
    known = question.known
    records = []
    # Tens of thousands of entries may go through this loop, so it is kept tight.
    for realtime_us, monotonic_us, boot_id, values in entries:
        fields = {**known, **{name: value for name, value in zip(names, values) if value is not None}}
        records.append(Record(fields.pop(CURSOR, ""), realtime_us, monotonic_us, boot_id, fields))

    return records


def _make_file_times(path: str, first_us: int, last_us: int, boots: t.Iterable[t.Sequence[t.Any]]) -> FileTimes:
    return FileTimes(
        path=path,
        first_us=first_us,
        last_us=last_us,
        boots=[BootTimes(*boot) for boot in boots],
    )


def _serve(questions: int, answers: int, place: Place) -> t.NoReturn:
    """Answer until nobody asks; whatever goes wrong ends the child, which the parent notices."""
    try:
        _detach()
        files = open_files(find_journal_files(place))
        with open(questions, encoding="ascii") as lines:
            for line in lines:
                _answer(answers, json.loads(line), files)
    finally:
        os._exit(0)


def _answer(answers: int, question: t.Sequence[t.Any], files: t.Sequence[File]) -> None:
    """Write the answer to a question: the times of the files, or what each walk finds."""
    if question[0] == "files":
        _write(answers, [file.read_times() for file in files])
        return

    for walk in question[1]:
        found = walk_through(files, Walk(*walk))
        _write(answers, found)


def _detach() -> None:
    """Close the standard streams, as whoever reads the module's output would wait for a child that hangs."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)


def _write(descriptor: int, value: t.Any) -> None:
    data = memoryview(json.dumps(value).encode("ascii") + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
