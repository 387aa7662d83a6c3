# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The total swap of a host, brought to a requested size without ever having less than necessary.

            observe             plan                 apply            verify
    host --------------> State -------> Plan, Steps -------> host ----------> plan again: no steps remain
                                 ^
    parameters ------> Wanted ---+

The models and the formats (pure):

* state.py: the observed state of the host, and the error of this package
* wanted.py: the requested state
* steps.py: the steps of a plan
* header.py: the header of a swap area
* tables.py: /proc/swaps, mounts, capabilities and other tables
* fstab.py: the swap lines of fstab
* unit.py: the names and texts of swap units

Observe (adapters):

* host.py: the files that are read
* container.py: whether the host is a container
* filesystem.py: the filesystem that holds the swap files
* boot.py: what systemd switches on at boot
* hibernation.py: the swap files that the host may resume from
* observe.py: the whole state

Plan (pure):

* selection.py: the files that stay and go, and the size of a new one
* persistence.py: the steps for fstab and units
* checks.py: the reasons to refuse
* warnings.py: what a user should know
* plan.py: all steps, in a safe order

Apply (adapters):

* swapfile.py: creates a swap file
* apply.py: carries out all steps
* change.py: puts these stages behind the interface of _change.py
"""
