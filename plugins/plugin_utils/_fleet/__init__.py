# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts at once: from the results of `oom_info` to what an administrator sees. All of it runs on the control node.

publish.py      the folder of a report: takes records in, and writes the page, the data and the history
report_data.py  the fleet as JSON, for other programs
export.py       files for other programs, which read or rotate them at any time
openmetrics.py  records as metrics for Prometheus (pure)
ecs.py          records as events with the names of the Elastic Common Schema (pure)
culprits.py     the kills of a host by what they have in common, in a bounded number of groups (pure)
page.py         the fleet on one page of HTML, made with the templates in templates/
wording.py      what the page says in plain text (pure)
drawing.py      what the page draws of one event: bars of memory, the largest processes, free blocks (pure)
remedies.py     remedies as variables to paste (pure)
history.py      every record that was ever made, in a file of SQLite; its tables are described in history.sql
anonymous.py    records without names (pure)
fleet.py        all hosts as one picture, the worst first (pure)
continuation.py  the record of a host whose search went on where its last one ended (pure)
timeline.py     the kills of all hosts over time (pure)
settings.py     the settings that are in force on a host (pure)
merge.py        several records of one host as one, in any order (pure)
play.py         the hosts of a play, for a task that runs once and is about all of them (pure)
claim.py        which of several tasks does what is to be done once
next_run.py     the command to run next, with the options of this run
remediation.py  the table of all hosts that ends a remediation: what was done, and what is left (pure)
recap.py        the table of all hosts that ends a run, and the commands to run next (pure)
changes.py      what a remediation changed, and what is in force (pure)
parts.py        parts of records that can be missing or unknown (pure)
columns.py      text in columns, as wide as a terminal shows it (pure)
record.py       one host's record: what was found on it, and its state (pure)
shape.py        whether data has the shape that a JSON schema demands (pure)
store.py        a folder of records; the only file here that reads and writes records
files.py        how a file is replaced while other programs read it

Everything that looks at more than one host reads records and nothing else. Imports go from the bottom of this list up.
"""
