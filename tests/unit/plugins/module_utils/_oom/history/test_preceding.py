# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what came before kills."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening, Kill, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.preceding import Preceding, find_preceding
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.rhythm import find_rhythm
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.activities import (
    is_cause_first,
    is_nothing,
    list_wrong,
    make_caused,
    make_control,
)

SEED = 7
KILLS = [day * DAY + 3 * HOUR for day in range(1, 9)]


def name_all(what: str, name: str, times: list[int]) -> list[Happening]:
    return [Happening(time_us, what, name) for time_us in times]


def shift(lag_us: int) -> list[int]:
    return [kill_us - lag_us for kill_us in KILLS]


def find(*happenings: list[Happening], boots: tuple[tuple[int, int], ...] = ()) -> list[Preceding]:
    kills = [Kill(time_us, "boot", "shop.service", "worker", "cgroup_limit") for time_us in KILLS]
    ordered = sorted([happening for some in happenings for happening in some])
    past = Past(0, 30 * DAY, [(0, 0)], kills, happenings=ordered, boots=boots)
    return find_preceding(kills, past)


def test_cron_job_before_each_kill_is_told() -> None:
    lags = (MINUTE, 2 * MINUTE)
    times = [kill_us - lags[number % 2] for number, kill_us in enumerate(KILLS)]
    (found,) = find(name_all("cron", "backup", [*times, 20 * DAY, 22 * DAY]))
    assert found[:6] == ("cron", "backup", (), 10 * MINUTE, 8, 8)
    assert (found.lag_us, found.shortest_us, found.longest_us) == (1.5 * MINUTE, MINUTE, 2 * MINUTE)
    kills = "The cron job backup ran 1 min to 2 min before 8 of 8 kills"
    others = "within 10 min before 0.05% of all other times"
    assert found.sentence == f"{kills}, and {others} (chance at random: less than 0.0001%)."


def test_what_came_at_no_other_time_is_told_so() -> None:
    (found,) = find(name_all("login", "alice", shift(MINUTE)))
    assert found.otherwise == 0
    assert "alice logged in 1 min before 8 of 8 kills, and at no other time (" in found.sentence


def test_unknown_kind_of_happening_has_a_sentence() -> None:
    (found,) = find(name_all("reload", "web", shift(MINUTE)))
    assert found.sentence.startswith("web happened 1 min")


def test_what_comes_all_the_time_does_not_precede() -> None:
    assert not find(name_all("cron", "often", list(range(0, 30 * DAY, 5 * MINUTE))))


def test_consequence_does_not_precede_the_next_kill() -> None:
    assert not find(name_all("restart", "shop.service", shift(-5 * MINUTE)))


@pytest.mark.parametrize("lag_us", [31 * MINUTE, 0])
def test_what_comes_outside_of_the_windows_does_not_precede(lag_us: int) -> None:
    assert not find(name_all("cron", "backup", shift(lag_us)))


def test_what_precedes_few_of_the_kills_is_not_told() -> None:
    assert not find(name_all("cron", "backup", shift(MINUTE)[:3]))


def test_first_of_several_that_come_together_is_named_first() -> None:
    (found,) = find(name_all("cron", "backup", shift(MINUTE)), name_all("sudo", "dump", shift(30 * SECOND)))
    assert (found.key, found.together) == (("cron", "backup"), (("sudo", "dump"),))
    assert found.sentence.endswith("It comes together with dump, so it is unknown which of them matters.")


def test_rarer_happening_hides_one_that_is_always_there() -> None:
    hourly = list(range(2 * HOUR - 5 * MINUTE, 30 * DAY, HOUR))
    found = find(name_all("ansible", "deploy", [*shift(4 * MINUTE), 20 * DAY]), name_all("cron", "hourly", hourly))
    assert [preceding.name for preceding in found] == ["deploy"]


def test_time_off_is_no_control() -> None:
    boots = tuple((kill_us - 20 * MINUTE, kill_us + 20 * MINUTE) for kill_us in KILLS)
    times = [kill_us + minutes * MINUTE for kill_us in KILLS for minutes in (-15, -5, 15)]
    assert find(name_all("cron", "backup", times))
    assert not find(name_all("cron", "backup", times), boots=boots)


def find_with_rhythm(name: str, times: list[int]) -> bool:
    kills = [Kill(time_us, "boot", "shop.service", "worker", "cgroup_limit") for time_us in KILLS]
    past = Past(0, 30 * DAY, [(0, 0)], kills, happenings=name_all("cron", name, sorted(times)))
    rhythm = find_rhythm(kills, past)
    assert rhythm
    (found,) = find_preceding(kills, past, rhythm)
    assert ("Both follow the clock" in found.sentence) == found.has_clock
    return found.has_clock


def test_nightly_job_before_nightly_kills_can_be_a_coincidence() -> None:
    assert find_with_rhythm("nightly", [day * DAY + 3 * HOUR - MINUTE for day in range(1, 30)])


def test_hourly_job_before_nightly_kills_can_be_a_coincidence() -> None:
    assert find_with_rhythm("hourly", list(range(HOUR - 30 * SECOND, 30 * DAY, HOUR)))


def test_job_at_other_times_before_nightly_kills_is_no_coincidence() -> None:
    others = [day * DAY + (day * 7 % 24) * HOUR + day * MINUTE for day in range(10, 30)]
    assert not find_with_rhythm("deploy", [*shift(MINUTE), *others])


def test_three_kills_are_too_few() -> None:
    kills = [Kill(time_us, "boot", "shop.service", "worker", "cgroup_limit") for time_us in KILLS[:3]]
    past = Past(0, 30 * DAY, [(0, 0)], kills, happenings=name_all("login", "alice", shift(SECOND)))
    assert not find_preceding(kills, past)


def test_at_most_one_percent_of_controls_have_a_cause() -> None:
    wrong = list_wrong(make_control, is_nothing, SEED, 40, fewest=0)
    print(*wrong, sep="\n")
    assert not wrong


def test_planted_causes_are_first() -> None:
    wrong = list_wrong(make_caused, is_cause_first, SEED, 40)
    print(*wrong, sep="\n")
    assert len(wrong) <= 2


def test_nothing_is_told_of_times_at_which_the_host_is_not_known_to_have_been_up() -> None:
    assert not find(name_all("cron", "backup", shift(MINUTE)), boots=((0, HOUR),))


def test_cron_jobs_are_told_apart_by_their_commands_and_shown_without_them() -> None:
    hourly = list(range(0, 30 * DAY, HOUR))
    (found,) = find(name_all("cron", "php shop.php --key=x", shift(MINUTE)), name_all("cron", "php mail.php", hourly))
    assert found.name == "php"
    assert "The cron job php ran 1 min before 8 of 8 kills, and at no other time" in found.sentence


def test_cron_job_that_comes_together_is_shown_without_its_arguments() -> None:
    (found,) = find(name_all("sudo", "dump", shift(MINUTE)), name_all("cron", "backup --key=x", shift(30 * SECOND)))
    assert found.together == (("cron", "backup"),)
