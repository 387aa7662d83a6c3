# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why kills happened: figures of the incident that the collection was made for, and variants of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import Diagnosis, diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import figures_of
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import UnitEffect, incident_of
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
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


def task(name: str, pid: int, rss_pages: int, swap_pages: int) -> Task:
    return Task(name=name, pid=pid, rss_bytes=rss_pages * PAGE, swap_bytes=swap_pages * PAGE)


def zone(name: str, free_kb: int, counts: t.Sequence[int], *, min_kb: int, high_kb: int = 0) -> Zone:
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
        zone("DMA", 4476, (43, 14, 12, 13, 2, 7, 4, 3, 0, 0, 0), min_kb=720),
        zone("DMA32", 44744, (258, 252, 576, 325, 105, 20, 8, 3, 5, 0, 1), min_kb=44300),
    ),
    tasks=(task("sys.fcgi", 4711, 120000, 500000), task("sys.fcgi", 4712, 80000, 460000), task("sshd", 1, 9000, 589)),
    page_size=PAGE,
    complete=True,
)
STOP = UnitEffect(unit="apache2.service", result="oom-kill", stopped=True, restarted=False, oom_policy="stop")


def diagnosed(effect: UnitEffect | None = None, **changes: t.Any) -> Diagnosis:
    report = REPORT._replace(**changes)
    incident = incident_of(report)._replace(effect=effect)
    return diagnose(incident, figures_of(incident))


def memory(total: int | None, free: int | None) -> Memory:
    return Memory(ram_bytes=GIB, swap_total_bytes=total, swap_free_bytes=free)


def test_the_incident_is_told() -> None:
    assert diagnosed(STOP).summary == (
        "The kernel killed sys.fcgi (pid 4711), because RAM and swap were exhausted. "
        "systemd then ended the whole of apache2.service, and it has not come back."
    )


def test_the_incident_is_explained_with_its_own_figures() -> None:
    assert diagnosed(STOP).evidence == (
        "sys.fcgi (pid 4711), which was killed, held 468.8 MiB of RAM and 1.9 GiB of swap.",
        (
            "The 3 processes together held 816.4 MiB of RAM (RSS, 209000 pages of 4.0 KiB) and 3.7 GiB of swap "
            "(960589 entries); a page that several of them share is counted for each."
        ),
        "The largest part was held by the 2 processes named sys.fcgi: 4.4 GiB of RAM and swap.",
        "The free lists held 4476 kB in DMA (largest block 512 kB) and 44744 kB in DMA32 (largest block 4096 kB).",
        "Of 3.7 GiB of swap, 0 B was free: swap was exhausted.",
        (
            "apache2 asked for a single page (4.0 KiB) for a process; any free block can serve that: "
            "this is exhaustion, not fragmentation."
        ),
        (
            "Beyond the minimum watermark and the reserves for other requests: "
            "DMA 3.7 MiB to spare, DMA32 444.0 KiB to spare."
        ),
        (
            "systemd logged the result oom-kill for apache2.service: with OOMPolicy=stop, which is the default, "
            "it ends the whole unit when the kernel kills one of its processes (OOMPolicy=stop is in force now)."
        ),
    )


def test_the_incident_has_four_remedies() -> None:
    assert [(remedy.role, remedy.variables) for remedy in diagnosed(STOP).remedies] == [
        ("oom_policy", {"oom_policy_units": ["apache2.service"]}),
        ("swap", {"swap_size": "9G"}),
        (
            "fcgid",
            {
                "fcgid_directives": {
                    "FcgidMinProcessesPerClass": 0,
                    "FcgidProcessLifeTime": 600,
                    "FcgidIdleScanInterval": 120,
                }
            },
        ),
        ("fcgid_recycler", {"fcgid_recycler_limit": "256M"}),
    ]


FRAGMENTED = (zone("Normal", 90000, (20000, 1250), min_kb=8000),)
LOW = (
    zone("DMA", 700, (175,), min_kb=720),
    zone("Normal", 3600, (900,), min_kb=3700),
    zone("HighMem", 900000, (225000,), min_kb=512, high_kb=900),
)


NODE_0 = (zone("Normal", 7000, (1750,), min_kb=8000),)
NODE_1 = tuple(own._replace(node=1) for own in (zone("Normal", 90000, (22500,), min_kb=8000),))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "ram_and_swap_exhausted"),
        ({"memory": memory(GIB, GIB // 100)}, "ram_and_swap_exhausted"),
        ({"memory": memory(GIB, GIB // 2)}, "ram_exhausted_swap_free"),
        ({"memory": memory(0, 0)}, "ram_exhausted_no_swap"),
        ({"memory": memory(None, None)}, "unknown"),
        ({"memory": memory(None, 0)}, "unknown"),
        ({"memory": memory(None, None)._replace(counters={"free": 1})}, "ram_exhausted_no_swap"),
        ({"memory": None}, "unknown"),
        ({"trigger": None}, "unknown"),
        ({"trigger": Trigger("kworker", order=-1)}, "manual"),
        ({"manual": True}, "manual"),
        ({"scope": "memcg"}, "cgroup_limit"),
        ({"scope": "cpuset"}, "cpuset_or_mempolicy"),
        ({"scope": "mempolicy"}, "cpuset_or_mempolicy"),
        ({"killer": "earlyoom"}, "pressure"),
        ({"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=3), "zones": FRAGMENTED}, "fragmentation"),
        (
            {"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=0), "zones": FRAGMENTED},
            "ram_and_swap_exhausted",
        ),
        (
            {"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=1), "zones": FRAGMENTED},
            "ram_and_swap_exhausted",
        ),
        (
            {"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=0), "zones": FRAGMENTED, "memory": memory(0, 0)},
            "unknown",
        ),
        ({"trigger": Trigger("a", gfp_flags=("GFP_ATOMIC", "__GFP_HIGH"), order=0), "zones": LOW}, "low_zone"),
        ({"zones": (*NODE_0, *NODE_1), "mems_allowed": "0"}, "cpuset_or_mempolicy"),
        ({"zones": (*NODE_0, *NODE_1), "mems_allowed": "0-1"}, "ram_and_swap_exhausted"),
        ({"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=0), "zones": LOW}, "low_zone"),
        ({"trigger": Trigger("a", gfp_flags=MOVABLE, order=0), "zones": LOW}, "ram_and_swap_exhausted"),
        ({"zones": (zone("Normal", 900000, (225000,), min_kb=1 << 56),), "memory": memory(0, 0)}, "unknown"),
    ],
)
def test_the_cause_is_claimed_from_figures_alone(changes: dict[str, t.Any], cause: str) -> None:
    assert diagnosed(**changes).cause == cause


@pytest.mark.parametrize(
    ("effect", "end"),
    [
        ({"stopped": False, "result": None}, "apache2.service stayed up."),
        ({"stopped": None}, "exhausted."),
        (
            {"restarted": True, "down_seconds": 1.568},
            "ended the whole of apache2.service; systemd restarted it after 1.6 s.",
        ),
        ({"down_seconds": 125.0}, "ended the whole of apache2.service; it was started again after 2 min 5 s."),
        ({"down_seconds": 7260.0}, "it was started again after 2 h 1 min."),
        ({"down_seconds": 90000.0}, "it was started again after 1 d 1 h."),
        (
            {"main_process_killed": True},
            "apache2.service went down with it, since this was its main process, and it has not come back.",
        ),
    ],
)
def test_what_became_of_the_unit_is_told(effect: dict[str, t.Any], end: str) -> None:
    assert diagnosed(STOP._replace(**effect)).summary.endswith(end)


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        (
            {"victims": (Victim("a", 1), Victim("b", 2)), "scope": "memcg"},
            "The kernel killed a (pid 1) and 1 more of its cgroup, because its cgroup had reached its memory limit.",
        ),
        (
            {"victims": (), "no_killable": True},
            "The kernel found no process to kill when it ran out of memory: RAM and swap were exhausted.",
        ),
        (
            {"victims": ()},
            "The kernel ran out of memory: RAM and swap were exhausted; the log does not show whom it killed.",
        ),
        (
            {"victims": (), "panicked": True},
            "The kernel panicked when it ran out of memory: RAM and swap were exhausted.",
        ),
        ({"memory": None}, "The kernel killed sys.fcgi (pid 4711) for a reason that the log does not tell."),
        (
            {"victims": (), "memory": None},
            "The kernel ran out of memory; the log does not show whom it killed.",
        ),
        (
            {"victims": (), "killer": "systemd-oomd", "cgroup": "/user.slice"},
            "systemd-oomd killed the processes of /user.slice, because memory was short.",
        ),
    ],
    ids=["group", "no process", "no kill line", "panic", "unknown", "nothing known", "systemd-oomd"],
)
def test_who_was_killed_is_told(changes: dict[str, t.Any], summary: str) -> None:
    assert diagnosed(**changes).summary == summary


def test_a_kill_line_alone_is_said_to_be_all_there_is() -> None:
    alone: dict[str, t.Any] = {"memory": None, "zones": (), "tasks": (), "trigger": None, "complete": False}
    assert diagnosed(**alone).evidence[-1] == (
        "The log holds no whole report of this kill, so that its circumstances are not known."
    )
