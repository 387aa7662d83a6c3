# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the figures of a report come to: worked out once, and told by all that explains it."""

from __future__ import annotations

import typing as t

from ..incident.incident import Incident
from .allocation import Supply, supplies
from .breakdown import Breakdown, break_down
from .consumers import Consumers, consumers_of


class Figures(t.NamedTuple):
    """Who held the memory, what each zone had for the request, and what the RAM was used for, None where unknown."""

    consumers: Consumers
    supplies: tuple[Supply, ...]
    parts: Breakdown | None


def figures_of(incident: Incident) -> Figures:
    """Work out the figures of an incident."""
    report = incident.report
    return Figures(
        consumers=consumers_of(report, incident.cgroups),
        supplies=supplies(report),
        parts=break_down(report.memory) if report.memory else None,
    )
