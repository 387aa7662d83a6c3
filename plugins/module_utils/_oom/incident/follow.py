# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the traces of OOM kills in a journal to findings: whole reports, and what became of the units."""

from __future__ import annotations

import typing as t

from ..._command import Run
from ..._journal.journal import Journal
from ..search.search import Traces, coverage_of
from ..search.systemd import observe_units
from ..search.units import Outage, UnitStates
from .effects import add_effects
from .findings import Findings
from .host_now import HostNow, observe_host
from .incident import Incident
from .kill_reports import read_incidents
from .survivors import add_cgroups
from .taken_down import add_missing_kills, add_unconfirmed, list_taken_down
from .unit_records import read_unit_records

_MOST_UNCONFIRMED = 100


def follow_traces(
    journal: Journal,
    traces: Traces | None,
    run: Run,
    *,
    limit: int,
    local: bool,
    page_size: int | None,
    persistent: bool,
    failed: UnitStates,
    outages: t.Sequence[Outage],
) -> Findings:
    """Read the reports and records that the traces lead to.

    At most `limit` incidents are read whole: those in which a service went down come first, then the newest. With
    `local`, this host's systemd is asked for the states of the units. `page_size` is for reports that do not show it.
    `failed` are the units that systemd says have failed, and `outages` those that OOM kills took down. Raises
    JournalError.
    """
    host_now = HostNow()
    if local:
        host_now = observe_host()

    if traces is None:
        taken_down = list_taken_down((), (), failed, outages)
        coverage = coverage_of(journal, None, persistent=persistent)
        return Findings((), (), taken_down, add_missing_kills(coverage, taken_down), host_now, local)

    found = read_incidents(journal, traces, limit=limit, page_size=page_size)
    records = read_unit_records(journal, [*found.older, *found.incidents], traces.units)
    incidents = found.incidents
    states = UnitStates()
    if local:
        incidents = add_cgroups(incidents)
        known = observe_units(run, _list_units(incidents, traces), boot_id=failed.boot_id)
        states = known._replace(units={**failed.units, **known.units})

    boots = traces.extent.boot_ends
    incidents = add_effects(incidents, records, states, boots=boots)
    older = add_effects(found.older, records, states, boots=boots)

    taken_down = list_taken_down([*older, *incidents], traces.units, states, outages)
    coverage = coverage_of(journal, traces, persistent=persistent, unreadable=found.unreadable)
    coverage = add_missing_kills(coverage, taken_down, named=traces.unexplained)

    return Findings(
        incidents=tuple(incidents),
        older=tuple(older),
        taken_down=taken_down,
        coverage=add_unconfirmed(coverage, taken_down, traces.units, states),
        host_now=host_now,
        trusted=local,
    )


def _list_units(incidents: t.Iterable[Incident], traces: Traces) -> list[str]:
    """Return the units of the incidents, and those that systemd logged something about.

    Any program may name any number of units in records that came through /dev/kmsg.
    """
    units_of_kills = (incident.place.unit for incident in incidents)
    units = set(filter(None, units_of_kills))
    unconfirmed = set()
    for record in traces.units:
        if record.unit.endswith(".slice"):
            continue

        if record.trusted:
            units.add(record.unit)
        elif record.is_about_kill:
            unconfirmed.add(record.unit)

    units.update(sorted(unconfirmed)[:_MOST_UNCONFIRMED])
    return sorted(units)
