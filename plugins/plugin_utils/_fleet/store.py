# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of records: one file for each host. Nothing else reads or writes records."""

from __future__ import annotations

import contextlib
import fnmatch
import functools
import hashlib
import json
import os
import pathlib
import typing as t
import urllib.parse

import yaml

from ...module_utils._safe import neutralise
from .files import replace_file
from .record import NOT_SEARCHED, Record, RecordError, decode_record, encode_record
from .shape import Schema

_COLLECTION = pathlib.Path(__file__).parents[3]
_SCHEMA = _COLLECTION / "roles/detect/files/record.schema.json"
_SUFFIX = ".json"
_MAX_APPLIED = 100
# Linux accepts 255 bytes; a temporary file has a longer name.
_LONGEST_NAME = 200


def read_records(folder: pathlib.Path) -> t.Iterator[Record | RecordError]:
    """Yield the records in a folder, one at a time, sorted by the names of their files.

    For a file that cannot be read as a record, the error is yielded. Raises RecordError if the folder cannot be read.
    """
    for path in _list_files(folder):
        yield _try_file(path)


def _list_files(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return the files of records in a folder, sorted by name. Raises RecordError."""
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise _cannot("read the records in", folder, error) from error

    names_of_records = fnmatch.filter(sorted(names), f"[!.]*{_SUFFIX}")

    return [folder / name for name in names_of_records]


def read_record(folder: pathlib.Path, host: str) -> Record | None:
    """Return the last record of a host, None if there is none. Raises RecordError."""
    path = folder / name_file(host)
    if not path.exists():
        return None

    return read_file(path)


def find_record(folder: pathlib.Path, host: str) -> Record | None:
    """Return the last record of a host, None if there is none or if it is damaged."""
    with contextlib.suppress(RecordError):
        return read_record(folder, host)

    return None


def read_file(path: pathlib.Path) -> Record:
    """Return the record in a file. Raises RecordError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _cannot("read the record", path, error) from error

    try:
        return decode_record(text, load_schema())
    except RecordError as error:
        raise RecordError(f"Could not read the record {path}. {error.problem}", hint=error.hint) from None


def write_record(folder: pathlib.Path, record: Record) -> pathlib.Path:
    """Write a host's record in place of its last one, at once and for this user only, and return the path.

    Raises RecordError.
    """
    path = folder / name_file(record["host"])
    text = encode_record(record)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, text)
    except OSError as error:
        raise _cannot("write the record", path, error) from error

    return path


def write_next_record(folder: pathlib.Path, record: Record) -> None:
    """Write a host's record with the changes that its last record lists, too; a damaged one is replaced.

    If the host was not searched, its last record is kept apart from its changes. Raises RecordError.
    """
    last = find_record(folder, record["host"]) or {}
    applied = [*last.get("applied", ()), *record["applied"]]
    record = {**record, "applied": applied[-_MAX_APPLIED:]}
    if record["error"] != NOT_SEARCHED:
        write_record(folder, record)
        return

    if last:
        changed = {name: record[name] for name in ("applied", "in_force")}
        write_record(folder, {**last, **changed})


def name_file(host: str) -> str:
    """Return the name of a host's record. No name of a host leads out of the folder or to another host's record."""
    name = urllib.parse.quote(host, safe="@:+", errors="surrogatepass")
    if name.startswith("."):
        name = f"%2E{name[1:]}"

    if len(name) > _LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()
        name = f"{name[: _LONGEST_NAME - len(digest)]}{digest}"

    return name + _SUFFIX


@functools.cache
def load_schema() -> Schema:
    """Return the JSON schema of records."""
    return t.cast("Schema", json.loads(_SCHEMA.read_text("utf-8")))


def _try_file(path: pathlib.Path) -> Record | RecordError:
    try:
        return read_file(path)
    except RecordError as error:
        return error


@functools.cache
def read_version() -> str:
    """Return the version of this collection, as installed or as in its repository."""
    manifest = _COLLECTION / "MANIFEST.json"
    if manifest.exists():
        return str(json.loads(manifest.read_text("utf-8"))["collection_info"]["version"])

    return str(yaml.safe_load((_COLLECTION / "galaxy.yml").read_text("utf-8"))["version"])


def _cannot(attempt: str, path: pathlib.Path, error: OSError) -> RecordError:
    reason = neutralise(error.strerror or str(error))
    return RecordError(
        f"Could not {attempt} {path}: {reason}.", hint="Name a folder on the control node that you can write to."
    )
