# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents in numbers."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.tally import Tally
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.name_counts import NameCounts


def test_all_victims_of_a_group_are_counted() -> None:
    further = NameCounts()
    further.add("php", 7)
    line = Line("a", realtime_us=5)
    report = OomReport(line, line, victims=(Victim("php", 1), Victim("sh", 2)), further_victims=further)
    tally = Tally()
    tally.add(build_incident(report), "manual")
    assert (tally.count, tally.victims.counts, tally.causes.counts) == (1, {"php": 8, "sh": 1}, {"manual": 1})


def test_first_and_last_time_are_those_of_any_order() -> None:
    tally = Tally()
    for realtime_us in (5, None, 2, 9, 3):
        line = Line("a", realtime_us=realtime_us)
        tally.add(build_incident(OomReport(line, line)), "unknown")
    assert (tally.first_us, tally.last_us) == (2, 9)
