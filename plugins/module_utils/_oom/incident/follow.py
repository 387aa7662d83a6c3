# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the traces of OOM kills in a journal to findings: whole reports, and what became of the units."""

from __future__ import annotations

import typing as t

from ..._command import Run
from ..._journal.journal import Journal
from ..search.records import FAILED
from ..search.search import Traces, coverage_of
from .effects import add_effects
from .findings import Findings
from .host_now import HostNow, observe_host
from .incident import Incident
from .kill_reports import read_incidents
from .survivors import add_cgroups
from .unit_records import read_unit_records
from .unit_states import UnitStates, observe_units


def follow_traces(
    journal: Journal,
    traces: Traces,
    run: Run,
    *,
    limit: int,
    local: bool,
    page_size: int | None,
    persistent: bool,
) -> Findings:
    """Read the reports and records that the traces lead to.

    At most `limit` incidents are read whole: those in which a service went down come first, then the newest. With
    `local`, this host's systemd is asked for the OOM policies in force. `page_size` is for reports that do not show it.
    Raises JournalError.
    """
    found = read_incidents(journal, traces, limit=limit, page_size=page_size)
    records = read_unit_records(journal, found.incidents, traces.units)
    incidents = found.incidents
    host_now = HostNow()
    states = UnitStates()
    if local:
        incidents = add_cgroups(incidents)
        host_now = observe_host()
        states = observe_units(run, _list_units(incidents, traces))

    boots = traces.extent.boot_ends
    incidents = add_effects(incidents, records, states, boots=boots)

    return Findings(
        incidents=tuple(incidents),
        older=tuple(add_effects(found.older, traces.units, states, boots=boots)),
        units_taken_down=_list_units_taken_down(incidents, traces),
        coverage=coverage_of(journal, traces, persistent=persistent, unreadable=found.unreadable),
        host_now=host_now,
        trusted=local,
    )


def _list_units(incidents: t.Iterable[Incident], traces: Traces) -> list[str]:
    """Return the units of the incidents, and those that systemd logged something about."""
    units_of_kills = (incident.place.unit for incident in incidents)
    units = set(filter(None, units_of_kills))
    for record in traces.units:
        if not record.unit.endswith(".slice"):
            units.add(record.unit)

    return sorted(units)


def _list_units_taken_down(incidents: t.Iterable[Incident], traces: Traces) -> tuple[str, ...]:
    units = set()
    for record in traces.units:
        if record.what == FAILED:
            units.add(record.unit)

    for incident in incidents:
        if incident.effect.stopped:
            units.add(incident.effect.unit)

    return tuple(sorted(units))
