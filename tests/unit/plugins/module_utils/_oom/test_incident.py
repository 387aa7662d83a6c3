# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a unit after a kill in it."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.facts import Line, OomReport, Origin, Victim
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident import (
    Incident,
    UnitEffect,
    incident_of,
    with_effects,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    STOPPED,
    UnitRecord,
)

UNIT = "apache2.service"
STAYED = UnitEffect(unit=UNIT, stopped=False, restarted=False)
DOWN = UnitEffect(unit=UNIT, result="oom-kill", stopped=True, restarted=False)
UNKNOWN = UnitEffect(unit=UNIT)


def incident(
    at: float = 1000, *, cgroup: str | None = f"/system.slice/{UNIT}", group: bool = False, boot: str = "b"
) -> Incident:
    line = Line("Killed process 7 (hog)", int(at * 1e6), int(at * 1e6), "c", Origin(boot))
    return incident_of(OomReport(first=line, last=line, victims=(Victim("hog", 7),), cgroup=cgroup, group=group))


def said(what: str, at: float, *, unit: str = UNIT, boot: str = "b", **more: t.Any) -> UnitRecord:
    return UnitRecord(unit, what, int(at * 1e6), int(at * 1e6), boot, **more)


def failed(at: float, result: str = "oom-kill") -> UnitRecord:
    return said(FAILED, at, result=result)


def effect(
    records: list[UnitRecord], policies: dict[str, str] | None = None, *, until: float = 9000, **options: t.Any
) -> UnitEffect | None:
    return with_effects([incident(**options)], records, policies, until_us=int(until * 1e6))[0].effect


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], UNKNOWN),
        ([said(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), failed(1009)], DOWN),
        ([said(OUT_OF_MEMORY, 1000.1), failed(1190)], DOWN),
        ([said(OUT_OF_MEMORY, 1045), failed(1046)], DOWN),
        ([failed(1009)], DOWN),
        ([said(OUT_OF_MEMORY, 998), failed(999)], DOWN),
        ([failed(950), said(STARTED, 960), said(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([failed(990), said(STARTED, 991), said(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), said(OUT_OF_MEMORY, 1500), failed(1501)], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), said(STOPPED, 1100), said(STARTED, 1101), failed(1501)], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), failed(1009, "signal")], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), said(FAILED, 1009, unit="other.service", result="oom-kill")], STAYED),
        ([said(OUT_OF_MEMORY, 1000.1), said(FAILED, 1009, boot="c", result="oom-kill")], STAYED),
    ],
    ids=[
        "nothing is logged",
        "it goes on",
        "it is ended",
        "its stopping takes long",
        "systemd is late",
        "systemd's notice is missing",
        "systemd's records come first",
        "an earlier failure",
        "an earlier failure shortly before",
        "a failure after another kill",
        "a failure after another start",
        "a failure of another kind",
        "a failure of another unit",
        "a failure in another boot",
    ],
)
def test_whether_the_unit_went_down(records: list[UnitRecord], expected: UnitEffect) -> None:
    assert effect(records) == expected


@pytest.mark.parametrize(
    ("policy", "until", "stopped"),
    [("stop", 1010, None), ("stop", 1200, False), ("continue", 1010, False)],
    ids=["it may be stopping", "it would have stopped", "it is not to stop"],
)
def test_that_a_unit_stayed_up_takes_time_to_tell(policy: str, until: float, stopped: bool | None) -> None:
    found = effect([said(OUT_OF_MEMORY, 1000.1)], {UNIT: policy}, until=until)
    assert found is not None
    assert found.stopped is stopped


@pytest.mark.parametrize(
    ("later", "restarted", "down_seconds"),
    [
        ([], False, None),
        ([said(RESTART, 1010), said(STARTED, 1010.5)], True, 1.5),
        ([said(STARTED, 4609)], False, 3600.0),
        ([said(STARTED, 5000, boot="c")], False, 3991.0),
    ],
    ids=["never", "by systemd", "by hand", "after a boot"],
)
def test_how_the_unit_came_back(later: list[UnitRecord], restarted: bool, down_seconds: float | None) -> None:
    found = effect([said(OUT_OF_MEMORY, 1000.1), failed(1009), *later])
    assert found is not None
    assert (found.restarted, found.down_seconds) == (restarted, down_seconds)


@pytest.mark.parametrize(
    ("options", "policies", "result", "main"),
    [
        ({}, None, "oom-kill", True),
        ({}, {UNIT: "continue"}, "signal", True),
        ({}, {UNIT: "kill"}, "oom-kill", False),
        ({}, {UNIT: "kill"}, "signal", False),
        ({"group": True}, None, "oom-kill", False),
        ({"group": True}, None, "signal", False),
    ],
    ids=["stop", "continue", "kill", "kill since then", "a whole group", "a group below the unit"],
)
def test_whether_the_main_process_was_the_victim(
    options: dict[str, t.Any], policies: dict[str, str] | None, result: str, main: bool
) -> None:
    records = [said(OUT_OF_MEMORY, 1000.1), said(EXITED, 1000.2, killed=True), failed(1000.3, result)]
    found = effect(records, policies, **options)
    assert found is not None
    assert (found.result, found.main_process_killed) == (result, main)


@pytest.mark.parametrize(
    ("policies", "policy", "gone"),
    [(None, None, False), ({UNIT: "stop"}, "stop", False), ({}, None, True)],
    ids=["not asked", "known", "unknown to systemd"],
)
def test_the_policy_in_force(policies: dict[str, str] | None, policy: str | None, gone: bool) -> None:
    found = effect([], policies)
    assert found is not None
    assert (found.oom_policy, found.gone) == (policy, gone)


@pytest.mark.parametrize(
    ("cgroup", "units", "unit"),
    [
        (None, [UNIT, "system.slice"], UNIT),
        (None, [UNIT, "other.service"], None),
        (None, ["system.slice"], None),
        ("/", [UNIT], UNIT),
        ("/kubepods/burstable/pod1", [UNIT], None),
    ],
    ids=["one", "several", "a slice", "the root cgroup", "another cgroup"],
)
def test_without_a_cgroup_the_unit_is_the_one_that_systemd_names(
    cgroup: str | None, units: list[str], unit: str | None
) -> None:
    records = [said(OUT_OF_MEMORY, 1001, unit=name) for name in units]
    assert with_effects([incident(cgroup=cgroup)], records, None, until_us=0)[0].place.unit == unit


def test_the_key_tells_kills_apart() -> None:
    assert incident().key == "b-1000000000-7"
