# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of the incident that the collection was made for, and variants of it."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import Diagnosis, diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import compute_figures
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.swap_size import UNLIMITED, SwapLimits
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import UnitEffect, build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Limit,
    Line,
    Memory,
    OomReport,
    Task,
    Trigger,
    Victim,
    Zone,
)

PAGE = 4096
KB = 1024
GIB = 1024**3
MOVABLE = ("GFP_HIGHUSER_MOVABLE",)


def make_task(name: str, pid: int, rss_pages: int, swap_pages: int) -> Task:
    return Task(name=name, pid=pid, rss_bytes=rss_pages * PAGE, swap_bytes=swap_pages * PAGE)


def make_zone(name: str, free_kb: int, counts: t.Sequence[int], *, min_kb: int, high_kb: int = 0) -> Zone:
    blocks = {PAGE << order: count for order, count in enumerate(counts)}
    low_kb, high_kb = min_kb * 5 // 4, high_kb or min_kb * 3 // 2
    sizes: dict[str, t.Any] = {
        "free_bytes": free_kb * KB,
        "min_bytes": min_kb * KB,
        "low_bytes": low_kb * KB,
        "high_bytes": high_kb * KB,
    }
    return Zone(node=0, zone=name, free_blocks=blocks, **sizes)


REPORT = OomReport(
    first=Line("apache2 invoked oom-killer"),
    last=Line("Out of memory: Killed process 4711 (sys.fcgi)"),
    scope="global",
    trigger=Trigger(name="apache2", pid=17, gfp_flags=MOVABLE, order=0),
    victims=(
        Victim(
            name="sys.fcgi",
            pid=4711,
            anon_rss_bytes=120000 * PAGE,
            file_rss_bytes=0,
            shmem_rss_bytes=0,
            swap_bytes=500000 * PAGE,
        ),
    ),
    cgroup="/system.slice/apache2.service",
    memory=Memory(ram_bytes=GIB, swap_total_bytes=3_934_572_544, swap_free_bytes=0),
    zones=(
        make_zone("DMA", 4476, (43, 14, 12, 13, 2, 7, 4, 3, 0, 0, 0), min_kb=720),
        make_zone("DMA32", 44744, (258, 252, 576, 325, 105, 20, 8, 3, 5, 0, 1), min_kb=44300),
    ),
    tasks=(
        make_task("sys.fcgi", 4711, 120000, 500000),
        make_task("sys.fcgi", 4712, 80000, 460000),
        make_task("sshd", 1, 9000, 589),
    ),
    page_size=PAGE,
    complete=True,
)
STOP = UnitEffect(unit="apache2.service", result="oom-kill", stopped=True, restarted=False, oom_policy="stop")


NO_EFFECT = UnitEffect()


def diagnose_incident(effect: UnitEffect = NO_EFFECT, limits: SwapLimits = UNLIMITED, **changes: t.Any) -> Diagnosis:
    """Explain the incident with these changes to its report."""
    report = REPORT._replace(**changes)
    incident = build_incident(report)._replace(effect=effect)
    return diagnose(incident, compute_figures(incident), limits)


def make_memory(total: int | None, free: int | None) -> Memory:
    return Memory(ram_bytes=GIB, swap_total_bytes=total, swap_free_bytes=free)


FRAGMENTED = (make_zone("Normal", 90000, (20000, 1250), min_kb=8000),)
LOW = (
    make_zone("DMA", 700, (175,), min_kb=720),
    make_zone("Normal", 3600, (900,), min_kb=3700),
    make_zone("HighMem", 900000, (225000,), min_kb=512, high_kb=900),
)

REQUEST = Trigger("hog", pid=7, gfp_flags=("GFP_KERNEL",), order=0)

# The changes that make a report show each cause. A share of the swap is free, 0 by default.
CAUSES: dict[str, dict[str, t.Any]] = {
    "ram_and_swap_exhausted": {},
    "ram_exhausted_swap_free": {"swap_free_share": 0.5},
    "cgroup_limit": {"scope": "memcg", "limit": Limit(usage_bytes=GIB // 4, limit_bytes=GIB // 4)},
    "fragmentation": {"trigger": REQUEST._replace(order=3), "zones": FRAGMENTED},
    "low_zone": {"zones": LOW},
    "cpuset_or_mempolicy": {"scope": "cpuset"},
    "pressure": {"killer": "earlyoom"},
    "manual": {"manual": True},
    "unknown": {"memory": None},
}
