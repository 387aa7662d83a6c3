# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The code that Molecule scenarios share.

* modules.py runs a module of the collection on a host.
* power.py cuts the power of a host and boots it again.
* trials.py packs a trial (programs that test the collection's code on a host), and runs it there.

The tests of the scenarios import it; ../install_trial.yml runs trials.py.
"""
