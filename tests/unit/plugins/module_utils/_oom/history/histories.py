# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make histories of kills at random and with a rhythm, and check which of them get which rhythm.

As a program, it tries many:

    cd tests/unit/plugins/module_utils/_oom/history
    PYTHONPATH=$OLDPWD/.collections python -m histories --cases 10000 --seed 1

The same seed gives the same histories. It prints a sentence for each wrong result, with the number of its case.
"""

from __future__ import annotations

import functools
import math
import random
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    LocalClock,
    get_weekday,
)
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock_rhythm import PERIODS
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening, Kill, Life, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.occasions import EVERY_DAY, Rhythm
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.rhythm import find_rhythm
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.simulation import try_all

FIRST_US = 20_000 * DAY
FIRST_DAY = 20_000
UTC_OFFSETS = ((FIRST_US, 3600), (FIRST_US + 40 * DAY, 7200))
"""Daylight saving begins after 40 days."""
UNIT = "shop.service"


class History(t.NamedTuple):
    """Kills with what is true of them."""

    name: str
    past: Past
    kind: str | None = None
    """As in Rhythm; None without a rhythm."""
    period_us: int = 0
    weekdays: tuple[int, ...] = ()

    def is_found(self, rhythm: Rhythm | None) -> bool:
        if rhythm is None:
            return self.kind is None

        return rhythm[:3] == (self.kind, self.period_us, self.weekdays)


def build_past(times: t.Iterable[float], days: float, starts: t.Mapping[float, float] | None = None) -> Past:
    """Return the past with kills at these times, and with the starts before some of them."""
    started = {int(time_us): int(start_us) for time_us, start_us in (starts or {}).items()}
    kills = []
    for time_us in sorted(map(int, times)):
        kill = Kill(time_us, "boot", UNIT, "worker", "cgroup_limit", started_us=started.get(time_us))
        kills.append(kill)

    return Past(FIRST_US, FIRST_US + int(days * DAY), UTC_OFFSETS, kills)


def build_nights() -> Past:
    """Return eight nights with a cron job at 03:00 local time, and a kill some minutes later."""
    night_us = FIRST_US + 2 * HOUR
    times = [night_us + day * DAY + (1 + day % 3) * MINUTE for day in range(8)]
    jobs = [Happening(night_us + day * DAY + SECOND, "cron", "/usr/local/bin/backup") for day in range(10)]
    return build_past(times, 8)._replace(happenings=jobs)


def spread_evenly(rng: random.Random, days: int) -> Past:
    count = rng.choice((4, 5, 6, 8, 12, 20, 40, 100, 300))
    return build_past([FIRST_US + rng.random() * days * DAY for _kill in range(count)], days)


def spread_over_minutes(rng: random.Random, days: int) -> Past:
    """Return kills some seconds after full minutes, as cron and timers start programs."""
    count = rng.choice((4, 5, 6, 8, 12, 20, 40, 100))
    minutes = [rng.randrange(days * DAY // MINUTE) for _kill in range(count)]
    return build_past([FIRST_US + minute * MINUTE + rng.uniform(1, 5) * SECOND for minute in minutes], days)


def keep_office_hours(rng: random.Random, days: int) -> Past:
    opens = rng.uniform(5, 11) * HOUR
    closes = opens + rng.uniform(5, 11) * HOUR
    workdays = [day for day in range(days) if get_weekday(FIRST_DAY + day) < 5]
    open_days = rng.choice((workdays, range(days)))
    count = rng.choice((4, 5, 6, 8, 12, 20, 40, 100, 300))
    times = [FIRST_US + rng.choice(open_days) * DAY + rng.uniform(opens, closes) for _kill in range(count)]
    others = [FIRST_US + rng.random() * days * DAY for _kill in range(count // 10)]
    return build_past(times + others, days)


def follow_traffic(rng: random.Random, days: int) -> Past:
    """Return kills around the busiest time of the day, which lasts for hours."""
    busiest = rng.uniform(8, 20) * HOUR
    width = rng.uniform(1.5, 4) * HOUR
    count = rng.choice((4, 5, 6, 8, 12, 20, 40, 100))
    times = [FIRST_US + rng.randrange(days) * DAY + rng.gauss(busiest, width) for _kill in range(count)]
    return build_past(times, days)


def come_in_bursts(rng: random.Random, days: int) -> Past:
    times = []
    for _burst in range(rng.choice((1, 2, 3, 5, 8, 12, 20))):
        start = FIRST_US + rng.random() * days * DAY
        length = rng.choice((2 * MINUTE, 10 * MINUTE, HOUR, 3 * HOUR))
        times += [start + rng.random() * length for _kill in range(rng.randint(2, 20))]

    return build_past(times, days)


def come_in_chains(rng: random.Random, days: int) -> Past:
    """Return kills that follow each other in some storms, each with a mean time between them."""
    times = []
    for _storm in range(rng.choice((1, 2, 3, 5, 8))):
        time_us = FIRST_US + rng.random() * days * DAY
        mean = choose_duration(rng, 10 * SECOND, 30 * MINUTE)
        for _kill in range(rng.randint(3, 30)):
            time_us += rng.expovariate(1 / mean)
            times.append(time_us)

    return build_past(times, days)


def restart_after_each(rng: random.Random, days: int) -> Past:
    """Return kills of a unit that restarts, a random time after each start."""
    shape = rng.choice((1, 1, 2, 3))
    mean = choose_duration(rng, 10 * MINUTE, 3 * DAY)
    starts: dict[float, float] = {}
    time_us: float = FIRST_US
    for _kill in range(rng.choice((5, 8, 12, 20, 50))):
        start = time_us + rng.uniform(0.1, 5) * SECOND
        time_us = start + rng.gammavariate(shape, mean / shape)
        starts[time_us] = start

    return build_past(starts, max(days, (time_us - FIRST_US) / DAY), starts)


def leak_with_unknown_starts(rng: random.Random, days: int) -> Past:
    """Return kills a nearly regular time after the kill before."""
    duration = choose_duration(rng, 10 * MINUTE, 3 * DAY)
    jitter = rng.uniform(0.01, 0.3)
    times = [float(FIRST_US)]
    for _kill in range(rng.choice((5, 8, 12, 20, 50))):
        times.append(times[-1] + duration * rng.uniform(1 - jitter, 1 + jitter))

    return build_past(times[1:], max(days, (times[-1] - FIRST_US) / DAY))


RANDOM = (
    spread_evenly,
    spread_over_minutes,
    keep_office_hours,
    follow_traffic,
    come_in_bursts,
    come_in_chains,
    restart_after_each,
    leak_with_unknown_starts,
)


def choose_duration(rng: random.Random, shortest: float, longest: float) -> float:
    """Return a duration between two others, of any order of magnitude."""
    return math.exp(rng.uniform(math.log(shortest), math.log(longest)))


def plant_daily(rng: random.Random) -> History:
    return plant_on_clock(rng, "daily", DAY, EVERY_DAY, rng.choice((20, 30, 60, 90)))


def plant_weekly(rng: random.Random) -> History:
    return plant_on_clock(rng, "weekly", DAY, (rng.randrange(7),), rng.choice((120, 180)))


def plant_on_workdays(rng: random.Random) -> History:
    return plant_on_clock(rng, "weekly", DAY, (0, 1, 2, 3, 4), rng.choice((60, 90)))


def plant_interval(rng: random.Random) -> History:
    return plant_on_clock(rng, "interval", rng.choice(PERIODS[:-1]), EVERY_DAY, rng.choice((20, 30, 60)))


def plant_on_clock(rng: random.Random, kind: str, period: int, weekdays: tuple[int, ...], days: int) -> History:
    """Return kills at a third or more of the occasions of a rhythm, and up to 15% at other times."""
    clock = LocalClock(UTC_OFFSETS)
    jitter = rng.uniform(0, min(period / 8, 20 * MINUTE))
    hits = rng.uniform(0.4, 1)
    occasion = clock.to_local(FIRST_US) // period * period + rng.randrange(period // MINUTE) * MINUTE
    times: list[float] = []
    while clock.to_utc(occasion) < FIRST_US + days * DAY and len(times) < 40:
        is_day = get_weekday(occasion // DAY) in weekdays
        if is_day and (rng.random() < hits or len(times) < 6):
            times.append(clock.to_utc(occasion) + SECOND + rng.uniform(0, jitter))
        occasion += period

    noise = [rng.uniform(FIRST_US, times[-1]) for _kill in range(int(rng.uniform(0, 0.15) * len(times)))]
    return History(f"{kind} {period // MINUTE} {weekdays}", build_past(times + noise, days), kind, period, weekdays)


def plant_after_start(rng: random.Random) -> History:
    """Return kills a nearly regular time after each start; a fifth of the runs end before."""
    duration = choose_duration(rng, 20 * MINUTE, 36 * HOUR)
    jitter = rng.uniform(0, 0.06)
    starts: dict[float, float] = {}
    lives = []
    time_us: float = FIRST_US
    for _kill in range(rng.randint(8, 40)):
        start = time_us + rng.uniform(0.1, 5) * SECOND
        if rng.random() < 0.2:
            time_us = start + rng.uniform(0.1, 0.9) * duration
            lives.append(Life(UNIT, int(start), int(time_us), None))

        start = time_us + rng.uniform(0.1, 5) * SECOND
        time_us = start + duration * rng.uniform(1 - jitter, 1 + jitter)
        starts[time_us] = start

    past = build_past(starts, (time_us - FIRST_US) / DAY, starts)
    return History(f"after start {duration / MINUTE:.0f}", past._replace(lives=lives), "after_start")


PLANTED = (plant_daily, plant_weekly, plant_on_workdays, plant_interval, plant_after_start)


def make_random(seed: int | str, case: int) -> History:
    """Return a history without a rhythm."""
    rng = random.Random(f"{seed} {case}")
    make = rng.choice(RANDOM)
    return History(make.__name__, make(rng, rng.choice((7, 14, 30, 60, 90))))


def make_planted(seed: int | str, case: int) -> History:
    """Return a history with a rhythm."""
    rng = random.Random(f"{seed} {case}")
    make = rng.choice(PLANTED)
    return make(rng)


def list_wrong(make: t.Callable[[int | str, int], History], seed: int | str, cases: int) -> list[str]:
    """Return a sentence for each history that does not get its rhythm."""
    wrong = []
    for case in range(cases):
        history = make(seed, case)
        rhythm = find_rhythm(history.past.kills, history.past)
        if not history.is_found(rhythm):
            sentence = rhythm.sentence if rhythm else f"no rhythm of {len(history.past.kills)} kills"
            wrong.append(f"seed {seed}, case {case}, {history.name}: {sentence}")

    return wrong


def main() -> None:
    """Try random and planted histories, and print how many are wrong."""
    trials = {
        "make_random": functools.partial(list_wrong, make_random),
        "make_planted": functools.partial(list_wrong, make_planted),
    }
    try_all(__doc__, trials)


if __name__ == "__main__":
    main()
