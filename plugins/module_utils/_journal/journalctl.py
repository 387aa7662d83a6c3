# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running journalctl: what it prints, and what it could not read."""

from __future__ import annotations

import typing as t

from .._command import CommandError, Completed, Run
from .._errors import OomguardError
from .._safe import neutralise
from .record import FIELDS, Record, read_json

# Version 247 colours what it says on standard error even where that is no terminal.
_PLAIN = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0", "SYSTEMD_LOG_LEVEL": "info"}
# Without it, journalctl names one damaged file of several, and none that turns out to be damaged in the middle.
_TALKATIVE = {**_PLAIN, "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_TARGET": "console"}

# How lines begin that it says. Regular expressions would take longer to compile than journalctl to run.
_PASSED_OVER = "Failed to open journal file "
_PASSING = ("The journal file ", "The journal is damaged", "Journal file ")
_GAVE_UP = ("Invalid field", *(f"Failed to {verb} " for verb in ("iterate", "get", "read", "determine", "skip")))


class JournalError(OomguardError):
    """The journal, or the part of it that was asked for, could not be read."""


class Journalctl:
    """Journalctl, asked about one journal.

    `notes` and `unparsed` tell afterwards what was not read: files that it passed over, and records that came out in
    pieces.
    """

    def __init__(self, run: Run, *, directory: str | None, namespace: str | None, timeout: float) -> None:
        self._run = run
        self._timeout = timeout
        self._source = [
            *([f"--directory={directory}"] if directory else []),
            *([f"--namespace={namespace}"] if namespace else []),
        ]
        self.notes: list[str] = []
        self.unparsed = 0

    def read(
        self,
        arguments: t.Sequence[str],
        matches: t.Sequence[str] = (),
        *,
        files: t.Sequence[str] = (),
        pattern: str | None = None,
        fields: t.Sequence[str] = FIELDS,
        talkative: bool = False,
    ) -> t.Iterator[Record]:
        """Yield the records that one run prints, of some files of the journal, else of all. Raises JournalError."""
        # Without --all, fields of 4096 bytes and more are null: what matters is shorter, and anybody may write more.
        output = ["--output=json", f"--output-fields={','.join(fields)}"]
        patterns = [f"--grep={pattern}", "--case-sensitive=yes"] if pattern else []
        arguments = [*output, *arguments, *patterns, *matches]
        done = self.ask(arguments, "read the journal", files=files, no_match=bool(pattern), talkative=talkative)
        # The text of a record may hold what splitlines() splits at too.
        for line in done.stdout.split("\n"):
            if line.startswith("{"):
                record = read_json(line)
                if record is None:
                    self.unparsed += 1
                else:
                    yield record

    def ask(
        self,
        arguments: t.Sequence[str],
        attempt: str,
        *,
        files: t.Sequence[str] = (),
        no_match: bool = False,
        talkative: bool = False,
    ) -> Completed:
        source = [f"--file={path}" for path in files] or self._source
        argv = ["journalctl", "--no-pager", *source, *arguments]
        try:
            done = self._run(argv, timeout=self._timeout, environment=_TALKATIVE if talkative else _PLAIN)
        except CommandError as error:
            raise JournalError(f"Could not {attempt}: {error.problem}", hint=error.hint) from error
        if no_match and ("without pattern matching support" in done.stderr or "unrecognized option" in done.stderr):
            plain = [argument for argument in arguments if not argument.startswith(("--grep=", "--case-sensitive="))]
            return self.ask(plain, attempt, files=files, talkative=talkative)
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        if talkative and done.returncode and not _has_begun(said):
            # Among so many words the cause is hard to tell.
            return self.ask(arguments, attempt, files=files, no_match=no_match)
        gave_up = next((line for line in said if line.startswith(_GAVE_UP)), None) if done.returncode == 1 else None
        if talkative:
            said = list(_matter(said))
        elif gave_up:
            said = [f"The journal is damaged: journalctl read no further than what it calls: {gave_up}"]
        self._judge(done, said, attempt, no_match=no_match or bool(gave_up))
        for line in said:
            note = neutralise(line)
            if note not in self.notes:
                self.notes.append(note)
        return done

    def _judge(self, done: Completed, said: t.Sequence[str], attempt: str, *, no_match: bool) -> None:
        """Raise JournalError where the run did not see what it was to see, whatever its exit status."""
        if "not seeing messages from other users" in done.stderr or "insufficient permissions" in done.stderr:
            raise JournalError(
                f"Could not {attempt}: it may not be read by this user, so that kills would be missed.",
                hint="Run the task with become, or as a member of the group systemd-journal.",
            )
        none = next(filter(_is_without_journal, done.stderr.splitlines()), None)
        if none:
            raise JournalError(
                f"Could not {attempt}: there is none ({neutralise(none)}).",
                hint="Does systemd-journald run, and are journal_directory and journal_namespace right?",
            )
        if done.returncode < 0:
            raise JournalError(
                f"Could not {attempt}: journalctl was killed by signal {-done.returncode}.",
                hint="Is the host out of memory?",
            )
        trouble = [line for line in said if not line.startswith(_PASSING) and ", ignoring file" not in line]
        if done.returncode and not (no_match and done.returncode == 1 and not trouble):
            hint = "Check since, until, boot and after_cursor; `man 7 systemd.time` has the times."
            if "unrecognized option" in done.stderr:
                hint = "This journalctl is too old: it takes that of systemd 236 or later."
            raise JournalError(done.failed(attempt).problem, hint=hint)


def _has_begun(said: t.Sequence[str]) -> bool:
    """Tell whether a talkative journalctl came to look for something, and failed at no more than files."""
    failed = any(line.startswith("Failed to ") and not line.startswith(_PASSED_OVER) for line in said)
    return not failed and any(line.startswith("Journal filter: ") for line in said)


def _is_without_journal(line: str) -> bool:
    if line.startswith("Failed to open "):
        return not line.startswith("Failed to open journal file")
    return line.startswith("No journal files were ") or "no persistent journal was found" in line


def _matter(said: t.Iterable[str]) -> t.Iterator[str]:
    """Yield, of all that a talkative journalctl said, what it could not read."""
    for line in said:
        if line.startswith(_PASSED_OVER):
            path, _colon, why = line[len(_PASSED_OVER) :].rpartition(": ")
            yield f"The journal file {path} was passed over: {why}."
        elif line.startswith("File /") and line.endswith(" removed."):
            yield f"The journal file {line[len('File ') : -len(' removed.')]} could not be read to its end."
        elif (
            line.startswith("Entry item ") and " is bad, skipping" in line
        ) or "Skipping message we can't read" in line:
            yield "The journal is damaged: journalctl passed over entries that it could not read."
