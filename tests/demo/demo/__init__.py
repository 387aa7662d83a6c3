# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job on a virtual machine, step by step: the incident, its explanation, the fix, and the proof.

* __main__.py boots the machine, runs the steps on it, and removes it.
* text.py parses the state of the machine, and formats the printed table.
"""
