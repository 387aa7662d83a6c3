# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.culprits import (
    OTHERS,
    UNKNOWN,
    Culprit,
    group_kills,
    list_units,
    parse_time,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    list_kills,
    make_record,
    make_short_event,
    make_unit,
    sum_up,
)

SHOP = Culprit("shop.service", "leak.fcgi", "cgroup_limit")


def test_equal_kills_are_one_group() -> None:
    record = make_record(kinds=list_kills(make_short_event(), make_short_event(id="2")))
    assert [*group_kills(record)] == [SHOP]
    assert len(group_kills(record)[SHOP]) == 2


def test_culprits_beyond_the_tenth_are_others() -> None:
    record = make_record(kinds=list_kills(*[make_short_event(victim=f"worker{number}") for number in range(1000)]))
    groups = group_kills(record)
    assert len(groups) == 11
    assert len(groups[OTHERS]) == 990


@pytest.mark.parametrize(
    "events",
    [
        [{"taken_down": True, "victim": "httpd"}],
        [{"victim": "httpd"}, {"victim": "httpd", "id": "2"}],
        [{"victim": "httpd", "time": "2026-11-29T02:00:00Z"}],
    ],
    ids=["outage", "frequent", "recent"],
)
def test_important_culprit_is_named_among_many(events: list[dict[str, t.Any]]) -> None:
    many = [make_short_event(victim=f"a{number}") for number in range(100)]
    record = make_record(kinds=list_kills(*many, *[make_short_event(**event) for event in events]))
    assert Culprit("shop.service", "httpd", "cgroup_limit") in group_kills(record)


def test_unknown_names_are_called_unknown() -> None:
    record = make_record(kinds=list_kills(make_short_event(unit=None, victim=None)))
    assert [*group_kills(record)] == [Culprit("unknown", "unknown", "cgroup_limit")]


def test_names_are_harmless_and_short() -> None:
    record = make_record(kinds=list_kills(make_short_event(victim="\x1b[31m{{7*7}}" + "x" * 500)))
    (culprit,) = group_kills(record)
    assert culprit.victim.startswith(r"\x1b[31m\x7b{7*7}}")
    assert len(culprit.victim) < 150


def test_memory_of_victim_is_ram_and_swap() -> None:
    record = make_record(kinds=list_kills(make_short_event(rss_bytes=300, swap_bytes=None), make_short_event(id="2")))
    assert [kill.memory_bytes for kill in group_kills(record)[SHOP]] == [300, 3000]


def test_memory_without_ram_is_unknown() -> None:
    record = make_record(kinds=list_kills(make_short_event(rss_bytes=None)))
    assert group_kills(record)[SHOP][0].memory_bytes == UNKNOWN


def test_unit_that_is_down_has_the_culprit_of_its_last_event() -> None:
    unit = make_unit(is_down=True, last_event_id="1")
    record = make_record(kinds=list_kills(make_short_event()), summary=sum_up(unit))
    assert list_units(record) == [(SHOP, True)]


def test_unit_whose_last_event_is_not_listed_has_an_unknown_culprit() -> None:
    record = make_record(kinds=[], summary=sum_up(make_unit(is_down=False, last_event_id="1")))
    assert list_units(record) == [(Culprit("shop.service", "unknown", "unknown"), False)]


def test_unit_whose_state_is_unknown_is_not_listed() -> None:
    record = make_record(kinds=[], summary=sum_up(make_unit(is_down=None)))
    assert not list_units(record)


def test_units_beyond_the_tenth_are_others() -> None:
    units = [make_unit(f"{number:02}.service", is_down=number == 50, last_event_id=None) for number in range(60)]
    culprits = list_units(make_record(kinds=[], summary=sum_up(*units)))
    assert culprits[0] == (Culprit("50.service", "unknown", "unknown"), True)
    assert culprits[10:] == [(OTHERS, False)] * 50


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1970-01-01T00:01:00Z", 60), ("1970-01-01T00:00:00.500000Z", 0.5), (None, UNKNOWN), ("", UNKNOWN)],
)
def test_time_is_parsed(text: str | None, seconds: float) -> None:
    assert parse_time(text) == seconds
