# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of an incident, computed once."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import (
    RamSizes,
    compute_figures,
    find_lost_ram,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, Memory, Origin
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import GIB, REPORT

INCIDENT = build_incident(REPORT)


def test_all_zones_are_weighed() -> None:
    assert [supply.zone.zone for supply in compute_figures(INCIDENT).supplies] == ["DMA", "DMA32"]


def test_survivors_have_their_cgroups() -> None:
    figures = compute_figures(INCIDENT._replace(cgroups={1: "/system.slice/ssh.service"}))
    assert "/system.slice/ssh.service" in [cgroup for cgroup, _tasks, _sums in figures.consumers.cgroups]


def test_without_figures_of_the_memory_there_is_no_breakdown() -> None:
    assert compute_figures(build_incident(REPORT._replace(memory=None))).parts is None


@pytest.mark.parametrize(
    ("reports", "lost"),
    [
        ([("a", 64), ("a", 56)], [0, 8 * GIB]),
        ([("a", 56), ("a", 64), ("a", 56)], [0, 0, 8 * GIB]),
        ([("a", 64), ("a", 62)], [0, 0]),
        ([("a", 64), ("b", 56)], [0, 0]),
        ([(None, 64), (None, 56)], [0, 0]),
        ([("a", 64), ("a", None), ("a", 32)], [0, 0, 32 * GIB]),
    ],
    ids=["lost", "lost again", "another kernel", "another host", "no host", "unknown"],
)
def test_ram_is_lost_if_an_earlier_report_of_the_host_has_more(
    reports: list[tuple[str | None, int | None]], lost: list[int]
) -> None:
    sizes = RamSizes()
    found = []
    for host, gib in reports:
        line = Line("Out of memory", origin=Origin(hostname=host))
        memory = Memory(ram_bytes=gib and gib * GIB)
        found.append(find_lost_ram(compute_figures(build_incident(REPORT._replace(last=line, memory=memory)), sizes)))
    assert found == lost
