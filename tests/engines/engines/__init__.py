# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that read what the role report writes: Prometheus and node_exporter, from Debian's packages.

programs.py   find the programs, or download them
server.py     start and stop a program that listens on this machine alone
metrics.py    read metrics as text, and ask Prometheus for them
"""
