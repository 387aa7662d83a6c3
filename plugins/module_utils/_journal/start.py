# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find where the requested part of the journal begins."""

from __future__ import annotations

import pathlib
import typing as t

from .complaints import CursorError, JournalError
from .contents import BOOT_PRECISION_US, Contents, FileTimes
from .files import is_user_file
from .journal import Journal
from .order import Setback, find_setbacks, has_parallel_boots, is_passed_twice, is_written_after
from .record import Record
from .request import Request
from .times import parse_time
from .walk import CURSOR, FAR_FUTURE_US, Walk

# The journal receives its first entries of a boot within seconds; a slow host may take minutes.
_BOOT_BEGINS_US = 600_000_000
_DELETED = "earlier entries were deleted or never stored."
_BACK = ("--reverse", "--lines=1")


class Survey(t.NamedTuple):
    """What is known of a journal before the requested part is looked for.

    `newest` is the newest entry of the part, and `oldest_us` the time since when there are entries of the whole host.
    """

    newest: Record | None
    contents: Contents
    setbacks: t.Sequence[Setback]
    oldest_us: int
    has_parallel_boots: bool = False


class Start(t.NamedTuple):
    """The time at which the requested part begins, the newest entry of the part, and why the part is not complete."""

    first_us: int
    newest: Record | None
    gaps: tuple[str, ...] = ()


def make_survey(journal: Journal, request: Request) -> Survey:
    """Look at the ends of a journal. Raises JournalError, also for a journal without entries."""
    # The newest entry is read first, so that a later run that continues at its cursor misses nothing.
    newest = _read_newest(journal, request)
    contents = journal.read_contents()
    if not contents.boots:
        raise _make_empty_error(journal)

    return Survey(
        newest=newest,
        contents=contents,
        setbacks=find_setbacks(contents),
        oldest_us=_find_oldest_us(journal, contents),
        has_parallel_boots=has_parallel_boots(contents.boots),
    )


def find_start(journal: Journal, request: Request, survey: Survey) -> Start | None:
    """Return where the requested part begins, or None if there is no entry since then. Raises JournalError."""
    if request.after_cursor is not None:
        start = _start_after_cursor(journal, request, request.after_cursor, survey)
        return _limit_start(start, survey.oldest_us)
    if request.since is not None:
        first_us = _find_since_us(journal, request, request.since, survey)
        if first_us is None:
            return None

        # If the first entry since then is the oldest of all, earlier ones are missing.
        start = Start(first_us, survey.newest)
        return _limit_start(start, survey.oldest_us, slack_us=BOOT_PRECISION_US)
    if request.has_boot and survey.newest is not None:
        start = _start_at_boot(journal, request, survey.newest)
        return _limit_start(start, survey.oldest_us)

    return Start(survey.oldest_us, survey.newest)


def _limit_start(start: Start, oldest_us: int, *, slack_us: int = 0) -> Start:
    """Return the start, not before the oldest entry of the whole host, and whether that makes a gap."""
    if start.first_us >= oldest_us + slack_us:
        return start

    gap = f"The journal begins later than the requested period: {_DELETED}"
    return Start(
        first_us=max(start.first_us, oldest_us),
        newest=start.newest,
        gaps=(*start.gaps, gap),
    )


def _start_after_cursor(journal: Journal, request: Request, cursor: str, survey: Survey) -> Start:
    entry = journal.read_entry(cursor)
    if entry is None:
        raise CursorError(
            "The journal does not contain the entry of after_cursor: it was deleted by rotation, or belongs to another "
            "journal.",
            hint="Omit after_cursor once, or use since.",
        )

    first_us = _find_earliest_after(entry, survey)
    newest = survey.newest
    if first_us < entry.realtime_us:
        # After a setback of the clock, the entry with the latest time need not be the one that was written last.
        newest = journal.read_first([*request.arguments, *_BACK])
    return Start(first_us, newest)


def _find_earliest_after(entry: Record, survey: Survey) -> int:
    """Return a time that is not later than any entry written after `entry`.

    When the clock is set back, journald begins a new file, or the host a new boot. Only libsystemd shows where files
    begin.
    """
    if not survey.contents.files:
        return min(entry.realtime_us, survey.oldest_us)

    earliest_us = entry.realtime_us
    for file in survey.contents.files:
        for boot in file.boots:
            if is_written_after(boot.cursor, entry.cursor):
                earliest_us = min(earliest_us, boot.first_us)

    return earliest_us


def _find_since_us(journal: Journal, request: Request, since: str, survey: Survey) -> int | None:
    """Return the time of the first entry since then, or the time itself if there may be several first entries."""
    since_us = parse_time(since)
    if since_us is not None and _has_several_firsts(since_us, survey):
        return since_us

    first = _read_first_since(journal, request, since)
    if first is None:
        return None
    return first.realtime_us


def _has_several_firsts(since_us: int, survey: Survey) -> bool:
    """Return whether several hosts or times of a clock may have a first entry since then."""
    return survey.has_parallel_boots or is_passed_twice(since_us, survey.setbacks)


def _start_at_boot(journal: Journal, request: Request, newest: Record) -> Start:
    first = _read_first_since(journal, request, "@0") or newest
    if first.monotonic_us <= _BOOT_BEGINS_US:
        return Start(first.realtime_us, newest)

    minutes = first.monotonic_us // 60_000_000
    gap = f"The journal begins {minutes} minutes after the start of the requested boot: {_DELETED}"
    return Start(first.realtime_us, newest, (gap,))


def _read_newest(journal: Journal, request: Request) -> Record | None:
    walk = None
    if request.is_open:
        walk = Walk(matches=(), realtime_us=FAR_FUTURE_US, backwards=True, limit=1, fields=(CURSOR,))

    return journal.read_first([*request.arguments, *_BACK], walk=walk)


def _read_first_since(journal: Journal, request: Request, since: str) -> Record | None:
    arguments = [*request.boot_arguments, f"--since={since}", "--lines=+1"]
    since_us = parse_time(since)
    if since_us is None or request.has_boot:
        return journal.read_first(arguments)

    walk = Walk(matches=(), realtime_us=since_us, backwards=False, limit=1, fields=(CURSOR,))
    return journal.read_first(arguments, walk=walk)


def _find_oldest_us(journal: Journal, contents: Contents) -> int:
    """Return since when there are records of the whole host, the kernel's among them; those of users may be older."""
    starts = list(_list_system_starts(contents.files))
    if not starts:
        starts = _read_system_start(journal, contents)
    if not starts:
        starts = [boot.first_us for boot in contents.boots]

    return min(starts)


def _read_system_start(journal: Journal, contents: Contents) -> list[int]:
    """Return when the entries of the system begin, if only the names of the files show that some are a user's."""
    if contents.files:
        return []
    if not any(map(is_user_file, journal.files)):
        return []

    first = journal.read_first(["--lines=+1"], ["_TRANSPORT=kernel", "+", "_UID=0"])
    if first is None:
        return []
    return [first.realtime_us]


def _list_system_starts(files: t.Iterable[FileTimes]) -> t.Iterator[int]:
    """Yield when each boot begins in the files that are not a user's."""
    for file in files:
        if is_user_file(pathlib.PurePath(file.path)):
            continue
        for boot in file.boots:
            yield boot.first_us


def _make_empty_error(journal: Journal) -> JournalError:
    """Return the error that says why there is no entry at all."""
    if journal.notes:
        return JournalError(f"No journal file could be read: {' '.join(journal.notes)}")

    return JournalError(
        "The journal is empty.", hint="Check that systemd-journald runs, and that the directory holds a journal."
    )
