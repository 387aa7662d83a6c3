# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OOM kills that text logs tell of."""

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
from .._safe import neutralise
from .explain.allocation import supplies
from .explain.cause import cause_of
from .incident.findings import Findings
from .incident.incident import Incident, incident_of
from .report.log_lines import lines_of, read_log
from .report.model import OomReport, Unparsed
from .report.reader import read_reports
from .search.search import Coverage

_zstd: t.Any = None
with contextlib.suppress(ImportError):
    _zstd = importlib.import_module("compression.zstd")


# Its time, and its number among all.
_Placed = t.Tuple[int, int, Incident]


class LogError(OomguardError):
    """A text log could not be read."""


def _open_zst(path: str, mode: str, **options: str) -> t.IO[str]:
    if _zstd is None:
        raise LogError(
            f"Could not read the log {neutralise(path)}: to decompress .zst takes Python 3.14 on the host.",
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
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
_AS_ROOT = "Run the task with become, or as a user who may read it."
# By its mode it is a file, but whoever reads it waits for the kernel's next message.
_ENDLESS = "/proc/kmsg"
_UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error, *([_zstd.ZstdError] if _zstd else []))


def search_logs(paths: t.Sequence[str], *, limit: int) -> Findings:
    """Find the OOM kills that text logs tell of; names in .gz, .bz2, .xz or .zst are decompressed. Raises LogError."""
    if not paths:
        raise LogError(
            "Could not look for OOM kills in text logs: log_files names none.",
            hint="Name at least one, or leave log_files out to read the journal.",
        )
    events = _Events(limit)
    unreadable = 0
    for path in dict.fromkeys(paths):
        for item in _read_log(path):
            if isinstance(item, Unparsed):
                unreadable += 1
            else:
                events.add(incident_of(item, log=path))
    gap = "Text logs do not tell what is missing in them, nor what became of the units."
    again = [f"Counted once, though more than one of the files tell of it: {events.again} x."] if events.again else ()
    coverage = Coverage(unparsed=unreadable, gaps=(gap,), notes=(*again,))
    return Findings(events.newest, events.older, (), coverage)


class _Events:
    """The events of all files, each once: whole within the limit, and as they are counted beyond it.

    They are in the order of their times. Those without one stand where the event before them in the files does.
    """

    def __init__(self, limit: int) -> None:
        self.again = 0
        """How many events another file had told of before."""
        self._limit = limit
        self._newest: list[_Placed] = []
        self._older: list[_Placed] = []
        self._logs: dict[t.Hashable, str | None] = {}
        self._log: str | None = None
        self._at_us = 0

    @property
    def newest(self) -> tuple[Incident, ...]:
        return tuple(incident for _at_us, _number, incident in sorted(self._newest))

    @property
    def older(self) -> tuple[Incident, ...]:
        return tuple(incident for _at_us, _number, incident in sorted(self._older))

    def add(self, incident: Incident) -> None:
        """Take the next event of a file; no clock that was set back changes the order of those of one file."""
        report, at = incident.report, incident.at
        victims = tuple((victim.pid, victim.name) for victim in report.victims)
        told = (report.killer, at.realtime_us, at.monotonic_us, at.hostname, report.cgroup, victims)
        is_timed = at.realtime_us is not None or at.monotonic_us is not None
        if is_timed and self._logs.setdefault(told, incident.log) != incident.log:
            self.again += 1
            return
        if at.realtime_us is not None:
            self._at_us = max(self._at_us, at.realtime_us) if incident.log == self._log else at.realtime_us
        self._log = incident.log
        heapq.heappush(self._newest, (self._at_us, len(self._newest) + len(self._older), incident))
        if len(self._newest) > self._limit:
            at_us, number, oldest = heapq.heappop(self._newest)
            self._older.append((at_us, number, _counted(oldest)))


def _counted(incident: Incident) -> Incident:
    """Return an incident with that alone of its report which the summary counts."""
    report, at = incident.report, incident.at
    light = OomReport(at, at, at, killer=report.killer, scope=report.scope, victims=report.victims)
    return incident._replace(report=light, cause=cause_of(report, supplies(report)))


def _read_log(path: str) -> t.Iterator[OomReport | Unparsed]:
    opened = _OPENERS.get(pathlib.Path(path).suffix, open)
    try:
        _check_kind(path)
        with opened(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
            yield from read_reports(read_log(lines_of(file)))
    except PermissionError as error:
        raise LogError(f"Could not read the log {neutralise(path)}: {error.strerror}.", hint=_AS_ROOT) from error
    except _UNREADABLE as error:
        why = (error.strerror if isinstance(error, OSError) else None) or error
        raise LogError(f"Could not read the log {neutralise(path)}: {why}.", hint="Check log_files.") from error


def _check_kind(path: str) -> None:
    """Refuse what is no file, as reading it might never end. Raises LogError, or OSError where it is not there."""
    kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind != stat.S_IFREG or os.path.realpath(path) == _ENDLESS:
        raise LogError(
            f"Could not read the log {neutralise(path)}: it is {_KINDS.get(kind, 'a device')}, not a regular file.",
            hint="Write the output of dmesg to a file and name that in log_files, or leave log_files out to read the"
            " journal.",
        )
