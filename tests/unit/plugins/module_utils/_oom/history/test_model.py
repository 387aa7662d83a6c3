# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the model of a host's past."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill

KILL = Kill(1, "boot", "shop.service", "worker", "ram_and_swap_exhausted", rss_bytes=5, swap_bytes=7)


def test_size_is_resident_and_swapped_memory() -> None:
    assert KILL.size_bytes == 12


def test_size_is_unknown_if_a_part_is() -> None:
    assert KILL._replace(swap_bytes=None).size_bytes is None
    assert KILL._replace(rss_bytes=None).size_bytes is None
