# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From systemd's records of units to their runs: those that ended without a kill are lives; pure."""

from __future__ import annotations

import bisect
import typing as t

from ..._journal.record import Record
from ..explain.unknown import zero_if_unknown
from ..search.records import STARTED
from .clock import MINUTE
from .model import Kill, Life

STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
RESOURCES = "ae8f7b866b0347b9af31fe1c80b127c0"
"""What a run used, which systemd logs at its end (unit.c, unit_log_resources)."""
MESSAGES = (STARTING, STARTED, RESOURCES)
FIELDS = ("MESSAGE_ID", "UNIT", "INVOCATION_ID", "MEMORY_PEAK", "MEMORY_SWAP_PEAK")

# If memory is short, systemd notices a kill late.
_LATE_US = MINUTE


class Run(t.NamedTuple):
    """One run of a unit; None for what the journal does not say."""

    unit: str
    started_us: int | None = None
    ended_us: int | None = None
    peak_bytes: int | None = None
    swap_peak_bytes: int | None = None

    def has_begun(self, time_us: int) -> bool:
        """Return whether the run began before a time."""
        return self.started_us is not None and self.started_us <= time_us

    def includes(self, kill: Kill) -> bool:
        """Return whether a kill happened in the run."""
        if kill.unit != self.unit or not self.has_begun(kill.time_us):
            return False

        return self.ended_us is None or kill.time_us <= self.ended_us

    def was_ended_by(self, kill: Kill) -> bool:
        """Return whether the run ended within a minute after a kill in it."""
        if self.ended_us is None or not self.includes(kill):
            return False

        return self.ended_us <= kill.time_us + _LATE_US

    def to_life(self) -> Life:
        """Return a run that has ended as a life."""
        return Life(self.unit, self.started_us, zero_if_unknown(self.ended_us), self.peak_bytes, self.swap_peak_bytes)


def list_runs(records: t.Iterable[Record]) -> list[Run]:
    """Return the runs that systemd's records show; `records` are oldest first, and so are the runs."""
    runs: dict[tuple[str, str], Run] = {}
    for record in records:
        unit = record.fields.get("UNIT", "")
        invocation = record.fields.get("INVOCATION_ID")
        if invocation is not None:
            key = (unit, invocation)
            runs[key] = _add_record(runs.get(key, Run(unit)), record)

    return list(runs.values())


def _add_record(run: Run, record: Record) -> Run:
    """Return a run with what one more record says of it."""
    fields = record.fields
    is_end = fields.get("MESSAGE_ID") == RESOURCES
    if is_end:
        return run._replace(
            ended_us=record.realtime_us,
            peak_bytes=_read_size(fields, "MEMORY_PEAK"),
            swap_peak_bytes=_read_size(fields, "MEMORY_SWAP_PEAK"),
        )

    # A unit is first being started, and then started. The latter record may come after its end.
    if run.started_us is not None or run.ended_us is not None:
        return run

    return run._replace(started_us=record.realtime_us)


def _read_size(fields: t.Mapping[str, str], name: str) -> int | None:
    text = fields.get(name, "")
    if not text.isdigit():
        return None

    return int(text)


def add_runs(kills: t.Iterable[Kill], runs: t.Iterable[Run]) -> list[Kill]:
    """Return kills with the start of the run in which they happened, and its memory if they ended it."""
    begun = [run for run in runs if run.started_us is not None]
    by_unit: dict[str, list[Run]] = {}
    for run in sorted(begun, key=_get_start):
        by_unit.setdefault(run.unit, []).append(run)

    starts = {unit: list(map(_get_start, own)) for unit, own in by_unit.items()}
    found = []
    for kill in kills:
        place = bisect.bisect_right(starts.get(kill.unit, ()), kill.time_us)
        last = by_unit.get(kill.unit, [])[max(place - 1, 0) : place]
        found.append(_add_run(kill, last))

    return found


def _add_run(kill: Kill, last: t.Sequence[Run]) -> Kill:
    """Return a kill with what is known of its run; `last` is the run of its unit that began last before it, if any."""
    if not last or not last[0].includes(kill):
        return kill

    run = last[0]
    known = kill._replace(started_us=run.started_us)
    if not run.was_ended_by(kill):
        return known

    return known._replace(unit_peak_bytes=run.to_life().held_bytes)


def list_lives(runs: t.Iterable[Run], kills: t.Iterable[Kill]) -> list[Life]:
    """Return the runs that have ended, and in which no kill happened, the first to end first."""
    times: dict[str, list[int]] = {}
    for kill in kills:
        times.setdefault(kill.unit, []).append(kill.time_us)

    lives = []
    for run in runs:
        has_kill = _has_kill(run, times.get(run.unit, ()))
        if run.ended_us is not None and not has_kill:
            lives.append(run.to_life())

    return sorted(lives, key=_get_end)


def find_partial_units(runs: t.Iterable[Run]) -> set[str]:
    """Return the units with a run that has ended, since another one began, without a record of it."""
    open_units: set[str] = set()
    partial = set()
    for run in sorted(runs, key=_get_start):
        if run.unit in open_units:
            partial.add(run.unit)
        if run.ended_us is None:
            open_units.add(run.unit)

    return partial


def find_running(runs: t.Iterable[Run]) -> dict[str, int]:
    """Return when the units were started whose last run has not ended; `runs` are oldest first."""
    last = {run.unit: run for run in runs}
    running = {}
    for unit, run in last.items():
        if run.started_us is not None and run.ended_us is None:
            running[unit] = run.started_us

    return running


def _has_kill(run: Run, times: t.Sequence[int]) -> bool:
    """Return whether there was a kill in a run, or shortly before its end if its start is unknown; `times` ascend."""
    ended_us = zero_if_unknown(run.ended_us)
    begin_us = run.started_us
    if begin_us is None:
        begin_us = ended_us - _LATE_US

    return bisect.bisect_left(times, begin_us) < bisect.bisect_right(times, ended_us)


def _get_start(run: Run) -> int:
    return zero_if_unknown(run.started_us)


def _get_end(life: Life) -> int:
    return life.ended_us
