# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of an incident, computed once."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.figures import compute_figures
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import build_incident
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import REPORT

INCIDENT = build_incident(REPORT)


def test_all_zones_are_weighed() -> None:
    assert [supply.zone.zone for supply in compute_figures(INCIDENT).supplies] == ["DMA", "DMA32"]


def test_survivors_have_their_cgroups() -> None:
    figures = compute_figures(INCIDENT._replace(cgroups={1: "/system.slice/ssh.service"}))
    assert "/system.slice/ssh.service" in [cgroup for cgroup, _tasks, _sums in figures.consumers.cgroups]


def test_without_figures_of_the_memory_there_is_no_breakdown() -> None:
    assert compute_figures(build_incident(REPORT._replace(memory=None))).parts is None
