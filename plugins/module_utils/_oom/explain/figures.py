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


class Figures(t.NamedTuple):
    """The memory of the host, the processes that held it, what each zone had for the request, and the use of the RAM.

    `memory` has no known field if the report shows none. `parts` is None if the report does not show what the RAM was
    used for.
    """

    memory: Memory
    consumers: Consumers
    supplies: tuple[Supply, ...]
    parts: Breakdown | None


def compute_figures(incident: Incident) -> Figures:
    """Return the figures of an incident."""
    report = incident.report
    memory = report.memory or Memory()

    return Figures(
        memory=memory,
        consumers=find_consumers(report, incident.cgroups),
        supplies=compute_supplies(report),
        parts=break_down(memory),
    )
