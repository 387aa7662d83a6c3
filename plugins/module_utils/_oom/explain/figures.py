# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report, computed once for everything that explains it."""

from __future__ import annotations

import typing as t

from ..incident.incident import Incident
from ..report.model import Memory
from .allocation import Supply, compute_supplies
from .breakdown import Breakdown, break_down
from .consumers import Consumers, find_consumers
from .unknown import zero_if_unknown

# Another kernel or another firmware can count some RAM differently.
_LOST_SHARE = 0.05


class Figures(t.NamedTuple):
    """The memory of the host, the processes that held it, what each zone had for the request, and the use of the RAM.

    `memory` has no known field if the report shows none. `parts` is None if the report does not show what the RAM was
    used for.
    """

    memory: Memory
    consumers: Consumers
    supplies: tuple[Supply, ...]
    parts: Breakdown | None
    earlier_ram_bytes: int | None = None
    """The largest RAM in earlier reports of the same host, None if there is none."""


def compute_figures(incident: Incident, ram_sizes: RamSizes | None = None) -> Figures:
    """Return the figures of an incident, and note its RAM in `ram_sizes`, which are those of the earlier incidents."""
    report = incident.report
    memory = report.memory or Memory()
    sizes = ram_sizes or RamSizes()

    return Figures(
        memory=memory,
        consumers=find_consumers(report, incident.cgroups),
        supplies=compute_supplies(report),
        parts=break_down(memory),
        earlier_ram_bytes=sizes.add(incident.at.hostname, memory.ram_bytes),
    )


class RamSizes:
    """The largest RAM in the reports so far, by host.

    The reports of a text log without host names can be those of several hosts, so they are not compared.
    """

    def __init__(self) -> None:
        self._largest: dict[str, int] = {}

    def add(self, host: str | None, size: int | None) -> int | None:
        """Add the RAM of one more report, and return the largest of the reports before, None if it is unknown."""
        if host is None or size is None:
            return None

        earlier = self._largest.get(host)
        self._largest[host] = max(size, zero_if_unknown(earlier))

        return earlier


def find_lost_ram(figures: Figures) -> int:
    """Return how much RAM the host has less than in an earlier report, 0 if that is little or unknown."""
    lost = zero_if_unknown(figures.earlier_ram_bytes) - zero_if_unknown(figures.memory.ram_bytes)
    if lost < zero_if_unknown(figures.earlier_ram_bytes) * _LOST_SHARE:
        return 0

    return lost
