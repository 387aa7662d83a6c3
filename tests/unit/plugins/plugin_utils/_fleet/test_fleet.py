# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All hosts make one picture."""

from __future__ import annotations

import random
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.fleet import (
    STANDINGS,
    Count,
    Fleet,
    Host,
    Outage,
    Setting,
    Span,
    build_fleet,
    build_host,
    find_standing,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    COVERAGE,
    SUMMARY,
    make_event,
    make_record,
    make_result,
    make_unit,
    sum_up,
)

UNREACHABLE = {"unreachable": True, "msg": "no route"}
CHANGE = {"time": "2026-11-25T00:00:00Z", "what": "total swap", "before": "1G", "after": "10G"}


def make_killed(host: str = "web1", day: int = 20, **parts: t.Any) -> Record:
    """Return the record of a host with one kill on a day of November that took no unit down."""
    event = make_event(id="a", time=f"2026-11-{day}T06:30:00Z", unit_effect=None)
    counts = {"by_victim": {"python3": 1}, "by_unit": {"shop.service": 1}, "by_cause": {"cgroup_limit": 1}}
    summary = {**SUMMARY, **counts, "count": 1, "last": event["time"]}
    return make_record(host, make_result(events=[event], summary=summary), **parts)


def make_clean(host: str = "web1", **parts: t.Any) -> Record:
    return make_record(host, make_result(), **parts)


def make_down(host: str = "web1", *, is_down: bool | None = True) -> Record:
    return make_record(host, make_result(summary=sum_up(make_unit(is_down=is_down))))


def build(*records: Record) -> Fleet:
    return build_fleet([build_host(record) for record in records])


def list_standings(fleet: Fleet) -> dict[str, str]:
    return {host.name: host.standing for host in fleet.hosts}


def test_worst_host_comes_first() -> None:
    incomplete = make_record("web4", make_result(coverage={**COVERAGE, "complete": False, "notes": ["rotated"]}))
    fleet = build(
        make_clean("web1"),
        make_killed("web2", applied=[CHANGE]),
        make_record("web3", UNREACHABLE),
        incomplete,
        make_killed("web5"),
        make_down("web6", is_down=None),
        make_down("web7"),
    )
    assert [*list_standings(fleet).values()] == [*STANDINGS]
    assert fleet.by_standing == dict.fromkeys(STANDINGS, 1)


def test_of_equally_bad_hosts_the_one_with_the_newest_kill_comes_first() -> None:
    fleet = build(make_killed("web1", 20), make_killed("web2", 22), make_killed("web3", 22), make_killed("web4", 21))
    assert [host.name for host in fleet.hosts] == ["web2", "web3", "web4", "web1"]


def test_picture_does_not_depend_on_the_order_of_hosts() -> None:
    records = [make_killed("web1"), make_clean("web2"), make_down("web3"), make_killed("web4", applied=[CHANGE])]
    expected = build(*records)
    for seed in range(10):
        random.Random(seed).shuffle(records)
        assert build(*records) == expected, f"seed {seed}"


@pytest.mark.parametrize(
    ("day", "applied", "standing"),
    [
        (20, [], "killed"),
        (20, [CHANGE], "remediated"),
        (26, [CHANGE], "killed"),
        (20, [{**CHANGE, "time": None}], "killed"),
    ],
)
def test_host_is_remediated_if_no_kill_came_after_the_changes(
    day: int, applied: list[dict[str, t.Any]], standing: str
) -> None:
    assert find_standing(make_killed(day=day, applied=applied)) == standing


def test_service_that_is_down_is_never_remediated() -> None:
    assert find_standing({**make_down(), "applied": [CHANGE]}) == "down"


def test_kills_before_and_after_the_changes_are_counted() -> None:
    host = build_host(make_killed(applied=[CHANGE]))
    assert host.before is not None
    assert (host.before.kills, host.before.outages) == (1, 0)
    assert host.after == Span(0, 0, 4.125)


@pytest.mark.parametrize(("make", "standing"), [(make_clean, "unknown"), (make_killed, "killed")])
def test_good_news_that_is_old_does_not_count(make: t.Callable[..., Record], standing: str) -> None:
    fleet = build(make("web1", collected_at="2026-11-28T02:59:59Z"), make_clean("web2"))
    assert list_standings(fleet)["web1"] == standing
    assert fleet.late == {"web1"}
    assert (fleet.oldest, fleet.as_of) == ("2026-11-28T02:59:59Z", "2026-11-29T03:00:00Z")


def test_host_tells_who_was_killed_and_what_kept_running() -> None:
    record = make_killed()
    record["kinds"][0]["events"][0]["taken_down"] = False
    host = build_host(record)
    assert (host.victim, host.kept, host.kills) == ("python3", "shop.service", 1)


@pytest.mark.parametrize("taken_down", [True, None])
def test_unit_is_not_said_to_have_kept_running_unless_that_is_certain(taken_down: bool | None) -> None:
    record = make_killed()
    record["kinds"][0]["events"][0]["taken_down"] = taken_down
    assert build_host(record).kept is None


def test_unit_that_is_down_comes_first_and_has_no_end() -> None:
    units = [make_unit("a.service", is_down=False, confirmed=True), make_unit("b.service", is_down=True)]
    record = make_record(result=make_result(summary=sum_up(*units)))
    time = units[0]["time"]
    assert build_host(record).outages == (
        Outage("b.service", True, time, None, True),
        Outage("a.service", False, time, None, True),
    )


def test_host_that_was_not_looked_at_says_why() -> None:
    host: Host = build_host(make_record(result=UNREACHABLE))
    assert (host.error, host.kills, host.searched_at) == ("The host is unreachable: no route", 0, "")


def test_counts_are_those_of_all_hosts() -> None:
    fleet = build(make_killed("web1"), make_killed("web2"), make_clean("web3"))
    assert fleet.kills == 2
    assert fleet.units == (Count("shop.service", 2, 2),)
    assert fleet.victims == (Count("python3", 2, 2),)
    assert sum(hour.kills for hour in fleet.timeline.bars) == 2


def test_most_frequent_name_comes_first() -> None:
    record = make_killed("web1")
    record["summary"]["by_unit"] = {"a.service": 1, "c.service": 3, "b.service": 3}
    assert [count.name for count in build(record).units] == ["b.service", "c.service", "a.service"]


def test_value_of_most_hosts_comes_first() -> None:
    sizes = {"web1": 2**30, "web2": 2**31, "web3": 2**31}
    fleet = build(*[make_clean(name, in_force={"swap_total_bytes": size}) for name, size in sizes.items()])
    assert fleet.settings == (Setting("total swap", (("2.0 GiB", ("web2", "web3")), ("1.0 GiB", ("web1",)))),)


def test_empty_fleet_has_a_picture() -> None:
    fleet = build()
    assert (fleet.hosts, fleet.kills, fleet.as_of) == ((), 0, "")
