# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that run the collection, and that read what it writes: Prometheus and node_exporter, cron and systemd.

programs.py   find the programs, or download them
server.py     start and stop a program that listens on this machine alone
snippets.py   read the files and the commands that a document shows
metrics.py    read metrics as text, and ask Prometheus for them
"""
