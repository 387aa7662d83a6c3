# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for the traces of OOM kills in a journal, by its index."""

from __future__ import annotations

import collections
import typing as t

from ..._journal.journal import Extent, Journal, Search
from ..._journal.record import Key, Record
from .records import (
    FORGERIES,
    KERNEL_KILLS,
    KERNEL_LINES,
    NEAR_US,
    OOMD_KILL,
    OTHER_ANCHORS,
    OUT_OF_MEMORY,
    DroppedRecords,
    Forged,
    KernelKill,
    KillerRecord,
    MissedRecords,
    Overlong,
    Said,
    UnitRecord,
    read_record,
)

# Where memory is short, systemd is slow to notice.
_NOTICED_US = 2 * NEAR_US


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


class Traces(t.NamedTuple):
    """What the search found, newest first."""

    extent: Extent
    kills: tuple[Record, ...]
    killers: tuple[KillerRecord, ...]
    boots: tuple[str, ...]
    units: tuple[UnitRecord, ...]
    forged: t.Mapping[str, int]
    """Records that are not believed, by the reason."""
    missed: int
    overlong: int
    gaps: tuple[str, ...]
    """Why there may be kills that the journal does not hold."""

    @property
    def of_a_kill(self) -> bool:
        """Whether there is one that tells of a kill, not of forgeries and missed messages alone."""
        return bool(self.kills or self.killers or self.units)


def search(journal: Journal) -> Traces | None:
    """Search a journal; None where it holds nothing of the time that was asked for. Raises JournalError."""
    # Its cursor is taken first, so that a run that goes on from there misses nothing.
    extent = journal.extent()
    if extent is None:
        return None
    found, forged = _said(journal, [KERNEL_KILLS, FORGERIES, OTHER_ANCHORS])
    newest = journal.newest(["_TRANSPORT=kernel", f"_BOOT_ID={extent.last_boot}"])
    if _levels_differ(newest, found.values()):
        more, forged_too = _said(journal, [KERNEL_LINES])
        found.update(more)
        forged |= forged_too
    said = found.values()
    boots = tuple(dict.fromkeys(place[0] for place in map(_place, said) if place))
    kills = [what.record for what in said if isinstance(what, KernelKill)]
    return Traces(
        extent=extent,
        kills=tuple(sorted(kills, key=lambda kill: (boots.index(kill.boot_id), -kill.monotonic_us))),
        killers=tuple(what for what in said if isinstance(what, KillerRecord)),
        boots=boots,
        units=tuple(what for what in said if isinstance(what, UnitRecord)),
        forged=forged,
        missed=sum(what.number for what in said if isinstance(what, MissedRecords)),
        overlong=sum(isinstance(what, Overlong) for what in said),
        gaps=tuple(_gaps(extent, said, has_kernel=newest is not None)),
    )


def _said(journal: Journal, searches: t.Sequence[Search]) -> tuple[dict[Key, Said], collections.Counter[str]]:
    """Return what is said, newest first, each once: it may be found twice, and lie in two files.

    Of forgeries, of which anybody may write any number, the reasons alone are counted.
    """
    said: dict[Key, Said] = {}
    forged: collections.Counter[str] = collections.Counter()
    at_us = 0
    at_once: set[Key] = set()
    for record in journal.find(searches):
        what = read_record(record)
        if isinstance(what, Forged):
            if record.realtime_us != at_us:
                at_us, at_once = record.realtime_us, set()
            forged[what.reason] += record.key not in at_once
            at_once.add(record.key)
        elif what is not None:
            said[record.key] = what
    return said, forged


def _place(what: Said) -> tuple[str, int] | None:
    """Return the boot, and the microseconds since then, of what tells of a kill."""
    if isinstance(what, (KernelKill, KillerRecord)):
        return what.record.boot_id, what.record.monotonic_us
    return (what.boot_id, what.monotonic_us) if isinstance(what, UnitRecord) else None


def _levels_differ(newest: Record | None, said: t.Collection[Said]) -> bool:
    """Tell whether kills may stand in the journal at another priority than the kernel gives them.

    So it is in a journal that was made of something else, as its `newest` record of the kernel shows, and was where
    systemd noticed a kill that was not found.
    """
    return bool((newest and "PRIORITY" not in newest.fields) or _unexplained(said, OUT_OF_MEMORY, (KernelKill,)))


def _unexplained(said: t.Collection[Said], notice: str, kinds: tuple[type[Said], ...]) -> list[UnitRecord]:
    """Return systemd's notices of OOM kills that have no record of these kinds near them; `notice` is their message id.

    A slice is told of what was killed in the units below it, which may be much later.
    """
    times: dict[str, list[int]] = collections.defaultdict(list)
    for boot_id, monotonic_us in filter(None, (_place(what) for what in said if isinstance(what, kinds))):
        times[boot_id].append(monotonic_us)
    return [
        what
        for what in said
        if isinstance(what, UnitRecord)
        and what.what == notice
        and not what.unit.endswith(".slice")
        and not any(abs(what.monotonic_us - at) <= _NOTICED_US for at in times[what.boot_id])
    ]


def _gaps(extent: Extent, said: t.Collection[Said], *, has_kernel: bool) -> t.Iterator[str]:
    """Yield why there may be kills that the journal does not hold."""
    if not has_kernel:
        yield (
            "The journal holds no record of the kernel from the last boot of that time, and so none of its kills: "
            "as in a container or a namespace, with ReadKMsg=no, or where they are gone."
        )
    # What systemd notices at the very beginning may have been killed before.
    units = {
        notice.unit
        for notice in (
            *_unexplained(said, OUT_OF_MEMORY, (KernelKill, KillerRecord)),
            *_unexplained(said, OOMD_KILL, (KillerRecord,)),
        )
        if abs(notice.realtime_us - extent.first_us) > NEAR_US
    }
    if units:
        yield f"systemd noticed an OOM kill of which the journal holds no more: {', '.join(sorted(units))}."
    dropped = sorted({what.unit for what in said if isinstance(what, DroppedRecords)})
    if dropped:
        yield (
            f"journald dropped messages of {', '.join(dropped)}, which came too fast: what became of units may not be "
            "known, nor each kill."
        )


def coverage_of(journal: Journal, traces: Traces | None, *, persistent: bool, unreadable: int = 0) -> Coverage:
    """Return what was looked at; `unreadable` is how many kills could not be read."""
    gaps = tuple(journal.journalctl.notes)
    if traces is None:
        note = "The journal holds nothing of the time that was asked for."
        return Coverage(boots=0, persistent=persistent, gaps=(note, *gaps))
    extent = traces.extent
    return Coverage(
        first_us=extent.first_us,
        last_us=extent.last_us,
        boots=extent.boots,
        persistent=persistent,
        missed_records=traces.missed,
        unparsed=journal.journalctl.unparsed + traces.overlong + unreadable,
        untrusted=sum(traces.forged.values()),
        cursor=extent.cursor,
        gaps=(*extent.gaps, *traces.gaps, *gaps),
        notes=(
            *([] if persistent else ["The journal is kept in memory only, so that a reboot empties it."]),
            *(f"Not believed: {count} x {reason}." for reason, count in traces.forged.items()),
        ),
    )
