# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explanations of incidents; pure.

allocation.py  what each zone had for the failed request, by the kernel's own rules
breakdown.py   what the RAM was used for, in parts that add up
consumers.py   which processes held the memory, by name and by cgroup
kernel_use.py  the memory that the kernel itself held, and what it was
figures.py     compute_figures(): an incident -> the three above, computed once
limit_owner.py whose memory limit was reached: a unit, a container, a pod, a node
swap_size.py   the swap that helps against a kill, within limits that no kill can move
unknown.py     arithmetic on sizes that a report may not show
cause.py       diagnose(): an incident and its figures -> cause, summary, evidence, remedies, advice
evidence.py    the sentences that show the cause
remedies.py    the roles of this collection and the advice that help, and which of them a host still needs
ceilings.py    a ceiling for each user, from the memory that each of them held
choices.py     find_choices(): remedies that only people can decide on
outage.py      what a unit needs that went down: a Restart= that applies, and a start

incident -> figures -> cause -> evidence, remedies -> Diagnosis
"""
