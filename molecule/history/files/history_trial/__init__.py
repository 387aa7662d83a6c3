# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let units grow, each for a known reason, until the kernel kills them.

* plan.py decides at random which units there are, why their memory grows, and how long each run of theirs lasts.
* drive.py starts them, and stops them or waits for the kill.
* enough.py finds the smallest limit with which a job ends.
* records.py prints what the journal says of them.
* programs/ are what the units run.

It runs on a host of the scenario, and needs none of the collection's code. The unit tests have what records.py printed
as fixtures, compressed with xz.
"""
