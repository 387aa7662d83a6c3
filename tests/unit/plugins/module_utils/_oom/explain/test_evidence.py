# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence for a cause: variants of the incident that the collection was made for."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.cause import diagnose
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import compute_figures
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Limit,
    Memory,
    Task,
    Trigger,
    Victim,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    GIB,
    REPORT,
    diagnose_incident,
    make_task,
    make_zone,
)

KEPT = "Free blocks of 32.0 KiB or more in zones with enough memory: 5, all of them kept for other requests ({})."


def find_sentences(begin: str, **changes: t.Any) -> list[str]:
    """Return the sentences of the evidence that begin with these words."""
    return [sentence for sentence in diagnose_incident(**changes).evidence if sentence.startswith(begin)]


@pytest.mark.parametrize(
    ("victim", "end"),
    [
        (Victim("worker", 7), ""),
        (Victim("work", 7), ""),
        (Victim("work", 8), " It was not killed."),
        (Victim("work", 9), ""),
        (Victim("worker", 9), " It was not killed."),
    ],
    ids=["a cut row", "its own row", "another's row", "no row, but the name", "neither"],
)
def test_a_victim_is_recognised_by_pid_or_without_a_row_by_name(victim: Victim, end: str) -> None:
    tasks = (make_task("work", 7, 100000, 0), make_task("sh", 8, 10, 0))
    assert find_sentences("work (pid 7)", tasks=tasks, victims=(victim,)) == [
        f"work (pid 7) held the most: 390.6 MiB of RAM and swap.{end}"
    ]


@pytest.mark.parametrize(
    ("types", "sentences"),
    [
        (
            {32768: "H", 65536: "C"},
            [KEPT.format("highatomic, CMA")],
        ),
        (
            {32768: "C", 65536: "C"},
            [KEPT.format("CMA")],
        ),
        ({32768: "C", 65536: "UC"}, []),
        ({}, []),
    ],
    ids=["two types", "one type", "some fit", "no types"],
)
def test_large_blocks_that_are_kept_for_others_are_named(types: dict[int, str], sentences: list[str]) -> None:
    zones = (make_zone("Normal", 90000, (20000, 1250, 0, 3, 2), min_kb=8000)._replace(block_types=types),)
    trigger = Trigger("a", gfp_flags=("GFP_KERNEL",), order=3)
    assert find_sentences("Free blocks", trigger=trigger, zones=zones) == sentences


def test_a_table_of_a_cut_report_is_said_to_be_a_part() -> None:
    (together,) = find_sentences("The task table may not be whole.", complete=False)
    assert together.startswith(
        "The task table may not be whole. Together, the 3 processes that it shows held 816.4 MiB"
    )
    assert find_sentences("The 2 processes named", complete=False) == [
        "The 2 processes named sys.fcgi held the most of these: 4.4 GiB of RAM and swap."
    ]


@pytest.mark.parametrize(
    ("changes", "total"),
    [
        (
            {"memory": Memory(ram_bytes=4 * GIB, free_bytes=0, page_cache_bytes=0, counters={"active_anon": GIB * 2})},
            "2.0",
        ),
        ({"memory": Memory(ram_bytes=4 * GIB, free_bytes=0, page_cache_bytes=0, counters={"active_anon": GIB})}, ""),
        ({"scope": "memcg", "limit": Limit(stat={"anon": 3 * GIB})}, "3.0"),
        ({"scope": "memcg", "limit": Limit(stat={"rss": 3 * GIB})}, "3.0"),
        ({"scope": "memcg", "limit": Limit(stat={"anon": GIB})}, ""),
        ({"scope": "cpuset"}, ""),
    ],
)
def test_a_table_with_much_less_than_all_anonymous_memory_is_noticed(changes: dict[str, t.Any], total: str) -> None:
    sentences = [
        f"The kernel counted {size} GiB of anonymous memory, but these processes held only 816.4 MiB of RAM: rows of "
        "the table are missing, or processes that had begun to exit held the rest."
        for size in filter(None, [total])
    ]
    assert find_sentences("The kernel counted", **changes) == sentences


@pytest.mark.parametrize(
    ("holes", "name"),
    [(0, "reserved"), (None, "reserved or without RAM (holes between the addresses)")],
    ids=["known", "unknown"],
)
def test_ram_that_may_not_exist_is_not_said_to_be_reserved(holes: int | None, name: str) -> None:
    memory = Memory(ram_bytes=GIB, reserved_bytes=GIB // 2, holes_bytes=holes, free_bytes=GIB // 2)
    assert find_sentences("Use of", memory=memory) == [f"Use of the 1.0 GiB of RAM: 512.0 MiB free, 512.0 MiB {name}."]


def test_ram_that_is_missing_since_an_earlier_report_is_evidence() -> None:
    incident = build_incident(REPORT)
    diagnosis = diagnose(incident, compute_figures(incident)._replace(earlier_ram_bytes=2 * GIB))
    assert (
        "An earlier report of this host shows 2.0 GiB of RAM, this one 1.0 GiB: 1.0 GiB is missing."
        in diagnosis.evidence
    )
    assert any(advice.why.startswith("1.0 GiB of the RAM that the host had") for advice in diagnosis.advice)


def test_ram_with_errors_is_evidence() -> None:
    diagnosis = diagnose_incident(memory=Memory(ram_bytes=GIB, hwpoisoned_bytes=64 << 20))
    assert diagnosis.evidence.count(
        "64.0 MiB of RAM was out of use, because the hardware had reported errors in it (hwpoisoned)."
    )
    assert any(advice.why.startswith("64.0 MiB of the RAM") for advice in diagnosis.advice)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"memory": None}, "so its circumstances"),
        ({}, "so some of its circumstances"),
        ({"memory": None, "limit": Limit(usage_bytes=1)}, "so some of its circumstances"),
    ],
)
def test_what_a_cut_report_shows_is_not_said_to_be_unknown(changes: dict[str, t.Any], words: str) -> None:
    assert find_sentences("The log does not hold", tasks=(), complete=False, **changes) == [
        f"The log does not hold the whole report of this kill, {words} are unknown."
    ]


def test_systemd_oomd_acts_on_no_memory_limit() -> None:
    changes = {"killer": "systemd-oomd", "scope": "memcg", "limit_cgroup": "/user.slice", "memory": None}
    assert find_sentences("The cgroup", **changes) == []


def test_swap_that_a_table_does_not_show_is_not_counted() -> None:
    tasks = (Task("a", 1, rss_bytes=4096), Task("b", 2, rss_bytes=8192))
    (sentence,) = find_sentences("b (pid 2)", tasks=tasks)
    assert sentence.startswith("b (pid 2) held the most: 8.0 KiB of RAM (the table does not show swap).")


def test_version_1_of_cgroups_counts_memory_and_swap_together() -> None:
    limit = Limit(usage_bytes=4096, swap_usage_bytes=8192, memsw=True)
    assert find_sentences("The cgroup used", scope="memcg", limit=limit) == [
        "The cgroup used 4.0 KiB of RAM, and 8.0 KiB of RAM and swap together."
    ]
