# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal through a child process that has libsystemd: journalctl opens all files for each small look.

In the child, since a page that the disk does not give (SIGBUS) or a hung file system then costs the child alone.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import time
import typing as t

from .files import journal_files
from .libsystemd import (
    CURSOR,
    FileTimes,
    Walk,
    open_files,
    walk_through,
)
from .record import Record


class ReaderError(Exception):
    """There is no answer: libsystemd is not there, a file's page cannot be read, or time was up."""


class Reader:
    """A child process that has the files of a journal open and answers questions about them."""

    def __init__(self, *, directory: str | None = None, namespace: str | None = None, timeout: float = 300) -> None:
        self._timeout = timeout
        self._rest = b""
        self._awaited = 0
        questions, self._questions = os.pipe()
        self._answers, answers = os.pipe()
        self._child = os.fork()
        if self._child == 0:
            os.close(self._questions)
            os.close(self._answers)
            _serve(questions, answers, directory, namespace)
        os.close(questions)
        os.close(answers)

    def walks(self, walks: t.Sequence[Walk]) -> t.Iterator[list[Record]]:
        """Yield the records of each walk, in the order of the walk, while the child goes through the next.

        They have the fields that are asked for, and those that the matches tell. The next question ends the answers to
        this one. Raises ReaderError, and from then on always.
        """
        told = [_told(walk.matches) for walk in walks]
        names = [[name for name in walk.fields if name not in known] for walk, known in zip(walks, told)]
        self._ask("walks", [walk._replace(fields=fields) for walk, fields in zip(walks, names)], answers=len(walks))
        for fields, known in zip(names, told):
            yield [_record(entry, fields, known) for entry in self._answer()]

    def contents(self) -> tuple[dict[str, tuple[int, int]], list[FileTimes]]:
        """Return the times of the first and the last entry of each boot, and the files. Raises ReaderError."""
        boots: dict[str, tuple[int, int]] = {}
        self._ask("contents", answers=1)
        files = self._answer()
        for boot_id, first_us, last_us, _cursor in itertools.chain.from_iterable(found for *_file, found in files):
            first, last = boots.get(boot_id, (first_us, last_us))
            boots[boot_id] = min(first, first_us), max(last, last_us)
        return boots, files

    def close(self) -> None:
        """End the child; one that hangs in the kernel is left to it."""
        if self._child:
            os.kill(self._child, signal.SIGKILL)
            os.close(self._questions)
            os.close(self._answers)
            os.waitpid(self._child, os.WNOHANG)
            self._child = 0

    def _ask(self, *question: t.Any, answers: int) -> None:
        # What was asked before and not read is of no use any more.
        for _unread in range(self._awaited):
            self._answer()
        try:
            _write(self._questions, question)
        except OSError as error:
            raise self._failed(error) from error
        self._awaited = answers

    def _answer(self) -> t.Any:
        try:
            answer = json.loads(self._line())
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self._awaited -= 1
        return answer

    def _failed(self, error: Exception) -> ReaderError:
        self.close()
        self._questions = -1
        self._awaited = 0
        return ReaderError(str(error))

    def _line(self) -> bytes:
        deadline = time.monotonic() + self._timeout
        parts = [self._rest]
        while b"\n" not in parts[-1]:
            if not select.select([self._answers], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise OSError("The child did not answer in time.")
            parts.append(os.read(self._answers, 1 << 20))
            if not parts[-1]:
                raise OSError("The child has ended.")
        line, _newline, self._rest = b"".join(parts).partition(b"\n")
        return line


def _told(matches: t.Sequence[str]) -> dict[str, str]:
    """Return the fields whose values the matches tell: those with one value to match."""
    pairs = [match.partition("=")[::2] for match in matches]
    names = [name for name, _value in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}


def _record(entry: t.Sequence[t.Any], names: t.Sequence[str], told: t.Mapping[str, str]) -> Record:
    realtime_us, monotonic_us, boot_id, values = entry
    fields = {**told, **{name: value for name, value in zip(names, values) if value is not None}}
    return Record(fields.pop(CURSOR, ""), realtime_us, monotonic_us, boot_id, fields)


def _serve(questions: int, answers: int, directory: str | None, namespace: str | None) -> t.NoReturn:
    """Answer until nobody asks; whatever goes wrong ends the child, which the parent notices."""
    try:
        # Who reads the output of this module would wait for a child that hangs to close it.
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(nothing, descriptor)
        files = open_files(journal_files(directory, namespace))
        with open(questions, encoding="ascii") as lines:
            for line in lines:
                name, *arguments = json.loads(line)
                if name == "walks":
                    for walk in arguments[0]:
                        _write(answers, walk_through(files, Walk(*walk)))
                else:
                    _write(answers, [file.times for file in files])
    finally:
        os._exit(0)


def _write(descriptor: int, value: t.Any) -> None:
    data = memoryview(json.dumps(value).encode("ascii") + b"\n")
    while data:
        data = data[os.write(descriptor, data) :]
