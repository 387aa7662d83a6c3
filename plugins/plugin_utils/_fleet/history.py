# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every record that was ever made, in a file of SQLite with plain tables and views, which Datasette and others open.

Each run appends. What the file has already is not added again, so runs can be repeated, and records can come late. The
tables are described in history.sql.
"""

from __future__ import annotations

import contextlib
import operator
import os
import pathlib
import sqlite3
import typing as t

from ...module_utils._errors import OomguardError
from ...module_utils._safe import neutralise
from .fleet import find_standing
from .parts import get_part, list_events, summarize
from .record import Record
from .settings import list_settings

_VERSION = 1
_SCHEMA = pathlib.Path(__file__).with_name("history.sql")
_TIMEOUT = 60
_MOST_DAYS = 30
_LARGEST = 2**63 - 1
# The columns of each table; the first ones, whose number is in _KEYS, tell its rows apart.
_COLUMNS = {
    "records": ("host", "collected_at", "standing", "ok", "complete", "kills", "error"),
    "events": (
        "host",
        "id",
        "time",
        "killer",
        "cause",
        "victim",
        "unit",
        "taken_down",
        "down_seconds",
        "rss_bytes",
        "swap_bytes",
    ),
    "settings": ("host", "setting", "read_at", "value"),
    "changes": ("host", "time", "what", "before", "after"),
}
_KEYS = {"records": 2, "events": 2, "settings": 3, "changes": 3}
_get_event = operator.itemgetter(*_COLUMNS["events"][1:])


class HistoryError(OomguardError):
    """The history could not be read or written."""


class Drift(t.NamedTuple):
    """A setting whose newest value is not the one before."""

    host: str
    setting: str
    before: str
    after: str


class Day(t.NamedTuple):
    """How the hosts stood at the end of a day, by standing."""

    day: str
    hosts: t.Mapping[str, int]


class History:
    """The open file."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add_source(self, record: Record) -> None:
        """Add that a host was looked at, and what was in force then, unless that is there already."""
        self._write("records", [_make_row(record)], _INSERTS)
        self._write("settings", _list_settings(record), _INSERTS)

    def add(self, record: Record) -> None:
        """Add what a merged record says. It replaces what its sources say about the same time."""
        host = record["host"]
        events = [(host, *_get_event(event)) for event in list_events(record)]
        changes = [_make_change(host, change) for change in record["applied"]]

        self._write("records", [_make_row(record)], _UPDATES)
        self._write("settings", _list_settings(record), _UPDATES)
        self._write("events", events, _UPDATES)
        self._write("changes", changes, _UPDATES)

    def has_changed(self) -> bool:
        """Return whether anything was added."""
        return self._database.total_changes > 0

    def list_drift(self) -> list[Drift]:
        """Return the settings whose newest value is not the one before, sorted by host."""
        rows = self._database.execute("SELECT host, setting, before, after FROM drift ORDER BY host, setting")
        return list(map(Drift._make, rows))

    def list_days(self) -> list[Day]:
        """Return how the hosts stood on each of the last days on which there was a run, the newest first."""
        days: dict[str, dict[str, int]] = {}
        for day, standing, hosts in self._database.execute("SELECT day, standing, hosts FROM days ORDER BY day DESC"):
            days.setdefault(day, {})[standing] = hosts

        return list(map(Day._make, days.items()))[:_MOST_DAYS]

    def _write(self, table: str, rows: t.Iterable[tuple[t.Any, ...]], statements: t.Mapping[str, str]) -> None:
        fitting = [tuple(map(_fit, row)) for row in rows]
        self._database.executemany(statements[table], fitting)


@contextlib.contextmanager
def open_history(path: pathlib.Path) -> t.Iterator[History]:
    """Open the file, for this user only, and make it if there is none; another run waits until it is closed.

    If an error is raised meanwhile, nothing is added. Raises HistoryError.
    """
    try:
        _make_file(path)
        with contextlib.closing(sqlite3.connect(path, timeout=_TIMEOUT, isolation_level=None)) as database:
            _prepare(database, path)
            database.execute("BEGIN IMMEDIATE")
            yield History(database)
            database.execute("COMMIT")
    except sqlite3.Error as error:
        raise HistoryError(
            f"Could not write the history {path}: {neutralise(str(error))}.",
            hint="Check the disk. If the file is damaged, move it away: the next run begins a new one.",
        ) from error


def _make_file(path: pathlib.Path) -> None:
    """Make the file, for this user only, unless there is one. Raises HistoryError."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        reason = neutralise(error.strerror or str(error))
        raise HistoryError(
            f"Could not open the history {path}: {reason}.",
            hint="Check that it is a file that you can write to.",
        ) from error


def _prepare(database: sqlite3.Connection, path: pathlib.Path) -> None:
    """Make the tables in a new file. Raises HistoryError if a newer version of the collection made the file."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise HistoryError(
            f"Could not write the history {path}: a newer version of oomguard.linux made it.",
            hint="Use that version, or move the file away.",
        )

    if version < _VERSION:
        database.executescript(_SCHEMA.read_text("utf-8"))


def _write_insert(table: str) -> str:
    """Return the statement that adds a row unless there is one with the same key."""
    columns = _COLUMNS[table]
    marks = ", ".join("?" * len(columns))
    key = ", ".join(columns[: _KEYS[table]])
    parts = ["INSERT INTO", table, f"({', '.join(columns)})", f"VALUES ({marks})", f"ON CONFLICT ({key}) DO NOTHING"]

    return " ".join(parts)


def _write_update(table: str) -> str:
    """Return the statement that adds a row, or updates the one with the same key if that differs."""
    values = _COLUMNS[table][_KEYS[table] :]
    updates = ", ".join([f"{name} = excluded.{name}" for name in values])
    differences = " OR ".join([f"{table}.{name} IS NOT excluded.{name}" for name in values])

    return _write_insert(table).replace("NOTHING", f"UPDATE SET {updates} WHERE {differences}")


_INSERTS = dict(zip(_COLUMNS, map(_write_insert, _COLUMNS), strict=True))
_UPDATES = dict(zip(_COLUMNS, map(_write_update, _COLUMNS), strict=True))


def _make_row(record: Record) -> tuple[t.Any, ...]:
    return (
        record["host"],
        record["collected_at"],
        find_standing(record),
        record["ok"],
        get_part(record, "coverage").get("complete"),
        summarize(record)["count"],
        record["error"],
    )


def _list_settings(record: Record) -> list[tuple[t.Any, ...]]:
    host = record["host"]
    return [(host, setting.name, setting.read_at, setting.value) for setting in list_settings(record)]


def _make_change(host: str, change: Record) -> tuple[t.Any, ...]:
    return (host, change["time"] or "", change["what"], change["before"], change["after"])


def _fit(value: t.Any) -> t.Any:
    """Return a value that SQLite can hold: Unicode without surrogates, integers of 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()

    if isinstance(value, int):
        return max(-_LARGEST, min(value, _LARGEST))

    return value
