# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a journal was written, which is that of time unless the clock was set back."""

from __future__ import annotations

import pathlib
import re
import typing as t

from .files import is_of_a_user
from .libsystemd import FileTimes
from .times import moment


class Span(t.NamedTuple):
    """What stands together in a journal: its writer, its place among what that wrote, its first and its last time."""

    writer: str
    number: int
    first_us: int
    last_us: int


def is_behind(cursor: str, other: str) -> bool:
    """Tell whether an entry was written behind another one, by what sd_journal_next(3) goes by.

    That is the number, then the time since the boot, then the time, the first of them that both count alike.
    """
    one, two = _parts(cursor), _parts(other)
    for counter, number in (("s", "i"), ("b", "m")):
        if counter in one and one[counter] == two.get(counter):
            return int(one[number], 16) > int(two[number], 16)
    return int(one["t"], 16) >= int(two["t"], 16)


def spans_of(files: t.Iterable[FileTimes]) -> list[Span]:
    """Return what each file holds of each boot; rotation gives a file's name an "@", and its writer goes on."""
    spans = []
    for path, _first_us, _last_us, boots in files:
        kind = re.split("[@.]", pathlib.PurePath(path).name)[0]
        for _boot_id, first_us, last_us, cursor in boots:
            parts = _parts(cursor)
            spans.append(Span(f"{parts.get('s')} {kind}", int(parts.get("i", "0"), 16), first_us, last_us))
    return spans


def set_back(spans: t.Iterable[Span]) -> list[tuple[int, int]]:
    """Return the times to which the clock was set back, each with the one that it had reached."""
    times: list[tuple[int, int]] = []
    reached: dict[str, int] = {}
    for writer, _number, *ends in sorted(spans):
        for us in ends:
            latest = reached.get(writer, us)
            if us < latest:
                times.append((us, latest))
            reached[writer] = max(us, latest)
    return times


def is_passed_twice(us: int, set_back: t.Iterable[tuple[int, int]]) -> bool:
    """Tell whether the clock was set back past a time: journalctl, going back, ends where it is before `--since`."""
    return any(to_us < us <= from_us for to_us, from_us in set_back)


def is_mistakable(since: str | None, first_us: int, until: str | None, set_back: t.Sequence[tuple[int, int]]) -> bool:
    """Tell whether journalctl, which looks for a time as if it came once, may have mistaken the end or the beginning.

    Of the beginning, where the first entry since then is, nothing is to be feared if its own time is known.
    """
    if since is not None and moment(since) is None and any(to_us < first_us for to_us, _from_us in set_back):
        return True
    until_us = moment(until) if until is not None else 0
    return bool(set_back) if until_us is None else is_passed_twice(until_us + 1, set_back)


def begins_of_the_host(files: t.Iterable[FileTimes]) -> list[int]:
    """Return when each boot begins in the files that are not a user's."""
    return [
        first_us
        for path, *_times, boots in files
        if not is_of_a_user(pathlib.PurePath(path))
        for _boot_id, first_us, *_rest in boots
    ]


def _parts(cursor: str) -> dict[str, str]:
    return dict(part.partition("=")[::2] for part in cursor.split(";"))
