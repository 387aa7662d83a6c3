# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search the journal for traces of OOM kills. A host without OOM kills loads no other part of `_oom`.

    records.py        what to search for, and what a record that was found means: who wrote it, and about what
    kmsg.py           what systemd writes to /dev/kmsg while journald does not take its messages
    journald_gaps.py  what journald lost when it died, or did not keep up
    coverage.py       what was searched, and its gaps (Coverage)
    search.py         the search itself (Traces)
    units.py          units as systemd knows them now, and those that OOM kills took down (UnitStates, Outage)
    systemd.py        asks systemd about units
    present.py        what the host says now, and what its journal lacks of that (Present)

`search()` takes a `Journal` and a `Request`, finds records by the searches of `records.py`, classifies each with
`read_record()`, and returns them as `Traces`. `coverage_of()` turns these into the `Coverage` that a user reads.
"""
