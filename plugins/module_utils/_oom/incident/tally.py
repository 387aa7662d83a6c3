# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents in numbers, without the incidents: a text log can have millions."""

from __future__ import annotations

from ..report.name_counts import NameCounts
from .incident import Incident


class Tally:
    """The numbers of incidents by killer, unit, victim and cause, and the first and last time."""

    def __init__(self) -> None:
        self.count = 0
        self.killers = NameCounts()
        self.units = NameCounts()
        self.victims = NameCounts()
        self.causes = NameCounts()
        self.has_known_effects = True
        """What became of the unit is known for all of them."""
        self.first_us: int | None = None
        self.last_us: int | None = None

    def add(self, incident: Incident, cause: str) -> None:
        """Count an incident with this cause."""
        report = incident.report
        self.count += 1
        self.killers.add(report.killer)
        self.causes.add(cause)
        self.has_known_effects = self.has_known_effects and incident.is_effect_known
        if incident.place.unit:
            self.units.add(incident.place.unit)

        for name in incident.victim_names:
            self.victims.add(name)
        if report.further_victims is not None:
            self.victims.add_all(report.further_victims)

        self._add_time(incident.at.realtime_us)

    def _add_time(self, realtime_us: int | None) -> None:
        if realtime_us is None:
            return

        if self.first_us is None or realtime_us < self.first_us:
            self.first_us = realtime_us
        if self.last_us is None or realtime_us > self.last_us:
            self.last_us = realtime_us
