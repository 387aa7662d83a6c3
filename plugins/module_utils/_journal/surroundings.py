# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in a journal around records that are known, and after a time."""

from __future__ import annotations

import itertools
import typing as t

from .journal import Journal
from .libsystemd import Walk
from .record import FIELDS, Record
from .times import at_time

# Most reports take 60 to 200 lines.
_STRETCH = 200


class Stretch(t.NamedTuple):
    """A part of one boot, with some records in it that are known.

    It lasts from `after_us` microseconds after the newest of them back to the first record before all of them that has
    the text `begin` in its message; `limit` is how many records to read in search of that one.
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
    """Yield the records of each stretch, newest first.

    They have no more than MESSAGE, SYSLOG_FACILITY, _HOSTNAME and what the matches tell, and may lack the cursor.
    """
    walks = [
        Walk(
            matches=stretch.all_matches,
            realtime_us=stretch.until_us,
            backwards=True,
            limit=stretch.limit,
            fields=("MESSAGE", "SYSLOG_FACILITY"),
            passing_us=stretch.oldest.monotonic_us,
            until=stretch.begin,
        )
        for stretch in stretches
    ]
    for stretch, found in itertools.zip_longest(stretches, journal.look(walks)):
        if found and any(record.key == stretch.newest.key for record in found):
            # A boot is of one host.
            hostname = stretch.newest.fields.get("_HOSTNAME")
            if hostname is not None:
                for record in found:
                    record.fields["_HOSTNAME"] = hostname
            yield found
        else:
            yield _around(journal, stretch)


def _around(journal: Journal, stretch: Stretch) -> list[Record]:
    """Return the records of a stretch, newest first, as journalctl gives them."""
    found = _until_begin(journal, stretch, f"--until={at_time(stretch.until_us)}")
    if not any(record.key == stretch.newest.key for record in found):
        # The clock was set in the meantime.
        found = _until_begin(journal, stretch, f"--cursor={stretch.newest.cursor}")
    return found


def _until_begin(journal: Journal, stretch: Stretch, where: str) -> list[Record]:
    found: list[Record] = []
    for record in journal.read_back([where], stretch.all_matches, chunk=_STRETCH):
        found.append(record)
        if len(found) == stretch.limit or (
            record.monotonic_us <= stretch.oldest.monotonic_us and stretch.begin in record.message
        ):
            break
    return found


def after(journal: Journal, realtime_us: int, matches: t.Sequence[str], *, count: int) -> list[Record]:
    """Return the first `count` records from that time on, oldest first."""
    records = journal.look_once(Walk(tuple(matches), realtime_us, False, count, FIELDS))
    if records is None:
        records = list(journal.journalctl.read([f"--since={at_time(realtime_us)}", f"--lines=+{count}"], matches))
    return records


def after_in_boot(
    journal: Journal, boot_id: str, monotonic_us: int, matches: t.Sequence[str], *, count: int
) -> list[Record]:
    """Return the first `count` records of a boot from that time since then on, however the clock was set meanwhile."""
    cursor = f"b={boot_id};m={monotonic_us:x}"
    matches = (f"_BOOT_ID={boot_id}", *matches)
    records = journal.look_once(Walk(matches, 0, False, count, FIELDS, cursor=cursor))
    if records is None:
        records = list(journal.journalctl.read([f"--cursor={cursor}", f"--lines=+{count}"], matches))
    return records
