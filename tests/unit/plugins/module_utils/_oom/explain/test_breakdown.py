# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the RAM add up to it, in every report of the lab's kernels and in made-up ones."""

from __future__ import annotations

import math
import typing as t
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.breakdown import Breakdown, break_down
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Memory, OomReport
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

FIXTURES = Path(__file__).parents[1] / "fixtures"
MIB = 1024 * 1024


def memory_of(path: Path) -> Memory | None:
    with path.open(encoding="utf-8", newline="\n") as file:
        (report,) = (item for item in read_reports(read_log(file)) if isinstance(item, OomReport))
    return report.memory


MEMORIES = {path.stem: memory for path in sorted(FIXTURES.glob("*.log")) for memory in [memory_of(path)] if memory}
REAL = [name for name in MEMORIES if not name.startswith("handmade")]


@pytest.mark.parametrize("name", MEMORIES)
def test_the_parts_add_up_to_the_ram(name: str) -> None:
    parts = break_down(MEMORIES[name])
    assert parts is not None
    assert sum(parts.list_parts(at_least=-math.inf).values()) == MEMORIES[name].ram_bytes


def test_enough_reports_are_read() -> None:
    assert len(REAL) >= 18


@pytest.mark.parametrize("name", REAL)
def test_all_parts_of_a_real_report_are_known(name: str) -> None:
    parts = break_down(MEMORIES[name])
    assert parts is not None
    assert None not in parts


@pytest.mark.parametrize("name", REAL)
def test_little_of_a_real_report_is_unaccounted_for(name: str) -> None:
    parts, ram = break_down(MEMORIES[name]), MEMORIES[name].ram_bytes or 0
    assert parts is not None
    assert 0 <= parts.unaccounted_bytes < 0.1 * ram


def test_the_incident_is_broken_down() -> None:
    assert break_down(MEMORIES["handmade-incident"]) == Breakdown(
        anonymous_bytes=213800 * 4096,
        page_cache_bytes=91 * 4096,
        shmem_bytes=112 * 4096,
        slab_reclaimable_bytes=3890 * 4096,
        slab_unreclaimable_bytes=7722 * 4096,
        page_tables_bytes=3990 * 4096,
        kernel_stacks_bytes=2160 * 1024,
        huge_pages_bytes=0,
        free_bytes=12305 * 4096,
        reserved_bytes=16059 * 4096,
        unaccounted_bytes=14348288,
    )


def break_down_memory(**changes: t.Any) -> Breakdown | None:
    counters = {"active_anon": 300 * MIB, "inactive_file": 60 * MIB, "unevictable": 40 * MIB, "free_pcp": 2 * MIB}
    memory = Memory(
        ram_bytes=512 * MIB,
        free_bytes=10 * MIB,
        page_cache_bytes=90 * MIB,
        swap_cache_bytes=5 * MIB,
        shmem_bytes=20 * MIB,
        counters=counters,
    )
    return break_down(memory._replace(**changes))


@pytest.mark.parametrize(
    ("part", "size"),
    [
        ("anonymous_bytes", 315 * MIB),
        ("page_cache_bytes", 65 * MIB),
        ("shmem_bytes", 20 * MIB),
        ("free_bytes", 12 * MIB),
        ("slab_reclaimable_bytes", None),
        ("unaccounted_bytes", 100 * MIB),
    ],
)
def test_shared_memory_and_the_swap_cache_are_counted_once(part: str, size: int | None) -> None:
    assert getattr(break_down_memory(), part) == size


def test_an_old_kernel_without_lists_of_anonymous_memory_is_broken_down() -> None:
    parts = break_down_memory(counters={"Active": 300 * MIB, "inactive": 100 * MIB}, shmem_bytes=None)
    assert parts is not None
    assert (parts.anonymous_bytes, parts.page_cache_bytes, parts.shmem_bytes) == (315 * MIB, 85 * MIB, None)


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"slab_unreclaimable_bytes": 1 * MIB}, 99 * MIB),
        ({"slab_unreclaimable_bytes": None}, 0),
        ({"slab_unreclaimable_bytes": 1 * MIB, "page_cache_bytes": None}, 0),
    ],
)
def test_nothing_is_missing_if_large_parts_are_unknown(changes: dict[str, t.Any], missing: int) -> None:
    parts = break_down_memory(**changes)
    assert parts is not None
    assert parts.missing_bytes == missing


@pytest.mark.parametrize("changes", [{"ram_bytes": None}, {"free_bytes": None}])
def test_a_cut_report_has_no_breakdown(changes: dict[str, t.Any]) -> None:
    assert break_down_memory(**changes) is None


def test_parts_that_contradict_the_whole_still_add_up() -> None:
    parts = break_down_memory(free_bytes=600 * MIB)
    assert parts is not None
    assert sum(parts.list_parts(at_least=-math.inf).values()) == 512 * MIB
