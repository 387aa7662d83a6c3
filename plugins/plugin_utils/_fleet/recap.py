# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of all hosts that ends a run: the worst first, and the clean ones as a number. Pure."""

from __future__ import annotations

import datetime as dt
import operator
import shlex
import textwrap
import typing as t

from ...module_utils._oom.explanation import explain_result
from ...module_utils._safe import neutralise
from .columns import align, measure
from .record import STATES, Data, Record, State, find_state

WIDTH = 80
_MAX_ROWS = 100
_MAX_LIMITED = 20
_MAX_NAMED = 2
_LONGEST_NAME = 300
_HEADING = ("HOST", "WENT DOWN", "FOR", "KILLED", "WHY", "WHAT HELPS")
# The columns with names, which can be shortened.
_NAMES = (0, 1, 3)
_COUNTED: dict[State, str] = {
    "down": "with a service down",
    "taken_down": "that lost a service",
    "killed": "with OOM kills only",
    "unknown": "not looked at",
    "incomplete": "not searched completely",
    "clean": "clean",
}
_CAUSES = {
    "ram_and_swap_exhausted": "RAM+swap full",
    "ram_exhausted_no_swap": "RAM full",
    "ram_exhausted_swap_free": "RAM full",
    "kernel_memory": "kernel memory",
    "cgroup_limit": "limit",
    "fragmentation": "fragmentation",
    "low_zone": "low zone",
    "cpuset_or_mempolicy": "NUMA nodes",
    "manual": "by hand",
    "pressure": "pressure",
}
_ROLES = {"oom_policy": "policy", "fcgid_recycler": "recycler"}
_NONE = "none"
_NOT_KNOWN = "not known"
_MAYBE_MORE = "+?"
_LEGEND = "+?  Whether more services went down is not known."
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


Cells = t.Sequence[str]


class Row(t.NamedTuple):
    """The cells of a row. If there are only two, the second one is as long as it needs to be."""

    state: State
    cells: Cells


class Line(t.NamedTuple):
    """A line to print. The state says how it looks; None is a plain line."""

    text: str
    state: State | None = None


def build_recap(records: t.Sequence[Record]) -> list[Line]:
    """Return the table of all hosts, with equally bad ones in the given order."""
    by_state: dict[State, list[Record]] = {state: [] for state in STATES}
    for record in records:
        by_state[find_state(record)].append(record)

    title = count_hosts({_COUNTED[state]: len(grouped) for state, grouped in by_state.items()})
    by_state.pop("clean")
    rows = []
    for state, grouped in by_state.items():
        rows += [Row(state, _build_cells(state, record)) for record in grouped]

    return [*title, *build_table(_HEADING, rows)]


def count_hosts(numbers: t.Mapping[str, int]) -> list[Line]:
    """Return the sentence that begins a recap: how many hosts there are, and how many of each group."""
    counted = [f"{number} {name}" for name, number in numbers.items() if number]
    number = sum(numbers.values())
    noun = {1: "host"}.get(number, "hosts")
    title = f"{number} {noun}: {', '.join(counted)}."

    return [Line(line) for line in textwrap.wrap(title, WIDTH, subsequent_indent="  ")]


def build_table(heading: Cells, rows: t.Sequence[Row]) -> list[Line]:
    """Return the rows below a blank line and a heading, the number of those beyond the limit, and a legend if need be.

    Without rows, there is no table.
    """
    if not rows:
        return []

    shown = rows[:_MAX_ROWS]
    aligned = align([heading, *map(operator.attrgetter("cells"), shown)], WIDTH, shortened=_NAMES)
    lines = [Line(""), Line(aligned[0][0])]
    for row, texts in zip(shown, aligned[1:], strict=True):
        lines += [Line(text, row.state) for text in texts]

    more = len(rows) - len(shown)
    if more:
        lines.append(Line(f"and {more} more"))

    if any(_MAYBE_MORE in line.text for line in lines):
        lines += [Line(""), Line(_LEGEND)]

    return lines


def explain_host(host: str, result: Data, *, details: bool, has_heading: bool) -> list[str]:
    """Return the whole explanation of a result of `oom_info`, below the name of its host if there are several."""
    explanation = explain_result(result, details=details)
    if not has_heading:
        return explanation

    name = clean(host)
    return ["", name, "-" * measure(name), *explanation]


def list_roles(record: Record) -> list[str]:
    """Return the roles that help a host, each once."""
    roles = map(operator.itemgetter("role"), record["remedies"])
    return list(dict.fromkeys(roles))


def is_helped(record: Record) -> bool:
    """Return whether the playbook remediate would run a role on the host without being told to."""
    return any(remedy["trusted"] and remedy["automatic"] for remedy in record["remedies"])


def build_command(
    playbook: str, *options: str, inventory: t.Sequence[str], hosts: t.Sequence[str], subset: str | None = None
) -> str:
    """Return a command to paste into a shell; it names the hosts, or their subset if there are too many of them."""
    command = ["ansible-playbook"]
    for source in inventory:
        command += ["-i", source]

    command += [playbook, *options]
    limit = subset
    if len(hosts) <= _MAX_LIMITED:
        limit = ",".join(hosts)

    if limit:
        command += ["--limit", limit]

    return shlex.join(command)


def describe_gap(record: Record) -> Cells:
    """Return the row of a host that was not looked at, or not completely: its name, and the reason."""
    notes = (record["coverage"] or {}).get("notes", ())
    in_part = " ".join(["searched in part:", *notes[:1]])
    reason = record["error"] or in_part

    return [clean(record["host"]), clean(reason.removeprefix("The host is "))]


def describe_host(record: Record) -> Cells:
    """Return the first cells of a row: the host, what went down and for how long, and who was killed and why."""
    return [clean(record["host"]), *_describe_outage(record), *_describe_kill(record)]


def list_names(names: t.Sequence[str], *, most: int = _MAX_NAMED) -> str:
    """Return the first names of roles and units in short forms, and the number of the others."""
    shortened = []
    for name in names[:most]:
        short = name.removesuffix(".service")
        shortened.append(_ROLES.get(name, short))

    return _add_more(", ".join(shortened), len(names) - most)


def clean(text: str) -> str:
    """Return a text for a cell of the table."""
    return neutralise(text, limit=_LONGEST_NAME)


def _build_cells(state: State, record: Record) -> Cells:
    if state in {"unknown", "incomplete"}:
        return describe_gap(record)

    return [*describe_host(record), list_names(list_roles(record))]


def _describe_outage(record: Record) -> tuple[str, str]:
    """Return what went down on a host, the worst of it by name, and for how long that was down."""
    summary = record["summary"]
    if summary is None:
        return _NOT_KNOWN, ""

    is_complete = summary["units_taken_down_complete"]
    units = summary["taken_down"]
    if units:
        worst = max(units, key=_rank_outage)
        name = worst["unit"].removesuffix(".service")
        return _add_more(name, len(units) - 1, is_complete=is_complete), _format_outage(worst, record)

    if is_complete:
        return _NONE, ""

    return _NOT_KNOWN, ""


def _rank_outage(unit: Data) -> tuple[bool, str]:
    """Return how bad it is that a unit went down: worst if it is down still, else if it is not long ago."""
    return unit.get("is_down") is True, str(unit.get("time"))


def _add_more(name: str, more: int, *, is_complete: bool = True) -> str:
    """Return a name and the number of others that it stands for."""
    name = clean(name)
    if not is_complete:
        return f"{name} {_MAYBE_MORE}"

    if more > 0:
        return f"{name} +{more}"

    return name


def _format_outage(unit: Data, record: Record) -> str:
    """Return for how long a unit was down, or has been until now."""
    if unit.get("is_down"):
        seconds = _count_seconds(unit.get("time"), record["collected_at"])
        return f"down {_format_duration(seconds)}".rstrip()

    for event in _list_events(record):
        if event["id"] == unit.get("last_event_id"):
            return _format_duration(event["down_seconds"]) or _NOT_KNOWN

    return _NOT_KNOWN


def _count_seconds(begin: str | None, end: str) -> float | None:
    """Return the time between two times in ISO 8601, None if one is unknown."""
    try:
        passed = dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(str(begin))
    except (ValueError, TypeError):
        return None

    return max(passed.total_seconds(), 0)


def _format_duration(seconds: float | None) -> str:
    """Return a duration in the largest unit of which it has at least one, "" if it is unknown."""
    if seconds is None:
        return ""

    if seconds < _MINUTE:
        return f"{seconds:.0f} s"

    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"

    if seconds < _DAY:
        return f"{seconds / _HOUR:.0f} h"

    return f"{seconds / _DAY:.0f} d"


def _describe_kill(record: Record) -> tuple[str, str]:
    """Return who was killed and why in the newest event that took a unit down, or else in the newest event."""
    events = _list_events(record)
    if not events and find_state(record) == "clean":
        return _NONE, ""

    if not events:
        return _NOT_KNOWN, _NOT_KNOWN

    event = max(events, key=_rank_kill)
    victim = event["victim"] or _NOT_KNOWN
    more = record["summary"]["count"] - 1

    return _add_more(victim, more), _CAUSES.get(event["cause"], _NOT_KNOWN)


def _rank_kill(event: Data) -> tuple[bool, str]:
    return event["taken_down"] is True, str(event["time"])


def _list_events(record: Record) -> list[Data]:
    """Return the events of all kinds; of those at the same time, the newest is the first."""
    events: list[Data] = []
    for kind in record["kinds"]:
        events += reversed(kind["events"])

    return events
