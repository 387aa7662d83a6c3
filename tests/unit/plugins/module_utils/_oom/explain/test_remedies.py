# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedies and the advice for each cause: only what would have helped."""

from __future__ import annotations

import itertools
import typing as t
from pathlib import Path

import pytest
import yaml

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.remedies import Remedy, select_needed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.swap_size import SwapLimits
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Limit,
    Memory,
    Task,
    Trigger,
    Victim,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    FRAGMENTED,
    GIB,
    LOW,
    STOP,
    diagnose_incident,
    make_memory,
)

ROLES = Path(__file__).parents[6] / "roles"
LEAKED = Memory(
    ram_bytes=GIB,
    swap_total_bytes=0,
    swap_free_bytes=0,
    free_bytes=GIB // 16,
    page_cache_bytes=0,
    shmem_bytes=0,
    slab_unreclaimable_bytes=GIB // 2,
    counters={"active_anon": GIB // 16},
)
LARGE = make_memory(8 * GIB, 0)._replace(ram_bytes=32 * GIB)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({}, "9G"),
        ({"memory": make_memory(0, 0)}, "1G"),
        ({"memory": make_memory(8 * GIB, 0)}, "10G"),
        ({"tasks": ()}, "5G"),
        ({"tasks": (Task("a", 1, rss_bytes=100 * GIB),)}, "9G"),
        ({"tasks": (Task("a", 1, rss_bytes=100 * GIB),), "memory": make_memory(0, 0)}, "1G"),
        ({"tasks": (Task("a", 1, rss_bytes=25 * GIB),), "memory": LARGE}, "10G"),
        ({"tasks": (Task("a", 1, rss_bytes=5 * GIB),), "memory": LARGE._replace(swap_total_bytes=3 * GIB)}, "8G"),
        ({"tasks": (Task("a", 1, rss_bytes=GIB), Task("a", 2, rss_bytes=GIB))}, "6G"),
        (
            {"tasks": tuple(Task("a", pid, rss_bytes=GIB, rss_anon_bytes=0, rss_file_bytes=GIB) for pid in range(9))},
            "5G",
        ),
        ({"memory": make_memory(GIB, GIB // 2)}, None),
        ({"memory": LEAKED._replace(counters={"active_anon": GIB // 2})}, "1G"),
        ({"memory": LEAKED}, None),
        ({"scope": "memcg"}, None),
        ({"memory": make_memory(0, 0)._replace(ram_bytes=None)}, None),
        ({"memory": Memory(ram_bytes=GIB, counters={"free": 1})}, None),
        ({"tasks": (Task("a", 1), Task("b", 2))}, None),
    ],
)
def test_the_size_of_swap_has_room_for_the_largest_consumer_within_bounds(
    changes: dict[str, t.Any], size: str | None
) -> None:
    sizes = [remedy.variables["swap_size"] for remedy in diagnose_incident(**changes).remedies if remedy.role == "swap"]
    assert sizes == ([size] if size else [])


@pytest.mark.parametrize(
    ("effect", "advised"),
    [
        ({}, True),
        ({"oom_policy": None}, True),
        ({"oom_policy": "continue"}, False),
        ({"oom_policy": "kill"}, False),
        ({"gone": True}, False),
        ({"stopped": False, "result": None}, False),
        ({"stopped": None, "result": None}, False),
        ({"main_process_killed": True}, False),
        ({"unit": "session-1.scope"}, False),
    ],
)
def test_a_policy_is_advised_if_it_would_have_helped(effect: dict[str, t.Any], advised: bool) -> None:
    remedies = diagnose_incident(STOP._replace(**effect)).remedies
    assert any(remedy.role == "oom_policy" for remedy in remedies) is advised


@pytest.mark.parametrize(
    ("cgroup", "victim", "advised"),
    [
        ("/system.slice/apache2.service", "sys.fcgi", True),
        ("/system.slice/httpd.service", "sys.fcgi", True),
        ("/system.slice/apache2.service", "apache2", False),
        ("/system.slice/httpd.service", "httpd", False),
        ("/system.slice/mariadb.service", "sys.fcgi", False),
        (None, "sys.fcgi", False),
    ],
)
def test_fcgid_is_advised_for_a_worker_of_apache(cgroup: str | None, victim: str, advised: bool) -> None:
    remedies = diagnose_incident(cgroup=cgroup, victims=(Victim(name=victim, pid=1),)).remedies
    assert any(remedy.role == "fcgid" for remedy in remedies) is advised


@pytest.mark.parametrize(
    ("changes", "variables"),
    [
        ({}, {"fcgid_recycler_limit": "256M"}),
        (
            {"tasks": (Task("sys.fcgi", 4711), *(Task("sys.fcgi", pid) for pid in range(5)))},
            {"fcgid_recycler_limit": "80M"},
        ),
        ({"complete": False}, {}),
        ({"tasks": tuple(Task("sys.fcgi", pid) for pid in range(200))}, {"fcgid_recycler_limit": "64M"}),
        ({"scope": "memcg", "limit": Limit(limit_bytes=GIB // 2)}, {"fcgid_recycler_limit": "128M"}),
        ({"tasks": ()}, {}),
        ({"memory": None}, {}),
    ],
)
def test_the_limit_lets_workers_take_half_of_the_memory(changes: dict[str, t.Any], variables: dict[str, str]) -> None:
    assert [
        remedy.variables for remedy in diagnose_incident(**changes).remedies if remedy.role == "fcgid_recycler"
    ] == [variables]


def test_every_remedy_has_a_reason_and_a_risk() -> None:
    assert [bool(remedy.why and remedy.risk) for remedy in diagnose_incident(STOP).remedies] == [True] * 5


def test_every_remedy_names_variables_of_its_role() -> None:
    known = {
        remedy.role: set(yaml.safe_load((ROLES / remedy.role / "defaults/main.yml").read_text(encoding="utf-8")))
        for remedy in diagnose_incident(STOP).remedies
    }
    assert [
        remedy.role for remedy in diagnose_incident(STOP).remedies if not set(remedy.variables) <= known[remedy.role]
    ] == []


def test_the_size_of_swap_is_explained() -> None:
    (swap,) = (remedy for remedy in diagnose_incident(STOP).remedies if remedy.role == "swap")
    assert (swap.why, swap.risk) == (
        (
            "Swap takes up memory that processes hold but do not use, and leaves time to act: the 3.7 GiB that the "
            "host had was used up; with 9 GiB, sys.fcgi could have held 4.4 GiB more. The suggested size adds as much "
            "as the largest consumer held, but no more than RAM and swap together, and no more than 8.0 GiB."
        ),
        (
            "A process that grows without limit fills any amount of swap, and makes the host slow until then. "
            "The additional swap takes 5.3 GiB of disk space."
        ),
    )


RAISED = SwapLimits(least_exhausted_bytes=GIB, most_exhausted_bytes=4 * GIB)
FULL_DISK = SwapLimits(disk_bytes=4 * GIB - 1)


@pytest.mark.parametrize("limits", [RAISED, FULL_DISK], ids=["an earlier raise did not help", "disk too small"])
def test_no_swap_is_suggested_beyond_the_limits(limits: SwapLimits) -> None:
    roles = [remedy.role for remedy in diagnose_incident(STOP, limits).remedies]
    assert roles[:3] == ["oom_policy", "fcgid", "fcgid_recycler"]
    assert "swap" not in roles


def test_a_leak_is_named_after_a_raise_that_did_not_help() -> None:
    (leak,) = diagnose_incident(STOP, RAISED).advice
    assert leak.what == (
        "Limit the memory of sys.fcgi in apache2.service (MemoryMax= of its unit, or a limit of its own), and look for "
        "what makes it grow."
    )
    assert leak.why == (
        "Swap was exhausted with a total of 1.0 GiB and with a total of 4.0 GiB, so more of it did not help. A leak "
        "fills any amount of swap."
    )


def test_the_limit_is_explained_if_it_leaves_no_room() -> None:
    (leak,) = diagnose_incident(STOP, FULL_DISK).advice
    assert leak.why == (
        "No more swap is suggested: the host had 3.7 GiB, and the total stays within 10.0 GiB, 10 times the RAM, and "
        "half of the free disk space. For more, set swap_size yourself."
    )


def test_a_size_cut_by_the_limit_says_so() -> None:
    (swap,) = (
        remedy for remedy in diagnose_incident(limits=SwapLimits(disk_bytes=6 * GIB)).remedies if remedy.role == "swap"
    )
    assert swap.variables == {"swap_size": "6G"}
    assert swap.why.endswith(
        "with 6 GiB, sys.fcgi could have held 2.3 GiB more. The largest consumer held more than that, but the total "
        "stays within 10.0 GiB, 10 times the RAM, and half of the free disk space. For more, set swap_size yourself."
    )


def test_zram_is_counted_by_the_role_as_it_is_by_the_report() -> None:
    (swap,) = (
        remedy for remedy in diagnose_incident(limits=SwapLimits(has_zram=True)).remedies if remedy.role == "swap"
    )
    assert swap.variables == {"swap_size": "9G", "swap_count_zram": True}


def limit(**changes: t.Any) -> dict[str, t.Any]:
    made = Limit(usage_bytes=64 << 20, limit_bytes=64 << 20, swap_usage_bytes=0)
    return {"scope": "memcg", "limit": made._replace(**changes), "limit_cgroup": "/system.slice/a.service"}


def advised(**changes: t.Any) -> list[str]:
    return [advice.what for advice in diagnose_incident(**changes).advice]


def test_the_unit_whose_limit_was_hit_is_named() -> None:
    assert advised(cgroup="/system.slice/a.service", **limit()) == [
        "Raise the memory limit of a.service (MemoryMax=), or reduce the memory that its processes need."
    ]


def test_higher_limit_is_not_advised_against_a_leak() -> None:
    (advice,) = diagnose_incident(cgroup="/system.slice/a.service", **limit()).advice
    assert advice.risk.startswith("If the memory leaks, a higher limit only delays the next kill.")


def test_the_limit_above_is_named_and_not_that_of_the_container() -> None:
    container = f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{'ab' * 32}.scope"
    advice = diagnose_incident(cgroup=container, **{**limit(), "limit_cgroup": "/kubepods.slice"}).advice[0]
    assert advice.what.startswith("Raise the memory limit of the cgroup /kubepods.slice of all pods (the memory of")
    assert advice.why.endswith("so raising that one changes nothing.")


def test_an_unknown_limit_is_not_advised_by_a_name() -> None:
    assert advised(cgroup="/system.slice/a.service", **{**limit(), "limit_cgroup": None}) == [
        (
            "Raise the memory limit that was reached (the report does not show of which cgroup), or reduce the memory "
            "that its processes need."
        )
    ]


@pytest.mark.parametrize(
    ("changes", "is_advised"),
    [
        ({}, False),
        ({"swap_usage_bytes": None}, False),
        ({"swap_usage_bytes": 4096}, True),
        ({"swap_usage_bytes": 96 << 20, "memsw": True}, False),
    ],
    ids=["no swap in use", "nothing known of swap", "swap in use", "memory and swap together"],
)
def test_memory_high_is_advised_only_with_swap(changes: dict[str, t.Any], is_advised: bool) -> None:
    what = advised(cgroup="/system.slice/a.service", **limit(**changes))
    assert ("Set MemoryHigh= of a.service somewhat below the limit." in what) is is_advised


def test_memory_high_is_not_advised_for_what_systemd_does_not_limit() -> None:
    what = advised(cgroup="/a", **{**limit(swap_usage_bytes=4096), "limit_cgroup": "/a"})
    assert [text.split()[0] for text in what] == ["Raise"]


CROWD = tuple(Task("a", pid, rss_bytes=GIB // 10) for pid in range(10))
REQUEST = Trigger("a", gfp_flags=("GFP_KERNEL",), order=3)


@pytest.mark.parametrize(
    ("changes", "begins"),
    [
        ({}, []),
        ({"trigger": REQUEST, "zones": FRAGMENTED}, ["Raise vm.min_free_kbytes"]),
        ({"trigger": REQUEST._replace(order=0), "zones": LOW}, ["Use a 64-bit kernel"]),
        ({"scope": "cpuset"}, ["Add nodes to its cpuset or memory policy"]),
        ({"scope": "mempolicy"}, ["Add nodes to its cpuset or memory policy"]),
        ({"killer": "systemd-oomd"}, ["Check ManagedOOMMemoryPressureLimit="]),
        ({"killer": "earlyoom"}, []),
        ({"manual": True}, []),
        ({"allocating_task": True}, ["Set vm.oom_kill_allocating_task to 0"]),
        ({"memory": LEAKED}, ["Look in slabtop", "Look for a balloon"]),
        ({"memory": LEAKED, "scope": "memcg"}, ["Raise the memory limit"]),
        ({"tasks": CROWD}, ["First, let fewer processes of a run at once"]),
        ({"tasks": CROWD[:9]}, []),
        ({"tasks": CROWD, "memory": LARGE}, []),
        ({"tasks": CROWD, "memory": make_memory(GIB, GIB // 2)}, []),
        (
            {"memory": LEAKED._replace(slab_unreclaimable_bytes=0, shmem_bytes=3 * GIB // 4)},
            ["Look for large files in tmpfs"],
        ),
        (
            {"memory": LEAKED._replace(huge_pages_bytes=GIB // 4, huge_pages_free_bytes=GIB // 8)},
            ["Lower vm.nr_hugepages", "Look in slabtop"],
        ),
    ],
)
def test_each_cause_has_its_own_advice(changes: dict[str, t.Any], begins: list[str]) -> None:
    what = advised(**changes)
    assert [text[: len(begin)] for text, begin in itertools.zip_longest(what, begins, fillvalue="")] == begins


def test_all_advice_has_a_reason_and_a_risk() -> None:
    diagnoses = (
        diagnose_incident(memory=LEAKED),
        diagnose_incident(**limit(swap_usage_bytes=4096)),
        diagnose_incident(tasks=CROWD),
    )
    given = [advice for diagnosis in diagnoses for advice in diagnosis.advice]
    assert [bool(advice.why and advice.risk) for advice in given] == [True] * 5


def policy_for(unit: str) -> Remedy:
    return Remedy("oom_policy", {"oom_policy_units": [unit]}, "why", "risk")


def swap_of(size: str) -> Remedy:
    return Remedy("swap", {"swap_size": size}, "why", "risk")


FCGID = Remedy("fcgid", {}, "why", "risk")
RECYCLER = Remedy("fcgid_recycler", {"fcgid_recycler_limit": "64M"}, "why", "risk")
ZRAM = Remedy("zram", {}, "why", "risk", automatic=False)
OOMD = Remedy("systemd_oomd", {}, "why", "risk", automatic=False)
WATCHED = OOMD._replace(variables={"systemd_oomd_units": {"shop.service": {}}})
FEWER_WORKERS = FCGID._replace(automatic=False)


@pytest.mark.parametrize(
    ("found", "needed"),
    [
        ([FCGID, RECYCLER, FCGID], [FCGID, RECYCLER]),
        ([FCGID, FEWER_WORKERS, FEWER_WORKERS], [FCGID, FEWER_WORKERS]),
        ([policy_for("a.service"), policy_for("b.service"), policy_for("a.service")], "ab"),
        ([swap_of("2G"), swap_of("10G"), swap_of("3G")], [swap_of("10G")]),
        ([OOMD, WATCHED, OOMD], [WATCHED]),
    ],
    ids=["each once", "a choice beside", "each unit", "the largest swap", "units for systemd-oomd"],
)
def test_the_remedies_of_all_events_are_merged(found: list[Remedy], needed: list[Remedy] | str) -> None:
    expected = [policy_for(f"{unit}.service") for unit in needed] if isinstance(needed, str) else needed
    assert select_needed(found, HostNow()) == expected


@pytest.mark.parametrize(
    ("host", "needed"),
    [
        (HostNow(swap_total_bytes=2 * GIB - 4096, has_fcgid=True), [FCGID, RECYCLER]),
        (HostNow(swap_total_bytes=GIB, has_fcgid=True), [swap_of("2G"), FCGID, RECYCLER]),
        (HostNow(swap_total_bytes=0, has_fcgid=False), [swap_of("2G")]),
        (HostNow(), [swap_of("2G"), FCGID, RECYCLER]),
    ],
    ids=["has the swap", "has less", "has no mod_fcgid", "unknown"],
)
def test_remedies_that_are_in_place_are_omitted(host: HostNow, needed: list[Remedy]) -> None:
    assert select_needed([swap_of("2G"), FCGID, RECYCLER], host) == needed


@pytest.mark.parametrize(
    ("host", "needed"),
    [
        (HostNow(zram_bytes=GIB, has_oomd=False), [OOMD]),
        (HostNow(has_oomd=True), [ZRAM]),
        (HostNow(), [ZRAM, OOMD]),
    ],
    ids=["has zram", "has systemd-oomd", "unknown"],
)
def test_choices_that_are_in_place_are_omitted(host: HostNow, needed: list[Remedy]) -> None:
    assert select_needed([ZRAM, OOMD], host) == needed
