# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of kills: why a process grew, whether it comes back, and whether a change helped.

model.py          the past of a host: its kills, and what else the journal says of the same time
chance.py         how probable a count is at random
clock.py          the local time of a host; words for times and durations
kills.py          incidents -> kills
lives.py          systemd's records of units -> their runs, with and without a kill
happenings.py     the other records that count -> what else happened
packages.py       the log of dpkg -> the packages that were changed; the upgrades of those of services
populations.py    the processes of this host with the names of victims
local_time.py     the offsets of this host's local time from UTC
modifications.py  the records of modules -> changes of the host
host_files.py     the times of files of this host -> its changes
observe.py        observe_past(): a journal -> the past of its host, by way of the files above
kinds.py          kills -> kinds of kills: unit, name of the victim, cause
trend.py          the line through the peaks of runs
growth.py         judge_growth(): a kind and the past -> leak, spike, too many, limit too low
bursts.py         kills in quick succession
windows.py        the narrowest window that holds most of some points, and its chance at random
occasions.py      a rhythm: its occasions, and its sentence
clock_rhythm.py   rhythms of the clock: at a time of day, on weekdays, every N minutes or hours
start_rhythm.py   kills so long after each start of the unit, or after the kill before
rhythm.py         find_rhythm(): kills -> the rhythm that explains them best
uptime.py         the time that a host was up, and how much of it follows something
preceding.py      find_preceding(): kills and the past -> what came before the kills, and seldom otherwise
forecast.py       forecast(): kills and their rhythm -> when the next one is to be expected
recurrence.py     build_recurrence(): the results of the three files above -> plain data
enough.py         find_enough(): a kind, the past and the verdict -> the size that would have been enough
since.py          judge_changes(): a kind and the past -> whether each change helped
result.py         find_history(): a journal and its kills -> plain data, by way of all files above

Pure are all but those that read this host or its journal: host_files.py, local_time.py, modifications.py, observe.py,
packages.py, populations.py and result.py.
"""
