# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The causes of kills: figures of the incident that the collection was made for, and variants of it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Choice, Trigger, Victim
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    FRAGMENTED,
    GIB,
    LOW,
    MOVABLE,
    STOP,
    diagnose_incident,
    make_memory,
    make_zone,
)


def test_the_incident_is_summarised() -> None:
    assert diagnose_incident(STOP).summary == (
        "The kernel killed sys.fcgi (pid 4711) because RAM and swap were exhausted. "
        "systemd then stopped the whole unit apache2.service. Whether it has come back is not known."
    )


def test_the_evidence_has_the_figures_of_the_incident() -> None:
    assert diagnose_incident(STOP).evidence == (
        "The killed process sys.fcgi (pid 4711) held 468.8 MiB of RAM and 1.9 GiB of swap.",
        (
            "Together, the 3 processes held 816.4 MiB of RAM (RSS, 209000 pages of 4.0 KiB) and 3.7 GiB of swap "
            "(960589 entries); pages that they share are counted once for each process."
        ),
        "The 2 processes named sys.fcgi held the most: 4.4 GiB of RAM and swap.",
        "The buddy lists held 4476 kB in DMA (largest block 512 kB) and 44744 kB in DMA32 (largest block 4096 kB).",
        "0 B of the 3.7 GiB of swap was free, so swap was exhausted.",
        (
            "apache2 requested a single page (4.0 KiB) for a process. Any free block can serve such a request, "
            "so the cause is exhaustion, not fragmentation."
        ),
        (
            "Free memory above the minimum watermark and the reserves for other requests: "
            "DMA 3.7 MiB to spare, DMA32 444.0 KiB to spare."
        ),
        (
            "systemd logged the result oom-kill for apache2.service: with OOMPolicy=stop, which is the default, "
            "it stops the whole unit when the kernel kills one of its processes (OOMPolicy=stop is in force now)."
        ),
    )


def test_the_incident_has_five_remedies() -> None:
    assert [(remedy.role, remedy.variables) for remedy in diagnose_incident(STOP).remedies] == [
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
        ("zram", {"zram_size": "50%"}),
    ]


NODE_0 = (make_zone("Normal", 7000, (1750,), min_kb=8000),)
NODE_1 = tuple(own._replace(node=1) for own in (make_zone("Normal", 90000, (22500,), min_kb=8000),))


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({}, "ram_and_swap_exhausted"),
        ({"memory": make_memory(GIB, GIB // 100)}, "ram_and_swap_exhausted"),
        ({"memory": make_memory(GIB, GIB // 2)}, "ram_exhausted_swap_free"),
        ({"memory": make_memory(0, 0)}, "ram_exhausted_no_swap"),
        ({"memory": make_memory(None, None)}, "unknown"),
        ({"memory": make_memory(None, 0)}, "unknown"),
        ({"memory": make_memory(None, None)._replace(page_cache_bytes=1)}, "ram_exhausted_no_swap"),
        ({"memory": make_memory(None, None)._replace(counters={"free": 1})}, "unknown"),
        ({"memory": make_memory(None, None)._replace(page_cache_bytes=1, swap_cache_bytes=0)}, "unknown"),
        ({"memory": None}, "unknown"),
        ({"trigger": None}, "unknown"),
        ({"trigger": Trigger("kworker", order=-1), "manual": True}, "manual"),
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
            {
                "trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=0),
                "zones": FRAGMENTED,
                "memory": make_memory(0, 0),
            },
            "unknown",
        ),
        ({"trigger": Trigger("a", gfp_flags=("GFP_ATOMIC", "__GFP_HIGH"), order=0), "zones": LOW}, "low_zone"),
        ({"zones": (*NODE_0, *NODE_1), "mems_allowed": "0"}, "cpuset_or_mempolicy"),
        ({"zones": (*NODE_0, *NODE_1), "mems_allowed": "0-1"}, "ram_and_swap_exhausted"),
        ({"trigger": Trigger("a", gfp_flags=("GFP_KERNEL",), order=0), "zones": LOW}, "low_zone"),
        ({"trigger": Trigger("a", gfp_flags=MOVABLE, order=0), "zones": LOW}, "ram_and_swap_exhausted"),
        ({"zones": (), "memory": make_memory(0, 0)._replace(ram_bytes=None)}, "unknown"),
        ({"zones": ()}, "ram_and_swap_exhausted"),
        ({"zones": (make_zone("Normal", 900000, (225000,), min_kb=1 << 56),), "memory": make_memory(0, 0)}, "unknown"),
    ],
)
def test_only_figures_show_the_cause(changes: dict[str, t.Any], cause: str) -> None:
    assert diagnose_incident(**changes).cause == cause


@pytest.mark.parametrize(
    ("effect", "end"),
    [
        ({"stopped": False, "result": None}, "apache2.service stayed up."),
        ({"stopped": None}, "exhausted. Whether apache2.service went down is not known."),
        ({"unit": "", "stopped": None}, "exhausted."),
        ({"is_up": False}, "stopped the whole unit apache2.service, and it has not come back."),
        ({"is_up": True}, "stopped the whole unit apache2.service, and it is up again."),
        (
            {"restarted": True, "down_seconds": 1.568},
            "stopped the whole unit apache2.service; systemd restarted it after 1.6 s.",
        ),
        ({"down_seconds": 125.0}, "stopped the whole unit apache2.service; it was started again after 2 min 5 s."),
        ({"down_seconds": 7260.0}, "it was started again after 2 h 1 min."),
        ({"down_seconds": 90000.0}, "it was started again after 1 d 1 h."),
        (
            {"main_process_killed": True},
            "apache2.service went down, because this was its main process. Whether it has come back is not known.",
        ),
    ],
)
def test_the_summary_says_what_became_of_the_unit(effect: dict[str, t.Any], end: str) -> None:
    assert diagnose_incident(STOP._replace(**effect)).summary.endswith(end)


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        (
            {"victims": (Victim("a", 1), Victim("b", 2)), "scope": "memcg", "limit_cgroup": "/system.slice"},
            (
                "The kernel killed a (pid 1) and 1 more in its cgroup because system.slice, which contains its cgroup, "
                "had reached its memory limit."
            ),
        ),
        (
            {"victims": (), "no_killable": True},
            "The kernel found no process to kill. It had invoked the OOM killer because RAM and swap were exhausted.",
        ),
        (
            {"victims": ()},
            (
                "The kernel invoked the OOM killer because RAM and swap were exhausted. "
                "The log does not name the killed process."
            ),
        ),
        (
            {"victims": (), "panicked": True},
            "The kernel panicked. It had invoked the OOM killer because RAM and swap were exhausted.",
        ),
        ({"memory": None}, "The kernel killed sys.fcgi (pid 4711) for a reason that the log does not show."),
        (
            {"victims": (), "memory": None},
            (
                "The kernel invoked the OOM killer for a reason that the log does not show. "
                "The log does not name the killed process."
            ),
        ),
        (
            {"victims": (), "exiting": True, "chosen": Choice("java", 7134)},
            (
                "The kernel invoked the OOM killer because RAM and swap were exhausted. "
                "It killed no process, because one was already exiting."
            ),
        ),
        (
            {"victims": (), "memory": None, "chosen": Choice("java", 7134)},
            (
                "The kernel chose java (pid 7134) for a reason that the log does not show. "
                "The log does not show the kill itself."
            ),
        ),
        (
            {"victims": (), "killer": "systemd-oomd", "cgroup": "/user.slice"},
            "systemd-oomd killed the processes of /user.slice because memory was short.",
        ),
        (
            {"victims": (), "killer": "systemd-oomd", "cgroup": None, "limit_cgroup": "/a.slice"},
            "systemd-oomd killed processes of a cgroup in /a.slice because memory was short.",
        ),
        (
            {"victims": (), "killer": "unknown", "unit": "shop.service"},
            "An OOM killer killed processes of shop.service for a reason that the log does not show.",
        ),
        (
            {"manual": True, "requester": "earlyoom"},
            "The kernel killed sys.fcgi (pid 4711) because earlyoom requested it (SysRq).",
        ),
    ],
    ids=[
        "group",
        "no process",
        "no kill line",
        "panic",
        "unknown",
        "nothing known",
        "exiting",
        "chosen",
        "oomd",
        "rule",
        "notice",
        "earlyoom",
    ],
)
def test_the_summary_says_which_process_was_killed(changes: dict[str, t.Any], summary: str) -> None:
    assert diagnose_incident(**changes).summary == summary


def test_the_evidence_says_if_only_the_kill_line_is_known() -> None:
    alone: dict[str, t.Any] = {"memory": None, "zones": (), "tasks": (), "trigger": None, "complete": False}
    assert diagnose_incident(**alone).evidence[-1] == (
        "The log does not hold the whole report of this kill, so its circumstances are unknown."
    )
