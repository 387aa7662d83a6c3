# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kills, and the past around them."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill, Life, Past

MIB = 1 << 20
HOUR_US = 3600 * 1_000_000
EPOCH_US = 1_795_000_000_000_000


def make_kill(hours: float, **changes: t.Any) -> Kill:
    """Return a kill so many hours after the beginning of the past."""
    kill = Kill(
        time_us=EPOCH_US + int(hours * HOUR_US),
        boot_id="b1",
        unit="shop.service",
        victim="worker",
        cause="cgroup_limit",
    )
    return kill._replace(**changes)


def make_past(*kills: Kill, hours: float = 1000, **others: t.Any) -> Past:
    return Past(
        first_us=EPOCH_US,
        last_us=EPOCH_US + int(hours * HOUR_US),
        utc_offsets=[(EPOCH_US, 0)],
        kills=kills,
        **others,
    )


def make_life(hours: float, mib: float, *, ended: float = 500, **changes: t.Any) -> Life:
    """Return a run of so many hours that used so much memory."""
    ended_us = EPOCH_US + int(ended * HOUR_US)
    life = Life("shop.service", ended_us - int(hours * HOUR_US), ended_us, int(mib * MIB))
    return life._replace(**changes)


def make_end(age_hours: float, mib: float, *, at: float = 600, **changes: t.Any) -> Kill:
    """Return a kill that ended a run of so many hours in which the unit used so much memory."""
    kill = make_kill(at)
    end = kill._replace(
        started_us=kill.time_us - int(age_hours * HOUR_US),
        unit_peak_bytes=int(mib * MIB),
        limit_bytes=int(mib * MIB),
        evicted_bytes=MIB,
    )
    return end._replace(**changes)
