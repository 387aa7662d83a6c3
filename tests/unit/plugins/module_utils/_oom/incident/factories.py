# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals with OOM kills, and the way from them to findings."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.follow import follow_traces
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.search import search
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitStates
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    Entry,
    Host,
    captured,
    entry,
)

KERNEL = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "0", "SYSLOG_IDENTIFIER": "kernel"}


OOM_KILL = (
    "Out of memory: Killed process 7 (hog) total-vm:8kB, anon-rss:4kB, file-rss:0kB, shmem-rss:0kB, UID:0 "
    "pgtables:8kB oom_score_adj:0"
)


def follow_host(host: Host, *, limit: int = 100, local: bool = True) -> Findings:
    journal = Journal(host)
    traces = search(journal)
    assert traces
    return follow_traces(
        journal,
        traces,
        host,
        limit=limit,
        local=local,
        page_size=4096,
        persistent=True,
        failed=UnitStates({}, BOOT, is_known=True),
        outages=(),
    )


def find_by_unit(name: str) -> dict[str | None, Incident]:
    return {incident.place.unit: incident for incident in follow_host(Host(captured(name))).incidents}


def make_storm(count: int) -> Host:
    """Return a host on which one report comes again and again, a second after the other."""
    records = [one for one in captured("trixie-apache") if one["_TRANSPORT"] == "kernel"]
    times = [int(one["__MONOTONIC_TIMESTAMP"]) for one in records]
    took = times[-1] - times[0] + 1_000_000
    return Host(
        [
            {**one, **entry(one["MESSAGE"], at=(at + number * took) / 1_000_000)}
            for number in range(count)
            for one, at in zip(records, times, strict=True)
        ]
    )


def make_systemd_entry(what: str, at: float, *, unit: str = "web.service", **fields: str) -> Entry:
    return entry(f"{unit}: by the OOM killer", at=at, _PID="1", UNIT=unit, MESSAGE_ID=what, **fields)
