# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a journal to the result of `oom_info`: the traces of kills are searched for, followed and explained."""

from __future__ import annotations

import concurrent.futures
import contextlib
import resource
import time
import typing as t

from .._command import Run
from .._journal.complaints import CursorError
from .._journal.files import Place, are_persistent, find_journal_files
from .._journal.journal import Journal
from .._journal.reader import Reader
from .._journal.request import Request
from .._journal.times import parse_time
from .search.present import Present, list_present_gaps, observe_present
from .search.search import Traces, coverage_of, search
from .search.units import list_outages
from .summary import add_empty_history, build_empty_result

_RESTARTED = (
    "The journal has lost the entry at which the last search ended, so it was searched from its beginning. What else "
    "it has lost since then is not known."
)

_SECOND_US = 1_000_000


class Query(t.NamedTuple):
    """The part of a journal to examine, and how much of the events to return."""

    since: str | None = None
    until: str | None = None
    boot: str = "all"
    after_cursor: str | None = None
    restart: bool = False
    """Whether to search all of a journal that has lost the entry of `after_cursor`."""
    directory: str | None = None
    """The folder of the journal files; None for this host's own journal."""
    namespace: str | None = None
    timeout: float = 300
    """The seconds that the journal may take for one answer."""
    limit: int = 100
    """The number of events to return."""
    tasks: str = "top"
    """Which rows of the task table to return: `top`, `all` or `none`."""
    top: int = 10
    """The number of rows with `top`."""
    history: bool = False
    """Whether to look back at what the kills have in common."""


@contextlib.contextmanager
def open_reader(query: Query) -> t.Iterator[Reader | None]:
    """Open the journal for many small reads; None if there is no memory for the process that does them."""
    reader = None
    # Without memory for one more process, journalctl reports the problem.
    with contextlib.suppress(OSError):
        reader = Reader(Place(query.directory, query.namespace), timeout=query.timeout)
    try:
        yield reader
    finally:
        if reader:
            reader.close()


def find_in_journal(query: Query, run: Run, reader: Reader | None = None) -> dict[str, t.Any]:
    """Return the OOM kills in a journal, explained, as `oom_info` returns them; without a reader, all from journalctl.

    Raises JournalError.
    """
    try:
        return _find_with_history(query, run, reader)
    except CursorError:
        if not query.restart:
            raise

    result = _find(query._replace(after_cursor=None), run, reader)
    coverage = result["coverage"]
    coverage.update(complete=False, notes=[_RESTARTED, *coverage["notes"]])
    result["summary"]["units_taken_down_complete"] = False

    return result


def _find_with_history(query: Query, run: Run, reader: Reader | None) -> dict[str, t.Any]:
    """Return the OOM kills in the requested part of a journal, with a history of more than the new ones.

    A search that continues an earlier one shows too little for a history. If it finds new kills, all of the journal is
    searched for that; otherwise, there is nothing new to say. Raises JournalError.
    """
    is_partial = query.history and query.after_cursor is not None
    if not is_partial:
        return _find(query, run, reader)

    result = _find(query._replace(history=False), run, reader)
    result["history"] = None
    if result["events"]:
        result["history"] = _find(query._replace(after_cursor=None), run, reader)["history"]

    return result


def _find(query: Query, run: Run, reader: Reader | None) -> dict[str, t.Any]:
    """Return the OOM kills in the requested part of a journal. Raises JournalError."""
    place = Place(query.directory, query.namespace)
    files = find_journal_files(place)
    persistent = are_persistent(files)
    journal = Journal(run, place, files=files, reader=reader, timeout=query.timeout)
    request = Request(
        since=query.since,
        until=query.until,
        boot=query.boot,
        after_cursor=query.after_cursor,
        now=time.time() if query.directory is None else None,
    )
    # systemd answers while the journal is searched.
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(_observe_present, query, request, run)
        traces = search(journal, request)
        present = asked.result()

    outages = list_outages(present.failed, since_us=_find_since_us(request, traces))
    if traces is not None:
        traces = _add_present_gaps(traces, present, request)

    has_kills = traces is not None and traces.has_kills
    if not has_kills and not outages:
        result = build_empty_result(coverage_of(journal, traces, persistent=persistent))
        return add_empty_history(result, wanted=query.history)

    # Most hosts have no kill, and reading and explaining kills takes most of the code: they do not load it.
    from .incident.follow import follow_traces
    from .result import build_result

    local = query.directory is None
    findings = follow_traces(
        journal,
        traces,
        run,
        limit=query.limit,
        local=local,
        page_size=resource.getpagesize() if local else None,
        persistent=persistent,
        failed=present.failed,
        outages=outages,
    )

    if traces is None or not query.history:
        result = build_result(findings, tasks=query.tasks, top=query.top)
        return add_empty_history(result, wanted=query.history)

    from .history.kills import Kills
    from .history.result import find_history

    kills = Kills()
    result = build_result(findings, tasks=query.tasks, top=query.top, on_kill=kills.add)
    now_us = int(time.time() * _SECOND_US)
    history = find_history(journal, traces.extent, kills.found, now_us=now_us, local=local)

    return {**result, "history": history}


def _observe_present(query: Query, request: Request, run: Run) -> Present:
    """Return what this host says now if the request includes it."""
    is_about_now = request.should_be_recent and query.namespace is None
    if not is_about_now:
        return Present()

    return observe_present(run)


def _add_present_gaps(traces: Traces, present: Present, request: Request) -> Traces:
    """Return the traces, with the gaps that the host shows now."""
    if request.has_begin:
        # Only kills since then belong to the request.
        present = present._replace(kills=None)

    gaps = list_present_gaps(present, traces.kills, first_us=traces.extent.first_us)
    return traces._replace(gaps=(*traces.gaps, *gaps))


def _find_since_us(request: Request, traces: Traces | None) -> int:
    """Return since when the units that went down belong to the request, in microseconds since 1970."""
    since_us = parse_time(request.since or "")
    if since_us is not None:
        return since_us

    if traces is None or not request.has_begin:
        return 0

    return traces.extent.first_us
