# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of systemd's records, and the kill that each belongs to."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.unit_life import (
    Clock,
    Moment,
    Notices,
    UnitLife,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    UnitRecord,
)

CLOCK = Clock({"a": 2_000_000_000, "b": 9_000_000_000})


def make_record(
    what: str, at: float, *, unit: str = "web.service", boot: str = "b", killed: bool = False
) -> UnitRecord:
    at_us = int(at * 1_000_000)
    return UnitRecord(unit, what, at_us, at_us, boot, killed=killed)


def make_moment(at: float, boot: str = "b") -> Moment:
    return CLOCK.find_moment(make_record(OUT_OF_MEMORY, at, boot=boot))


def test_moments_are_ordered_by_boot_first() -> None:
    assert make_moment(500, "a") < make_moment(3, "b")


@pytest.mark.parametrize(("boot", "is_last"), [("a", False), ("b", True), ("unknown", False)])
def test_the_last_boot_is_known(boot: str, is_last: bool) -> None:
    assert CLOCK.is_in_last_boot(make_moment(1, boot)) is is_last


@pytest.mark.parametrize(
    ("notices", "units"),
    [
        ([("web.service", 100)], ["web.service"]),
        ([("web.service", 71), ("web.service", 129)], ["web.service"]),
        ([("web.service", 100), ("db.service", 101)], ["web.service", "db.service"]),
        ([("web.service", 98), ("db.service", 101)], ["db.service", "web.service"]),
        ([("web.service", 100), ("db.service", 131)], ["web.service"]),
        ([("web.service", 100), ("system.slice", 101)], ["web.service"]),
        ([("web.service", 69)], []),
        ([], []),
    ],
    ids=["one", "twice the same", "two units", "the later is nearer", "too late", "a slice", "too early", "none"],
)
def test_the_units_of_notices_near_a_kill(notices: list[tuple[str, float]], units: list[str]) -> None:
    records = [make_record(OUT_OF_MEMORY, at, unit=name) for name, at in notices]
    assert Notices(CLOCK, records).find_units_near(make_moment(100)) == units


def test_a_unit_that_failed_because_of_a_kill_is_likelier_than_a_nearer_one() -> None:
    records = [
        make_record(OUT_OF_MEMORY, 101, unit="user@1500.service"),
        make_record(OUT_OF_MEMORY, 103),
        make_record(FAILED, 104)._replace(result="oom-kill"),
    ]
    assert Notices(CLOCK, records).find_units_near(make_moment(100)) == ["web.service", "user@1500.service"]


def test_a_failure_because_of_a_kill_is_enough_to_know_the_unit() -> None:
    records = [make_record(FAILED, 104)._replace(result="oom-kill")]
    assert Notices(CLOCK, records).find_units_near(make_moment(100)) == ["web.service"]


def test_only_the_nearest_notices_of_a_storm_are_examined() -> None:
    records = [make_record(OUT_OF_MEMORY, 80 + number / 100, unit=f"{number}.service") for number in range(4000)]
    units = Notices(CLOCK, records).find_units_near(make_moment(100))
    assert (units[0], len(units)) == ("2000.service", 128)


@pytest.mark.parametrize(
    ("at", "kill"),
    [(99, 100), (101, 100), (129.9, 100), (185, 200), (205, 200), (131, None), (69, None)],
    ids=[
        "just before",
        "just after",
        "late",
        "before the next",
        "after the next",
        "too late for one, too early for the next",
        "too early",
    ],
)
def test_the_kill_of_an_event(at: float, kill: float | None) -> None:
    life = UnitLife(CLOCK, [], [make_moment(100), make_moment(200)])
    assert life.find_kill(make_moment(at)) == (kill and make_moment(kill))


def test_events_are_found_around_a_moment() -> None:
    life = UnitLife(CLOCK, [make_record(FAILED, at) for at in (30, 10, 20)])
    last = life.find_last(FAILED, make_moment(20))
    following = life.find_next(FAILED, make_moment(20))
    assert (last and last.at, following and following.at) == (make_moment(10), make_moment(20))


def test_events_are_found_within_bounds() -> None:
    life = UnitLife(CLOCK, [make_record(FAILED, 10), make_record(FAILED, 5, boot="a")])
    assert life.find_next(FAILED, make_moment(5), make_moment(10)) is None
    assert life.find_last(FAILED, make_moment(20), make_moment(11)) is None
    assert life.find_next(FAILED, make_moment(6, "a"), make_moment(6, "a").end_of_boot) is None


def test_no_event_of_another_kind_is_found() -> None:
    life = UnitLife(CLOCK, [make_record(FAILED, 10)])
    assert (life.find_last(EXITED, make_moment(20)), life.find_next(EXITED, make_moment(0))) == (None, None)


def test_the_kill_of_the_main_process_is_known() -> None:
    kills = [make_moment(100), make_moment(200)]
    life = UnitLife(CLOCK, [make_record(EXITED, 100.1), make_record(EXITED, 200.1, killed=True)], kills)
    assert life.main_process_kills == {make_moment(200)}


@pytest.mark.parametrize(("begin", "end", "expected"), [(99, 100, True), (100, 101, False), (99, 99.5, False)])
def test_a_kill_between_two_moments(begin: float, end: float, expected: bool) -> None:
    life = UnitLife(CLOCK, [], [make_moment(100)])
    assert life.has_kill_between(make_moment(begin), make_moment(end)) is expected
