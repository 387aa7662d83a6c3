# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a report, computed once for everything that explains it."""

from __future__ import annotations

import typing as t

from ..incident.incident import Incident
from .allocation import Supply, compute_supplies
from .breakdown import Breakdown, break_down
from .consumers import Consumers, find_consumers


class Figures(t.NamedTuple):
    """The processes that held the memory, what each zone had for the request, and what the RAM was used for.

    `parts` is None if the report does not show what the RAM was used for.
    """

    consumers: Consumers
    supplies: tuple[Supply, ...]
    parts: Breakdown | None


def compute_figures(incident: Incident) -> Figures:
    """Return the figures of an incident."""
    report = incident.report
    parts = None
    if report.memory:
        parts = break_down(report.memory)

    return Figures(
        consumers=find_consumers(report, incident.cgroups),
        supplies=compute_supplies(report),
        parts=parts,
    )
