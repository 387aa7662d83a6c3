# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change the swap of a disposable host, interrupt the changes, and check what they leave.

The folder of this package also holds the collection's plugins as the package `ansible_collections`.

* __main__.py runs a verb and prints its result as JSON.
* host.py has the trials (from one amount of swap to another), applies them, and checks the host.
* interruptions.py kills, stops or hinders a trial at each of its changes.
* shapes.py tries unusual tables and paths, and runs that must change nothing.
* compare.py measures what a change costs.
* proc.py reads fields of proc(5).
"""
