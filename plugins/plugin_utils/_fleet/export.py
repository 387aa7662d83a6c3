# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files for other programs, which may read or rotate them at any time: metrics and a log of events."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import stat
import typing as t

from ...module_utils._errors import OomguardError
from ...module_utils._files import find_hint, sync_folder
from .ecs import Event
from .files import replace_file

# node_exporter and log shippers run as users of their own. Names of processes and units are not for everybody.
_METRICS_MODE = 0o644
_LOG_MODE = 0o640
_KEY_LENGTH = 32
# Room for what an interrupted run can have written, and for a million keys; and a limit for memory.
_MAX_READ = 32 << 20


class ExportError(OomguardError):
    """A file for another program could not be written."""


def write_metrics(path: pathlib.Path, text: str) -> None:
    """Write the metrics at once, so that no scrape sees a part of them. Raises ExportError.

    node_exporter reads the files whose names end with .prom; that of the temporary file does not.
    """
    with _reporting(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text, mode=_METRICS_MODE)


def append_events(path: pathlib.Path, events: t.Iterable[Event]) -> int:
    """Append the events that were never appended to `path`, as one line of JSON each, and return their number.

    The log may be moved, truncated or removed between two runs: a file beside it, whose name ends with .ids, remembers
    which events it had. This file is also the lock of two runs at once. If a run is interrupted before it has written
    that file, the next one finds the events at the end of the log. Raises ExportError.
    """
    with _reporting(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with _open_log(path.with_name(f"{path.name}.ids")) as keys_file:
            fcntl.flock(keys_file, fcntl.LOCK_EX)
            with _open_log(path) as log:
                known = {*_read_lines(keys_file), *_read_keys(log)}
                added = _encode_new(events, known)
                _append_lines(log, added.values())
                _append_lines(keys_file, added.keys())
        sync_folder(path.parent)

    return len(added)


def _encode_new(events: t.Iterable[Event], known: t.Collection[bytes]) -> dict[bytes, bytes]:
    """Return the lines of the events that are not known, by key."""
    new: dict[bytes, bytes] = {}
    for event in events:
        key = _make_key(event)
        if key not in known:
            new[key] = json.dumps(event, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()

    return new


def _make_key(event: Event) -> bytes:
    """Return the key of an event in the file of known events: 32 hexadecimal digits."""
    names = json.dumps([event["host"]["name"], event["event"]["id"]])
    return hashlib.sha256(names.encode()).hexdigest()[:_KEY_LENGTH].encode()


def _open_log(path: pathlib.Path) -> t.BinaryIO:
    """Open a file to append whole lines, which no other program's buffer or offset can break."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, _LOG_MODE)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise ExportError(f"Could not write {path}: it is not a regular file.", hint="Choose another path.")

    return file


def _read_lines(file: t.BinaryIO) -> list[bytes]:
    """Return the lines at the end of a file; of a larger one than _MAX_READ, the first of them may be a part."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _MAX_READ, 0))

    return file.read(_MAX_READ).splitlines()


def _read_keys(log: t.BinaryIO) -> t.Iterator[bytes]:
    """Yield the keys of the events in a log. Lines that are broken, or from other programs, have none."""
    for line in _read_lines(log):
        with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):
            yield _make_key(json.loads(line))


def _append_lines(file: t.BinaryIO, lines: t.Iterable[bytes]) -> None:
    """Append lines with one write, and sync them to disk. A line that an interrupted run left unfinished is ended."""
    data = b"".join([line + b"\n" for line in lines])
    if data and not _ends_whole(file):
        data = b"\n" + data

    # Only a full disk takes less than the whole, and the next write then says so.
    while data:
        data = data[file.write(data) :]
    os.fsync(file.fileno())


def _ends_whole(file: t.BinaryIO) -> bool:
    size = file.seek(0, os.SEEK_END)
    if not size:
        return True

    file.seek(size - 1)
    return file.read(1) == b"\n"


@contextlib.contextmanager
def _reporting(path: pathlib.Path) -> t.Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ExportError(f"Could not write {path}: {error.strerror}.", hint=find_hint(error)) from error
