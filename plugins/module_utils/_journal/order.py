# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a journal was written, which is the order of time unless the clock was set back."""

from __future__ import annotations

import itertools
import pathlib
import re
import typing as t

from .contents import BOOT_PRECISION_US, Boot, BootTimes, Contents
from .times import parse_time

# Of a cursor: the id of what counts, and the count. Entries that share the id compare by the count.
_COUNTERS = (("s", "i"), ("b", "m"))


class Setback(t.NamedTuple):
    """A time to which the clock was set back, and the time that it had reached."""

    to_us: int
    from_us: int


class _Span(t.NamedTuple):
    """Entries that one journald wrote one after the other, as their place among all that it wrote, and their times."""

    writer: str
    number: int
    first_us: int
    last_us: int


def is_written_after(cursor: str, other: str) -> bool:
    """Return whether an entry was written after another one, by the rules of sd_journal_next(3).

    Entries compare by their number if one journald wrote them, else by the time since the boot if they are of one boot,
    else by the time.
    """
    one = _split_cursor(cursor)
    two = _split_cursor(other)
    for counter, number in _COUNTERS:
        if counter in one and one[counter] == two.get(counter):
            return int(one[number], 16) > int(two[number], 16)

    # libsystemd may fail to give a cursor. Such an entry counts as the first.
    return int(one.get("t", "0"), 16) >= int(two["t"], 16)


def find_setbacks(contents: Contents) -> list[Setback]:
    """Return where the clock was set back."""
    setbacks = []
    reached: dict[str, int] = {}
    for span in sorted(_list_spans(contents)):
        for time_us in (span.first_us, span.last_us):
            latest_us = reached.get(span.writer, time_us)
            if time_us < latest_us:
                setbacks.append(Setback(time_us, latest_us))
            reached[span.writer] = max(time_us, latest_us)

    return setbacks


def is_passed_twice(time_us: int, setbacks: t.Iterable[Setback]) -> bool:
    """Return whether the clock passed a time twice.

    journalctl, which goes back through the journal, then stops too early: at the first entry before `--since`.
    """
    return any(setback.to_us < time_us <= setback.from_us for setback in setbacks)


def has_parallel_boots(boots: t.Iterable[Boot]) -> bool:
    """Return whether two boots have entries of the same time, as those of two hosts have.

    From version 262 on, journalctl and libsystemd list one boot after the other. So going back, they come to the
    beginning of a period in each boot, and journalctl stops at the first.
    """
    ordered = sorted(boots, key=lambda boot: boot.first_us)
    return any(after.first_us + BOOT_PRECISION_US < before.last_us for before, after in zip(ordered, ordered[1:]))


def is_since_ambiguous(since: str, first_us: int, setbacks: t.Iterable[Setback]) -> bool:
    """Return whether journalctl may have mistaken where `since` lies; `first_us` is the time of the entry it found.

    journalctl assumes that each time comes once. A time that we can parse is safe, as we look for it ourselves.
    """
    if parse_time(since) is not None:
        return False

    earliest = min(setbacks, default=Setback(first_us, first_us))
    return earliest.to_us < first_us


def is_until_ambiguous(until: str, setbacks: t.Collection[Setback]) -> bool:
    """Return whether journalctl may have mistaken where `until` lies, as it assumes that each time comes once."""
    until_us = parse_time(until)
    if until_us is None:
        return bool(setbacks)

    return is_passed_twice(until_us + 1, setbacks)


def _list_spans(contents: Contents) -> t.Iterator[_Span]:
    """Yield a span for each boot in each file, or one for each boot if the files are not known."""
    if not contents.files:
        yield from itertools.starmap(_make_boot_span, enumerate(contents.boots))

    for file in contents.files:
        # Rotation inserts an "@" into a file's name, and journald goes on writing to a new file.
        kind = re.split("[@.]", pathlib.PurePath(file.path).name)[0]
        for boot in file.boots:
            yield _make_file_span(kind, boot)


def _make_boot_span(number: int, boot: Boot) -> _Span:
    return _Span("", number, boot.first_us, boot.last_us)


def _make_file_span(kind: str, boot: BootTimes) -> _Span:
    parts = _split_cursor(boot.cursor)
    writer = f"{parts.get('s')} {kind}"
    number = int(parts.get("i", "0"), 16)
    return _Span(writer, number, boot.first_us, boot.last_us)


def _split_cursor(cursor: str) -> dict[str, str]:
    """Return the parts of a cursor, such as `s=...;i=...;b=...;m=...;t=...;x=...`, by their letters."""
    parts = {}
    for part in cursor.split(";"):
        letter, _equals, value = part.partition("=")
        parts[letter] = value

    return parts
