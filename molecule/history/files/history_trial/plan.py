# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide at random which units there are, why their memory grows, and how long each run of theirs lasts."""

from __future__ import annotations

import random
import typing as t

WAVES = 5
LEAKS = (
    *("leak.py list", "leak.pl circles", "leak.sh awk", "leak.py garbage"),
    *("leak.py steps", "leak.pl text", "leak.sh tail", "leak.py requests"),
    *("leak.py shared", "leak.pl list", "leak.sh sort", "leak.py child"),
    *("leak.py cache", "leak.pl cache", "leak.sh variable", "leak.py log"),
    *("leak.py threads", "leak.py circles", "leak.pl list slow", "leak.py list slow"),
)
SPIKES = (
    *("spike.py buffer", "spike.pl sort", "spike.sh sort", "spike.py inflate"),
    *("spike.py document", "spike.pl text", "spike.sh awk", "spike.py numbers"),
    *("spike.py image", "spike.pl split", "spike.sh tail", "spike.py child"),
    *("spike.py numbers", "spike.pl hash", "spike.sh dd", "spike.py document"),
    *("spike.py inflate", "spike.pl text", "spike.py buffer", "spike.py image"),
)
IN_WAVE = 4

# What a program uses before it grows.
BASE_MIB = {"py": 9, "pl": 4, "sh": 2}
LIMITS_MIB = (32, 40, 48, 60)
KILLS = 3
STOPS = 6
NEVER = 100_000


class Run(t.NamedTuple):
    """One run of a unit: what its program is told, and after how many seconds it is stopped, None if it is killed."""

    argument: str
    seconds: float | None


class History(t.NamedTuple):
    """A unit: why its memory grows, the command without its last argument, the limit of its memory, and its runs."""

    unit: str
    truth: str
    """`leak`, `spike`, `too_many`, `limit_too_low`; `hidden` if the runs do not show it, `noise` without a kill."""
    command: str
    limit_mib: int
    runs: t.Sequence[Run]


def plan_waves(seed: int) -> list[list[History]]:
    """Return the units that run at the same time, for one wave after the other."""
    chance = random.Random(seed)
    return [plan_wave(number, chance) for number in range(WAVES)]


def plan_wave(number: int, chance: random.Random) -> list[History]:
    begin = number * IN_WAVE
    histories = [plan_leak(program, chance) for program in LEAKS[begin : begin + IN_WAVE]]
    histories += [plan_spike(program, chance) for program in SPIKES[begin : begin + IN_WAVE]]
    histories += [plan_tight(chance), plan_hidden(number, chance), plan_noise(chance)]
    if number == WAVES - 1:
        histories.append(plan_crowd())

    return [history._replace(unit=f"{history.unit}-{number}.service") for history in histories]


def plan_leak(program: str, chance: random.Random) -> History:
    """Return a unit that grows steadily. It reaches its limit after 20 to 45 seconds, if it is not stopped before."""
    limit_mib = chance.choice(LIMITS_MIB)
    full_seconds = chance.uniform(20, 45)
    name, *slow = program.rsplit(" slow", 1)
    before = 0
    if slow:
        before = round(full_seconds * 0.2)

    rate = int((limit_mib - find_base(program)) * 1024 / (full_seconds - before))
    stops = spread(0.1 * full_seconds, 0.85 * full_seconds, chance)
    runs = [Run(str(before), seconds) for seconds in mix(stops, chance)]
    return History(name_unit(program), "leak", f"{name} {rate}", limit_mib, runs)


def plan_spike(program: str, chance: random.Random) -> History:
    """Return a unit of constant size, which suddenly grows in some of its runs."""
    runs = plan_sudden_runs(chance)
    return History(name_unit(program), "spike", program, chance.choice(LIMITS_MIB), runs)


def plan_tight(chance: random.Random) -> History:
    """Return a unit that always uses nearly as much as its limit."""
    limit_mib = chance.choice(LIMITS_MIB)
    return History("tight", "limit_too_low", f"tight.py {limit_mib * 1024}", limit_mib, plan_sudden_runs(chance))


def plan_crowd() -> History:
    """Return a unit whose workers are sometimes many; its last run lasts."""
    runs = [Run("15", 30), Run("10", 25), Run(str(NEVER), 5)]
    return History("crowd", "too_many", "workers.py 2048", 48, runs)


def plan_hidden(number: int, chance: random.Random) -> History:
    """Return a unit that is killed once, and has no other run."""
    plan, programs = ((plan_leak, LEAKS), (plan_spike, SPIKES))[number % 2]
    history = plan(chance.choice(programs), chance)
    killed = next(run for run in history.runs if run.seconds is None)
    return history._replace(unit=f"hidden-{history.unit}", truth="hidden", runs=[killed])


def plan_noise(chance: random.Random) -> History:
    """Return a unit that is started and stopped again and again."""
    runs = [Run(str(NEVER), chance.uniform(5, 40)) for _number in range(STOPS)]
    return History("noise", "noise", chance.choice(SPIKES), 60, runs)


def plan_sudden_runs(chance: random.Random) -> list[Run]:
    """Return runs that are stopped or killed at random times."""
    runs = []
    for seconds in mix(spread(4, 45, chance), chance):
        before = NEVER
        if seconds is None:
            before = chance.randrange(4, 35)

        runs.append(Run(str(before), seconds))

    return runs


def spread(least: float, most: float, chance: random.Random) -> list[float]:
    """Return random lengths of the runs that are stopped, short ones and long ones."""
    step = (most - least) / STOPS
    return [least + step * (number + chance.random()) for number in range(STOPS)]


def mix(stops: t.Sequence[float], chance: random.Random) -> list[float | None]:
    """Return the seconds after which a unit is stopped, and None for each kill, in any order."""
    mixed: list[float | None] = [*stops, *(None for _number in range(KILLS))]
    chance.shuffle(mixed)
    return mixed


def find_base(program: str) -> int:
    return BASE_MIB[program.split(maxsplit=1)[0].rpartition(".")[2]]


def name_unit(program: str) -> str:
    return program.replace(".", "-").replace(" ", "-")
