# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search a journal for traces of OOM kills through its index."""

from __future__ import annotations

import collections
import itertools
import typing as t

from ..._journal.journal import Journal
from ..._journal.record import Key, Record
from ..._journal.request import EVERYTHING, Request
from ..._journal.window import Extent, find_window
from .coverage import Coverage
from .journald_gaps import list_journald_gaps
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
    JournaldRecord,
    KernelKill,
    KillerRecord,
    MissedRecords,
    Overlong,
    Statement,
    UnitRecord,
    read_record,
)

# systemd is slow to notice an OOM kill if memory is short.
_NOTICED_US = 2 * NEAR_US
# Other programs than systemd may write any number of these records. The newest are kept.
_MOST_FROM_KMSG = 5000
_TOO_MANY = Forged("written to /dev/kmsg in the name of systemd, which are too many to be systemd's")

_Kind = t.TypeVar("_Kind")


class Traces(t.NamedTuple):
    """What the search found, newest first."""

    extent: Extent
    kills: tuple[Record, ...]
    killers: tuple[KillerRecord, ...]
    boots: tuple[str, ...]
    units: tuple[UnitRecord, ...]
    forged: t.Mapping[str, int]
    """How many records are not trusted, by the reason."""
    missed: int
    overlong: int
    unexplained: tuple[str, ...]
    """The units of which systemd noticed OOM kills that no other record explains."""
    gaps: tuple[str, ...]
    """Why the journal may not hold all OOM kills."""
    is_journald_starved: bool = False

    @property
    def has_kills(self) -> bool:
        """Whether there is a trace of an OOM kill, and not only forgeries and missed messages."""
        return any((self.kills, self.killers, any(record.is_about_kill for record in self.units)))


class _Found(t.NamedTuple):
    """What the records say, newest first, and how many are forged, by the reason."""

    statements: dict[Key, Statement]
    forged: collections.Counter[str]


class _ForgeryCounter:
    """Counts forged records by the reason, and each once, although two searches may find it.

    Any program may write any number of them, so no more are remembered than those of one time.
    """

    def __init__(self) -> None:
        self.counts: collections.Counter[str] = collections.Counter()
        self._time_us = 0
        self._counted: set[Key] = set()

    def add(self, record: Record, reason: str) -> None:
        if record.realtime_us != self._time_us:
            self._time_us = record.realtime_us
            self._counted = set()
        if record.key in self._counted:
            return

        self._counted.add(record.key)
        self.counts[reason] += 1


def search(journal: Journal, request: Request = EVERYTHING) -> Traces | None:
    """Search the requested part of a journal; return None if the journal holds nothing of it. Raises JournalError."""
    # This takes the cursor before the search begins, so that a later run that continues there misses nothing.
    window = find_window(journal, request)
    if window is None:
        return None

    records = window.find([KERNEL_KILLS, FORGERIES, OTHER_ANCHORS])
    found = _classify(records)
    last_boot = window.extent.last_boot
    newest = journal.read_newest(["_TRANSPORT=kernel", f"_BOOT_ID={last_boot}"])
    if _may_have_other_levels(newest, found.statements.values()):
        records = window.find([KERNEL_LINES])
        found = _merge(found, _classify(records))

    return _make_traces(window.extent, found, has_kernel=newest is not None)


def coverage_of(journal: Journal, traces: Traces | None, *, persistent: bool, unreadable: int = 0) -> Coverage:
    """Return what was examined; `unreadable` is how many OOM kills could not be read."""
    if traces is None:
        gap = "The journal holds no entries from the requested period."
        return Coverage(boots=0, persistent=persistent, gaps=(gap, *journal.notes))

    extent = traces.extent
    return Coverage(
        first_us=extent.first_us,
        last_us=extent.last_us,
        boots=extent.boots,
        persistent=persistent,
        missed_records=traces.missed,
        unparsed=journal.unparsed + traces.overlong + unreadable,
        untrusted=sum(traces.forged.values()),
        cursor=extent.cursor,
        gaps=(*extent.gaps, *traces.gaps, *journal.notes),
        notes=tuple(_list_notes(traces, persistent=persistent)),
        is_journald_starved=traces.is_journald_starved,
    )


def _list_notes(traces: Traces, *, persistent: bool) -> t.Iterator[str]:
    """Yield what a user should know although it does not make the search incomplete."""
    if not persistent:
        yield "The journal is kept in memory only, so a reboot empties it."
    for reason, count in traces.forged.items():
        yield f"Untrusted records: {count} {reason}."


def _classify(records: t.Iterable[Record]) -> _Found:
    """Return what the records say, each record once: two searches may find it, and two files may hold it."""
    statements: dict[Key, Statement] = {}
    forgeries = _ForgeryCounter()
    from_kmsg = 0
    for record in records:
        statement = read_record(record)
        if isinstance(statement, UnitRecord) and not statement.trusted:
            from_kmsg += 1
            if from_kmsg > _MOST_FROM_KMSG:
                statement = _TOO_MANY

        if isinstance(statement, Forged):
            forgeries.add(record, statement.reason)
        elif statement is not None:
            statements[record.key] = statement

    return _Found(statements, forgeries.counts)


def _merge(found: _Found, more: _Found) -> _Found:
    """Return what two searches found; both may have counted the same forgeries."""
    statements = {**found.statements, **more.statements}
    forged = found.forged | more.forged
    return _Found(statements, forged)


def _make_traces(extent: Extent, found: _Found, *, has_kernel: bool) -> Traces:
    """Return what was found; `has_kernel` is whether the journal holds records of the kernel from the last boot."""
    statements = list(found.statements.values())
    boots = _list_boots(statements)
    kills = _sort_kills(_select(statements, KernelKill), boots)
    missed = [record.number for record in _select(statements, MissedRecords)]
    unexplained = _list_unexplained_units(extent, statements)
    gaps = list(_list_gaps(statements, unexplained, has_kernel=has_kernel))
    journald_gaps = list(list_journald_gaps(_select(statements, JournaldRecord), kills))
    return Traces(
        extent=extent,
        kills=tuple(kills),
        killers=tuple(_select(statements, KillerRecord)),
        boots=boots,
        units=tuple(_select(statements, UnitRecord)),
        forged=found.forged,
        missed=sum(missed),
        overlong=len(_select(statements, Overlong)),
        unexplained=tuple(unexplained),
        gaps=(*gaps, *journald_gaps),
        is_journald_starved=bool(journald_gaps),
    )


def _select(statements: t.Iterable[Statement], kind: type[_Kind]) -> list[_Kind]:
    """Return the statements of one kind."""
    return [statement for statement in statements if isinstance(statement, kind)]


def _list_boots(statements: t.Iterable[Statement]) -> tuple[str, ...]:
    """Return the boots that have traces of OOM kills, each once."""
    boots: dict[str, None] = {}
    for statement in statements:
        place = _find_place(statement)
        if place is not None:
            boots[place[0]] = None

    return tuple(boots)


def _sort_kills(kills: t.Iterable[KernelKill], boots: t.Sequence[str]) -> list[Record]:
    """Return the records of OOM kills by boot, and by the time since the boot, as the clock may have been set."""
    ranks = dict(zip(boots, itertools.count()))
    records = [kill.record for kill in kills]
    return sorted(records, key=lambda record: (ranks[record.boot_id], -record.monotonic_us))


def _find_place(statement: Statement) -> tuple[str, int] | None:
    """Return the boot of a trace of an OOM kill, and the microseconds since its start; None for other statements."""
    if isinstance(statement, (KernelKill, KillerRecord)):
        return statement.record.boot_id, statement.record.monotonic_us
    if isinstance(statement, UnitRecord):
        return statement.boot_id, statement.monotonic_us

    return None


def _may_have_other_levels(newest: Record | None, statements: t.Collection[Statement]) -> bool:
    """Return whether the journal may hold OOM kills at another priority than the kernel gives them.

    This is so if the journal was made from something else, as its `newest` record of the kernel shows, or if systemd
    noticed an OOM kill that was not found.
    """
    if newest is not None and "PRIORITY" not in newest.fields:
        return True

    unexplained = _find_unexplained(statements, OUT_OF_MEMORY, (KernelKill,))
    # Any user may be able to cause the others, and this search reads all records of the kernel.
    return any(notice.trusted for notice in unexplained)


def _find_unexplained(
    statements: t.Collection[Statement], message_id: str, kinds: tuple[type[Statement], ...]
) -> list[UnitRecord]:
    """Return systemd's notices of OOM kills, by their message id, that have no record of certain kinds near them.

    A slice is left out: systemd notifies it of OOM kills in the units below it, which may be much later.
    """
    times = _list_times(statements, kinds)
    unexplained = []
    for notice in _select(statements, UnitRecord):
        is_other_message = notice.what != message_id
        is_slice = notice.unit.endswith(".slice")
        if is_other_message or is_slice:
            continue

        times_of_boot = times.get(notice.boot_id, ())
        if not _is_near(notice.monotonic_us, times_of_boot):
            unexplained.append(notice)

    return unexplained


def _list_times(statements: t.Iterable[Statement], kinds: tuple[type[Statement], ...]) -> dict[str, list[int]]:
    """Return when there are statements of certain kinds: for each boot, the microseconds since its start."""
    times: dict[str, list[int]] = {}
    for statement in statements:
        if not isinstance(statement, kinds):
            continue

        place = _find_place(statement)
        if place is not None:
            boot_id, monotonic_us = place
            times.setdefault(boot_id, []).append(monotonic_us)

    return times


def _is_near(monotonic_us: int, times: t.Iterable[int]) -> bool:
    return any(abs(monotonic_us - time_us) <= _NOTICED_US for time_us in times)


def _list_gaps(
    statements: t.Collection[Statement], unexplained: t.Sequence[str], *, has_kernel: bool
) -> t.Iterator[str]:
    """Yield why the journal may not hold all OOM kills."""
    if not has_kernel:
        yield (
            "The journal holds no kernel messages from the last boot of the requested period, so it shows no OOM kills "
            "by the kernel. This is normal in a container, in a journal namespace and with ReadKMsg=no. Otherwise, the "
            "messages were deleted."
        )
    if unexplained:
        yield f"systemd noticed an OOM kill for which the journal holds no other record: {', '.join(unexplained)}."
    dropped = sorted({record.unit for record in _select(statements, DroppedRecords)})
    if dropped:
        yield (
            f"journald dropped messages of {', '.join(dropped)} because they came too fast. OOM kills may be missing, "
            "and it may be unknown what happened to units."
        )


def _list_unexplained_units(extent: Extent, statements: t.Collection[Statement]) -> list[str]:
    """Return the units of which systemd noticed OOM kills that no other record explains."""
    notices = [
        *_find_unexplained(statements, OUT_OF_MEMORY, (KernelKill, KillerRecord)),
        *_find_unexplained(statements, OOMD_KILL, (KillerRecord,)),
    ]
    units = set()
    for notice in notices:
        # What systemd noticed at the very beginning may have been killed before.
        distance_us = abs(notice.realtime_us - extent.first_us)
        if distance_us > NEAR_US:
            units.add(notice.unit)

    return sorted(units)
