# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the kinds of kills."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.kinds import add_units, group_kills
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import make_kill


def test_kills_of_one_unit_victim_and_cause_are_one_kind_oldest_first() -> None:
    kills = [make_kill(3), make_kill(1), make_kill(2)]
    (kind,) = group_kills(kills)
    assert (kind.unit, kind.victim, kind.cause) == ("shop.service", "worker", "cgroup_limit")
    assert [*kind.kills] == [kills[1], kills[2], kills[0]]


@pytest.mark.parametrize("changes", [{"unit": "a.service"}, {"victim": "other"}, {"cause": "low_zone"}])
def test_kills_that_differ_are_of_several_kinds_the_most_frequent_first(changes: dict[str, str]) -> None:
    kinds = group_kills([make_kill(1, **changes), make_kill(2), make_kill(3)])
    assert [len(kind.kills) for kind in kinds] == [2, 1]


def test_kills_of_unknown_cause_are_of_the_kind_of_the_others() -> None:
    (kind,) = group_kills([make_kill(1, cause="unknown"), make_kill(2)])
    assert (kind.cause, len(kind.kills)) == ("cgroup_limit", 2)


def test_kills_of_unknown_cause_are_a_kind_if_the_others_have_several() -> None:
    kinds = group_kills([make_kill(1, cause="unknown"), make_kill(2), make_kill(3, cause="low_zone")])
    assert {kind.cause for kind in kinds} == {"unknown", "cgroup_limit", "low_zone"}


@pytest.mark.parametrize(
    ("units", "name"),
    [
        (("session-7.scope", "session-c12.scope"), "session-*.scope"),
        (("run-u7.service", "run-p3-i4.service", "run-r0f3a.service"), "run-*.service"),
    ],
)
def test_numbered_units_are_of_one_kind(units: tuple[str, ...], name: str) -> None:
    (kind,) = group_kills([make_kill(hours, unit=unit) for hours, unit in enumerate(units)])
    assert kind.unit == name


def test_other_units_with_numbers_keep_their_names() -> None:
    assert len(group_kills([make_kill(1, unit="web@1.service"), make_kill(2, unit="web@2.service")])) == 2


def test_kills_without_a_unit_are_in_the_unit_of_the_others() -> None:
    kills = add_units([make_kill(1, unit=""), make_kill(2), make_kill(3, unit="", victim="other")])
    assert [kill.unit for kill in kills] == ["shop.service", "shop.service", ""]


def test_kills_without_a_unit_are_in_a_numbered_unit_of_the_others() -> None:
    kills = [make_kill(1, unit=""), make_kill(2, unit="session-1.scope"), make_kill(3, unit="session-2.scope")]
    (kind,) = group_kills(add_units(kills))
    assert (kind.unit, len(kind.kills)) == ("session-*.scope", 3)


def test_kills_without_a_unit_stay_apart_if_the_others_have_several() -> None:
    kills = [make_kill(1, unit=""), make_kill(2), make_kill(3, unit="web.service")]
    assert add_units(kills) == kills
