# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts at once: from the results of `oom_info` to what an administrator sees. All of it runs on the control node.

recap.py    the table of all hosts that ends a run, and the commands to run next (pure)
columns.py  text in columns, as wide as a terminal shows it (pure)
record.py   one host's record: what was found on it, and its state (pure)
shape.py    whether data has the shape that a JSON schema demands (pure)
store.py    a folder of records; the only file here that reads and writes records

Everything that looks at more than one host reads records and nothing else. Imports go from the bottom of this list up.
"""
