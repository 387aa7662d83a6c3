# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Incidents: one OOM kill each, with its unit and what became of that unit.

incident.py      the model: Incident, KillTime, UnitEffect
findings.py      the model of a whole search: Findings
tally.py         incidents in numbers: Tally
cgroup.py        a cgroup path -> unit, slice, container, pod
follow.py        follow_traces(): the traces of a journal -> findings, by way of all files below
kill_reports.py  kill lines in the journal -> incidents with whole reports
unit_records.py  incidents -> systemd's records of their units in the journal
unit_life.py     the records of one unit in order, and the kill that each belongs to
survivors.py     incidents -> incidents with the cgroups of processes that still run
effects.py       incidents and records -> incidents with units and effects
taken_down.py    incidents, records and systemd's own word -> the units that OOM kills took down
host_now.py      what the host has now against further kills

kill_reports -> unit_records, survivors -> effects (with unit_life) -> taken_down -> findings
"""
