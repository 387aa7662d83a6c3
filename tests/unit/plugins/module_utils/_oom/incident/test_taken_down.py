# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units that OOM kills took down."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import (
    Incident,
    UnitEffect,
    build_incident,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.taken_down import (
    TakenDown,
    add_missing_kills,
    add_unconfirmed,
    list_taken_down,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import Line, OomReport, Origin
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import FAILED, STOPPED, UnitRecord
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import Outage, UnitState, UnitStates

UNIT = "shop.service"
STATE = UnitState(UNIT, active_state="failed", result="oom-kill")
OUTAGE = Outage(STATE, 2_000_000_000)
NOT_FOUND = "According to systemd, OOM kills took down units, but no event shows such a kill"


def make_record(at: int, what: str = FAILED, result: str = "oom-kill", unit: str = UNIT) -> UnitRecord:
    return UnitRecord(unit, what, at * 1_000_000, at * 1_000_000, "b", result)


def make_incident(at: int, unit: str = UNIT, *, stopped: bool | None = True, confirmed: bool = True) -> Incident:
    line = Line("Killed process 7 (hog)", at * 1_000_000, at * 1_000_000, "c", Origin("b"))
    effect = UnitEffect(unit, result="oom-kill", stopped=stopped, confirmed=confirmed)
    return build_incident(OomReport(first=line, last=line))._replace(effect=effect)


def list_units(
    incidents: t.Sequence[Incident] = (), records: t.Sequence[UnitRecord] = (), outages: t.Sequence[Outage] = ()
) -> tuple[TakenDown, ...]:
    return list_taken_down(incidents, records, UnitStates({UNIT: STATE}), outages)


@pytest.mark.parametrize(
    ("sources", "units"),
    [
        ({}, []),
        ({"incidents": [make_incident(1)]}, [UNIT]),
        ({"incidents": [make_incident(1, stopped=None)]}, []),
        ({"records": [make_record(1)]}, [UNIT]),
        ({"records": [make_record(1, result="signal")]}, []),
        ({"records": [make_record(1, STOPPED)]}, []),
        ({"outages": [OUTAGE]}, [UNIT]),
        ({"incidents": [make_incident(1, "b.service")], "records": [make_record(1, unit="a.service")]}, None),
    ],
    ids=[
        "nothing",
        "a kill",
        "a kill with an unknown effect",
        "a failure",
        "another failure",
        "a stop",
        "systemd",
        "two units",
    ],
)
def test_every_source_names_units(sources: dict[str, t.Any], units: list[str] | None) -> None:
    assert [unit.unit for unit in list_units(**sources)] == (units if units is not None else ["a.service", "b.service"])


@pytest.mark.parametrize(
    ("sources", "at"),
    [
        ({"records": [make_record(5), make_record(9), make_record(7)]}, 9),
        ({"records": [make_record(5)], "outages": [OUTAGE]}, 2000),
        ({"records": [make_record(5)], "incidents": [make_incident(4)]}, 5),
        ({"incidents": [make_incident(4), make_incident(6)]}, 6),
    ],
    ids=["failures", "systemd", "a kill and its failure", "kills"],
)
def test_the_last_time_counts(sources: dict[str, t.Any], at: int) -> None:
    assert list_units(**sources)[0].time_us == at * 1_000_000


def test_the_last_kill_is_the_one_that_took_the_unit_down() -> None:
    kills = [make_incident(4), make_incident(6)]
    assert list_units(kills)[0].incident == kills[1]


def test_the_state_of_the_unit_is_the_present_one() -> None:
    assert list_units([make_incident(4)])[0].state == STATE


# The unit was started at 2 seconds, and its main process was killed at 5.
SIGNALLED = STATE._replace(result="signal", main_process_killed=True, up_us=2_000_000)


@pytest.mark.parametrize(
    ("state", "main", "boot", "is_killed"),
    [
        (SIGNALLED, True, "b", True),
        (STATE, False, "a", True),
        (SIGNALLED, False, "b", False),
        (SIGNALLED, True, "a", False),
        (SIGNALLED._replace(up_us=6_000_000), True, "b", False),
        (SIGNALLED._replace(result="exit-code"), True, "b", False),
        (SIGNALLED._replace(main_process_killed=False), True, "b", False),
    ],
    ids=["signal", "oom-kill", "another process", "earlier boot", "started since", "another end", "ended by itself"],
)
def test_a_unit_that_ended_with_its_main_process_is_killed(
    state: UnitState, boot: str, *, main: bool, is_killed: bool
) -> None:
    incident = make_incident(5)
    incident = incident._replace(effect=incident.effect._replace(result="signal", main_process_killed=main))
    (unit,) = list_taken_down([incident], [], UnitStates({UNIT: state}, boot), [])
    assert unit.is_oom_killed is is_killed


@pytest.mark.parametrize(
    ("records", "confirmed"), [([], False), ([make_record(5)], True)], ids=["through kmsg alone", "also by systemd"]
)
def test_a_unit_is_confirmed_once_systemd_itself_says_so(records: list[UnitRecord], *, confirmed: bool) -> None:
    assert list_units([make_incident(4, confirmed=False)], records)[0].confirmed is confirmed


@pytest.mark.parametrize(
    ("sources", "first_us", "gaps", "notes"),
    [
        ({"outages": [OUTAGE]}, 0, (f"{NOT_FOUND}: {UNIT}.",), ()),
        ({"outages": [OUTAGE]}, 3_000_000_000, (), (f"{NOT_FOUND}, as the journal begins later: {UNIT}.",)),
        ({"outages": [OUTAGE], "incidents": [make_incident(1900)]}, 0, (), ()),
        ({"outages": [OUTAGE], "incidents": [make_incident(4)]}, 0, (f"{NOT_FOUND}: {UNIT}.",), ()),
    ],
    ids=["not found", "before the journal begins", "found", "only that of an earlier outage found"],
)
def test_a_unit_without_a_kill_is_said(
    sources: dict[str, t.Any], first_us: int, gaps: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    coverage = add_missing_kills(Coverage(first_us=first_us), list_units(**sources))
    assert (coverage.gaps, coverage.notes) == (gaps, notes)


def test_a_unit_that_another_gap_names_is_not_named_twice() -> None:
    assert add_missing_kills(Coverage(), list_units(outages=[OUTAGE]), named=[UNIT]).gaps == ()


UNCONFIRMED = "Only the kernel's log, to which other programs can write, says that OOM kills took down units"
REFUTED = (
    "Untrusted records: written to /dev/kmsg in the name of systemd, which says that the units stayed up: shop.service."
)
FROM_KMSG = make_record(5)._replace(trusted=False)


def test_a_unit_that_only_kmsg_names_is_not_taken_down() -> None:
    assert list_units(records=[FROM_KMSG]) == ()


@pytest.mark.parametrize(
    ("state", "boot", "gaps", "notes"),
    [
        (UnitState(UNIT), "b", (f"{UNCONFIRMED}: {UNIT}.",), ()),
        (UnitState(UNIT, active_state="active", up_us=4_000_000), "b", (), (REFUTED,)),
        (UnitState(UNIT, active_state="active", up_us=4_000_000), "c", (f"{UNCONFIRMED}: {UNIT}.",), ()),
        (UnitState(UNIT, active_state="active", up_us=6_000_000), "b", (f"{UNCONFIRMED}: {UNIT}.",), ()),
    ],
    ids=["systemd is not asked", "it is up since before", "in another boot", "it is up since later"],
)
def test_a_unit_that_only_kmsg_names_is_said(
    state: UnitState, boot: str, gaps: tuple[str, ...], notes: tuple[str, ...]
) -> None:
    coverage = add_unconfirmed(Coverage(), (), [FROM_KMSG], UnitStates({UNIT: state}, boot))
    assert (coverage.gaps, coverage.notes) == (gaps, notes)


def test_of_many_units_that_only_kmsg_names_the_first_are_named() -> None:
    records = [FROM_KMSG._replace(unit=f"{number}.service") for number in range(5000)]
    gap = add_unconfirmed(Coverage(), (), records, UnitStates()).gaps[0]
    assert gap.endswith("9.service and 4990 more.")
