# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write records as metrics, for the textfile collector of node_exporter.

The text is valid in Prometheus' text format 0.0.4 and in OpenMetrics 1.0. All metrics are gauges: a journal forgets its
oldest kills when it is rotated, so their number can fall if no earlier record has them.
"""

from __future__ import annotations

import collections
import itertools
import math
import operator
import typing as t

from ...module_utils._safe import neutralise
from .culprits import OTHERS, UNKNOWN, Culprit, Kill, group_kills, list_units, parse_time
from .parts import get_part
from .record import Record

_Labels = tuple[tuple[str, str], ...]
_Values = t.Mapping[str, float]
"""Values by family."""

# Families in order of output. Names and units follow https://prometheus.io/docs/practices/naming/.
_FAMILIES = {
    "oomguard_export_timestamp_seconds": "When these metrics were written.",
    "oomguard_host_searched": "Whether the host could be searched for OOM kills (1) or not (0), at the last attempt.",
    "oomguard_search_timestamp_seconds": "When the host was searched for OOM kills.",
    "oomguard_search_complete": "Whether everything was searched (1), or kills may have been missed (0).",
    "oomguard_search_start_timestamp_seconds": "The time of the oldest entry of the journal that was searched, or of "
    "an older OOM kill that an earlier search found. Kills are counted from this time on.",
    "oomguard_search_end_timestamp_seconds": "The time of the newest entry of the journal that was searched.",
    "oomguard_kills": "OOM kills that this search and earlier ones found.",
    "oomguard_last_kill_timestamp_seconds": "When the newest of these OOM kills happened.",
    "oomguard_last_victim_memory_bytes": "RAM and swap that the victim of the newest of these OOM kills held.",
    "oomguard_outages": "OOM kills among them that took their unit down.",
    "oomguard_last_outage_timestamp_seconds": "When the newest OOM kill that took the unit down happened.",
    "oomguard_down_seconds": "How long the unit was down because of these OOM kills, as far as that is known.",
    "oomguard_unit_down": "Whether the unit was down because of an OOM kill (1) or not (0) at the time of the search.",
    "oomguard_last_change_timestamp_seconds": "When this collection last changed a setting of the host.",
    "oomguard_kills_after_change": "OOM kills since this collection last changed a setting of the host.",
}
_ORDER = tuple(_FAMILIES)


class _Sample(t.NamedTuple):
    family: str
    labels: _Labels
    value: float


def render_openmetrics(records: t.Iterable[Record], now: str) -> str:
    """Return the metrics of all hosts as text; `now` is the current time in ISO 8601.

    The order of the records does not matter. There should be one record for each host.
    """
    measured = map(_measure_host, records)
    export = _Sample("oomguard_export_timestamp_seconds", (), parse_time(now))
    samples = [export, *itertools.chain.from_iterable(measured)]

    lines: list[str] = []
    for family, alike in itertools.groupby(_put_in_order(samples), key=operator.attrgetter("family")):
        lines += [f"# HELP {family} {_FAMILIES[family]}", f"# TYPE {family} gauge"]
        lines += map(_render_sample, alike)

    return "\n".join([*lines, "# EOF", ""])


def _put_in_order(samples: t.Iterable[_Sample]) -> list[_Sample]:
    """Return the samples that are known, by family, and none twice: node_exporter would refuse the whole file."""
    known = itertools.filterfalse(_is_unknown, samples)
    largest_last = sorted(known, key=operator.attrgetter("value"))
    unique = {sample[:2]: sample for sample in largest_last}

    return sorted(unique.values(), key=_get_place)


def _is_unknown(sample: _Sample) -> bool:
    return sample.value == UNKNOWN


def _get_place(sample: _Sample) -> tuple[int, _Labels]:
    return (_ORDER.index(sample.family), sample.labels)


def _render_sample(sample: _Sample) -> str:
    labels = ",".join(itertools.starmap(_render_label, sample.labels))
    value = f"{round(sample.value, 3):.15g}"
    if not labels:
        return f"{sample.family} {value}"

    return f"{sample.family}{{{labels}}} {value}"


def _render_label(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'{name}="{escaped}"'


def _measure_host(record: Record) -> list[_Sample]:
    """Return what is known of a host. If it could not be searched this time, that is what an earlier search found."""
    labels = (("host", neutralise(record["host"])),)
    samples = [_Sample("oomguard_host_searched", labels, record["ok"])]
    if record["summary"] is None:
        return samples

    times = map(operator.itemgetter("time"), record["applied"])
    change = max(map(parse_time, times), default=UNKNOWN)
    samples += _make_samples(labels, _measure_search(record, change))

    kills = group_kills(record)
    for culprit, alike in kills.items():
        samples += _make_samples(_add_culprit(labels, culprit), _measure_kills(alike, change))

    counts = _count_kills(record, kills)
    samples += _label_samples("oomguard_kills", labels, counts.items())
    samples += _label_samples("oomguard_unit_down", labels, list_units(record))

    return samples


def _make_samples(labels: _Labels, values: _Values) -> list[_Sample]:
    return [_Sample(family, labels, value) for family, value in values.items()]


def _label_samples(family: str, labels: _Labels, values: t.Iterable[tuple[Culprit, float]]) -> list[_Sample]:
    return [_Sample(family, _add_culprit(labels, culprit), value) for culprit, value in values]


def _add_culprit(labels: _Labels, culprit: Culprit) -> _Labels:
    return (*labels, *culprit._asdict().items())


def _measure_search(record: Record, change: float) -> _Values:
    coverage = get_part(record, "coverage")
    summary = get_part(record, "summary")
    searched_at = get_part(record, "as_of").get("summary", record["collected_at"])

    return {
        "oomguard_search_timestamp_seconds": parse_time(searched_at),
        "oomguard_search_complete": bool(coverage.get("complete")),
        "oomguard_search_start_timestamp_seconds": _find_earliest(coverage.get("from"), summary.get("first")),
        "oomguard_search_end_timestamp_seconds": parse_time(coverage.get("to")),
        "oomguard_last_change_timestamp_seconds": change,
    }


def _find_earliest(*times: str | None) -> float:
    known = filter(math.isfinite, map(parse_time, times))
    return min(known, default=UNKNOWN)


def _measure_kills(kills: t.Sequence[Kill], change: float) -> _Values:
    """Return the OOM kills of one culprit in numbers; `change` is the time of the last change to the host."""
    get_time = operator.attrgetter("time")
    newest = max(kills, key=get_time)
    outages = [kill for kill in kills if kill.took_down]
    number = _count_outages(kills)

    return {
        "oomguard_last_kill_timestamp_seconds": newest.time,
        "oomguard_last_victim_memory_bytes": newest.memory_bytes,
        "oomguard_outages": number,
        "oomguard_last_outage_timestamp_seconds": max(map(get_time, outages), default=UNKNOWN),
        "oomguard_down_seconds": _sum_down_seconds(outages, number),
        "oomguard_kills_after_change": _count_after(kills, change),
    }


def _count_outages(kills: t.Iterable[Kill]) -> float:
    """Return the number of outages. That there was none is known only if the fate of the unit is known each time."""
    fates = [kill.took_down for kill in kills]
    outages = fates.count(True)
    if not outages and None in fates:
        return UNKNOWN

    return outages


def _sum_down_seconds(outages: t.Iterable[Kill], number: float) -> float:
    """Return the sum of what is known about a number of outages."""
    seconds = map(operator.attrgetter("down_seconds"), outages)
    known: list[float] = list(filter(math.isfinite, seconds))
    if number and not known:
        return UNKNOWN

    return sum(known)


def _count_after(kills: t.Iterable[Kill], change: float) -> float:
    if change == UNKNOWN:
        return UNKNOWN

    return sum([kill.time > change for kill in kills])


def _count_kills(record: Record, kills: t.Mapping[Culprit, t.Sequence[Kill]]) -> dict[Culprit, int]:
    """Return the number of OOM kills by culprit. A record counts all, but lists only some: the rest are others."""
    counts = collections.Counter({culprit: len(alike) for culprit, alike in kills.items()})
    unlisted = record["summary"]["count"] - counts.total()
    if unlisted > 0:
        counts[OTHERS] += unlisted

    return counts
