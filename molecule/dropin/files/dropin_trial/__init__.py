# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins brought about on a real systemd, in every way that goes wrong, on a host that can be spared.

The folder of this package holds the collection's plugins as the package ansible_collections.
"""
