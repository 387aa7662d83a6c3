# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the past of a host from its journal, through the index, in a bounded number of records."""

from __future__ import annotations

import collections
import itertools
import pathlib
import re
import typing as t

from ..._journal.journal import Journal
from ..._journal.record import Record
from ..._journal.walk import Walk
from ..._journal.window import Extent
from .clock import MINUTE
from .happenings import PRESSURE, SOURCES, Source, is_pressure, mark_timers
from .host_files import list_file_changes
from .kinds import add_units, group_kills, is_unit
from .lives import FIELDS, MESSAGES, Run, add_runs, find_partial_units, find_running, list_lives, list_runs
from .local_time import list_utc_offsets
from .model import Happening, Kill, Modification, Past
from .modifications import merge_changes, read_changes
from .packages import PackageChange, list_upgrades, read_packages
from .populations import observe_populations

_MOST_UNITS = 10
# systemd's records of the runs of these units.
_MOST_OF_UNITS = 500
_MOST_HAPPENINGS = 300
_MOST_PRESSURES = 100
# If there are more happenings of a source, those in windows before the last kills are read.
_WINDOWS = 10
_MOST_IN_WINDOW = 25
_WINDOW_US = 30 * MINUTE
# Of what is in so many of these windows, all happenings are read.
_FEWEST_COMMON = 4
_COMMON_SHARE = 1 / 3
_MOST_COMMON = 4
_MOST_BOOTS = 10
_FIRST_LINES = 3
_KERNEL = re.compile(r"Linux version (\S+)")
_TIMER_FOLDERS = ("etc/systemd/system", "run/systemd/system", "usr/lib/systemd/system", "lib/systemd/system")


_Dated = t.TypeVar("_Dated", Happening, Modification, PackageChange)


def observe_past(
    journal: Journal,
    extent: Extent,
    kills: t.Sequence[Kill],
    *,
    local: bool,
    root: pathlib.Path = pathlib.Path("/"),
) -> Past:
    """Return what the journal says of its requested part; `kills` are those in it.

    With `local`, it is this host's own journal: its local time, its timers and its processes are known. Otherwise, the
    time is UTC. The files of this host are below `root`. Raises JournalError.
    """
    in_order = sorted(add_units(kills), key=_get_time)
    reader = _PastReader(journal, extent, in_order)
    runs = reader.read_runs()
    happenings = [*reader.read_happenings(), *reader.read_kernels()]
    past = Past(
        first_us=extent.first_us,
        last_us=extent.last_us,
        utc_offsets=[(extent.first_us, 0)],
        kills=add_runs(in_order, runs),
        lives=list_lives(runs, in_order),
        running=find_running(runs),
        partial_units=find_partial_units(runs),
        happenings=sorted(happenings),
        modifications=read_changes(journal, extent.first_us, extent.last_us),
        pressures_us=reader.read_pressures(),
        boots=list_boots(extent),
    )
    if not local:
        return past

    units = {kill.unit for kill in in_order}
    packages = _select_within(read_packages(root), extent.first_us, extent.last_us)
    files = _select_within(list_file_changes(units, root), extent.first_us, extent.last_us)
    return past._replace(
        modifications=merge_changes(past.modifications, [*files, *list_upgrades(packages, units)]),
        utc_offsets=list_utc_offsets(extent.first_us, extent.last_us),
        happenings=sorted([*mark_timers(happenings, find_timers(root)), *map(PackageChange.to_happening, packages)]),
        present=observe_populations(in_order, root / "proc"),
    )


def list_boots(extent: Extent) -> list[tuple[int, int]]:
    """Return the first and the last time of each boot in the requested part of the journal."""
    boots = []
    for boot_id, end_us in extent.boot_ends.items():
        begin_us = max(extent.boot_begins.get(boot_id, end_us), extent.first_us)
        if begin_us < end_us:
            boots.append((begin_us, end_us))

    return sorted(boots)


def find_timers(root: pathlib.Path) -> set[str]:
    """Return the names of the timers that are installed on this host."""
    timers: set[str] = set()
    for folder in _TIMER_FOLDERS:
        timers.update(path.name for path in (root / folder).glob("*.timer"))

    return timers


class _PastReader:
    """Reads records of the past; `kills` are oldest first."""

    def __init__(self, journal: Journal, extent: Extent, kills: t.Sequence[Kill]) -> None:
        self._journal = journal
        self._extent = extent
        self._kills = kills

    def read_runs(self) -> list[Run]:
        """Return the last runs of the units that have most kills."""
        places = [kind.unit for kind in group_kills(self._kills)]
        units = list(dict.fromkeys(filter(is_unit, places)))[:_MOST_UNITS]
        if not units:
            return []

        named = [f"UNIT={unit}" for unit in units]
        messages = [f"MESSAGE_ID={message_id}" for message_id in MESSAGES]
        return list_runs(self._read_back([*messages, "_PID=1", *named], FIELDS, _MOST_OF_UNITS))

    def read_pressures(self) -> list[int]:
        """Return when services of systemd said that memory was short."""
        records = self._read_back([f"MESSAGE={PRESSURE}"], ("_SYSTEMD_UNIT",), _MOST_PRESSURES)
        return [record.realtime_us for record in filter(is_pressure, records)]

    def read_happenings(self) -> list[Happening]:
        """Return what else happened."""
        happenings: list[Happening] = []
        for source in SOURCES:
            happenings += self._read_source(source)

        return happenings

    def read_kernels(self) -> list[Happening]:
        """Return the last boots that had another kernel than the boot before."""
        happenings: list[Happening] = []
        before = None
        for begin_us, boot_id in self._list_boots()[-_MOST_BOOTS:]:
            kernel = self._read_kernel(boot_id, begin_us)
            if before is not None and kernel not in {None, before}:
                happenings.append(Happening(begin_us, "kernel", str(kernel)))
            before = kernel or before

        return happenings

    def _list_boots(self) -> list[tuple[int, str]]:
        """Return the time and the ID of each boot that began in the requested part, oldest first."""
        begins = self._extent.boot_begins.items()
        boots = [(begin_us, boot_id) for boot_id, begin_us in begins]
        return sorted(boots)

    def _read_kernel(self, boot_id: str, begin_us: int) -> str | None:
        """Return the release of the kernel, which begins its log with it."""
        matches = (f"_BOOT_ID={boot_id}", "_TRANSPORT=kernel")
        walk = Walk(matches, begin_us, backwards=False, limit=_FIRST_LINES, fields=("MESSAGE",))
        for record in self._journal.walk(walk):
            found = _KERNEL.match(record.message)
            if found is not None:
                return found[1]

        return None

    def _read_source(self, source: Source) -> list[Happening]:
        records = self._read_back(source.matches, source.all_fields, _MOST_HAPPENINGS)
        if self._is_whole(records, _MOST_HAPPENINGS):
            return self._select(source.read(records))

        return self._read_frequent(source)

    def _read_frequent(self, source: Source) -> list[Happening]:
        """Return what happened before the last kills. Of what happened before many of them, return all or nothing."""
        windows = [self._read_window(source, time_us) for time_us in choose_last(self._kills)]
        common = find_common(map(source.list_matches, windows))
        happenings: set[Happening] = set()
        for match in common[:_MOST_COMMON]:
            happenings.update(self._read_all(source, match))

        for records in windows:
            others = [record for record in records if source.match(record) not in common]
            happenings.update(self._select(source.read(others)))

        return list(happenings)

    def _read_window(self, source: Source, time_us: int) -> list[Record]:
        records = self._read_back(source.matches, source.all_fields, _MOST_IN_WINDOW, time_us)
        return [record for record in records if record.realtime_us >= time_us - _WINDOW_US]

    def _read_all(self, source: Source, match: str) -> list[Happening]:
        """Return all happenings of one name, none if they are too many to read."""
        records = self._read_back(source.narrow(match), source.all_fields, _MOST_HAPPENINGS)
        if not self._is_whole(records, _MOST_HAPPENINGS):
            return []

        return self._select(source.read(records))

    def _is_whole(self, records: t.Sequence[Record], limit: int) -> bool:
        """Return whether no record of the requested part is missing; `records` are the last ones, up to a limit."""
        return len(records) < limit or records[0].realtime_us < self._extent.first_us

    def _select(self, happenings: t.Iterable[Happening]) -> list[Happening]:
        return _select_within(happenings, self._extent.first_us, self._extent.last_us)

    def _read_back(
        self, matches: t.Sequence[str], fields: t.Sequence[str], limit: int, time_us: int = 0
    ) -> list[Record]:
        """Return the last records before a time, or before the end of the requested part; oldest first."""
        walk = Walk(
            matches=tuple(matches),
            realtime_us=time_us or self._extent.last_us,
            backwards=True,
            limit=limit,
            fields=fields,
        )
        return self._journal.walk(walk)[::-1]


def choose_last(kills: t.Sequence[Kill]) -> list[int]:
    """Return the times of the last kills that are at least a window apart; `kills` are oldest first."""
    chosen: list[int] = []
    for kill in reversed(kills):
        if len(chosen) == _WINDOWS:
            break

        if not chosen or kill.time_us <= chosen[-1] - _WINDOW_US:
            chosen.append(kill.time_us)

    return chosen


def _select_within(items: t.Iterable[_Dated], begin_us: int, end_us: int) -> list[_Dated]:
    return [item for item in items if begin_us <= item.time_us <= end_us]


def find_common(windows: t.Iterable[t.Iterable[str]]) -> list[str]:
    """Return what is in at least four windows and a third of them, the most frequent first."""
    distinct = list(map(set, windows))
    counts = collections.Counter(sorted(itertools.chain(*distinct)))
    fewest = max(_FEWEST_COMMON, len(distinct) * _COMMON_SHARE)
    return [match for match, count in counts.most_common() if count >= fewest]


def _get_time(kill: Kill) -> int:
    return kill.time_us
