# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run journalctl, read the records that it prints, and note what it could not read."""

from __future__ import annotations

import re
import typing as t

from .._command import CommandError, Completed, Run
from .._safe import neutralise
from .complaints import (
    JournalError,
    check_access,
    has_begun,
    is_success,
    lacks_patterns,
    make_error,
    read_complaints,
)
from .contents import Boot
from .files import THIS_HOST, Place
from .record import FIELDS, Record, read_json
from .times import parse_utc

# Version 247 colours its standard error even if that is no terminal.
_PLAIN = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0", "SYSTEMD_LOG_LEVEL": "info"}
# Without debug messages, journalctl names only one of several damaged files, and none whose damage is in the middle.
_VERBOSE = {**_PLAIN, "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_TARGET": "console"}

_BOOT = r"([0-9a-f]{32}) .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"


class Query(t.NamedTuple):
    """A question to journalctl: `arguments` and `matches` as it takes them, and the fields to print.

    `files` are the files to read, those of the whole journal if there are none. With `verbose`, journalctl also names
    the files and entries that it cannot read.
    """

    arguments: t.Sequence[str]
    matches: t.Sequence[str] = ()
    fields: t.Sequence[str] = FIELDS
    pattern: str = ""
    files: t.Sequence[str] = ()
    verbose: bool = False


class Journalctl:
    """journalctl for one journal.

    `notes` and `unparsed` say afterwards what was not read: damaged files and entries, and the number of records that
    were not printed whole.
    """

    def __init__(self, run: Run, place: Place = THIS_HOST, *, timeout: float) -> None:
        self._run = run
        self._place = place
        self._timeout = timeout
        self.notes: list[str] = []
        self.unparsed = 0

    def read(self, query: Query) -> t.Iterator[Record]:
        """Yield the records that journalctl prints. Raises JournalError."""
        # Without --all, journalctl prints fields of 4096 bytes and more as null. The fields that matter are shorter,
        # and any program may write longer ones.
        output = ["--output=json", f"--output-fields={','.join(query.fields)}"]
        query = query._replace(arguments=[*output, *query.arguments])
        done = self._complete(query, "read the journal")
        # The text of a record may contain characters at which splitlines() would split too.
        for line in done.stdout.split("\n"):
            if not line.startswith("{"):
                continue

            record = read_json(line)
            if record is None:
                self.unparsed += 1
            else:
                yield record

    def list_boots(self) -> list[Boot]:
        """Return the boots that the journal knows of, with times to the second. Raises JournalError."""
        done = self._complete(Query(["--list-boots", "--utc"]), "list the boots of the journal")
        boots = []
        for match in re.finditer(_BOOT, done.stdout):
            first_us = parse_utc(match[2])
            last_us = parse_utc(match[3])
            boots.append(Boot(match[1], first_us, last_us))

        return boots

    def _complete(self, query: Query, attempt: str) -> Completed:
        """Ask, in a simpler way if that is needed, and take notes. Raises JournalError.

        `attempt` says in error messages what is tried.
        """
        done = self._start(query, attempt)
        if query.pattern and lacks_patterns(done):
            return self._complete(query._replace(pattern=""), attempt)

        has_failed = done.returncode != 0
        if query.verbose and has_failed and not has_begun(done):
            # Among so many messages it is hard to find the cause.
            return self._complete(query._replace(verbose=False), attempt)

        check_access(done, attempt)
        complaints = read_complaints(done, verbose=query.verbose)
        if not is_success(done, complaints, has_pattern=query.pattern != ""):
            raise make_error(done, attempt)

        self._add_notes(complaints.notes)
        return done

    def _start(self, query: Query, attempt: str) -> Completed:
        argv = ["journalctl", "--no-pager", *self._list_sources(query.files), *query.arguments]
        if query.pattern:
            argv += [f"--grep={query.pattern}", "--case-sensitive=yes"]
        argv += query.matches

        environment = _PLAIN
        if query.verbose:
            environment = _VERBOSE

        try:
            return self._run(argv, timeout=self._timeout, environment=environment)
        except CommandError as error:
            raise JournalError(f"Could not {attempt}: {error.problem}", hint=error.hint) from error

    def _list_sources(self, files: t.Iterable[str]) -> list[str]:
        """Return the arguments that name the files to read, or else the journal."""
        sources = [f"--file={path}" for path in files]
        if sources:
            return sources

        if self._place.directory:
            sources.append(f"--directory={self._place.directory}")
        if self._place.namespace:
            sources.append(f"--namespace={self._place.namespace}")
        return sources

    def _add_notes(self, notes: t.Iterable[str]) -> None:
        all_notes = [*self.notes, *map(neutralise, notes)]
        self.notes = list(dict.fromkeys(all_notes))
