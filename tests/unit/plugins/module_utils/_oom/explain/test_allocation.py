# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The memory that each zone had for a request, checked on the kernel's own reports."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.allocation import (
    Supply,
    compute_supplies,
    describe_purpose,
    find_allowed_nodes,
    find_highest_zone,
    find_impossible_zones,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.log_lines import read_log
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    Memory,
    OomReport,
    Trigger,
    Zone,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

FIXTURES = Path(__file__).parents[1] / "fixtures"
KB = 1024


def read(name: str) -> OomReport:
    with (FIXTURES / f"{name}.log").open(encoding="utf-8", newline="\n") as file:
        (report,) = (item for item in read_reports(read_log(file)) if isinstance(item, OomReport))
    return report


def list_supplies(name: str) -> list[tuple[int | None, str, int, int | None, bool]]:
    return [
        (supply.zone.node, supply.zone.zone, (supply.margin_bytes or 0) // KB, supply.reserve_bytes, supply.is_enough)
        for supply in compute_supplies(read(name))
    ]


def test_the_zones_of_an_exhausted_host_are_just_below_their_minimum() -> None:
    assert list_supplies("bullseye-5.10-global") == [
        (0, "DMA", -12, 203 * 4096, False),
        (0, "DMA32", -40, 0, False),
        (1, "DMA32", -132, 0, False),
    ]


def test_the_zones_of_the_incident_are_at_their_minimum() -> None:
    assert list_supplies("handmade-incident") == [(0, "DMA", 24, 931 * 4096, True), (0, "DMA32", 416, 0, True)]


@pytest.mark.parametrize("name", ["bullseye-5.10-order", "bookworm-6.1-order", "trixie-6.12-order"])
def test_a_fragmented_host_has_memory_but_no_block(name: str) -> None:
    assert {(supply.is_enough, supply.fitting_blocks) for supply in compute_supplies(read(name))} == {(True, 0)}


@pytest.mark.parametrize("name", ["bullseye-5.10-sysrq", "bookworm-6.1-sysrq", "trixie-6.12-sysrq"])
def test_a_manual_kill_requests_no_memory(name: str) -> None:
    assert {(supply.usable, supply.margin_bytes) for supply in compute_supplies(read(name))} == {(False, None)}


def test_a_zone_without_memory_is_not_usable() -> None:
    lines = [
        "oom-killer: gfp_mask=0xd0, order=0",
        "DMA free:2048kB min:40kB low:50kB high:60kB present:16000kB",
        "lowmem_reserve[]: 0 0 500",
        "DMA32 free:0kB min:0kB low:0kB high:0kB present:0kB",
        "lowmem_reserve[]: 0 0 500",
        "Normal free:2000kB min:2100kB low:2600kB high:3100kB present:500000kB",
        "DMA: 2*4kB 0*8kB = 8kB",
    ]
    (report,) = (item for item in read_reports(map(Line, lines)) if isinstance(item, OomReport))
    assert [(supply.zone.zone, supply.usable) for supply in compute_supplies(report)] == [
        ("DMA", True),
        ("DMA32", False),
        ("Normal", True),
    ]


@pytest.mark.parametrize(
    ("flags", "zone"),
    [
        ((), "Movable"),
        (("GFP_HIGHUSER_MOVABLE", "__GFP_ZERO"), "Movable"),
        (("__GFP_HIGHMEM", "__GFP_MOVABLE", "__GFP_IO", "__GFP_FS"), "Movable"),
        (("GFP_TRANSHUGE_LIGHT",), "Movable"),
        (("GFP_HIGHUSER", "__GFP_ACCOUNT"), "HighMem"),
        (("__GFP_HIGHMEM", "__GFP_IO"), "HighMem"),
        (("GFP_KERNEL", "__GFP_COMP"), "Normal"),
        (("GFP_ATOMIC", "__GFP_HIGH"), "Normal"),
        (("GFP_USER", "__GFP_MOVABLE"), "Normal"),
        (("GFP_KERNEL", "GFP_DMA32"), "DMA32"),
        (("GFP_KERNEL", "__GFP_DMA"), "DMA"),
    ],
)
def test_flags_determine_the_highest_zone(flags: tuple[str, ...], zone: str) -> None:
    assert find_highest_zone(flags) == zone


@pytest.mark.parametrize(
    ("flags", "purpose"),
    [
        (("GFP_HIGHUSER_MOVABLE",), "for a process"),
        (("GFP_USER", "__GFP_WRITE"), "for a process"),
        (("GFP_KERNEL",), "for the kernel"),
        (("GFP_NOFS", "__GFP_NOFAIL"), "for the kernel, without permission to wait for a disk"),
    ],
)
def test_flags_determine_the_purpose(flags: tuple[str, ...], purpose: str) -> None:
    assert describe_purpose(flags) == purpose


@pytest.mark.parametrize(
    ("nodemask", "mems_allowed", "nodes"),
    [
        (None, None, None),
        ("(null)", "0-1", None),
        ("(null)", "1", {1}),
        ("0", "0-1", {0}),
        ("0,1", None, None),
        ("0-3", None, None),
        ("x", "-1", None),
        ("0-99999", None, None),
    ],
)
def test_a_request_can_be_bound_to_nodes(
    nodemask: str | None, mems_allowed: str | None, nodes: set[int] | None
) -> None:
    report = OomReport(
        first=Line(""), last=Line(""), nodemask=nodemask, mems_allowed=mems_allowed, zones=(zone(), zone(node=1))
    )
    assert find_allowed_nodes(report) == nodes


def zone(name: str = "Normal", *, node: int = 0, reserve: tuple[int, ...] = (0, 0, 0, 0), **changes: t.Any) -> Zone:
    made = Zone(
        node=node,
        zone=name,
        free_bytes=1000 * KB,
        min_bytes=100 * KB,
        low_bytes=125 * KB,
        high_bytes=150 * KB,
        lowmem_reserve_bytes=tuple(pages * 4096 for pages in reserve),
        free_blocks={4096: 10, 32768: 2},
    )
    return made._replace(**changes)


def supply(*zones: Zone, order: int = 0, flags: tuple[str, ...] = ("GFP_KERNEL",)) -> Supply:
    trigger = Trigger("a", order=order, gfp_flags=flags)
    return compute_supplies(OomReport(first=Line(""), last=Line(""), trigger=trigger, zones=zones, page_size=4096))[0]


@pytest.mark.parametrize(
    ("changes", "flags", "margin_kb"),
    [
        ({}, ("GFP_KERNEL",), 900),
        ({"reserved_highatomic_bytes": 300 * KB}, ("GFP_KERNEL",), 600),
        ({"free_cma_bytes": 500 * KB}, ("GFP_KERNEL",), 400),
        ({"free_cma_bytes": 500 * KB}, ("GFP_HIGHUSER_MOVABLE",), 900),
    ],
)
def test_memory_kept_for_others_is_not_in_the_margin(
    changes: dict[str, t.Any], flags: tuple[str, ...], margin_kb: int
) -> None:
    assert supply(zone(**changes), flags=flags).margin_bytes == margin_kb * KB


@pytest.mark.parametrize(
    ("types", "flags", "fitting", "kept", "kinds"),
    [
        ({}, ("GFP_KERNEL",), 2, 0, ""),
        ({32768: "UE"}, ("GFP_KERNEL",), 2, 0, ""),
        ({32768: "C"}, ("GFP_KERNEL",), 0, 2, "C"),
        ({32768: "C"}, ("GFP_HIGHUSER_MOVABLE",), 2, 0, ""),
        ({32768: "H"}, ("GFP_HIGHUSER_MOVABLE",), 0, 2, "H"),
        ({32768: "HC", 4096: "I"}, ("GFP_KERNEL",), 0, 2, "HC"),
        ({32768: "UH"}, ("GFP_KERNEL",), 2, 0, ""),
    ],
)
def test_blocks_that_are_kept_for_others_do_not_fit(
    types: dict[int, str], flags: tuple[str, ...], fitting: int, kept: int, kinds: str
) -> None:
    result = supply(zone(block_types=types), order=3, flags=flags)
    assert (result.fitting_blocks, result.kept_blocks, result.kept_types) == (fitting, kept, frozenset(kinds))


@pytest.mark.parametrize(
    ("flags", "pages"),
    [(("GFP_KERNEL",), 50), (("GFP_HIGHUSER_MOVABLE",), 90), (("GFP_DMA",), 0)],
    ids=["up to Normal", "up to HighMem", "up to DMA"],
)
def test_a_low_zone_keeps_memory_from_requests_that_could_use_a_higher_zone(flags: tuple[str, ...], pages: int) -> None:
    zones = (zone("DMA", reserve=(0, 50, 90, 90)), zone(reserve=(0, 0, 40, 40)), zone("HighMem"))
    assert supply(*zones, flags=flags).reserve_bytes == pages * 4096


def test_a_zone_that_the_request_cannot_use_has_no_margin() -> None:
    assert supply(zone("HighMem"), zone()) == Supply(zone("HighMem"), usable=False)


def test_fitting_blocks_are_unknown_without_a_buddy_list() -> None:
    assert supply(zone(free_blocks={})).fitting_blocks is None


NEGATIVE_PAGES = 2**56 - 71


def two_zones(**changes: t.Any) -> OomReport:
    """Return a report of a low zone, and of one with these changes."""
    trigger, ram = Trigger("a", order=0), Memory(ram_bytes=1 << 30)
    zones = (zone("DMA"), zone(**changes))
    return OomReport(first=Line(""), last=Line(""), trigger=trigger, memory=ram, zones=zones, page_size=4096)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, []),
        ({"min_bytes": NEGATIVE_PAGES * 4096}, ["Normal"]),
        ({"present_bytes": 99 * KB}, ["Normal"]),
        ({"present_bytes": 101 * KB}, []),
        ({"present_bytes": 0}, []),
        ({"lowmem_reserve_bytes": (0, 0, NEGATIVE_PAGES * 4096)}, ["Normal"]),
        ({"present_bytes": 1000 * KB, "lowmem_reserve_bytes": (0, 2000 * KB)}, []),
    ],
    ids=["possible", "negative", "above the zone", "within it", "no memory", "reserve", "reserve above the zone"],
)
def test_a_watermark_above_the_memory_is_impossible(changes: dict[str, t.Any], names: list[str]) -> None:
    assert [impossible.zone for impossible in find_impossible_zones(two_zones(**changes))] == names


@pytest.mark.parametrize(("changes", "is_known"), [({}, True), ({"min_bytes": NEGATIVE_PAGES * 4096}, False)])
def test_one_impossible_watermark_makes_all_margins_unknown(changes: dict[str, t.Any], is_known: bool) -> None:
    assert [own.margin_bytes is not None for own in compute_supplies(two_zones(**changes))] == [is_known] * 2


def test_a_zone_is_named_with_its_node_if_there_are_several() -> None:
    assert supply(zone(), zone(node=1)).name == f"{zone().zone} of node {zone().node}"
    assert supply(zone()).name == zone().zone
