# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits of swap that kills show, and sizes within them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.swap_size import (
    SwapLimits,
    find_swap_limits,
    is_raise,
    write_size,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import Incident, build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, Origin, Trigger
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    GIB,
    REPORT,
    make_memory,
)

MIB = 1 << 20


def kill(total: int, free: int = 0, *, host: str = "shop", **changes: t.Any) -> Incident:
    line = Line("Out of memory: Killed process 1 (a)", origin=Origin(hostname=host))
    return build_incident(REPORT._replace(last=line, memory=make_memory(total, free), **changes))


def find_futile(*incidents: Incident) -> bool:
    return find_swap_limits(incidents, HostNow())["shop"].was_raise_futile


@pytest.mark.parametrize("sizes", [(0, GIB), (GIB, 2 * GIB), (2 * GIB, GIB), (GIB, GIB, GIB + GIB // 4)])
def test_swap_that_was_exhausted_before_and_after_a_raise_did_not_help(sizes: tuple[int, ...]) -> None:
    assert find_futile(*[kill(size) for size in sizes])


@pytest.mark.parametrize(
    "other",
    [
        kill(GIB),
        kill(GIB + MIB),
        kill(4 * GIB, GIB),
        kill(4 * GIB, host="other"),
        kill(4 * GIB, scope="memcg"),
        kill(4 * GIB, manual=True),
        kill(4 * GIB, killer="earlyoom"),
        kill(4 * GIB, trigger=Trigger("a", order=3)),
        kill(4 * GIB, trigger=None),
    ],
    ids=["same", "hardly more", "free swap", "other host", "limit", "by hand", "earlyoom", "large block", "unknown"],
)
def test_other_kills_show_nothing_of_a_raise(other: Incident) -> None:
    assert not find_futile(kill(GIB), other)


@pytest.mark.parametrize(
    ("host_now", "disk_bytes"),
    [
        (HostNow(GIB, disk_free_bytes=6 * GIB), 4 * GIB),
        (HostNow(GIB, disk_free_bytes=GIB // 4 * 3), GIB // 4 * 5),
        (HostNow(GIB, disk_free_bytes=GIB // 4), GIB),
        (HostNow(disk_free_bytes=GIB), None),
        (HostNow(GIB), None),
    ],
)
def test_half_of_the_free_disk_space_is_left(host_now: HostNow, disk_bytes: int | None) -> None:
    assert find_swap_limits([kill(0)], host_now)["shop"].disk_bytes == disk_bytes


@pytest.mark.parametrize(("zram_bytes", "has_zram"), [(0, False), (GIB, True)])
def test_zram_is_noted(zram_bytes: int, *, has_zram: bool) -> None:
    limits = find_swap_limits([kill(0)], HostNow(zram_bytes=zram_bytes))
    assert limits == {"shop": SwapLimits(0, 0, has_zram=has_zram)}


@pytest.mark.parametrize(
    ("before", "after", "raised"),
    [(0, 4096, False), (0, 64 * MIB, True), (GIB, GIB + 64 * MIB, False), (9 * GIB, 10 * GIB, True), (GIB, 0, False)],
)
def test_a_raise_is_more_than_a_sixteenth(before: int, after: int, *, raised: bool) -> None:
    assert is_raise(before, after) is raised


@pytest.mark.parametrize(("size", "text"), [(GIB, "1G"), (10 * GIB, "10G"), (320 * MIB, "320M")])
def test_a_size_is_written_as_the_role_reads_it(size: int, text: str) -> None:
    assert write_size(size) == text
