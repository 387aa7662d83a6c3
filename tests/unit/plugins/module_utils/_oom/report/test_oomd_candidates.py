# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cgroups that systemd-oomd considered belong to the kill that it logs after them."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Candidate,
    Line,
    OomReport,
    Origin,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.oomd_candidates import OomdCandidates
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.reader import read_reports

HEADING = "Considered 60 cgroups for killing, top candidates were:"
PRESSURE = (
    HEADING,
    "\tPath: /system.slice/build.service",
    "\t\tMemory Pressure Limit: 0.00%",
    "\t\tPressure: Avg10: 93.66 Avg60: 38.22 Avg300: 9.48 Total: 29s",
    "\t\tCurrent Memory Usage: 1.5G",
    "\t\tMemory Min: 0B",
    "\t\tMemory Low: 0B",
    "\t\tPgscan: 181098",
    "\t\tLast Pgscan: 178926",
    "\tPath: /system.slice/a: b.service",
    "\t\tCurrent Memory Usage: 0B",
)
SWAP = (HEADING, "        Path: /user.slice", "                Swap Usage: 20.5M")
KILL = "Killed /system.slice/build.service due to memory pressure for /system.slice being 85.03% > 80.00% for > 2s"
BUILD = Candidate("/system.slice/build.service", 3 << 29, None, 93.66, 181098)


def read(*texts: str, hosts: str = "") -> list[OomReport]:
    lines = []
    for number, text in enumerate(texts):
        host = hosts[number : number + 1] or "a"
        lines.append(Line(text, origin=Origin(hostname=host, source="systemd-oomd")))
    reports = list(read_reports(lines))
    assert all(isinstance(report, OomReport) for report in reports)
    return [report for report in reports if isinstance(report, OomReport)]


def test_candidates_under_memory_pressure_are_read() -> None:
    (report,) = read(*PRESSURE, KILL)
    assert report.candidates == (BUILD, Candidate("/system.slice/a: b.service", 0))


def test_candidates_by_use_of_swap_are_read() -> None:
    (report,) = read(*SWAP, KILL)
    assert report.candidates == (Candidate("/user.slice", swap_bytes=int(20.5 * 1024 * 1024)),)


def test_candidates_belong_to_one_kill() -> None:
    first, second = read(*PRESSURE, KILL, KILL.replace("build", "other"))
    assert (len(first.candidates), second.candidates) == (2, ())


def test_a_heading_begins_new_candidates() -> None:
    (report,) = read(*PRESSURE, *SWAP, KILL)
    assert [candidate.cgroup for candidate in report.candidates] == ["/user.slice"]


def test_candidates_of_another_host_are_not_those_of_a_kill() -> None:
    (report,) = read(*SWAP, KILL, hosts="bbba")
    assert report.candidates == ()


@pytest.mark.parametrize(
    "texts",
    [SWAP[1:], (HEADING, SWAP[2]), (HEADING, "Path: relative"), (HEADING, "Swap Usage: 1X"), ("Pgscan: 1",)],
    ids=["no heading", "no path", "no cgroup", "no size", "a row alone"],
)
def test_other_lines_are_no_candidates(texts: tuple[str, ...]) -> None:
    (report,) = read(*texts, KILL)
    assert report.candidates == ()


def test_the_number_of_candidates_and_hosts_is_limited() -> None:
    candidates = OomdCandidates()
    for host in map(str, range(99)):
        for text in (HEADING, *["Path: /a"] * 99):
            assert candidates.take(Line(text, origin=Origin(hostname=host)))
    counts = [len(candidates.pop(Line("", origin=Origin(hostname=str(host))))) for host in range(99)]
    assert counts == [0] * 83 + [20] * 16
