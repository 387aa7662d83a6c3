# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd journal, read newest first through journalctl, and an honest account of what could not be read."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed, Run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise

_FIELDS = (
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "SYSLOG_FACILITY",
    "SYSLOG_IDENTIFIER",
    "_TRANSPORT",
    "_PID",
    "_SYSTEMD_UNIT",
    "_HOSTNAME",
    "UNIT",
    "UNIT_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
)
# Version 247 colours what it says on standard error even where that is no terminal.
_PLAIN = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0"}
_BOOT = re.compile(r"([0-9a-f]{32}) .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_NO_PATTERNS = re.compile(r"without pattern matching support|unrecognized option")
_NO_PERMISSION = re.compile(r"not seeing messages from other users|insufficient permissions")
_NO_JOURNAL = re.compile(r"No journal files were (?:found|opened)|Failed to open|no persistent journal was found")
# The hint about permissions takes four lines; it is recognised by its first.
_HINT_REST = re.compile(r"Users in |Pass -q to turn off")


class JournalError(OomguardError):
    """The journal, or the part of it that was asked for, could not be read."""


@dataclasses.dataclass(frozen=True)
class Record:
    """One journal entry; `monotonic_us` is the time since its boot at which the journal received it."""

    cursor: str
    realtime_us: int
    monotonic_us: int
    boot_id: str
    fields: t.Mapping[str, str]

    @property
    def message(self) -> str:
        return self.fields.get("MESSAGE", "")


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot that the journal knows of, with the seconds since 1970 of its first and last entry."""

    boot_id: str
    first: int
    last: int


@dataclasses.dataclass(frozen=True)
class Extent:
    """The part of the journal that is looked at; `gap` says why there may have been more of it."""

    first_us: int
    last_us: int
    boots: int
    cursor: str
    gap: str | None = None


class Journal:
    """A journal, and the part of it that is asked for.

    `notes` and `unparsed` tell afterwards what was not read: files that journalctl passed over, and records that came
    out in pieces.
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
    ) -> None:
        self._run = run
        self._chunk = chunk
        self._timeout = timeout
        self._after_cursor = after_cursor
        self._since = since
        self._source = [
            *([f"--directory={directory}"] if directory else []),
            *([f"--namespace={namespace}"] if namespace else []),
        ]
        self._boot = [f"--boot={boot}"] if boot != "all" else []
        self._until = [f"--until={until}"] if until else []
        self._since_us = 0
        self.notes: list[str] = []
        self.unparsed = 0

    def extent(self) -> Extent | None:
        """Return what there is to look at, None where the part that was asked for is empty. Raises JournalError."""
        newest = self._first([*self._boot, *self._until, "--reverse", "--lines=1"])
        boots = self._boots()
        if not boots:
            raise JournalError(
                "The journal is empty.", hint="Does systemd-journald run, and does the directory hold a journal?"
            )
        oldest_us = min(boot.first for boot in boots) * 1_000_000
        first_us, gap = oldest_us, None
        if self._after_cursor is not None:
            first_us = self._entry_at(self._after_cursor).realtime_us
        elif self._since is not None:
            first = self._first([*self._boot, f"--since={self._since}", "--lines=+1"])
            if first is None:
                return None
            first_us = first.realtime_us
            if first_us < oldest_us + 1_000_000:
                gap = "The journal begins later than the time that was asked for: the rest is gone, or was never kept."
        elif self._boot and newest is not None:
            first_us = min(
                (boot.first * 1_000_000 for boot in boots if boot.boot_id == newest.boot_id), default=oldest_us
            )
        if newest is None or newest.realtime_us < first_us:
            return None
        self._since_us = first_us
        within = [
            boot
            for boot in boots
            if boot.last >= first_us // 1_000_000 and boot.first * 1_000_000 <= newest.realtime_us
        ]
        return Extent(
            first_us=first_us,
            last_us=newest.realtime_us,
            boots=1 if self._boot else len(within),
            cursor=newest.cursor,
            gap=gap,
        )

    def find(self, matches: t.Sequence[str], *, pattern: str) -> t.Iterator[Record]:
        """Yield the records of the part that was asked for, newest first. Call `extent()` before.

        `matches` are found through the journal's index, so let them be narrow; `pattern` (PCRE) narrows them further
        where journalctl has been built with it.
        """
        since = [f"--since={_at(self._since_us)}"] if self._since_us else []
        for record in self._chunks([*self._boot, *self._until, *since], matches, pattern=pattern):
            if record.realtime_us < self._since_us or record.cursor == self._after_cursor:
                return
            yield record

    def around(self, record: Record, matches: t.Sequence[str], *, after: float, chunk: int) -> t.Iterator[list[Record]]:
        """Yield chunks of the records of one boot, newest first, from `after` seconds after `record` backwards."""
        matches = [f"_BOOT_ID={record.boot_id}", *matches]
        until = _at(record.realtime_us + int(after * 1_000_000))
        records = self._chunks([f"--until={until}"], matches, chunk=chunk)
        first = list(itertools.islice(records, chunk))
        if not any(other.cursor == record.cursor for other in first):
            # So much was logged in these seconds, or the clock was set, that the record itself is not among them.
            records = self._chunks([f"--cursor={record.cursor}"], matches, chunk=chunk)
            first = list(itertools.islice(records, chunk))
        while first:
            yield first
            first = list(itertools.islice(records, chunk))

    def since(self, realtime_us: int, matches: t.Sequence[str]) -> list[Record]:
        """Return the records from that time to the journal's end, oldest first."""
        return list(self._chunks([f"--since={_at(realtime_us)}"], matches))[::-1]

    def _boots(self) -> list[Boot]:
        done = self._journalctl(["--list-boots", "--utc"], "list the boots of the journal")
        return [
            Boot(boot_id=match[1], first=_seconds(match[2]), last=_seconds(match[3]))
            for match in map(_BOOT.search, done.stdout.splitlines())
            if match
        ]

    def _entry_at(self, cursor: str) -> Record:
        """Return the record of a cursor; journalctl itself begins just anywhere where there is none."""
        record = self._first([f"--cursor={cursor}", "--lines=+1"])
        if record is None or record.cursor != cursor:
            raise JournalError(
                "The journal does not hold the entry of after_cursor: it was rotated away, or is another journal's.",
                hint="Leave after_cursor out once, or use since.",
            )
        return record

    def _first(self, arguments: t.Sequence[str]) -> Record | None:
        return next(self._read(arguments, ()), None)

    def _chunks(
        self,
        arguments: t.Sequence[str],
        matches: t.Sequence[str],
        *,
        pattern: str | None = None,
        chunk: int | None = None,
    ) -> t.Iterator[Record]:
        """Yield records newest first, asking for no more than `chunk` at once, so that memory stays bounded."""
        chunk = chunk or self._chunk
        where: list[str] = [*arguments]
        last: Record | None = None
        while True:
            # A run that goes on begins with the record that the one before ended with.
            asked = chunk + (last is not None)
            records = list(self._read([*where, "--reverse", f"--lines={asked}"], matches, pattern=pattern))
            fresh = [record for record in records if last is None or record.cursor != last.cursor]
            yield from fresh
            if len(records) < asked or not fresh:
                return
            last = fresh[-1]
            where = [*self._boot_of(arguments), f"--cursor={last.cursor}"]

    def _boot_of(self, arguments: t.Sequence[str]) -> list[str]:
        return [argument for argument in arguments if argument.startswith("--boot=")]

    def _read(
        self, arguments: t.Sequence[str], matches: t.Sequence[str], *, pattern: str | None = None
    ) -> t.Iterator[Record]:
        """Yield the records that one run of journalctl prints. Raises JournalError."""
        # Fields of more than 4096 bytes are null without --all.
        output = ["--all", "--output=json", f"--output-fields={','.join(_FIELDS)}"]
        patterns = [f"--grep={pattern}", "--case-sensitive=yes"] if pattern else []
        done = self._journalctl([*output, *arguments, *patterns, *matches], "read the journal", no_match=bool(pattern))
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                record = _record(line)
                if record is None:
                    self.unparsed += 1
                else:
                    yield record

    def _journalctl(self, arguments: t.Sequence[str], attempt: str, *, no_match: bool = False) -> Completed:
        argv = ["journalctl", "--no-pager", *self._source, *arguments]
        try:
            done = self._run(argv, timeout=self._timeout, environment=_PLAIN)
        except CommandError as error:
            raise JournalError(f"Could not {attempt}: {error.problem}", hint=error.hint) from error
        if no_match and _NO_PATTERNS.search(done.stderr):
            plain = [argument for argument in arguments if not argument.startswith(("--grep=", "--case-sensitive="))]
            return self._journalctl(plain, attempt)
        said = [line for line in done.stderr.splitlines() if line.strip()]
        self._judge(done, said, attempt, no_match=no_match)
        for line in said:
            note = neutralise(line.strip())
            if note not in self.notes:
                self.notes.append(note)
        return done

    def _judge(self, done: Completed, said: t.Sequence[str], attempt: str, *, no_match: bool) -> None:
        """Raise JournalError where the run did not see what it was to see, whatever its exit status."""
        text = " ".join(said)
        if _NO_PERMISSION.search(text):
            raise JournalError(
                f"Could not {attempt}: it may not be read by this user, so that kills would be missed.",
                hint="Run the task with become, or as a member of the group systemd-journal.",
            )
        if _NO_JOURNAL.search(text):
            raise JournalError(
                f"Could not {attempt}: there is none ({neutralise(text)}).",
                hint="Does systemd-journald run, and are journal_directory and journal_namespace right?",
            )
        if done.returncode < 0:
            raise JournalError(
                f"Could not {attempt}: journalctl was killed by signal {-done.returncode}.",
                hint="Is the host out of memory?",
            )
        if done.returncode and not (no_match and done.returncode == 1 and not said):
            error = done.failed(attempt)
            raise JournalError(
                error.problem, hint="Check since, until, boot and after_cursor; `man 7 systemd.time` has the times."
            )


def is_persistent(directory: str | None, *, root: pathlib.Path = pathlib.Path("/")) -> bool:
    """Tell whether the journal in `directory`, or else the host's own, outlives a reboot."""
    folder = pathlib.Path(directory) if directory else root / "var/log/journal"
    return folder.parts[1:2] != ("run",) and any(folder.glob("**/*.journal"))


def _record(line: str) -> Record | None:
    """Return the record that one line of `journalctl --output=json` holds, None where it is cut."""
    try:
        entry = json.loads(line)
        return Record(
            cursor=entry.pop("__CURSOR"),
            realtime_us=int(entry.pop("__REALTIME_TIMESTAMP")),
            monotonic_us=int(entry.pop("__MONOTONIC_TIMESTAMP")),
            boot_id=entry.pop("_BOOT_ID"),
            fields={name: _decoded(value) for name, value in entry.items() if value is not None},
        )
    except (ValueError, KeyError):
        return None


def _decoded(value: t.Any) -> str:
    """Return a field as text: journalctl prints a string, a list of bytes, or a list of those for a repeated field."""
    if isinstance(value, str):
        return value
    if all(isinstance(item, int) for item in value):
        return bytes(value).decode("utf-8", "surrogateescape")
    return "\n".join(_decoded(item) for item in value)


def _at(realtime_us: int) -> str:
    return f"@{realtime_us // 1_000_000}.{realtime_us % 1_000_000:06d}"


def _seconds(text: str) -> int:
    return int(dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.timezone.utc).timestamp())
