# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run journalctl, read the records that it prints, and find out what it could not read."""

from __future__ import annotations

import re
import typing as t

from .._command import CommandError, Completed, Run
from .._errors import OomguardError
from .._safe import neutralise
from .contents import Boot
from .files import THIS_HOST, Place
from .record import FIELDS, Record, read_json
from .times import parse_utc

# Version 247 colours its standard error even if that is no terminal.
_PLAIN = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0", "SYSTEMD_LOG_LEVEL": "info"}
# Without debug messages, journalctl names only one of several damaged files, and none whose damage is in the middle.
_VERBOSE = {**_PLAIN, "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_TARGET": "console"}

# How lines on standard error begin. Regular expressions would take longer to compile than journalctl to run.
_SKIPPED = "Failed to open journal file "
_REMOVED = "File /"
_REMOVED_END = " removed."
_SKIPPED_QUIETLY = "Journal file "
_ABORTED = (
    "Invalid field",
    "Failed to iterate ",
    "Failed to get ",
    "Failed to read ",
    "Failed to determine ",
    "Failed to skip ",
)

_BOOT = r"([0-9a-f]{32}) .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC"

_BAD_ENTRIES = "The journal is damaged: journalctl skipped entries that it could not read."


class JournalError(OomguardError):
    """The journal, or the requested part of it, could not be read."""


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


class _Complaints(t.NamedTuple):
    """What standard error says: `notes` on what was not read, whether the run `aborted`, and whether it `failed`."""

    notes: t.Sequence[str]
    aborted: bool = False
    failed: bool = False


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
        for line in done.stdout.splitlines():
            match = re.search(_BOOT, line)
            if match:
                boots.append(Boot(match[1], parse_utc(match[2]), parse_utc(match[3])))

        return boots

    def _complete(self, query: Query, attempt: str) -> Completed:
        """Ask, in a simpler way if that is needed, and take notes. Raises JournalError.

        `attempt` says in error messages what is tried.
        """
        done = self._start(query, attempt)
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        if query.pattern and _lacks_patterns(done):
            return self._complete(query._replace(pattern=""), attempt)
        if query.verbose and done.returncode and not _has_begun(lines):
            # Among so many messages it is hard to find the cause.
            return self._complete(query._replace(verbose=False), attempt)

        complaints = _read_complaints(done, lines, verbose=query.verbose)
        _check_access(done, attempt)
        if not _is_success(done, query, complaints):
            raise _make_error(done, attempt)

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
        for note in map(neutralise, notes):
            if note not in self.notes:
                self.notes.append(note)


def _lacks_patterns(done: Completed) -> bool:
    """Return whether journalctl was built without pattern matching, or is too old to know the option."""
    return "without pattern matching support" in done.stderr or "unrecognized option" in done.stderr


def _has_begun(lines: t.Iterable[str]) -> bool:
    """Return whether a verbose journalctl began to search, and failed only to open files."""
    has_filter = False
    for line in lines:
        if line.startswith("Failed to ") and not line.startswith(_SKIPPED):
            return False
        if line.startswith("Journal filter: "):
            has_filter = True

    return has_filter


def _read_complaints(done: Completed, lines: t.Sequence[str], *, verbose: bool) -> _Complaints:
    """Return what the lines of standard error mean."""
    aborted = _find_abort(done, lines)
    if verbose:
        return _Complaints(list(_describe_damage(lines)), aborted=aborted is not None)
    if aborted is not None:
        return _Complaints([f"The journal is damaged: journalctl stopped reading: {aborted}"], aborted=True)

    return _Complaints(lines, failed=any(not _is_about_skipped_file(line) for line in lines))


def _find_abort(done: Completed, lines: t.Iterable[str]) -> str | None:
    """Return the line that says that journalctl stopped reading in the middle of the journal."""
    if done.returncode != 1:
        return None

    return next((line for line in lines if line.startswith(_ABORTED)), None)


def _is_about_skipped_file(line: str) -> bool:
    return line.startswith(_SKIPPED_QUIETLY) or ", ignoring file" in line


def _describe_damage(lines: t.Iterable[str]) -> t.Iterator[str]:
    """Yield what a verbose journalctl could not read."""
    for line in lines:
        if line.startswith(_SKIPPED):
            path, _colon, reason = line[len(_SKIPPED) :].rpartition(": ")
            yield f"The journal file {path} was skipped: {reason}."
        elif line.startswith(_REMOVED) and line.endswith(_REMOVED_END):
            path = line[len("File ") : -len(_REMOVED_END)]
            yield f"The journal file {path} could not be read to its end."
        elif _is_about_bad_entry(line):
            yield _BAD_ENTRIES


def _is_about_bad_entry(line: str) -> bool:
    if "Skipping message we can't read" in line:
        return True

    return line.startswith("Entry item ") and " is bad, skipping" in line


def _check_access(done: Completed, attempt: str) -> None:
    """Raise JournalError if journalctl could not see the journal, whatever its exit status."""
    if "not seeing messages from other users" in done.stderr or "insufficient permissions" in done.stderr:
        raise JournalError(
            f"Could not {attempt}: this user may not read all of it, so OOM kills would be missed.",
            hint="Run the task with become, or as a member of the group systemd-journal.",
        )
    missing = next((line for line in done.stderr.splitlines() if _is_about_missing_journal(line)), None)
    if missing is not None:
        raise JournalError(
            f"Could not {attempt}: there is no journal ({neutralise(missing)}).",
            hint="Check that systemd-journald runs, and that journal_directory and journal_namespace are correct.",
        )


def _is_about_missing_journal(line: str) -> bool:
    if line.startswith("Failed to open "):
        return not line.startswith(_SKIPPED)

    return line.startswith("No journal files were ") or "no persistent journal was found" in line


def _is_success(done: Completed, query: Query, complaints: _Complaints) -> bool:
    if done.returncode == 0:
        return True
    # A search with a pattern ends with status 1 if nothing matches, and so does one that stopped reading.
    may_end_with_1 = query.pattern != "" or complaints.aborted
    return may_end_with_1 and done.returncode == 1 and not complaints.failed


def _make_error(done: Completed, attempt: str) -> JournalError:
    """Return the error that says how journalctl failed."""
    if done.returncode < 0:
        return JournalError(
            f"Could not {attempt}: journalctl was killed by signal {-done.returncode}.",
            hint="Check whether the host is out of memory.",
        )

    problem = done.failed(attempt).problem
    if "unrecognized option" in done.stderr:
        return JournalError(problem, hint="This journalctl is too old. Version 236 of systemd or later is required.")
    return JournalError(
        problem, hint="Check since, until, boot and after_cursor. See systemd.time(7) for the format of times."
    )
