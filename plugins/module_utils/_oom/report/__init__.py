# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse kernel messages and the logs of userspace killers into OOM reports. All code here is pure.

`model`: the data classes: `Line` goes in, `OomReport` and `Unparsed` come out
`log_text`: the text of a log to numbered lines; unpacks the messages of records
`json_lines`, `field_lines`: records as lines of JSON, of journalctl's export, and of comma-separated values
`record_fields`: the message, time, host and program in the fields of a record
`record_order`: puts records into the order of their times
`joined_lines`: splits the lines that something has joined into one
`line_order`: puts lines into the order of their times
`decorations`: removes ends of lines, escapes of HTML and of mail
`embedded_lines`: kernel messages inside lines of other programs
`mentions`: the lines that mention a kill but are part of no report
`told_kills`: the lines in which other programs tell of kills
`log_lines`: text logs to lines: removes prefixes and marks of quotations, undoes escapes
`prefixes`: the known prefixes of lines: time, host, program
`console_lines`: the kernel's messages on a serial console after text of other programs
`learned_prefixes`: unknown prefixes, which the lines about an OOM kill reveal
`unwrap`: joins the lines that mail programs and terminals have broken
`reader`: lines to reports: finds where a report begins and ends, for several hosts at once
`recent`: holds the reports that have ended, for late lines
`draft`: the report that is being read: which line fills which field
`assembly`: drafts to reports: combines the lines, and notes what is missing
`kill_lines`: the lines about the trigger, the chosen process and the victim
`constraint_lines`: the lines about the cgroup, the cpuset and the nodes that the OOM killer was limited to
`limit_lines`: usage, limit and statistics of the cgroup that reached its limit
`mem_info`: the Mem-Info block: counters, zones and buddy lists
`kernel_memory`: the tables of slab caches, and of the kernel's allocations by code
`ignored_lines`: the kinds of lines that are not read, with the reason
`task_table`: the task table
`name_counts`: counts names, of which there can be millions
`victim_rows`: the details of a victim that only its row of the task table has, and the page size
`times`: compares the times of lines, also of those without a year
`userspace_killers`: the lines of systemd-oomd, earlyoom and nohang
`oomd_candidates`: the cgroups that systemd-oomd considered before a kill
`systemd_notices`: systemd's notices of kills whose own reports are missing

    text log -> log_text -> log_lines, prefixes, unwrap -> Line -> reader -> draft, assembly -> OomReport
    journal ------------------------> Line -> reader -> userspace_killers -> OomReport
"""
