# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc tells of the host's memory."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._proc import parse_meminfo


def test_sizes_are_bytes_and_counts_are_counts() -> None:
    text = "MemTotal:         475312 kB\nActive(file):          8 kB\nHugePages_Total:       3\n"
    assert parse_meminfo(text) == {"MemTotal": 475312 * 1024, "Active(file)": 8192, "HugePages_Total": 3}
