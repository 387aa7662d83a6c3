# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a report: records are merged into it, and the page, the data and the history are made from them.

The report is made from the records in the folder `hosts` alone, so records can come from several runs, control nodes
and hosts, in any order. Only one record at a time is in memory.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import secrets
import typing as t

from ...module_utils._errors import OomguardError
from ...module_utils._safe import neutralise
from .anonymous import Pseudonyms
from .files import replace_file
from .fleet import Fleet, Host, build_fleet, build_host
from .history import History, open_history
from .merge import merge_records
from .page import Extras, render_page
from .record import Record, RecordError
from .report_data import encode_fleet, is_anonymous_report
from .store import name_file, read_file, read_record, read_records, write_record

PAGE = "index.html"
_DATA = "report.json"
_HISTORY = "history.sqlite3"
_HOSTS = "hosts"
_KEY_BYTES = 32
_NAMELESS_PROBLEM = "A record could not be read."


class PublishError(OomguardError):
    """A report could not be written."""


class Source(t.NamedTuple):
    """Where records come from: those of this run, and folders of others."""

    records: t.Iterable[Record] = ()
    folders: t.Sequence[pathlib.Path] = ()


class Published(t.NamedTuple):
    """What was written."""

    changed: tuple[str, ...]
    """The paths of the files that changed, relative to the folder of the report."""
    fleet: Fleet
    problems: tuple[str, ...]
    """One sentence for each record that could not be used."""


def plan_report(folder: pathlib.Path, source: Source, *, is_anonymous: bool) -> list[str]:
    """Return which files publish_report() would change, as far as the records tell. Raises OomguardError."""
    _check_kind(folder, is_anonymous=is_anonymous)
    pseudonyms = None
    if is_anonymous:
        pseudonyms = Pseudonyms(_read_key(folder) or secrets.token_bytes(_KEY_BYTES))

    intake = _Intake(folder / _HOSTS, pseudonyms)
    changed = {_name_record(record) for record in intake.read_all(source) if intake.merge(record)}
    if changed or not (folder / PAGE).exists():
        changed.update((_DATA, _HISTORY, PAGE))

    return sorted(changed)


def publish_report(folder: pathlib.Path, source: Source, *, is_anonymous: bool) -> Published:
    """Merge records into the folder of a report, and write its page, its data and its history.

    Raises OomguardError.
    """
    with _reporting(folder), _lock(folder):
        _check_kind(folder, is_anonymous=is_anonymous)
        pseudonyms = None
        if is_anonymous:
            pseudonyms = Pseudonyms(_read_key(folder) or _make_key(folder))

        hosts = folder / _HOSTS
        hosts.mkdir(mode=0o700, exist_ok=True)
        intake = _Intake(hosts, pseudonyms)
        with open_history(folder / _HISTORY) as history:
            changed = {*_take_in(source, intake, history)}
            fleet = build_fleet(_read_hosts(intake, history))
            extras = Extras(intake.problems, history.list_drift(), history.list_days(), is_anonymous)
            has_changed = history.has_changed()

        if has_changed:
            changed.add(_HISTORY)

        changed |= _update_file(folder / PAGE, "".join(render_page(fleet, _make_loader(hosts), extras)))
        changed |= _update_file(folder / _DATA, encode_fleet(fleet, extras))

        return Published(tuple(sorted(changed)), fleet, tuple(intake.problems))


def read_published(folder: pathlib.Path) -> t.Iterator[Record]:
    """Yield the records of a report, one at a time. Raises RecordError if there is none."""
    for reading in read_records(folder / _HOSTS):
        if not isinstance(reading, RecordError):
            yield reading


class _Intake:
    """Reads records, and merges them with those that a report has."""

    def __init__(self, hosts: pathlib.Path, pseudonyms: Pseudonyms | None) -> None:
        self.problems: list[str] = []
        self.hosts = hosts
        self._pseudonyms = pseudonyms

    def read_all(self, source: Source) -> t.Iterator[Record]:
        """Yield the records of a source, without names if need be. A damaged one is a problem."""
        yield from map(self._rename, source.records)

        for folder in source.folders:
            for reading in read_records(folder):
                if isinstance(reading, RecordError):
                    self.note(reading)
                else:
                    yield self._rename(reading)

    def merge(self, record: Record) -> Record | None:
        """Return the merged record of a host, None if the report has it already. A damaged one is replaced."""
        try:
            known = read_record(self.hosts, record["host"])
        except RecordError as error:
            self.note(error)
            return record

        if known is None:
            return record

        merged = merge_records([record, known])
        if merged == known:
            return None

        return merged

    def note(self, error: RecordError) -> None:
        """Add the problem with a record that could not be used; its path is a name, too."""
        problem = str(error)
        if self._pseudonyms is not None:
            problem = _NAMELESS_PROBLEM

        self.problems.append(problem)

    def _rename(self, record: Record) -> Record:
        if self._pseudonyms is None:
            return record

        return self._pseudonyms.replace(record)


def _take_in(source: Source, intake: _Intake, history: History) -> t.Iterator[str]:
    """Add all records of a source, and yield the paths of those that changed."""
    for record in intake.read_all(source):
        history.add_source(record)
        merged = intake.merge(record)
        if merged is not None:
            write_record(intake.hosts, merged)
            yield _name_record(merged)


def _name_record(record: Record) -> str:
    return f"{_HOSTS}/{name_file(record['host'])}"


def _read_hosts(intake: _Intake, history: History) -> t.Iterator[Host]:
    """Yield what the report knows of each host, and add it to the history."""
    for reading in read_records(intake.hosts):
        if isinstance(reading, RecordError):
            intake.note(reading)
            continue

        history.add(reading)
        yield build_host(reading)


def _make_loader(hosts: pathlib.Path) -> t.Callable[[str], Record]:
    """Return a function that reads the record of a host."""

    def load(host: str) -> Record:
        return read_file(hosts / name_file(host))

    return load


def _update_file(path: pathlib.Path, text: str) -> set[str]:
    """Write a file unless it has this text already, and return its name if it changed. Raises OSError."""
    with contextlib.suppress(FileNotFoundError, UnicodeDecodeError):
        if path.read_text("utf-8") == text:
            return set()

    replace_file(path, text)

    return {path.name}


@contextlib.contextmanager
def _lock(folder: pathlib.Path) -> t.Iterator[None]:
    """Make the folder, for this user only, and keep other runs from writing to it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_kind(folder: pathlib.Path, *, is_anonymous: bool) -> None:
    """Raise PublishError if a report has names and another one of the same folder would not, or the reverse."""
    hosts = folder / _HOSTS
    if not hosts.exists() or not any(hosts.iterdir()):
        return

    if is_anonymous_report(folder / _DATA) == is_anonymous:
        return

    kind = "with" if is_anonymous else "without"
    raise PublishError(
        f"Could not write the report to {folder}: there is a report {kind} names.",
        hint="Choose another report_path, or remove that report.",
    )


def _find_key(folder: pathlib.Path) -> pathlib.Path:
    """Return the file of the key of an anonymous report. It is beside the folder, which can be given away."""
    return folder.with_name(f"{folder.name}.key")


def _read_key(folder: pathlib.Path) -> bytes | None:
    try:
        return bytes.fromhex(_find_key(folder).read_text("ascii"))
    except (OSError, ValueError):
        return None


def _make_key(folder: pathlib.Path) -> bytes:
    """Make the key, for this user only. Raises OSError if there is a damaged one, which must not be lost."""
    key = secrets.token_bytes(_KEY_BYTES)
    descriptor = os.open(_find_key(folder), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(key.hex() + "\n")

    return key


@contextlib.contextmanager
def _reporting(folder: pathlib.Path) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = neutralise(error.strerror or str(error))
        raise PublishError(
            f"Could not write the report to {folder}: {reason}.",
            hint="Set report_path to a folder on the control node that you can write to.",
        ) from error
