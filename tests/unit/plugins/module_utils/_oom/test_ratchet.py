# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ten rounds of a kill and its remedies: what an unprivileged process causes takes no more of the host each time."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.findings import Findings
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.host_now import HostNow
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import (
    Incident,
    UnitEffect,
    build_incident,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    Memory,
    OomReport,
    Origin,
    Task,
    Victim,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.plugins.module_utils._size import parse_size
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    CAUSES,
    GIB,
    PAGE,
    REQUEST,
)

ROUNDS = 10
MOST_SWAP = 10 * GIB
SIZES = ("swap_size", "fcgid_recycler_limit", "oom_policy_memory_max", "oom_policy_memory_high")


class SimulatedHost:
    """A host whose remedies are all applied after each kill by a process that fills whatever there is."""

    def __init__(self, *, ram: int, disk: int, swap: int = 0) -> None:
        self.ram = ram
        self.disk_free = disk
        self.swap = swap
        self.applied: dict[str, int] = {}
        self.kills: list[Incident] = []

    def kill(self, *, name: str, swap_free_share: float = 0, **changes: t.Any) -> None:
        """Have the kernel kill a process that holds all of the RAM and the used part of the swap."""
        free = int(self.swap * swap_free_share)
        held = Task(name, 7, rss_bytes=self.ram * 9 // 10, swap_bytes=self.swap - free)
        line = Line(
            f"Out of memory: Killed process 7 ({name})", monotonic_us=len(self.kills), origin=Origin(hostname="shop")
        )
        report = OomReport(
            first=line,
            last=line,
            scope="global",
            trigger=REQUEST,
            victims=(Victim(name=name, pid=7),),
            cgroup="/system.slice/apache2.service",
            memory=Memory(ram_bytes=self.ram, swap_total_bytes=self.swap, swap_free_bytes=free),
            tasks=(held,),
            page_size=PAGE,
            complete=True,
        )
        effect = UnitEffect("apache2.service", "oom-kill", stopped=True, restarted=False, oom_policy="stop")
        self.kills.append(build_incident(report._replace(**changes))._replace(effect=effect))

    def remediate(self) -> list[dict[str, t.Any]]:
        """Apply all remedies and return them."""
        now = HostNow(self.swap, has_fcgid=True, disk_free_bytes=self.disk_free)
        findings = Findings(tuple(self.kills), (), (), Coverage(), host_now=now, trusted=True)
        remedies: list[dict[str, t.Any]] = build_result(findings, tasks="none", top=0)["remedies"]
        for remedy in remedies:
            for name in SIZES:
                if name in remedy["variables"]:
                    self._apply(name, parse_size(remedy["variables"][name]))

        return remedies

    def _apply(self, name: str, size: int) -> None:
        self.applied[name] = size
        if name == "swap_size":
            added = max(size - self.swap, 0)
            assert added <= self.disk_free
            self.disk_free -= added
            self.swap += added


@pytest.mark.parametrize("is_history_kept", [True, False], ids=["history kept", "journal rotated"])
@pytest.mark.parametrize("ram", [GIB // 4, GIB, 4 * GIB, 64 * GIB])
@pytest.mark.parametrize("cause", CAUSES)
def test_ten_rounds_stay_within_the_bound(cause: str, ram: int, *, is_history_kept: bool) -> None:
    host = SimulatedHost(ram=ram, disk=1024 * GIB)
    taken = []
    for number in range(ROUNDS):
        if not is_history_kept:
            host.kills.clear()
        host.kill(name=f"hog{number}", **CAUSES[cause])
        host.remediate()
        taken.append({"swap": host.swap, **host.applied})

    assert host.swap <= min(MOST_SWAP, 10 * ram)
    assert taken[-1] == taken[ROUNDS // 2]


@pytest.mark.parametrize("ram", [GIB // 4, GIB, 4 * GIB, 64 * GIB])
def test_swap_is_raised_once_if_it_does_not_help(ram: int) -> None:
    host = SimulatedHost(ram=ram, disk=1024 * GIB)
    sizes = []
    for number in range(ROUNDS):
        host.kill(name=f"hog{number}")
        host.remediate()
        sizes.append(host.swap)

    assert sizes[0] > 0
    assert set(sizes) == {sizes[0]}


def test_the_disk_is_never_filled() -> None:
    seed = random.SystemRandom().randrange(2**32)
    chosen = random.Random(seed)
    for _round in range(60):
        disk = chosen.randrange(64 * GIB)
        host = SimulatedHost(ram=chosen.randrange(GIB // 4, 64 * GIB), disk=disk, swap=chosen.randrange(4 * GIB))
        for number in range(ROUNDS):
            host.kill(name=f"hog{number}")
            host.remediate()
        assert host.disk_free >= disk // 2, f"seed {seed}"


def test_a_leak_is_named_after_the_first_raise() -> None:
    host = SimulatedHost(ram=GIB, disk=1024 * GIB)
    host.kill(name="hog")
    host.remediate()
    host.kill(name="hog")
    assert "swap" not in [remedy["role"] for remedy in host.remediate()]
    findings = Findings(tuple(host.kills), (), (), Coverage(), host_now=HostNow(host.swap))
    newest = build_result(findings, tasks="none", top=0)["events"][-1]
    assert newest["diagnosis"]["advice"][0]["what"].startswith("Limit the memory of hog in apache2.service")
