# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From text logs to the result of `oom_info`: the files are read, and their events put in order."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import heapq
import importlib
import lzma
import os
import pathlib
import stat
import typing as t
import zlib

from .._errors import OomguardError
from .explain.allocation import compute_supplies
from .explain.cause import find_cause
from .incident.findings import Findings
from .incident.incident import Incident, build_incident
from .report.log_lines import read_lines, read_log
from .report.model import OomReport, Unparsed
from .report.reader import read_reports
from .result import build_result
from .search.search import Coverage

_zstd: t.Any = None
with contextlib.suppress(ImportError):
    _zstd = importlib.import_module("compression.zstd")

_Placed = t.Tuple[int, int, Incident]
"""The time of an event, its number among all events, and the event."""


class LogError(OomguardError):
    """A text log could not be read."""


def _open_zst(path: str, mode: str, **options: str) -> t.IO[str]:
    if _zstd is None:
        raise LogError(
            f"Could not read the log {path}: decompressing .zst requires Python 3.14 on the host.",
            hint="Decompress it with zstd -d, and name the result in log_files.",
        )

    opened: t.IO[str] = _zstd.open(path, mode, **options)

    return opened


_OPENERS: t.Mapping[str, t.Callable[..., t.IO[str]]] = {
    ".bz2": bz2.open,
    ".gz": gzip.open,
    ".xz": lzma.open,
    ".zst": _open_zst,
}
_KINDS = {stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
_AS_ROOT = "Run the task with become, or as a user who may read it."
# Its mode is that of a regular file, but reading it waits for the kernel's next message.
_ENDLESS = "/proc/kmsg"
_DAMAGED: tuple[type[Exception], ...] = (EOFError, lzma.LZMAError, zlib.error)
if _zstd:
    _DAMAGED += (_zstd.ZstdError,)


def find_in_logs(paths: t.Sequence[str], *, boot: str, limit: int, tasks: str, top: int) -> dict[str, t.Any]:
    """Return the OOM kills in text logs, explained, as `oom_info` returns them.

    At most `limit` events are returned. `tasks` (`top`, `all` or `none`) and `top` say how many rows of the task table.
    Raises LogError.
    """
    if boot != "all":
        raise LogError(
            f"Could not search only the boot {boot}: log_files are read whole.",
            hint="Omit boot, and name the logs of that boot.",
        )

    return build_result(search_logs(paths, limit=limit), tasks=tasks, top=top)


def search_logs(paths: t.Sequence[str], *, limit: int) -> Findings:
    """Return the OOM kills in text logs; files whose names end in .gz, .bz2, .xz or .zst are decompressed.

    Raises LogError.
    """
    if not paths:
        raise LogError(
            "Could not search text logs for OOM kills: log_files is empty.",
            hint="Name at least one file, or omit log_files to read the journal.",
        )

    events = _Events(limit)
    unparsed = 0
    for path in dict.fromkeys(paths):
        for item in _read_log(path):
            if isinstance(item, Unparsed):
                unparsed += 1
            else:
                events.add(build_incident(item, log=path))

    return Findings(
        incidents=events.list_newest(),
        older=events.list_older(),
        units_taken_down=(),
        coverage=_build_coverage(unparsed, events.duplicates),
    )


def _build_coverage(unparsed: int, duplicates: int) -> Coverage:
    gap = "Text logs do not show what is missing from them, nor what became of the units."
    notes: tuple[str, ...] = ()
    if duplicates:
        notes = (f"Events found in several files, each counted once: {duplicates}.",)

    return Coverage(unparsed=unparsed, gaps=(gap,), notes=notes)


class _Events:
    """The events of all files, each once: whole within the limit, and reduced to what is counted beyond it.

    They are sorted by time. An event without a time follows the event before it in the files.
    """

    def __init__(self, limit: int) -> None:
        self.duplicates = 0
        """The number of events that an earlier file also contained."""
        self._limit = limit
        self._newest: list[_Placed] = []
        self._older: list[_Placed] = []
        self._logs: dict[t.Hashable, str | None] = {}
        self._log: str | None = None
        self._at_us = 0

    def list_newest(self) -> tuple[Incident, ...]:
        """Return the events within the limit, the oldest first."""
        return _sort(self._newest)

    def list_older(self) -> tuple[Incident, ...]:
        """Return the events beyond the limit, the oldest first."""
        return _sort(self._older)

    def add(self, incident: Incident) -> None:
        """Add the next event of a file."""
        if self._is_duplicate(incident):
            self.duplicates += 1
            return

        self._advance(incident)
        number = len(self._newest) + len(self._older)
        heapq.heappush(self._newest, (self._at_us, number, incident))
        if len(self._newest) > self._limit:
            at_us, number, oldest = heapq.heappop(self._newest)
            self._older.append((at_us, number, _reduce(oldest)))

    def _is_duplicate(self, incident: Incident) -> bool:
        """Return whether an earlier file contained the event; without a time, nothing shows that it did."""
        report = incident.report
        at = incident.at
        if at.realtime_us is None and at.monotonic_us is None:
            return False

        victims = tuple((victim.pid, victim.name) for victim in report.victims)
        event = (report.killer, at.realtime_us, at.monotonic_us, at.hostname, report.cgroup, victims)

        return self._logs.setdefault(event, incident.log) != incident.log

    def _advance(self, incident: Incident) -> None:
        """Set the time to that of an event; within one file it never goes back, even if the clock was set back."""
        at_us = incident.at.realtime_us
        is_same_log = incident.log == self._log
        self._log = incident.log
        if at_us is None:
            return

        if is_same_log:
            at_us = max(at_us, self._at_us)

        self._at_us = at_us


def _sort(events: t.Iterable[_Placed]) -> tuple[Incident, ...]:
    return tuple(incident for _at_us, _number, incident in sorted(events))


def _reduce(incident: Incident) -> Incident:
    """Return an incident with only those parts of its report that the summary counts."""
    report = incident.report
    at = incident.at
    counted = OomReport(at, at, at, killer=report.killer, scope=report.scope, victims=report.victims)

    return incident._replace(report=counted, cause=find_cause(report, compute_supplies(report)))


def _read_log(path: str) -> t.Iterator[OomReport | Unparsed]:
    open_log = _OPENERS.get(pathlib.Path(path).suffix, open)
    try:
        _check_kind(path)
        with open_log(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
            yield from read_reports(read_log(read_lines(file)))
    except PermissionError as error:
        raise LogError(f"Could not read the log {path}: {error.strerror}.", hint=_AS_ROOT) from error
    except OSError as error:
        raise LogError(f"Could not read the log {path}: {error.strerror or error}.", hint="Check log_files.") from error
    except _DAMAGED as error:
        raise LogError(f"Could not read the log {path}: {error}.", hint="Check log_files.") from error


def _check_kind(path: str) -> None:
    """Refuse anything but a regular file, since reading it might never end.

    Raises LogError, and OSError if it does not exist.
    """
    kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind == stat.S_IFREG and os.path.realpath(path) != _ENDLESS:
        return

    raise LogError(
        f"Could not read the log {path}: it is {_KINDS.get(kind, 'a device')}, not a regular file.",
        hint="Write the output of dmesg to a file and name that file in log_files, or omit log_files to read the "
        "journal.",
    )
