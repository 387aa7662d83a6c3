# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of records: one file for each host. Nothing else reads or writes records."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import operator
import os
import pathlib
import tempfile
import typing as t
import urllib.parse

from ...module_utils._safe import neutralise
from .record import Record, RecordError, decode_record, encode_record
from .shape import Schema

_COLLECTION = pathlib.Path(__file__).parents[3]
_SCHEMA = _COLLECTION / "roles/report/files/record.schema.json"
_SUFFIX = ".json"
# Linux accepts 255 bytes; a temporary file has a longer name.
_LONGEST_NAME = 200


@dataclasses.dataclass(frozen=True)
class Readings:
    """What a folder holds."""

    records: tuple[Record, ...]
    """Sorted by host."""
    problems: tuple[str, ...]
    """One sentence for each file that could not be read as a record."""


def read_records(folder: pathlib.Path) -> Readings:
    """Return the records in a folder. A damaged one does not keep the others from being read.

    Raises RecordError if the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix == _SUFFIX)
    except OSError as error:
        raise _cannot("read the records in", folder, error) from error

    readings = [_try_file(path) for path in paths]
    records = [record for record in readings if not isinstance(record, RecordError)]
    problems = [str(error) for error in readings if isinstance(error, RecordError)]
    records.sort(key=operator.itemgetter("host"))

    return Readings(tuple(records), tuple(problems))


def read_record(folder: pathlib.Path, host: str) -> Record | None:
    """Return the last record of a host, None if there is none. Raises RecordError."""
    path = folder / name_file(host)
    if not path.exists():
        return None

    return read_file(path)


def read_file(path: pathlib.Path) -> Record:
    """Return the record in a file. Raises RecordError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise _cannot("read the record", path, error) from error

    try:
        return decode_record(text, load_schema())
    except RecordError as error:
        raise RecordError(f"Could not read the record {path}. {error.problem}", hint=error.hint) from error


def write_record(folder: pathlib.Path, record: Record) -> pathlib.Path:
    """Write a host's record in place of its last one, at once and for this user only, and return the path.

    Raises RecordError.
    """
    path = folder / name_file(record["host"])
    text = encode_record(record)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _replace_file(path, text)
    except OSError as error:
        raise _cannot("write the record", path, error) from error

    return path


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


def _replace_file(path: pathlib.Path, text: str) -> None:
    """Write a file so that other programs see the old or the new one, never a part. Raises OSError."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _cannot(attempt: str, path: pathlib.Path, error: OSError) -> RecordError:
    reason = neutralise(error.strerror or str(error))
    return RecordError(
        f"Could not {attempt} {path}: {reason}.", hint="Name a folder on the control node that you can write to."
    )
