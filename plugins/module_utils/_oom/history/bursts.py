# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills in quick succession; pure."""

from __future__ import annotations

import math
import typing as t

from .clock import MINUTE

BURST_US = 10 * MINUTE
"""Kills that follow each other within this time are one burst."""


def thin_bursts(times: t.Iterable[int], within_us: int = BURST_US) -> list[int]:
    """Return the first of each run of sorted times that follow each other within a time."""
    firsts = []
    previous = -math.inf
    for time_us in times:
        if time_us - previous > within_us:
            firsts.append(time_us)
        previous = time_us

    return firsts
