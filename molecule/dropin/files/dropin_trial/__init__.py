# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Try drop-ins on a real systemd, in every way that can go wrong, on a disposable host.

The folder of this package also holds the collection's plugins as the package `ansible_collections`.

* __main__.py runs a verb and prints its outcome as JSON.
* host.py has the units of the trial, and applies drop-ins to them.
* units.py, groups.py, directives.py, in_force.py, refused.py, interruptions.py and policies.py have the cases, each as
  a function that returns its outcome. The scenario's tests check the outcomes.
* lasting.py sets drop-ins of every type before a boot, and looks at them after it.
"""
