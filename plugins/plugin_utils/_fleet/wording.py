# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the page says in plain text: its headline, labels, causes, sizes and times. Pure.

Sentences with names in them are in templates/sentences.html.j2.
"""

from __future__ import annotations

import operator
import typing as t

from ...module_utils._safe import neutralise
from ...module_utils._size import format_size
from .columns import shorten
from .fleet import TROUBLE, Fleet, Host
from .parts import get_part, parse_moment
from .record import Data

UNKNOWN = "not known"


class Label(t.NamedTuple):
    """How a standing is called: in a count, and as a heading."""

    short: str
    title: str


LABELS = {
    "down": Label("down now", "A service is down"),
    "taken_down": Label("went down", "A service went down"),
    "killed": Label("had kills", "Processes were killed"),
    "unknown": Label("not looked at", "Not looked at"),
    "incomplete": Label("not fully searched", "Not fully searched"),
    "remediated": Label("remediated", "Remediated, and no kill since"),
    "clean": Label("clean", "No OOM kill"),
}
_CAUSES = {
    "ram_and_swap_exhausted": "RAM and swap exhausted",
    "ram_exhausted_no_swap": "RAM exhausted, no swap",
    "ram_exhausted_swap_free": "RAM exhausted, swap free",
    "kernel_memory": "Kernel memory",
    "cgroup_limit": "Limit of a cgroup reached",
    "fragmentation": "Memory fragmented",
    "low_zone": "Low zone exhausted",
    "cpuset_or_mempolicy": "Allowed NUMA nodes exhausted",
    "manual": "Requested by hand",
    "pressure": "Memory pressure",
    "unknown": "Cause not known",
    None: "Cause not known",
}
_KILLERS = {"kernel": "The kernel", None: "An unknown program"}
# The headline for the worst standing, with the number of its hosts and that of all.
_HEADLINES = {
    "down": "Services are down on {} of {}",
    "taken_down": "Services went down on {} of {}",
    "killed": "Processes were killed on {} of {}",
}
_VERBS = {True: "is down", False: "went down", None: "went down"}
# The unit and the host are in the headline if there is one of each, and their names are not longer than this.
_LONGEST_TITLE = 70
_LONGEST_NAME = 120
_LONGEST_MOMENT = 30
_LONGEST_TEXT = 4096
# Seconds, and the unit for one and for several.
_DURATIONS = ((86_400, ("day", "days")), (3600, ("h", "h")), (60, ("min", "min")), (1, ("s", "s")))
# A single page is always one piece.
_PIECES = {0: ""}


def write_headline(fleet: Fleet) -> str:
    """Return the answer of the whole page in one line."""
    if not fleet.hosts:
        return "No host has been looked at"

    worst = fleet.hosts[0]
    if worst.standing not in TROUBLE:
        return _write_quiet_headline(fleet)

    affected = fleet.by_standing[worst.standing]
    general = _HEADLINES[worst.standing].format(f"{affected:,}", count(len(fleet.hosts), "host"))

    return _name_culprit(worst, affected) or general


def _name_culprit(host: Host, affected: int) -> str | None:
    """Return the headline if only one unit of one host went down, None if there are more or names are long."""
    if (affected, len(host.outages)) != (1, 1):
        return None

    outage = host.outages[0]
    title = f"{outage.unit} {_VERBS[outage.is_down]} on {host.name}"
    if len(title) > _LONGEST_TITLE:
        return None

    return title


def _write_quiet_headline(fleet: Fleet) -> str:
    """Return the headline of a fleet in which no kill needs attention."""
    total = count(len(fleet.hosts), "host")
    remediated = fleet.by_standing["remediated"]
    searched = fleet.by_standing["clean"] + remediated
    if not searched:
        return f"It is not known whether {total} had OOM kills"

    if searched < len(fleet.hosts):
        return f"No OOM kill on the {searched:,} of {total} that were fully searched"

    if remediated:
        return f"No OOM kill on {total} since the last changes"

    return f"No OOM kill on {total}"


def write_lead(fleet: Fleet) -> str:
    """Return what the headline leaves out: how many kills there were, why, and what is not known."""
    sentences = []
    if fleet.kills:
        killed = list(filter(operator.attrgetter("kills"), fleet.hosts))
        sentences.append(f"{count(fleet.kills, 'kill')} on {len(killed):,} of {count(len(fleet.hosts), 'host')}.")
        sentences += [f"The most frequent cause: {write_cause(cause.name)}." for cause in fleet.causes[:1]]

    doubtful = fleet.by_standing["unknown"] + fleet.by_standing["incomplete"]
    if doubtful:
        sentences.append(f"What happened on {count(doubtful, 'host')} is not fully known.")

    return " ".join(sentences)


def count(number: int, word: str) -> str:
    """Return a number of things, such as `1,024 hosts`."""
    if number == 1:
        return f"1 {word}"

    return f"{number:,} {word}s"


def write_cause(cause: str | None) -> str:
    """Return a cause in words."""
    return _CAUSES.get(cause, str(cause))


def write_killer(killer: str | None) -> str:
    """Return who ended a process, as the subject of a sentence."""
    return _KILLERS.get(killer, str(killer))


def write_moment(text: str) -> str:
    """Return a time to the minute, in UTC, or what was given in its place."""
    if parse_moment(text) is None:
        return shorten_name(text, _LONGEST_MOMENT)

    return text[:16].replace("T", " ")


def write_day(text: str) -> str:
    """Return the day of a time."""
    return write_moment(text)[:10]


def write_size(size: int | None) -> str:
    """Return a size for people."""
    if size is None:
        return UNKNOWN

    return format_size(size)


def write_block_size(size: int) -> str:
    """Return the size of a free block, such as `4K`."""
    return format_size(size).replace(".0 ", "").removesuffix("iB")


def write_duration(seconds: float) -> str:
    """Return a duration in its two largest units."""
    if seconds < 1:
        return "less than 1 s"

    left = round(seconds)
    parts = []
    for length, units in _DURATIONS:
        number, left = divmod(left, length)
        unit = units[number > 1]
        if number:
            parts.append(f"{number} {unit}")

    return " ".join(parts[:2])


def write_request(event: Data) -> str:
    """Return what the trigger of an event asked for."""
    order: t.Any = get_part(event, "trigger").get("order")
    page_size: t.Any = get_part(event, "memory").get("page_size")
    if None in (order, page_size):
        return "memory"

    size = format_size(page_size << order)
    ending = _PIECES.get(order, " in one piece")

    return f"{size}{ending}"


def clean(text: t.Any) -> str:
    """Return a name as inert text that is not longer than names should be."""
    return neutralise(str(text), limit=_LONGEST_NAME)


def shorten_name(text: t.Any, width: int) -> str:
    """Return a name that fits into a column of a table: without its middle if it is longer."""
    return shorten(neutralise(str(text), limit=_LONGEST_TEXT), width)
