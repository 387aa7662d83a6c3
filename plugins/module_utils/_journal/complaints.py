# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What journalctl says on standard error: whether it failed, and what it could not read."""

from __future__ import annotations

import typing as t

from .._command import Completed
from .._errors import OomguardError
from .._safe import neutralise

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
_MISSING = ("Failed to open ", "No journal files were ")

_LACKS_PATTERNS = ("without pattern matching support", "unrecognized option")
_LACKS_PERMISSION = ("not seeing messages from other users", "insufficient permissions")

_BAD_ENTRIES = "The journal is damaged: journalctl skipped entries that it could not read."


class JournalError(OomguardError):
    """The journal, or the requested part of it, could not be read."""


class CursorError(JournalError):
    """The journal does not contain the entry after which to begin."""


class Complaints(t.NamedTuple):
    """What standard error says: `notes` on what was not read, whether the run `aborted`, and whether it `failed`."""

    notes: t.Sequence[str]
    aborted: bool = False
    failed: bool = False


def _split_lines(text: str) -> list[str]:
    """Return the lines that are not empty, without the space around them."""
    lines = map(str.strip, text.splitlines())
    return list(filter(None, lines))


def _has_any(text: str, parts: t.Iterable[str]) -> bool:
    """Return whether a text has one of the parts in it."""
    return any(part in text for part in parts)


def lacks_patterns(done: Completed) -> bool:
    """Return whether journalctl was built without pattern matching, or is too old to know the option."""
    return _has_any(done.stderr, _LACKS_PATTERNS)


def has_begun(done: Completed) -> bool:
    """Return whether a verbose journalctl began to search, and failed only to open files."""
    has_filter = False
    for line in _split_lines(done.stderr):
        if line.startswith(_SKIPPED):
            continue
        if line.startswith("Failed to "):
            return False
        if line.startswith("Journal filter: "):
            has_filter = True

    return has_filter


def read_complaints(done: Completed, *, verbose: bool) -> Complaints:
    """Return what standard error says."""
    lines = _split_lines(done.stderr)
    aborted = _find_abort(done, lines)
    if verbose:
        notes = list(_describe_damage(lines))
        return Complaints(notes, aborted=aborted is not None)
    if aborted is not None:
        note = f"The journal is damaged, and journalctl stopped reading it: {aborted}"
        return Complaints([note], aborted=True)

    has_other_lines = not all(map(_is_about_skipped_file, lines))
    return Complaints(lines, failed=has_other_lines)


def _find_abort(done: Completed, lines: t.Iterable[str]) -> str | None:
    """Return the line that says that journalctl stopped reading in the middle of the journal."""
    if done.returncode != 1:
        return None

    return next(filter(_is_about_abort, lines), None)


def _is_about_abort(line: str) -> bool:
    return line.startswith(_ABORTED)


def _is_about_skipped_file(line: str) -> bool:
    if line.startswith(_SKIPPED_QUIETLY):
        return True

    return ", ignoring file" in line


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
    if not line.startswith("Entry item "):
        return False

    return " is bad, skipping" in line


def check_access(done: Completed, attempt: str) -> None:
    """Raise JournalError if journalctl could not see the journal, whatever its exit status."""
    if _has_any(done.stderr, _LACKS_PERMISSION):
        raise JournalError(
            f"Could not {attempt}: this user may not read all of it, so OOM kills would be missed.",
            hint="Run the task with become: true, or as a member of the group systemd-journal.",
        )
    missing = next(filter(_is_about_missing_journal, done.stderr.splitlines()), None)
    if missing is not None:
        raise JournalError(
            f"Could not {attempt}: there is no journal ({neutralise(missing)}).",
            hint="Check that systemd-journald runs, and that journal_directory and journal_namespace are correct.",
        )


def _is_about_missing_journal(line: str) -> bool:
    if line.startswith(_SKIPPED):
        return False
    if line.startswith(_MISSING):
        return True

    return "no persistent journal was found" in line


def is_success(done: Completed, complaints: Complaints, *, has_pattern: bool) -> bool:
    """Return whether journalctl searched the journal, whatever it found."""
    if done.returncode == 0:
        return True
    if done.returncode != 1 or complaints.failed:
        return False

    # A search with a pattern ends with status 1 if nothing matches, and so does one that stopped reading.
    return has_pattern or complaints.aborted


def make_error(done: Completed, attempt: str) -> JournalError:
    """Return the error that says how journalctl failed."""
    if done.returncode < 0:
        return JournalError(
            f"Could not {attempt}: journalctl was killed by signal {-done.returncode}.",
            hint="Check whether the host is out of memory.",
        )

    problem = done.failed(attempt).problem
    if "unrecognized option" in done.stderr:
        return JournalError(problem, hint="This journalctl is too old. systemd 236 or later is required.")
    return JournalError(
        problem, hint="Check since, until, boot and after_cursor. See systemd.time(7) for the format of times."
    )
