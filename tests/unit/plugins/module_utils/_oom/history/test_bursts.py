# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of bursts of kills."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.bursts import thin_bursts


def test_first_kill_of_each_burst_remains() -> None:
    assert thin_bursts([0, 9, 18, 100, 109, 200], 10) == [0, 100, 200]


def test_kills_far_apart_remain() -> None:
    assert thin_bursts([0, 11, 22], 10) == [0, 11, 22]
