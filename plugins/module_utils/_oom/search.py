# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The adapter that finds OOM kills: in a journal by its index, then the whole reports around them; in text logs."""

from __future__ import annotations

import bz2
import collections
import contextlib
import gzip
import importlib
import lzma
import pathlib
import typing as t
import zlib

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Extent, Journal, Stretch
from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Key, Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport, Unparsed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident import Incident, incident_of, with_effects
from ansible_collections.oomguard.linux.plugins.module_utils._oom.living import with_cgroups
from ansible_collections.oomguard.linux.plugins.module_utils._oom.records import (
    FAILED,
    KERNEL_KILLS,
    KERNEL_LINES,
    LIFE,
    OTHER_ANCHORS,
    OUT_OF_MEMORY,
    Forged,
    KernelRecord,
    KillerRecord,
    MissedRecords,
    UnitRecord,
    from_kernel,
    line_of,
    read_record,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report import read_reports
from ansible_collections.oomguard.linux.plugins.module_utils._oom.text_log import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._text import neutralise

_zstd: t.Any = None
with contextlib.suppress(ImportError):
    _zstd = importlib.import_module("compression.zstd")

# In search of a report's beginning; the longest have thousands of tasks.
_LONGEST = 40_000
# The OOM reaper, and the other members of a killed group, follow the first kill line.
_AFTERMATH_US = 10_000_000
_TOGETHER = 16
_BEFORE_US = 60_000_000
# A unit logs a handful of records from a kill to its next start.
_STRETCH = 16
_READ_AHEAD = 8 * _STRETCH


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
_UNREADABLE = (OSError, EOFError, lzma.LZMAError, zlib.error, *([_zstd.ZstdError] if _zstd else []))


class Coverage(t.NamedTuple):
    """What was looked at, and what could not be; times in microseconds since 1970."""

    first_us: int | None = None
    last_us: int | None = None
    boots: int | None = None
    persistent: bool | None = None
    missed_records: int = 0
    unparsed: int = 0
    untrusted: int = 0
    cursor: str | None = None
    gaps: tuple[str, ...] = ()
    """Why there may be kills that were not seen."""
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        return not (self.gaps or self.missed_records or self.unparsed)


class Findings(t.NamedTuple):
    """What was found, oldest first: `incidents` whole, and of the `older` ones beyond the limit the kill line alone."""

    incidents: tuple[Incident, ...]
    older: tuple[Incident, ...]
    units_taken_down: tuple[str, ...]
    coverage: Coverage


class _Anchors(t.NamedTuple):
    """What the first look at the journal found, newest first."""

    kills: tuple[Record, ...]
    killers: tuple[Line, ...]
    boots: tuple[str, ...]
    units: tuple[UnitRecord, ...]
    forged: tuple[str, ...]
    missed: int


def search_journal(
    journal: Journal, run: Run, *, limit: int, local: bool, page_size: int | None, persistent: bool
) -> Findings:
    """Find the OOM kills of a journal; of `limit` incidents, the newest, the whole report.

    With `local`, the OOM policies in force are asked of this host's systemd; `page_size` is for reports that do not
    tell it. Raises JournalError.
    """
    extent = journal.extent()
    if extent is None:
        note = "The journal holds nothing of the time that was asked for."
        return Findings((), (), (), Coverage(boots=0, persistent=persistent, gaps=(note, *journal.journalctl.notes)))
    anchors = _anchors(journal)
    incidents, older, unreadable = _incidents(journal, anchors, limit, page_size)
    units = {unit for unit in (incident.place.unit for incident in incidents) if unit}
    units |= {record.unit for record in anchors.units if not record.unit.endswith(".slice")}
    life = _life(journal, incidents, anchors.units)
    policies = _policies(run, sorted(units)) if local else None
    incidents = with_effects(incidents, life, policies)
    if local:
        incidents = with_cgroups(incidents)
    down = {record.unit for record in anchors.units if record.what == FAILED}
    down |= {incident.effect.unit for incident in incidents if incident.effect and incident.effect.stopped}
    return Findings(
        incidents=tuple(incidents),
        older=tuple(with_effects(older, anchors.units[::-1], policies)),
        units_taken_down=tuple(sorted(down)),
        coverage=_coverage(journal, extent, anchors, persistent=persistent, unreadable=unreadable),
    )


def search_logs(paths: t.Sequence[str], *, limit: int) -> Findings:
    """Find the OOM kills that text logs tell of; names in .gz, .bz2, .xz or .zst are decompressed. Raises LogError."""
    found = [(path, item) for path in paths for item in _read_log(path)]
    incidents = [incident_of(item, log=path) for path, item in found if isinstance(item, OomReport)]
    unreadable = len(found) - len(incidents)
    cut = max(len(incidents) - limit, 0)
    gap = "Text logs do not tell what is missing in them, nor what became of the units."
    coverage = Coverage(unparsed=unreadable, gaps=(gap,))
    return Findings(tuple(incidents[cut:]), tuple(incidents[:cut]), (), coverage)


def _read_log(path: str) -> t.Iterator[OomReport | Unparsed]:
    opened = _OPENERS.get(pathlib.Path(path).suffix, open)
    try:
        with opened(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
            yield from read_reports(read_log(file))
    except _UNREADABLE as error:
        raise LogError(f"Could not read the log {neutralise(path)}: {error}.", hint="Check log_files.") from error


def _anchors(journal: Journal) -> _Anchors:
    killers, units, missed = [], [], 0
    # More than one search may find these, and more than one file hold them.
    kills: dict[Key, Record] = {}
    forged: dict[Key, str] = {}
    boots: dict[str, int] = {}
    for record in journal.find([KERNEL_KILLS, OTHER_ANCHORS]):
        boots.setdefault(record.boot_id, len(boots))
        said = read_record(record)
        if isinstance(said, KernelRecord) and said.kill:
            kills[record.key] = record
        elif isinstance(said, KillerRecord):
            killers.append(said.line)
        elif isinstance(said, UnitRecord):
            units.append(said)
        elif isinstance(said, Forged):
            forged[record.key] = said.reason
        elif isinstance(said, MissedRecords):
            missed += said.number
    if _levels_differ(journal, kills.values(), units):
        for record in journal.find([KERNEL_LINES]):
            boots.setdefault(record.boot_id, len(boots))
            if isinstance(read_record(record), KernelRecord):
                kills[record.key] = record
    return _Anchors(
        kills=tuple(sorted(kills.values(), key=lambda kill: (boots[kill.boot_id], -kill.monotonic_us))),
        killers=tuple(killers),
        boots=tuple(boots),
        units=tuple(units),
        forged=tuple(forged.values()),
        missed=missed,
    )


def _levels_differ(journal: Journal, kills: t.Iterable[Record], units: t.Iterable[UnitRecord]) -> bool:
    """Tell whether kills may stand in the journal at another priority than the kernel gives them.

    So it is in a journal that was made of something else, and was where systemd noticed a kill that was not found.
    """
    newest = journal.newest(["_TRANSPORT=kernel"])
    if newest and "PRIORITY" not in newest.fields:
        return True
    times: dict[str, list[int]] = collections.defaultdict(list)
    for kill in kills:
        times[kill.boot_id].append(kill.monotonic_us)
    return any(
        record.what == OUT_OF_MEMORY
        and not any(abs(record.monotonic_us - at) <= _BEFORE_US for at in times[record.boot_id])
        for record in units
    )


def _incidents(
    journal: Journal, anchors: _Anchors, limit: int, page_size: int | None
) -> tuple[list[Incident], list[Incident], int]:
    """Return the newest incidents and the older ones, oldest first, and how many kill lines could not be read."""
    boots = {boot_id: rank for rank, boot_id in enumerate(reversed(anchors.boots))}

    def in_time(incident: Incident) -> tuple[int, int]:
        return boots.get(incident.at.boot_id or "", 0), incident.at.monotonic_us or 0

    # Of one event there may be many kill lines, so that it takes reading to know when there are enough.
    incidents: list[Incident] = []
    unreadable = 0
    pending = list(anchors.kills)
    while pending and len(incidents) < limit:
        stretches = _stretches(pending[: limit - len(incidents)])
        seen: set[Key] = {stretch.newest.key for stretch in stretches}
        wanted = {kill.key for kill in pending}
        for records in journal.around(stretches):
            window = [record for record in reversed(records) if from_kernel(record)]
            kills = {index for index, record in enumerate(window) if record.key in wanted}
            found = {window[index].key for index in kills}
            wanted -= found
            seen |= found
            lines = [line_of(record) for record in window]
            places = {id(line): index for index, line in enumerate(lines)}
            for item in read_reports(lines, page_size=page_size):
                if isinstance(item, Unparsed):
                    unreadable += places[id(item.line)] in kills
                # At the window's edge may stand the rest of an earlier report.
                elif not kills.isdisjoint(range(places[id(item.first)], places[id(item.last)] + 1)):
                    incidents.append(incident_of(item))
        pending = [kill for kill in pending if kill.key not in seen]
    rest = [line_of(kill) for kill in reversed(pending)]
    told = [*read_reports([*reversed(anchors.killers)]), *read_reports(rest)]
    reports = [item for item in told if isinstance(item, OomReport)]
    incidents = sorted([*incidents, *map(incident_of, reports)], key=in_time)
    cut = max(len(incidents) - limit, 0)
    return incidents[cut:], incidents[:cut], unreadable + len(told) - len(reports)


def _stretches(kills: t.Sequence[Record]) -> list[Stretch]:
    """Return the parts of the journal that hold the reports of the kills; those that stand close share one."""
    groups: list[list[Record]] = []
    for kill in kills:
        last = groups[-1][-1] if groups else None
        if (
            last
            and (last.boot_id, _facility(last)) == (kill.boot_id, _facility(kill))
            and last.monotonic_us - kill.monotonic_us <= _AFTERMATH_US
            and len(groups[-1]) < _TOGETHER
        ):
            groups[-1].append(kill)
        else:
            groups.append([kill])
    return [
        Stretch(
            newest=group[0],
            oldest=group[-1],
            matches=("_TRANSPORT=kernel", *_facility(group[0])),
            after_us=_AFTERMATH_US,
            begin=" invoked oom-killer",
            limit=_LONGEST,
        )
        for group in groups
    ]


def _facility(kill: Record) -> list[str]:
    """Return what the kernel's own records match beside their transport, where this version of journald writes it."""
    return ["SYSLOG_FACILITY=0"] if "SYSLOG_FACILITY" in kill.fields else []


def _life(journal: Journal, incidents: t.Sequence[Incident], notices: t.Sequence[UnitRecord]) -> list[UnitRecord]:
    """Return what systemd logged of the units of the incidents from a little before each kill on, oldest first."""
    found = {(record.boot_id, record.monotonic_us, record.unit, record.what): record for record in notices}
    begins: dict[str, list[int]] = collections.defaultdict(list)
    for incident in incidents:
        if incident.at.realtime_us is None:
            continue
        begin_us = incident.at.realtime_us - _BEFORE_US
        until_us = incident.at.realtime_us + _BEFORE_US
        near = {record.unit for record in notices if begin_us <= record.realtime_us <= until_us}
        for unit in {incident.place.unit} if incident.place.unit else near:
            begins[unit].append(begin_us)
    for unit, times in begins.items():
        for record in _life_of(journal, unit, sorted(times)):
            found[record.boot_id, record.monotonic_us, record.unit, record.what] = record
    return sorted(found.values(), key=lambda record: record.realtime_us)


def _life_of(journal: Journal, unit: str, times: t.Sequence[int]) -> t.Iterator[UnitRecord]:
    """Yield what systemd logged of a unit: of each of the times on at least a stretch."""
    matches = [f"UNIT={unit}", "_PID=1", *(f"MESSAGE_ID={message_id}" for message_id in LIFE)]
    enough_us = -1
    for time_us in times:
        if time_us <= enough_us:
            continue
        records = journal.after(time_us, matches, count=_READ_AHEAD)
        yield from (said for said in map(read_record, records) if isinstance(said, UnitRecord))
        if len(records) < _READ_AHEAD:
            return
        enough_us = records[-_STRETCH].realtime_us


def _policies(run: Run, units: t.Sequence[str]) -> dict[str, str] | None:
    """Return the OOMPolicy= in force of each of the units that systemd knows, None where it does not answer."""
    if not units:
        return {}
    try:
        done = run(["systemctl", "show", "--no-pager", "--property=Id,LoadState,OOMPolicy", "--", *units])
    except CommandError:
        return None
    if done.returncode:
        return None
    policies = {}
    for block in done.stdout.split("\n\n"):
        properties = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        if properties.get("LoadState") == "loaded" and "OOMPolicy" in properties:
            policies[properties["Id"]] = properties["OOMPolicy"]
    return policies


def _coverage(journal: Journal, extent: Extent, anchors: _Anchors, *, persistent: bool, unreadable: int) -> Coverage:
    return Coverage(
        first_us=extent.first_us,
        last_us=extent.last_us,
        boots=extent.boots,
        persistent=persistent,
        missed_records=anchors.missed,
        unparsed=journal.journalctl.unparsed + unreadable,
        untrusted=len(anchors.forged),
        cursor=extent.cursor,
        gaps=(*([extent.gap] if extent.gap else []), *journal.journalctl.notes),
        notes=(
            *([] if persistent else ["The journal is kept in memory only, so that a reboot empties it."]),
            *(f"Not believed: {count} x {reason}." for reason, count in collections.Counter(anchors.forged).items()),
        ),
    )
