# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a unit after a kill in it."""

from __future__ import annotations

import types
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.effects import add_effects
from ansible_collections.oomguard.linux.plugins.module_utils._oom.incident.incident import (
    Incident,
    UnitEffect,
    build_incident,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.model import (
    Line,
    OomReport,
    Origin,
    Victim,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    EXITED,
    FAILED,
    OUT_OF_MEMORY,
    RESTART,
    STARTED,
    STOPPED,
    UnitRecord,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.units import UnitState, UnitStates

UNIT = "apache2.service"
STAYED = UnitEffect(unit=UNIT, stopped=False, restarted=False)
DOWN = UnitEffect(unit=UNIT, result="oom-kill", stopped=True, restarted=False)
UNKNOWN = UnitEffect(unit=UNIT)


def incident(
    at: float = 1000, *, cgroup: str | None = f"/system.slice/{UNIT}", group: bool = False, boot: str = "b"
) -> Incident:
    line = Line("Killed process 7 (hog)", int(at * 1e6), int(at * 1e6), "c", Origin(boot))
    return build_incident(OomReport(first=line, last=line, victims=(Victim("hog", 7),), cgroup=cgroup, group=group))


def make_record(what: str, at: float, *, unit: str = UNIT, boot: str = "b", **more: t.Any) -> UnitRecord:
    return UnitRecord(unit, what, int(at * 1e6), int(at * 1e6), boot, **more)


def failed(at: float, result: str = "oom-kill") -> UnitRecord:
    return make_record(FAILED, at, result=result)


def know_policies(policies: dict[str, str] | None) -> UnitStates:
    """Return what systemd says if it says no more than the policies."""
    if policies is None:
        return UnitStates()

    states = {unit: UnitState(unit, oom_policy=policy) for unit, policy in policies.items()}
    return UnitStates(states, is_known=True)


def effect(
    records: list[UnitRecord],
    policies: dict[str, str] | None = None,
    *,
    boots: t.Mapping[str, float] = types.MappingProxyType({"b": 9000, "c": 10000}),
    **options: t.Any,
) -> UnitEffect | None:
    ends = {boot: int(at * 1e6) for boot, at in boots.items()}
    return add_effects([incident(**options)], records, know_policies(policies), boots=ends)[0].effect


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ([], UNKNOWN),
        ([make_record(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([make_record(OUT_OF_MEMORY, 1000.1), failed(1009)], DOWN),
        ([make_record(OUT_OF_MEMORY, 1000.1), failed(1190)], DOWN),
        ([make_record(OUT_OF_MEMORY, 1045), failed(1046)], DOWN),
        ([failed(1009)], DOWN),
        ([make_record(OUT_OF_MEMORY, 998), failed(999)], DOWN),
        ([failed(950), make_record(STARTED, 960), make_record(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([failed(990), make_record(STARTED, 991), make_record(OUT_OF_MEMORY, 1000.1)], STAYED),
        ([make_record(OUT_OF_MEMORY, 1000.1), make_record(OUT_OF_MEMORY, 1500), failed(1501)], STAYED),
        (
            [make_record(OUT_OF_MEMORY, 1000.1), make_record(STOPPED, 1100), make_record(STARTED, 1101), failed(1501)],
            STAYED,
        ),
        ([make_record(OUT_OF_MEMORY, 1000.1), make_record(OUT_OF_MEMORY, 1035), failed(1036)], STAYED),
        ([make_record(OUT_OF_MEMORY, 1000.1), failed(1001, "exit-code")], DOWN._replace(result="exit-code")),
        ([make_record(OUT_OF_MEMORY, 1020), failed(1021, "signal")], DOWN._replace(result="signal")),
        ([failed(1001, "signal")], DOWN._replace(result="signal")),
        ([make_record(OUT_OF_MEMORY, 1000.1), failed(1009, "signal")], UNKNOWN),
        ([make_record(OUT_OF_MEMORY, 998), failed(999, "exit-code")], UNKNOWN),
        ([make_record(OUT_OF_MEMORY, 998), failed(1002.5, "exit-code")], DOWN._replace(result="exit-code")),
        ([make_record(OUT_OF_MEMORY, 998), failed(1003.5, "exit-code")], UNKNOWN),
        ([make_record(OUT_OF_MEMORY, 1000.1), failed(1700, "exit-code")], STAYED),
        (
            [make_record(OUT_OF_MEMORY, 1000.1), make_record(FAILED, 1009, unit="other.service", result="oom-kill")],
            STAYED,
        ),
        ([make_record(OUT_OF_MEMORY, 1000.1), make_record(FAILED, 1009, boot="c", result="oom-kill")], STAYED),
    ],
    ids=[
        "nothing is logged",
        "it keeps running",
        "it is stopped",
        "stopping it takes long",
        "systemd is late",
        "systemd's notice is missing",
        "systemd's records come first",
        "an earlier failure",
        "an earlier failure shortly before",
        "a failure after another kill",
        "a failure after another start",
        "a failure soon after another kill",
        "a failure with another result at once",
        "a failure with another result at once when systemd is late",
        "a failure with another result at once without a notice",
        "a failure with another result a little later",
        "a failure with another result that comes first",
        "a failure with another result at once when systemd's notice comes first",
        "a failure with another result a little later when systemd's notice comes first",
        "a failure with another result much later",
        "a failure of another unit",
        "a failure in another boot",
    ],
)
def test_whether_the_unit_went_down(records: list[UnitRecord], expected: UnitEffect) -> None:
    assert effect(records) == expected


@pytest.mark.parametrize(
    ("policy", "until", "stopped"),
    [("stop", 1010, None), ("stop", 1200, False), ("continue", 1010, False)],
    ids=["it may be stopping", "it would have stopped", "the policy lets it run"],
)
def test_a_unit_stayed_up_once_it_has_had_time_to_stop(policy: str, until: float, stopped: bool | None) -> None:
    found = effect([make_record(OUT_OF_MEMORY, 1000.1)], {UNIT: policy}, boots={"b": until})
    assert found is not None
    assert found.stopped is stopped


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_it_is_unknown_whether_a_unit_stayed_up_if_the_host_went_down(policy: str) -> None:
    records = [make_record(OUT_OF_MEMORY, 1000.1), make_record(STARTED, 1605, boot="c")]
    found = effect(records, {UNIT: policy}, boots={"b": 1005, "c": 9000})
    assert found is not None
    assert found.stopped is None


def effects(kills: t.Sequence[float], records: list[UnitRecord]) -> list[tuple[str | None, bool | None, bool]]:
    incidents = add_effects([incident(at) for at in kills], records, UnitStates(), boots={"b": 10**10})
    found = [one.effect for one in incidents if one.effect]
    return [(one.result, one.stopped, one.main_process_killed) for one in found]


def main_process_killed(at: float) -> list[UnitRecord]:
    return [make_record(OUT_OF_MEMORY, at), make_record(EXITED, at + 0.05, killed=True), failed(at + 0.1, "signal")]


UP = (None, False, False)
UNKNOWN_EFFECT = (None, None, False)
ENDED = ("signal", True, True)


@pytest.mark.parametrize(
    ("kills", "records", "expected"),
    [
        ([1000, 1005], [make_record(OUT_OF_MEMORY, 1000.1), *main_process_killed(1005.1)], [UP, ENDED]),
        ([1000, 1004.9], main_process_killed(1005), [UNKNOWN_EFFECT, ENDED]),
        (
            [1000, 1005],
            [*main_process_killed(1000.1), make_record(STARTED, 1001), make_record(OUT_OF_MEMORY, 1005.1)],
            [ENDED, UP],
        ),
        (
            [1000, 1005],
            [
                *main_process_killed(1000.1),
                make_record(STARTED, 1001),
                make_record(OUT_OF_MEMORY, 1005.1),
                failed(1006),
            ],
            [ENDED, ("oom-kill", True, False)],
        ),
        ([1000, 1060], [make_record(OUT_OF_MEMORY, 1000.1), *main_process_killed(1059)], [UP, ENDED]),
        ([1000, 1005], [*main_process_killed(999), make_record(OUT_OF_MEMORY, 1005.1)], [(None, None, True), UP]),
        (
            [1000, 1005],
            [make_record(OUT_OF_MEMORY, 1000.1), make_record(OUT_OF_MEMORY, 1005.1), failed(1009)],
            [("oom-kill", True, False)] * 2,
        ),
    ],
    ids=[
        "the second ends it",
        "they are noticed at once",
        "the first ends it",
        "each ends it",
        "systemd's records of the second come first",
        "systemd's records of the first come first",
        "it is being stopped already",
    ],
)
def test_a_failure_belongs_to_the_last_kill_before_it(
    kills: list[float], records: list[UnitRecord], expected: list[tuple[str | None, bool | None, bool]]
) -> None:
    assert effects(kills, records) == expected


def test_the_kill_that_ended_the_unit_is_found_after_many_that_did_not() -> None:
    kills = [1000 + number * 0.4 for number in range(2000)]
    notices = [make_record(OUT_OF_MEMORY, at + 0.1) for at in kills]
    found = effects([*kills, 1800], [*notices, *main_process_killed(1800.1)])
    assert (found[-1], found[0], found[1990]) == (ENDED, UP, UP)


def test_a_stop_is_found_among_later_kills() -> None:
    notices = [make_record(OUT_OF_MEMORY, 1000 + number * 0.1) for number in range(1, 200)]
    assert effects([1000], [*notices, failed(1020)]) == [("oom-kill", True, False)]


def test_the_clock_may_be_set_back() -> None:
    set_back = [record._replace(realtime_us=record.realtime_us - 10**9) for record in [failed(1002)]]
    found = effect([*set_back, make_record(OUT_OF_MEMORY, 1000.1), make_record(STARTED, 1005)])
    assert found == DOWN._replace(down_seconds=3.0)


def test_a_boot_with_a_wrong_time_follows_the_boot_before_it() -> None:
    start = [
        make_record(RESTART, 904, boot="c"),
        make_record(STARTED, 905, boot="c"),
        make_record(STARTED, 5000, boot="d"),
    ]
    found = effect([*start, make_record(OUT_OF_MEMORY, 1000.1), failed(1009)], boots={"b": 2000, "c": 4000, "d": 9000})
    assert found is not None
    assert (found.restarted, found.down_seconds) == (True, None)


def test_a_start_on_another_host_does_not_end_an_outage() -> None:
    here = [record._replace(hostname="h1") for record in [make_record(OUT_OF_MEMORY, 1000.1), failed(1002)]]
    there = [make_record(what, at, boot="c")._replace(hostname="h2") for what, at in ((RESTART, 1499), (STARTED, 1500))]
    assert effect([*here, *there]) == DOWN


def test_a_renamed_host_is_the_same_host() -> None:
    records = [make_record(OUT_OF_MEMORY, 1000.1)._replace(hostname="localhost"), failed(1002)._replace(hostname="h1")]
    assert effect(records) == DOWN


def test_an_outage_begins_with_the_end_of_the_main_process() -> None:
    found = effect(
        [make_record(OUT_OF_MEMORY, 1000.1), make_record(EXITED, 1000.2), failed(1089), make_record(STARTED, 1090.2)]
    )
    assert found == DOWN._replace(down_seconds=90.0)


def test_an_outage_begins_with_the_failure_if_the_end_of_the_main_process_is_unknown() -> None:
    before = [make_record(EXITED, 900), failed(900.1), make_record(STARTED, 901)]
    found = effect([*before, make_record(OUT_OF_MEMORY, 1000.1), failed(1089), make_record(STARTED, 1090.2)])
    assert found == DOWN._replace(down_seconds=1.2)


@pytest.mark.parametrize(
    ("later", "restarted", "down_seconds"),
    [
        ([], False, None),
        ([make_record(RESTART, 1010), make_record(STARTED, 1010.5)], True, 1.5),
        ([make_record(STARTED, 4609)], False, 3600.0),
        ([make_record(STARTED, 5000, boot="c")], False, 3991.0),
    ],
    ids=["never", "by systemd", "by hand", "after a boot"],
)
def test_how_the_unit_came_back(later: list[UnitRecord], restarted: bool, down_seconds: float | None) -> None:
    found = effect([make_record(OUT_OF_MEMORY, 1000.1), failed(1009), *later])
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
    records = [make_record(OUT_OF_MEMORY, 1000.1), make_record(EXITED, 1000.2, killed=True), failed(1000.3, result)]
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
        (None, [UNIT, "other.service"], UNIT),
        (None, ["system.slice"], None),
        ("/", [UNIT], UNIT),
        ("/kubepods/burstable/pod1", [UNIT], None),
    ],
    ids=["one", "several", "a slice", "the root cgroup", "another cgroup"],
)
def test_the_unit_is_the_one_systemd_named_if_the_cgroup_is_unknown(
    cgroup: str | None, units: list[str], unit: str | None
) -> None:
    records = [make_record(OUT_OF_MEMORY, 1001, unit=name) for name in units]
    assert add_effects([incident(cgroup=cgroup)], records, UnitStates(), boots={"b": 0})[0].place.unit == unit


UP_NOW = UnitState(UNIT, active_state="active", up_us=500_000_000)
DOWN_NOW = UnitState(UNIT, active_state="failed", result="oom-kill", down_us=1_001_000_000)


@pytest.mark.parametrize(
    ("state", "stopped", "result"),
    [
        (DOWN_NOW, True, "oom-kill"),
        (DOWN_NOW._replace(down_us=990_000_000), True, "oom-kill"),
        (DOWN_NOW._replace(result="exit-code"), None, None),
        (UP_NOW, False, None),
        (UP_NOW._replace(up_us=1_001_000_000), None, None),
        (UP_NOW._replace(was_restarted=True), None, None),
    ],
    ids=[
        "down because of it",
        "down before journald received the kill",
        "down for another reason",
        "up since before",
        "up again",
        "restarted before journald received the kill",
    ],
)
def test_systemd_settles_what_the_journal_leaves_open(
    state: UnitState, *, stopped: bool | None, result: str | None
) -> None:
    found = add_effects([incident()], [], UnitStates({UNIT: state}, "b"), boots={"b": 10**10})[0].effect
    assert (found.stopped, found.result) == (stopped, result)


def test_systemd_settles_nothing_of_an_earlier_boot() -> None:
    found = add_effects([incident()], [], UnitStates({UNIT: DOWN_NOW}, "c"), boots={"b": 10**10})[0].effect
    assert (found.stopped, found.is_up) == (None, False)


def test_only_the_last_kill_before_the_unit_went_down_took_it_down() -> None:
    kills = [incident(at) for at in (900, 1000)]
    placed = add_effects(kills, [], UnitStates({UNIT: DOWN_NOW}, "b"), boots={"b": 10**10})
    assert [one.effect.stopped for one in placed] == [None, True]


def test_a_unit_that_the_journal_shows_to_have_stayed_up_did_so_whatever_became_of_it_later() -> None:
    states = UnitStates({UNIT: DOWN_NOW._replace(down_us=8_000_000_000)}, "b")
    found = add_effects([incident()], [make_record(OUT_OF_MEMORY, 1000.1)], states, boots={"b": 10**10})[0].effect
    assert found.stopped is False


KMSG_FAILURE = failed(1001)._replace(trusted=False)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (None, DOWN._replace(confirmed=False, restarted=None)),
        (DOWN_NOW, DOWN._replace(is_up=False)),
        (UP_NOW, STAYED._replace(is_up=True)),
    ],
    ids=["systemd is not asked", "systemd confirms it", "systemd refutes it"],
)
def test_failure_that_came_through_kmsg_is_settled_by_systemd(state: UnitState | None, expected: UnitEffect) -> None:
    states = UnitStates({UNIT: state} if state else {}, "b")
    assert add_effects([incident()], [KMSG_FAILURE], states, boots={"b": 10**10})[0].effect == expected


def test_kill_is_not_put_into_a_unit_that_only_kmsg_names() -> None:
    notice = make_record(OUT_OF_MEMORY, 1000.1)._replace(trusted=False)
    assert add_effects([incident(cgroup=None)], [notice], UnitStates(), boots={"b": 0})[0].place.unit is None


def test_a_note_names_all_units_that_a_kill_may_have_been_in() -> None:
    notices = [make_record(OUT_OF_MEMORY, 1000.1), make_record(OUT_OF_MEMORY, 1000.2, unit="user@1500.service")]
    placed = add_effects([incident(cgroup=None)], [*notices, failed(1001)], UnitStates(), boots={"b": 0})[0]
    assert (placed.place.unit, placed.effect.stopped) == (UNIT, True)
    (note,) = placed.notes
    assert note == (
        "The report names no cgroup, and systemd noticed OOM kills in several units at that time: apache2.service, "
        "user@1500.service. This kill is counted for the likeliest, apache2.service."
    )
