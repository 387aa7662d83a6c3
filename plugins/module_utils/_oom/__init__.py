# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OOM kills: from a journal or text logs to the result of `oom_info`.

search/         traces    the traces of kills in a journal, found through its index; a host without kills loads no more
report/         reading   pure: lines of text -> reports, as kernels and other killers print them
incident/       joining   reports and systemd's records -> incidents: one kill, its unit, and what became of that unit
explain/        thinking  pure: incidents -> figures, cause, evidence, remedies
history/        looking back  all kills of a host, its journal -> growth, rhythm, what preceded them, what was enough
in_journal.py             find_in_journal(): search -> incident -> result
log_file.py               open_log(): a file -> its text, decompressed and decoded
in_logs.py                find_in_logs(): text logs -> report -> incident -> result
result.py                 findings -> events, remedies: plain data
summary.py                findings -> summary, coverage, message: plain data, also for a host without kills
explanation.py            the result of `oom_info` -> text for people
standalone.py             main() of the program that explains text logs without Ansible

Each package imports only those above it. On a host without kills, `in_journal` loads only `search` and `summary`; it
imports the rest when it has found a trace, without the parts of `report` that read text logs. Ansible sends the source
of a module, so a host compiles each file that it imports, in each run.
"""
