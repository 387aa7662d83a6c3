# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.drawing import (
    Bar,
    draw_free_lists,
    draw_limit,
    draw_ram,
    draw_shares,
    draw_swap,
    find_share,
    list_processes,
)
from ansible_collections.oomguard.linux.tests.browser.fleets import read_fixture

MIB = 1 << 20


def read_event(name: str) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", read_fixture(name)["events"][0])


def list_parts(drawn: Bar | None) -> dict[str, int]:
    assert drawn is not None
    return {segment.label: segment.size for segment in drawn.segments}


def make_memory(**breakdown: int | None) -> dict[str, t.Any]:
    return {"memory": {"ram_bytes": 1000 * MIB, "breakdown": breakdown}}


def test_parts_of_the_ram_fill_the_bar() -> None:
    drawn = draw_ram(read_event("handmade-incident"))

    assert drawn is not None
    assert sum(segment.width for segment in drawn.segments) == pytest.approx(100, abs=1)


def test_parts_of_a_bar_are_side_by_side() -> None:
    drawn = draw_ram(make_memory(anonymous_bytes=500 * MIB, page_cache_bytes=300 * MIB, free_bytes=200 * MIB))

    assert drawn is not None
    assert [(one.x, one.width) for one in drawn.segments] == [(0.0, 50.0), (50.0, 30.0), (80.0, 20.0)]


def test_small_parts_are_one() -> None:
    drawn = draw_ram(make_memory(shmem_bytes=MIB, kernel_stacks_bytes=2 * MIB, free_bytes=997 * MIB))

    assert list_parts(drawn) == {"Other": 3 * MIB, "Free": 997 * MIB}


def test_little_free_memory_is_shown() -> None:
    drawn = draw_ram(make_memory(anonymous_bytes=999 * MIB, free_bytes=MIB))

    assert list_parts(drawn) == {"Anonymous": 999 * MIB, "Free": MIB}


def test_unknown_part_is_not_drawn() -> None:
    assert list_parts(draw_ram(make_memory(anonymous_bytes=None, free_bytes=MIB))) == {"Free": MIB}


def test_parts_never_leave_the_bar() -> None:
    drawn = draw_ram(make_memory(anonymous_bytes=900 * MIB, page_cache_bytes=900 * MIB))

    assert drawn is not None
    assert drawn.segments[-1].x + drawn.segments[-1].width == 100


@pytest.mark.parametrize("event", [{}, {"memory": None}, {"memory": {"ram_bytes": None}}])
def test_unknown_ram_is_not_drawn(event: dict[str, t.Any]) -> None:
    assert draw_ram(event) is None


def test_swap_is_used_and_free() -> None:
    memory = {"swap_total_bytes": 10, "swap_used_bytes": 4, "swap_free_bytes": 6}

    assert list_parts(draw_swap({"memory": memory})) == {"Used": 4, "Free": 6}


def test_host_without_swap_has_no_bar() -> None:
    assert draw_swap({"memory": {"swap_total_bytes": 0}}) is None


def test_limit_has_the_parts_of_its_cgroup() -> None:
    limit = {"usage_bytes": 90, "limit_bytes": 100, "stat": {"anon": 60, "file": 20, "kernel": 7}}

    parts = {"Anonymous": 60, "Page cache": 20, "Kernel memory": 7, "Other": 3}
    assert list_parts(draw_limit({"limit": limit})) == parts


def test_unknown_part_of_a_limit_is_other() -> None:
    limit = {"usage_bytes": 90, "limit_bytes": 100, "stat": {"anon": None, "file": 20, "kernel": None}}

    assert list_parts(draw_limit({"limit": limit})) == {"Page cache": 20, "Other": 70}


def test_limit_of_a_real_report_is_used_up() -> None:
    event = read_event("trixie-6.12-memcg")

    assert sum(list_parts(draw_limit(event)).values()) == event["limit"]["usage_bytes"]


@pytest.mark.parametrize("limit", [None, {"usage_bytes": 1, "limit_bytes": None}])
def test_unknown_limit_is_not_drawn(limit: dict[str, t.Any] | None) -> None:
    assert draw_limit({"limit": limit}) is None


def test_shares_of_standings_have_their_colours() -> None:
    assert [segment.css for segment in draw_shares({"down": 1, "killed": 0, "clean": 3}).segments] == ["down", "clean"]


def test_no_hosts_have_an_empty_bar() -> None:
    assert draw_shares({"clean": 0}) == Bar(0, ())


def test_victim_is_marked() -> None:
    processes = list_processes(read_event("handmade-incident"))

    assert [(one.pid, one.is_victim) for one in processes[:2]] == [(20114, True), (20230, False)]


def test_largest_process_has_the_widest_bar() -> None:
    largest = list_processes(read_event("handmade-incident"))[0]

    assert largest.rss_width + largest.swap_width == pytest.approx(100, abs=0.1)


def test_table_is_not_longer_than_eight() -> None:
    assert len(list_processes(read_event("handmade-incident"))) == 8


def test_unknown_tasks_are_none() -> None:
    assert list_processes({"tasks": None}) == ()


def test_free_blocks_are_in_the_order_of_their_sizes() -> None:
    lists = draw_free_lists(read_event("handmade-incident"))

    assert lists is not None
    assert lists.sizes == tuple(sorted(lists.sizes))


def test_nodes_are_named_if_there_are_several() -> None:
    lists = draw_free_lists(read_event("bookworm-6.1-swap"))

    assert lists is not None
    assert [zone.name for zone in lists.zones] == ["DMA of node 0", "DMA32 of node 0", "DMA32 of node 1"]


def test_cell_is_the_darker_the_more_memory_it_holds() -> None:
    zone = {"node": 0, "zone": "Normal", "free_bytes": 100, "free_blocks": {"1": 5, "10": 2, "25": 3, "50": 0}}
    lists = draw_free_lists({"zones": [zone]})

    assert lists is not None
    assert [cell.css for cell in lists.zones[0].cells] == ["h1", "h2", "h4", "h0"]


def test_report_without_zones_has_no_lists() -> None:
    assert draw_free_lists({"zones": []}) is None


@pytest.mark.parametrize(
    ("part", "whole", "share"), [(1, 3, 33.33), (5, 4, 100), (None, 4, 0), (1, None, 0), (1, 0, 0)]
)
def test_share(part: float | None, whole: float | None, share: float) -> None:
    assert find_share(part, whole) == share
