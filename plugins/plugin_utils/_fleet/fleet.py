# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts as one picture: how each one stands, worst first, and what their OOM kills have in common. Pure.

A host is reduced to what one line shows, so that thousands of records need not be in memory together.
"""

from __future__ import annotations

import bisect
import collections
import dataclasses
import datetime as dt
import functools
import operator
import typing as t

from .merge import find_age
from .parts import get_part, get_rows, list_events, parse_moment, summarize
from .recap import list_roles
from .record import Data, Record, find_state
from .settings import list_settings
from .timeline import Hours, Timeline, build_timeline

STANDINGS = ("down", "taken_down", "killed", "unknown", "incomplete", "remediated", "clean")
"""How a host stands, the worst first: its state, or `remediated` if changes were made and no kill came after them."""
TROUBLE = ("down", "taken_down", "killed")

_DAY = dt.timedelta(days=1)
_LATE = _DAY
_get_time = operator.itemgetter("time")


@dataclasses.dataclass(frozen=True, slots=True)
class Outage:
    """A unit that went down because of an OOM kill."""

    unit: str
    is_down: bool | None
    since: str | None
    seconds: float | None
    """How long it was down the last time, None if that is not known or not over."""
    is_confirmed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """The kills before or after the changes that were made on a host."""

    kills: int
    outages: int
    days: float | None


@dataclasses.dataclass(frozen=True, slots=True)
class Host:
    """What one line shows of a host, and what counts of the fleet are made from."""

    name: str
    standing: str
    collected_at: str
    version: str
    error: str | None
    searched_at: str
    searched_from: str | None
    note: str | None
    """Why the search was incomplete, or the first reason of several."""
    kills: int
    victim: str | None
    """The victim of the newest kill."""
    cause: str | None
    kept: str | None
    """The unit of the newest kill, if it certainly kept running."""
    last: str | None
    outages: tuple[Outage, ...]
    roles: tuple[str, ...]
    """The roles that help."""
    changes: int
    before: Span | None
    after: Span | None
    by_cause: t.Mapping[str, int]
    by_unit: t.Mapping[str, int]
    by_victim: t.Mapping[str, int]
    kill_hours: Hours
    outage_hours: Hours
    settings: t.Mapping[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class Count:
    """A name, how many kills it had, and on how many hosts."""

    name: str
    kills: int
    hosts: int


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """A setting, and which value is in force on which hosts."""

    name: str
    values: tuple[tuple[str, tuple[str, ...]], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Fleet:
    """The picture of all hosts."""

    hosts: tuple[Host, ...]
    """The worst first."""
    by_standing: t.Mapping[str, int]
    late: frozenset[str]
    """The hosts whose records are more than a day older than the newest one."""
    as_of: str
    oldest: str
    kills: int
    causes: tuple[Count, ...]
    units: tuple[Count, ...]
    victims: tuple[Count, ...]
    timeline: Timeline
    settings: tuple[Setting, ...]


def build_host(record: Record) -> Host:
    """Return what a record says about its host, in short."""
    events = list_events(record)
    outages = list(filter(operator.itemgetter("taken_down"), events))
    newest = next(reversed(events), {})
    summary = summarize(record)
    coverage = get_part(record, "coverage")
    before, after = _find_spans(record, events)

    return Host(
        name=record["host"],
        standing=_judge(record, after),
        collected_at=record["collected_at"],
        version=record["collection_version"],
        error=record["error"],
        searched_at=find_age(record, "summary"),
        searched_from=coverage.get("from"),
        note=next(iter(coverage.get("notes", ())), None),
        kills=summary["count"],
        victim=newest.get("victim"),
        cause=newest.get("cause"),
        kept=_find_survivor(newest),
        last=summary.get("last"),
        outages=_list_outages(get_rows(summary, "taken_down"), outages),
        roles=tuple(list_roles(record)),
        changes=len(record["applied"]),
        before=before,
        after=after,
        by_cause=get_part(summary, "by_cause"),
        by_unit=get_part(summary, "by_unit"),
        by_victim=get_part(summary, "by_victim"),
        kill_hours=_count_hours(events),
        outage_hours=_count_hours(outages),
        settings={setting.name: setting.value for setting in list_settings(record)},
    )


def build_fleet(hosts: t.Iterable[Host]) -> Fleet:
    """Return the picture of all hosts; their order does not matter."""
    named = sorted(hosts, key=operator.attrgetter("name"))
    times = list(map(operator.attrgetter("collected_at"), named))
    as_of = max(times, default="")
    late = frozenset([host.name for host in named if _is_late(host.collected_at, as_of)])
    ordered = [_doubt(host, late) for host in named]
    ordered.sort(key=_get_last, reverse=True)
    ordered.sort(key=_rank_standing)

    standings = collections.Counter(map(operator.attrgetter("standing"), ordered))
    kills = sum(map(operator.attrgetter("kills"), ordered))
    kill_hours = _sum_counts(ordered, "kill_hours")
    outage_hours = _sum_counts(ordered, "outage_hours")

    return Fleet(
        hosts=tuple(ordered),
        by_standing={standing: standings[standing] for standing in STANDINGS},
        late=late,
        as_of=as_of,
        oldest=min(times, default=""),
        kills=kills,
        causes=_rank_counts(ordered, "by_cause"),
        units=_rank_counts(ordered, "by_unit"),
        victims=_rank_counts(ordered, "by_victim"),
        timeline=build_timeline(kill_hours, outage_hours, total=kills, as_of=as_of),
        settings=_collect_settings(ordered),
    )


def find_standing(record: Record) -> str:
    """Return how the host of a record stands: its state, or `remediated`."""
    _before, after = _find_spans(record, list_events(record))
    return _judge(record, after)


def _judge(record: Record, after: Span | None) -> str:
    state = find_state(record)
    if after is None or after.kills:
        return state

    if state in ("taken_down", "killed"):
        return "remediated"

    return state


def _find_spans(record: Record, events: t.Sequence[Record]) -> tuple[Span | None, Span | None]:
    """Return the kills before the first and after the last change that was made on a host."""
    times = map(operator.methodcaller("get", "time"), record["applied"])
    changed = sorted(filter(parse_moment, times))
    if not changed:
        return None, None

    dated = list(filter(_get_time, events))
    before = dated[: bisect.bisect_left(dated, changed[0], key=_get_time)]
    after = dated[bisect.bisect_right(dated, changed[-1], key=_get_time) :]
    begun = get_part(record, "coverage").get("from")

    return _build_span(before, begun, changed[0]), _build_span(after, changed[-1], record["collected_at"])


def _build_span(events: t.Sequence[Record], begin: str | None, end: str | None) -> Span:
    outages = list(map(operator.itemgetter("taken_down"), events)).count(True)
    begun = parse_moment(begin)
    ended = parse_moment(end)
    if begun is None or ended is None:
        return Span(len(events), outages, None)

    return Span(len(events), outages, max(0.0, (ended - begun) / _DAY))


def _find_survivor(event: Data) -> str | None:
    if event.get("taken_down") is not False:
        return None

    return t.cast("str | None", event["unit"])


def _list_outages(units: t.Iterable[Record], events: t.Iterable[Record]) -> tuple[Outage, ...]:
    """Return the units that went down, those first that are down now."""
    seconds = dict(map(operator.itemgetter("unit", "down_seconds"), events))
    outages = [_build_outage(unit, seconds.get(unit["unit"])) for unit in units]
    outages.sort(key=operator.attrgetter("unit"))
    outages.sort(key=_is_back)

    return tuple(outages)


def _build_outage(unit: Record, seconds: float | None) -> Outage:
    is_down = unit.get("is_down")
    if is_down:
        seconds = None

    return Outage(unit["unit"], is_down, unit.get("time"), seconds, unit.get("confirmed") is not False)


def _is_back(outage: Outage) -> bool:
    return not outage.is_down


def _count_hours(events: t.Iterable[Record]) -> Hours:
    times = filter(None, map(_get_time, events))
    return collections.Counter(map(operator.itemgetter(slice(13)), times))


def _is_late(collected_at: str, as_of: str) -> bool:
    collected = parse_moment(collected_at)
    newest = parse_moment(as_of)
    if collected is None or newest is None:
        return True

    return newest - collected > _LATE


def _doubt(host: Host, late: frozenset[str]) -> Host:
    """Return a host as it stands, as not known if its good news is old."""
    is_good = host.standing in ("remediated", "clean")
    if is_good and host.name in late:
        return dataclasses.replace(host, standing="unknown")

    return host


def _get_last(host: Host) -> str:
    return host.last or ""


def _rank_standing(host: Host) -> int:
    return STANDINGS.index(host.standing)


def _rank_counts(hosts: t.Sequence[Host], name: str) -> tuple[Count, ...]:
    """Return the names in a count of all hosts with their kills and hosts, the most frequent first."""
    kills = _sum_counts(hosts, name)
    having: collections.Counter[str] = collections.Counter()
    for host in hosts:
        having.update(dict.fromkeys(getattr(host, name), 1))

    counts = [Count(key, kills[key], having[key]) for key in sorted(kills)]
    counts.sort(key=operator.attrgetter("kills"), reverse=True)

    return tuple(counts)


def _sum_counts(hosts: t.Iterable[Host], name: str) -> collections.Counter[str]:
    total: collections.Counter[str] = collections.Counter()
    for counts in map(operator.attrgetter(name), hosts):
        total.update(counts)

    return total


def _collect_settings(hosts: t.Iterable[Host]) -> tuple[Setting, ...]:
    """Return each setting with its values, the value of most hosts first."""
    settings: dict[str, dict[str, list[str]]] = collections.defaultdict(
        functools.partial(collections.defaultdict, list)
    )
    for host in hosts:
        for name, value in host.settings.items():
            settings[name][value].append(host.name)

    return tuple([Setting(name, _rank_values(settings[name])) for name in sorted(settings)])


def _rank_values(values: t.Mapping[str, t.Sequence[str]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    ranked = [(value, tuple(sorted(values[value]))) for value in sorted(values)]
    ranked.sort(key=_count_hosts, reverse=True)

    return tuple(ranked)


def _count_hosts(value: tuple[str, tuple[str, ...]]) -> int:
    return len(value[1])
