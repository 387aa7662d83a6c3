# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the records around known records, and those after a time."""

from __future__ import annotations

import typing as t

from .journal import Journal, holds
from .record import FIELDS, Record
from .walk import Walk


class Stretch(t.NamedTuple):
    """A part of one boot that contains known records.

    It ends `after_us` microseconds after the newest of them. It begins at the first record before the oldest of them
    that has the text `begin` in its message, or else after `limit` records.
    """

    newest: Record
    oldest: Record
    matches: t.Sequence[str]
    after_us: int
    begin: str
    limit: int

    @property
    def until_us(self) -> int:
        return self.newest.realtime_us + self.after_us

    @property
    def all_matches(self) -> tuple[str, ...]:
        return (f"_BOOT_ID={self.newest.boot_id}", *self.matches)


def around(journal: Journal, stretches: t.Sequence[Stretch]) -> t.Iterator[list[Record]]:
    """Yield the records of each stretch, newest first. Raises JournalError.

    They have no fields but MESSAGE, SYSLOG_FACILITY, _HOSTNAME and those of the matches, and may lack the cursor.
    """
    walks = list(map(_make_walk, stretches))
    newest = [stretch.newest for stretch in stretches]
    for walk, known, by_time in zip(walks, newest, journal.walk_each(walks, newest)):
        found = by_time
        if not holds(found, known):
            # The clock was set meanwhile, so the time of the known record does not lead to it.
            found = journal.walk_back_from(known.cursor, walk)
        _set_hostname(found, known)
        yield found


def after(journal: Journal, realtime_us: int, matches: t.Sequence[str], *, count: int) -> list[Record]:
    """Return the first `count` records from a time on, oldest first. Raises JournalError."""
    walk = Walk(
        matches=tuple(matches),
        realtime_us=realtime_us,
        backwards=False,
        limit=count,
        fields=FIELDS,
    )
    return journal.walk(walk)


def after_in_boot(
    journal: Journal, boot_id: str, monotonic_us: int, matches: t.Sequence[str], *, count: int
) -> list[Record]:
    """Return the first `count` records of a boot from a time since its start on, even if the clock was set meanwhile.

    Raises JournalError.
    """
    walk = Walk(
        matches=(f"_BOOT_ID={boot_id}", *matches),
        realtime_us=0,
        backwards=False,
        limit=count,
        fields=FIELDS,
        cursor=f"b={boot_id};m={monotonic_us:x}",
    )
    return journal.walk(walk)


def _make_walk(stretch: Stretch) -> Walk:
    return Walk(
        matches=stretch.all_matches,
        realtime_us=stretch.until_us,
        backwards=True,
        limit=stretch.limit,
        fields=("MESSAGE", "SYSLOG_FACILITY"),
        passing_us=stretch.oldest.monotonic_us,
        until=stretch.begin,
    )


def _set_hostname(records: t.Iterable[Record], known: Record) -> None:
    """Give records the host name of a known record of the same boot, which saves reading it."""
    hostname = known.fields.get("_HOSTNAME")
    if hostname is None:
        return

    for record in records:
        record.fields["_HOSTNAME"] = hostname
