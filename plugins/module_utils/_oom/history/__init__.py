# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of kills: why a process grew, whether it comes back, and whether a change helped; pure.

model.py   the past of a host: its kills, and what else the journal says of the same time
chance.py  how probable a count is at random
"""
