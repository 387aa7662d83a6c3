# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins of systemd units, from the parameters of the module systemd_dropin to its result.

    module parameters
      -> wanted.py       Wanted: the drop-in that the user asks for
    manager.py           State: what systemd, the disk and the kernel have        observe
      -> plan.py         Plan: the steps from the state to what is wanted         plan
      -> install.py      the file is written, and systemd reads it                apply
      -> in_force.py     systemd has the wanted values in force                   verify
      -> limits.py       the kernel enforces the limits of a running unit         activate
      -> result.py       plain data, for the user

Adapters, which read and change the host:

* change.py: the steps above, in the order of `_change.py`; all others are its tools.
* manager.py: observes a unit through systemctl and files, and runs systemd's programs.
* names.py: finds the name and the file of a unit: templates, instances, prefixes, types, aliases.
* cgroup.py: reads limits and memory from /sys and /proc, and writes limits.
* validate.py: has systemd-analyze check the file before it is installed.
* install.py: writes, replaces and removes the file, and restores the old one.

Pure code:

* model.py: the data: Wanted, State, Plan, Limit, Host.
* wanted.py: parameters to Wanted.
* dropin.py: the text of a drop-in file.
* syntax.py: sizes, percentages, time spans and words in systemd's syntax.
* directives.py: which directives are lists, and which property shows each of them.
* values.py: compares a written value with the one that systemd shows.
* in_force.py: compares a drop-in with systemd, and finds the file that wins.
* limits.py: compares systemd's limits with the kernel's.
* plan.py: the steps, and whether a restart is required.
* traps.py: settings that do harm, or have no effect.
* result.py: the module's result.
"""
