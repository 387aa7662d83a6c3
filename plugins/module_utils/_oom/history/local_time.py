# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local time of this host: its offsets from UTC."""

from __future__ import annotations

import time

from .clock import DAY, HOUR, SECOND


def list_utc_offsets(first_us: int, last_us: int) -> list[tuple[int, int]]:
    """Return since when which offset from UTC applies, from `first_us` to `last_us`, exact to the hour."""
    offsets = [(first_us, _find_offset(first_us))]
    for day_us in range(first_us, last_us, DAY):
        end_us = min(day_us + DAY, last_us)
        if _find_offset(end_us) != offsets[-1][1]:
            change_us = _find_change(day_us, end_us)
            offsets.append((change_us, _find_offset(end_us)))

    return offsets


def _find_change(begin_us: int, end_us: int) -> int:
    """Return the full hour between two times at which the offset changes."""
    begin_hour = begin_us // HOUR + 1
    end_offset = _find_offset(end_us)
    for hour in range(begin_hour, end_us // HOUR + 1):
        if _find_offset(hour * HOUR) == end_offset:
            return hour * HOUR

    return end_us


def _find_offset(time_us: int) -> int:
    """Return the local time's offset from UTC in seconds."""
    return time.localtime(time_us // SECOND).tm_gmtoff
