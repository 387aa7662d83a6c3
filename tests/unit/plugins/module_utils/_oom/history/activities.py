# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make histories with activity that caused the kills or did not, and check what is found to precede them.

As a program, it tries many:

    cd tests/unit/plugins/module_utils/_oom/history
    PYTHONPATH=$OLDPWD/.collections python -m activities --cases 10000 --seed 1

The same seed gives the same histories. It prints a sentence for each wrong result, with the number of its case.
"""

from __future__ import annotations

import functools
import random
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.clock import DAY, HOUR, MINUTE, SECOND
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Happening, Kill, Past
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.preceding import Preceding, find_preceding
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.simulation import try_all

FIRST_US = 20_000 * DAY
UNIT = "shop.service"
CAUSE = "cause"
Boots = list[tuple[int, int]]


class Scene(t.NamedTuple):
    """A period, and when the host was up in it."""

    rng: random.Random
    days: int
    boots: Boots

    def choose_time(self) -> int:
        return FIRST_US + int(self.rng.random() * self.days * DAY)

    def choose_office_time(self) -> int:
        return FIRST_US + self.rng.randrange(self.days) * DAY + int(self.rng.uniform(8, 17) * HOUR)

    def repeat(self, period: int) -> range:
        """Return the times of something regular."""
        first = FIRST_US + self.rng.randrange(period)
        return range(first, FIRST_US + self.days * DAY, period)

    def keep_up(self, times: t.Iterable[float]) -> list[int]:
        """Return the times at which the host was up, in order."""
        return sorted([int(time_us) for time_us in times if any(boot <= time_us <= halt for boot, halt in self.boots)])

    def build(self, kills: t.Sequence[int], happenings: t.Iterable[Happening]) -> Past:
        """Return the past, in which the unit restarts after each kill."""
        restarts = [Happening(kill + self.rng.randint(1, 30) * SECOND, "restart", UNIT) for kill in kills]
        return Past(
            FIRST_US,
            FIRST_US + self.days * DAY,
            [(FIRST_US, 3600)],
            [Kill(kill, "boot", UNIT, "worker", "cgroup_limit") for kill in kills],
            happenings=sorted([*happenings, *restarts]),
            boots=self.boots,
        )


def make_scene(rng: random.Random) -> Scene:
    days = rng.choice((14, 30, 60))
    last_us = FIRST_US + days * DAY
    mean = rng.choice((1, 5, 20)) * DAY
    boots: Boots = []
    boot = FIRST_US
    while boot < last_us and len(boots) < rng.choice((1, 100)):
        halt = boot + int(rng.expovariate(1 / mean)) + HOUR
        boots.append((boot, min(halt, last_us)))
        boot = halt + rng.choice((2 * MINUTE, 10 * HOUR))

    return Scene(rng, days, boots)


def list_activity(scene: Scene) -> list[Happening]:
    """Return what goes on at a host whether there are kills or not."""
    rng = scene.rng
    happenings = []
    for number in range(rng.randint(3, 10)):
        period = rng.choice((5 * MINUTE, 15 * MINUTE, HOUR, HOUR, 6 * HOUR, DAY, DAY, DAY, 7 * DAY))
        happenings += name_all("cron", f"job{number}", scene.keep_up(scene.repeat(period)))

    for number in range(rng.randint(2, 8)):
        times = [time_us + rng.uniform(0, 60) * SECOND for time_us in scene.repeat(rng.choice((HOUR, DAY, 7 * DAY)))]
        happenings += name_all("timer", f"timer{number}", scene.keep_up(times))

    for number in range(rng.randint(0, 4)):
        logins = scene.keep_up([scene.choose_office_time() for _login in range(rng.randint(5, 60))])
        happenings += name_all("login", f"user{number}", logins)
        commands = [login + rng.randrange(HOUR) for login in logins for _command in range(rng.randint(0, 8))]
        happenings += name_all("sudo", f"command{number}", scene.keep_up(commands))

    for number in range(rng.randint(0, 6)):
        times = [scene.choose_time() for _operation in range(rng.randint(3, 15))]
        happenings += name_all("package", f"package{number}", scene.keep_up(times))

    for number in range(8):
        times = [boot + rng.uniform(5, 60) * SECOND for boot, _halt in scene.boots]
        happenings += name_all("start", f"service{number}", map(int, times))

    return happenings


def name_all(what: str, name: str, times: t.Iterable[int]) -> list[Happening]:
    return [Happening(time_us, what, name) for time_us in times]


def make_control(seed: int | str, case: int) -> Past:
    """Return a past in which nothing that went on had to do with the kills."""
    rng = random.Random(f"{seed} {case}")
    scene = make_scene(rng)
    count = rng.choice((4, 6, 10, 20, 50))
    choose = rng.choice((scene.choose_time, scene.choose_office_time))
    times = [float(choose()) for _kill in range(count)]
    bursts = [
        time_us + rng.expovariate(1 / (8 * MINUTE)) for time_us in times for _kill in range(rng.choice((0, 0, 3)))
    ]
    gap = rng.uniform(15 * MINUTE, DAY)
    leak = [FIRST_US + int(gap * (number + rng.uniform(0, 0.5))) for number in range(count)]
    kills = scene.keep_up(rng.choice((times, times + bursts, leak)))
    return scene.build(kills, list_activity(scene))


def make_caused(seed: int | str, case: int) -> Past:
    """Return a past in which one happening caused most kills, but not each time."""
    rng = random.Random(f"{seed} {case}")
    scene = make_scene(rng)
    what = rng.choice(("cron", "timer", "ansible", "package", "sudo"))
    irregular = [scene.choose_time() for _cause in range(rng.randint(8, 25))]
    causes = scene.keep_up(scene.repeat(DAY) if what in ("cron", "timer") else irregular)
    lag = rng.choice((5 * SECOND, MINUTE, 4 * MINUTE, 15 * MINUTE))
    hits = rng.uniform(0.5, 1)
    kills = [cause + 2 * SECOND + lag * rng.uniform(0.6, 1.4) for cause in causes if rng.random() < hits]
    others = [scene.choose_time() for _kill in range(int(rng.uniform(0, 0.25) * len(kills)))]
    happenings = list_activity(scene) + name_all(what, CAUSE, causes)
    return scene.build(scene.keep_up([*kills, *others]), happenings)


def is_cause_first(found: t.Sequence[Preceding]) -> bool:
    keys = [key for preceding in found[:1] for key in (preceding.key, *preceding.together)]
    return CAUSE in [name for _what, name in keys]


def is_nothing(found: t.Sequence[Preceding]) -> bool:
    return not found


def list_wrong(
    make: t.Callable[[int | str, int], Past],
    is_right: t.Callable[[t.Sequence[Preceding]], bool],
    seed: int | str,
    cases: int,
    fewest: int = 6,
) -> list[str]:
    """Return a line for each history, with at least so many kills, whose result is wrong."""
    wrong = []
    for case in range(cases):
        past = make(seed, case)
        found = find_preceding(past.kills, past)
        if len(past.kills) >= fewest and not is_right(found):
            sentences = " ".join([preceding.sentence for preceding in found[:2]])
            wrong.append(f"seed {seed}, case {case}, {len(past.kills)} kills: {sentences}")

    return wrong


def main() -> None:
    """Try controls and caused histories, and print how many are wrong."""
    trials = {
        "make_control": functools.partial(list_wrong, make_control, is_nothing),
        "make_caused": functools.partial(list_wrong, make_caused, is_cause_first),
    }
    try_all(__doc__, trials)


if __name__ == "__main__":
    main()
