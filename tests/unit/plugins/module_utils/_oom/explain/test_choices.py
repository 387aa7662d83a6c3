# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies that people choose: where they fit, and that they are not automatic."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.choices import suggest_for_thrashing
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.remedies import Remedy
from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.swap_size import UNLIMITED, SwapLimits
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import (
    Incident,
    UnitEffect,
    build_incident,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Task
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.explain.factories import (
    GIB,
    REPORT,
    diagnose_incident,
    make_memory,
)

Kill = tuple[Incident, str]

SMALL = make_memory(0, 0)
LARGE = SMALL._replace(ram_bytes=32 * GIB)
FULL_DISK = SwapLimits(disk_bytes=GIB // 8)
RAISED = SwapLimits(least_exhausted_bytes=GIB, most_exhausted_bytes=4 * GIB)
ZRAM = SwapLimits(has_zram=True)
SESSION = "/user.slice/user-1500.slice/session-3.scope"


def find_remedies(role: str, limits: SwapLimits = UNLIMITED, **changes: t.Any) -> list[Remedy]:
    """Return the remedies with that role for a host without swap, with these changes to the report."""
    return [remedy for remedy in diagnose_incident(limits=limits, **changes).remedies if remedy.role == role]


@pytest.mark.parametrize(
    ("limits", "changes", "reason"),
    [
        (UNLIMITED, {"memory": SMALL}, "The host has only 1.0 GiB of RAM."),
        (UNLIMITED, {"memory": LARGE}, None),
        (FULL_DISK, {"memory": LARGE, "tasks": (Task("a", 1, rss_bytes=25 * GIB),)}, "The disk has no room"),
        (ZRAM, {"memory": SMALL}, None),
        (RAISED, {"memory": SMALL}, None),
        (UNLIMITED, {"memory": make_memory(GIB, GIB // 2)}, None),
        (UNLIMITED, {"memory": SMALL, "scope": "memcg"}, None),
    ],
    ids=["small RAM", "much RAM", "full disk", "has zram", "leak", "swap free", "limit of a cgroup"],
)
def test_zram_is_suggested_where_it_fits(limits: SwapLimits, changes: dict[str, t.Any], reason: str | None) -> None:
    reasons = [remedy.why for remedy in find_remedies("zram", limits, **changes)]
    assert [why.startswith(reason or "none") for why in reasons] == [True] * bool(reason)


@pytest.mark.parametrize(
    ("changes", "is_suggested"),
    [
        ({"cgroup": SESSION}, True),
        ({"cgroup": "/system.slice/apache2.service"}, False),
        ({"cgroup": None}, False),
        ({"cgroup": SESSION, "scope": "memcg"}, False),
    ],
)
def test_systemd_oomd_is_suggested_for_the_users_of_a_host(changes: dict[str, t.Any], *, is_suggested: bool) -> None:
    assert bool(find_remedies("systemd_oomd", **changes)) is is_suggested


STARVED = Coverage(is_journald_starved=True)
HERE = UnitEffect()
GONE = UnitEffect("run-u1.service", gone=True)


def make_kill(cgroup: str | None, cause: str = "ram_and_swap_exhausted", effect: UnitEffect = HERE) -> Kill:
    """Return a kill in a cgroup, with its cause."""
    return build_incident(REPORT._replace(cgroup=cgroup))._replace(effect=effect), cause


@pytest.mark.parametrize("is_starved", [True, False])
def test_systemd_oomd_is_suggested_after_thrashing(*, is_starved: bool) -> None:
    assert bool(list(suggest_for_thrashing(Coverage(is_journald_starved=is_starved), ()))) is is_starved


@pytest.mark.parametrize(
    ("kills", "units"),
    [
        ([make_kill("/system.slice/shop.service")], ["shop.service"]),
        ([make_kill("/system.slice/b.service"), make_kill("/system.slice/a.service")], ["a.service", "b.service"]),
        ([make_kill(SESSION)], ["user.slice"]),
        ([make_kill("/system.slice/shop.service", "cgroup_limit")], []),
        ([make_kill("/system.slice/run-u1.service", effect=GONE)], []),
        ([make_kill("/system.slice/docker-1.scope")], []),
        ([make_kill(None)], []),
    ],
    ids=["service", "services", "user", "own limit", "gone", "container", "unknown"],
)
def test_units_that_were_killed_while_the_host_thrashed_are_named(kills: list[Kill], units: list[str]) -> None:
    (remedy,) = suggest_for_thrashing(STARVED, kills)
    assert list(remedy.variables.get("systemd_oomd_units", ())) == units
    assert ("In these units" in remedy.why) is bool(units)


def test_no_choice_is_automatic() -> None:
    found = [*diagnose_incident(cgroup=SESSION, memory=SMALL).remedies]
    found += suggest_for_thrashing(STARVED, ())
    automatic = {remedy.role: remedy.automatic for remedy in found}
    assert automatic == {"swap": True, "zram": False, "systemd_oomd": False}
