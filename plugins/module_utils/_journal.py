# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd journal, and an honest account of what could not be read.

What is looked for is found by journalctl, which also says what it could not read. The many small looks at what stands
around it go through libsystemd where that can be had, and else through journalctl as well, with the same result.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import datetime as dt
import itertools
import json
import os
import pathlib
import re
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed, Run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._sd_journal import CURSOR, Entry, Reader, ReaderError, Walk
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
_PLAIN = {"SYSTEMD_COLORS": "0", "SYSTEMD_LOG_COLOR": "0", "SYSTEMD_LOG_LEVEL": "info"}
# Without it, journalctl names one damaged file of several, and none that turns out to be damaged in the middle.
_TALKATIVE = {**_PLAIN, "SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_LOG_TARGET": "console"}
_PASSED_OVER = re.compile(r"Failed to open journal file (?P<path>/.+): (?P<why>[^:]+)")
_GIVEN_UP = re.compile(r"File (?P<path>/.+) removed\.")
_GAVE_UP = re.compile(r"^(?:Invalid field|Failed to (?:iterate|get|read|determine|skip)\b).*", re.MULTILINE)
_PASSING = re.compile(r"^(?:The j|J)ournal (?:file|is damaged)|, ignoring file")
_SKIPPED = re.compile(r"Entry item .* is bad, skipping|Skipping message we can't read")
_CURSOR_TIME = re.compile(r";t=([0-9a-f]{1,15})(?:;|$)")
_AGO = re.compile(r"-(\d+)\s*(s|sec|min|h|d|w)?")
_SECONDS = {None: 1, "s": 1, "sec": 1, "min": 60, "h": 3600, "d": 86400, "w": 604800}
_FAR_FUTURE_US = 1 << 62
_BEGUN = re.compile(r"^Journal filter: ", re.MULTILINE)
_FAILED = re.compile(r"^Failed to (?!open journal file)", re.MULTILINE)
_BOOT = re.compile(r"([0-9a-f]{32}) .*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC.*?(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC")
_NO_PATTERNS = re.compile(r"without pattern matching support|unrecognized option")
_NO_PERMISSION = re.compile(r"not seeing messages from other users|insufficient permissions")
_NO_JOURNAL = re.compile(
    r"^(?:No journal files were (?:found|opened)|Failed to open (?!journal file)|.*no persistent journal was found).*",
    re.MULTILINE,
)
# The hint about permissions takes four lines; it is recognised by its first.
_HINT_REST = re.compile(r"Users in |Pass -q to turn off")


class JournalError(OomguardError):
    """The journal, or the part of it that was asked for, could not be read."""


class Record(t.NamedTuple):
    """One journal entry; `monotonic_us` is the time since its boot at which the journal received it."""

    cursor: str
    realtime_us: int
    monotonic_us: int
    boot_id: str
    fields: dict[str, str]

    @property
    def message(self) -> str:
        return self.fields.get("MESSAGE", "")

    @property
    def key(self) -> tuple[str, int, int, str]:
        """What makes it this record, in whichever file it lies."""
        return self.boot_id, self.monotonic_us, self.realtime_us, self.message


@dataclasses.dataclass(frozen=True)
class Boot:
    """One boot that the journal knows of, with the times of its first and last entry."""

    boot_id: str
    first_us: int
    last_us: int


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
    out in pieces. Without a `reader`, all is asked of journalctl.
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
        reader: Reader | None = None,
    ) -> None:
        self._run = run
        self._reader = reader
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
        self._middle_us = 0
        self.notes: list[str] = []
        self.unparsed = 0

    def extent(self) -> Extent | None:
        """Return what there is to look at, None where the part that was asked for is empty. Raises JournalError."""
        newest = self._newest()
        boots = self._boots()
        if not boots:
            raise JournalError(
                "The journal is empty.", hint="Does systemd-journald run, and does the directory hold a journal?"
            )
        oldest_us = min(boot.first_us for boot in boots)
        first_us, gap = oldest_us, None
        if self._after_cursor is not None:
            first_us = self._entry_at(self._after_cursor).realtime_us
        elif self._since is not None:
            first = self._first_since(self._since)
            if first is None:
                return None
            first_us = first.realtime_us
            if first_us < oldest_us + 1_000_000:
                gap = "The journal begins later than the time that was asked for: the rest is gone, or was never kept."
        elif self._boot and newest is not None:
            first_us = min((boot.first_us for boot in boots if boot.boot_id == newest.boot_id), default=oldest_us)
        if newest is None or newest.realtime_us < first_us:
            return None
        if self._since or self._after_cursor:
            self._since_us = first_us
        elif not (self._boot or self._until):
            self._middle_us = (first_us + newest.realtime_us) // 2
        within = [boot for boot in boots if boot.last_us + 999_999 >= first_us and boot.first_us <= newest.realtime_us]
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
        parts = [[*self._boot, *self._until, *since]]
        if self._middle_us and (os.cpu_count() or 1) > 1:
            # Two processors search twice as fast.
            parts = [[f"--since={_at(self._middle_us)}"], [f"--until={_at(self._middle_us - 1)}"]]
        bounds = [self._middle_us, self._since_us][-len(parts) :]
        found = [
            self._chunks(part, matches, pattern=pattern, not_before_us=bound, talkative=True)
            for part, bound in zip(parts, bounds)
        ]
        with concurrent.futures.ThreadPoolExecutor(len(found)) as pool:
            started = [(pool.submit(next, records, None), records) for records in found]
            for first, rest in started:
                for record in itertools.chain([first.result()], rest):
                    if record is None or record.cursor == self._after_cursor:
                        break
                    yield record

    def around(self, record: Record, matches: t.Sequence[str], *, after: float, chunk: int) -> t.Iterator[list[Record]]:
        """Yield chunks of the records of one boot, newest first, from `after` seconds after `record` backwards.

        They have no more than MESSAGE, SYSLOG_FACILITY, _HOSTNAME and what `matches` ask for, and may lack the cursor.
        """
        matches = [f"_BOOT_ID={record.boot_id}", *matches]
        until_us = record.realtime_us + int(after * 1_000_000)
        records: t.Iterator[Record] = self._back(until_us, record, matches, chunk)
        first = list(itertools.islice(records, chunk))
        if not any(other.key == record.key for other in first):
            # So much was logged in these seconds, or the clock was set, that the record itself is not among them.
            records = self._chunks([f"--cursor={record.cursor}"], matches, chunk=chunk)
            first = list(itertools.islice(records, chunk))
        while first:
            yield first
            first = list(itertools.islice(records, chunk))

    def after(self, realtime_us: int, matches: t.Sequence[str], *, count: int) -> list[Record]:
        """Return the first `count` records from that time on, oldest first."""
        records = self._look(Walk(tuple(matches), realtime_us, False, count, _FIELDS))
        if records is None:
            records = list(self._read([f"--since={_at(realtime_us)}", f"--lines=+{count}"], matches))
        return records

    def newest(self, matches: t.Sequence[str]) -> Record | None:
        """Return the newest record of all that matches."""
        records = self._look(Walk(tuple(matches), _FAR_FUTURE_US, True, 1, _FIELDS))
        if records is None:
            records = list(self._read(["--reverse", "--lines=1"], matches))
        return records[0] if records else None

    def _back(self, until_us: int, record: Record, matches: t.Sequence[str], chunk: int) -> t.Iterator[Record]:
        """Yield the records of the boot of `record` from that time backwards."""
        # A boot is of one host.
        same = {"_HOSTNAME": record.fields["_HOSTNAME"]} if "_HOSTNAME" in record.fields else {}
        for match in matches:
            name, _equals, value = match.partition("=")
            same[name] = value
        seen: set[tuple[str, int, int, str]] = set()
        while True:
            found = self._look(Walk(tuple(matches), until_us, True, chunk + len(seen), ("MESSAGE", "SYSLOG_FACILITY")))
            if found is None:
                if not seen:
                    yield from self._chunks([f"--until={_at(until_us)}"], matches, chunk=chunk)
                return
            fresh = [one for one in found if not seen or one.key not in seen]
            for one in fresh:
                one.fields.update(same)
            yield from fresh
            if len(found) < chunk + len(seen) or not fresh:
                return
            until_us = fresh[-1].realtime_us
            seen = {one.key for one in found if one.realtime_us == until_us}

    def _look(self, walk: Walk) -> list[Record] | None:
        """Return what the reader finds, None where there is none, or it finds no answer."""
        if self._reader is None:
            return None
        try:
            return [_record_of(entry) for entry in self._reader.walk(walk)]
        except ReaderError:
            self._reader = None
            return None

    def _boots(self) -> list[Boot]:
        if self._reader is not None:
            try:
                boots = [Boot(boot_id, *times) for boot_id, times in self._reader.boots().items()]
            except ReaderError:
                boots = []
            if boots:
                return boots
            # It is journalctl's to say why there is nothing to see.
            self._reader = None
        done = self._journalctl(["--list-boots", "--utc"], "list the boots of the journal")
        return [
            Boot(boot_id=match[1], first_us=_microseconds(match[2]), last_us=_microseconds(match[3]))
            for match in map(_BOOT.search, done.stdout.splitlines())
            if match
        ]

    def _newest(self) -> Record | None:
        if not (self._boot or self._until):
            found = self._look(Walk((), _FAR_FUTURE_US, True, 1, (CURSOR, "MESSAGE")))
            if found:
                return found[0]
        return self._first([*self._boot, *self._until, "--reverse", "--lines=1"])

    def _first_since(self, since: str) -> Record | None:
        ago = _AGO.fullmatch(since.strip())
        if ago and not self._boot:
            since_us = int((time.time() - int(ago[1]) * _SECONDS[ago[2]]) * 1_000_000)
            found = self._look(Walk((), since_us, False, 1, (CURSOR, "MESSAGE")))
            if found:
                return found[0]
        return self._first([*self._boot, f"--since={since}", "--lines=+1"])

    def _entry_at(self, cursor: str) -> Record:
        """Return the record of a cursor; journalctl itself begins just anywhere where there is none."""
        time_us = _CURSOR_TIME.search(cursor)
        found = self._look(Walk((), int(time_us[1], 16), False, 8, (CURSOR, "MESSAGE"))) if time_us else None
        for record in found or ():
            if record.cursor == cursor:
                return record
        first = self._first([f"--cursor={cursor}", "--lines=+1"])
        if first is None or first.cursor != cursor:
            raise JournalError(
                "The journal does not hold the entry of after_cursor: it was rotated away, or is another journal's.",
                hint="Leave after_cursor out once, or use since.",
            )
        return first

    def _first(self, arguments: t.Sequence[str]) -> Record | None:
        return next(self._read(arguments, ()), None)

    def _chunks(
        self,
        arguments: t.Sequence[str],
        matches: t.Sequence[str],
        *,
        pattern: str | None = None,
        chunk: int | None = None,
        not_before_us: int = 0,
        talkative: bool = False,
    ) -> t.Iterator[Record]:
        """Yield records newest first, asking for no more than `chunk` at once, so that memory stays bounded."""
        chunk = chunk or self._chunk
        where: list[str] = [*arguments]
        last: Record | None = None
        while True:
            # A run that goes on begins with the record that the one before ended with.
            asked = chunk + (last is not None)
            read = self._read([*where, "--reverse", f"--lines={asked}"], matches, pattern=pattern, talkative=talkative)
            records = list(read)
            fresh = [record for record in records if last is None or record.cursor != last.cursor]
            within = [record for record in fresh if record.realtime_us >= not_before_us]
            yield from within
            if len(records) < asked or not within or len(within) < len(fresh):
                return
            last = fresh[-1]
            where = [*self._boot_of(arguments), f"--cursor={last.cursor}"]

    def _boot_of(self, arguments: t.Sequence[str]) -> list[str]:
        return [argument for argument in arguments if argument.startswith("--boot=")]

    def _read(
        self,
        arguments: t.Sequence[str],
        matches: t.Sequence[str],
        *,
        pattern: str | None = None,
        talkative: bool = False,
    ) -> t.Iterator[Record]:
        """Yield the records that one run of journalctl prints. Raises JournalError."""
        # Fields of more than 4096 bytes are null without --all.
        output = ["--all", "--output=json", f"--output-fields={','.join(_FIELDS)}"]
        patterns = [f"--grep={pattern}", "--case-sensitive=yes"] if pattern else []
        arguments = [*output, *arguments, *patterns, *matches]
        done = self._journalctl(arguments, "read the journal", no_match=bool(pattern), talkative=talkative)
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                record = _record(line)
                if record is None:
                    self.unparsed += 1
                else:
                    yield record

    def _journalctl(
        self, arguments: t.Sequence[str], attempt: str, *, no_match: bool = False, talkative: bool = False
    ) -> Completed:
        argv = ["journalctl", "--no-pager", *self._source, *arguments]
        try:
            done = self._run(argv, timeout=self._timeout, environment=_TALKATIVE if talkative else _PLAIN)
        except CommandError as error:
            raise JournalError(f"Could not {attempt}: {error.problem}", hint=error.hint) from error
        if no_match and _NO_PATTERNS.search(done.stderr):
            plain = [argument for argument in arguments if not argument.startswith(("--grep=", "--case-sensitive="))]
            return self._journalctl(plain, attempt, talkative=talkative)
        if talkative and done.returncode and (_FAILED.search(done.stderr) or not _BEGUN.search(done.stderr)):
            # Among so many words the cause is hard to tell.
            return self._journalctl(arguments, attempt, no_match=no_match)
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        gave_up = _GAVE_UP.search(done.stderr) if done.returncode == 1 else None
        if talkative:
            said = list(_matter(said))
        elif gave_up:
            said = [f"The journal is damaged: journalctl read no further than what it calls: {gave_up[0]}"]
        self._judge(done, said, attempt, no_match=no_match or bool(gave_up))
        for line in said:
            note = neutralise(line)
            if note not in self.notes:
                self.notes.append(note)
        return done

    def _judge(self, done: Completed, said: t.Sequence[str], attempt: str, *, no_match: bool) -> None:
        """Raise JournalError where the run did not see what it was to see, whatever its exit status."""
        if _NO_PERMISSION.search(done.stderr):
            raise JournalError(
                f"Could not {attempt}: it may not be read by this user, so that kills would be missed.",
                hint="Run the task with become, or as a member of the group systemd-journal.",
            )
        none = _NO_JOURNAL.search(done.stderr)
        if none:
            raise JournalError(
                f"Could not {attempt}: there is none ({neutralise(none[0])}).",
                hint="Does systemd-journald run, and are journal_directory and journal_namespace right?",
            )
        if done.returncode < 0:
            raise JournalError(
                f"Could not {attempt}: journalctl was killed by signal {-done.returncode}.",
                hint="Is the host out of memory?",
            )
        trouble = [line for line in said if not _PASSING.search(line)]
        if done.returncode and not (no_match and done.returncode == 1 and not trouble):
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


def _record_of(entry: Entry) -> Record:
    cursor = entry.fields.pop(CURSOR, "")
    return Record(cursor, entry.realtime_us, entry.monotonic_us, entry.boot_id, entry.fields)


def _matter(said: t.Iterable[str]) -> t.Iterator[str]:
    """Yield, of all that a talkative journalctl said, what it could not read."""
    skipped = 0
    for line in said:
        passed_over, given_up = _PASSED_OVER.fullmatch(line), _GIVEN_UP.fullmatch(line)
        skipped += bool(_SKIPPED.search(line))
        if passed_over:
            yield f"The journal file {passed_over['path']} was passed over: {passed_over['why']}."
        elif given_up:
            yield f"The journal file {given_up['path']} could not be read to its end."
    if skipped:
        yield f"The journal is damaged: at {skipped} places journalctl passed over what it could not read."


def _decoded(value: t.Any) -> str:
    """Return a field as text: journalctl prints a string, a list of bytes, or a list of those for a repeated field."""
    if isinstance(value, str):
        return value
    if all(isinstance(item, int) for item in value):
        return bytes(value).decode("utf-8", "surrogateescape")
    return "\n".join(_decoded(item) for item in value)


def _at(realtime_us: int) -> str:
    return f"@{realtime_us // 1_000_000}.{realtime_us % 1_000_000:06d}"


def _microseconds(text: str) -> int:
    moment = dt.datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=dt.timezone.utc)
    return int(moment.timestamp()) * 1_000_000
