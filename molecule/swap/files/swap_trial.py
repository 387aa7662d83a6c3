# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kill the change of a host's swap before everything that it does to the host, and see what the next run makes of it.

The folder of this file holds the collection's plugins as the package ansible_collections.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._swap.apply import bring
from ansible_collections.oomguard.linux.plugins.module_utils._swap.observe import Host, observe
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Wanted

MIB = 1024**2
GIB = 1024**3
FSTAB = pathlib.Path("/etc/fstab")


@dataclasses.dataclass(frozen=True)
class Trial:
    """A change from one exact total to another; None stands for state=absent."""

    start: int
    target: int | None
    priority: int | None = None
    persist: str = "fstab"


TRIALS = {
    "grow": Trial(start=64 * MIB, target=160 * MIB),
    "shrink": Trial(start=160 * MIB, target=64 * MIB),
    "priority": Trial(start=64 * MIB, target=64 * MIB, priority=7),
    "units": Trial(start=64 * MIB, target=64 * MIB, persist="systemd"),
    "absent": Trial(start=64 * MIB, target=None),
}


# Where the power may fail: the audit event, and a word of what it is about.
POINTS = {
    "mkswap": ("subprocess.Popen", "mkswap"),
    "rename": ("os.rename", "swapfile"),
    "swapon": ("subprocess.Popen", "swapon"),
    "fstab": ("os.rename", "fstab"),
    "swapoff": ("subprocess.Popen", "swapoff"),
    "unlink": ("os.remove", "swapfile"),
}


def wanted(path: str, size: int | None, *, priority: int | None = None, persist: str = "fstab") -> Wanted:
    """Return what the module would be asked for."""
    return Wanted(
        path=path,
        present=size is not None,
        size_bytes=size or 0,
        exact=True,
        priority=priority,
        persist=persist,
        reserve_bytes=16 * MIB,
    )


def start(path: str, trial: Trial) -> None:
    """Bring the host to the trial's start."""
    bring(wanted(path, None), Host(), run)
    bring(wanted(path, trial.start), Host(), run)


def changes(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Tell whether an audit event announces a change of the host: a file written, renamed or removed, a program run."""
    if event == "open":
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)) and "/dev/null" not in str(arguments[0])
    return event in {"os.rename", "os.remove", "os.chmod", "subprocess.Popen"}


def kill_before(number: int) -> None:
    """Have this process kill itself just before its change of that number, from 1."""
    counter = itertools.count(1)

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if changes(event, arguments) and next(counter) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def stop_before(point: str) -> None:
    """Have this process stop itself just before that one of POINTS."""
    awaited, word = POINTS[point]

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if event == awaited and word in str(arguments[:2]):
            os.kill(os.getpid(), signal.SIGSTOP)

    sys.addaudithook(hook)


def in_child(work: t.Callable[[], object]) -> int:
    """Do `work` in a child process, and return its wait status."""
    return os.waitpid(child(work), 0)[1]


def child(work: t.Callable[[], object]) -> int:
    """Begin `work` in a child process, and return its number."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        except OomguardError as error:
            print(error, file=sys.stderr)
        finally:
            os._exit(1)
    return pid


class Sampler(threading.Thread):
    """Look 200 times a second how low the total swap falls, and for how long it is lower than at the start."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.start_bytes = self.lowest_bytes = total()
        self.short_seconds = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until done."""
        last = time.monotonic()
        while not self.done.wait(0.005):
            current, now = total(), time.monotonic()
            self.lowest_bytes = min(self.lowest_bytes, current)
            if current < self.start_bytes:
                self.short_seconds += now - last
            last = now

    def __enter__(self) -> Sampler:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.done.set()
        self.join()


def total() -> int:
    """Return the bytes of SwapTotal."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("SwapTotal:"):
            return int(line.split()[1]) * 1024
    raise ValueError("no SwapTotal")


def complaints(path: str) -> t.Iterator[str]:
    """Yield what is wrong with a host that an interrupted change has left behind."""
    verification = subprocess.run(["findmnt", "--verify"], check=False, stdout=subprocess.PIPE, text=True)
    if verification.returncode:
        yield f"findmnt --verify: {verification.stdout}"
    for line in FSTAB.read_text().splitlines():
        fields = line.split()
        if fields and fields[0].startswith(path) and ("nofail" not in fields[3] or not os.path.exists(fields[0])):
            yield f"fstab: {line}"


def leftovers(path: str) -> t.Iterator[str]:
    """Yield what should not be there once a change is complete."""
    state = observe(path, Host())
    in_use = {area.path for area in state.areas}
    folder = pathlib.Path(path).parent
    name = pathlib.Path(path).name
    for entry in sorted(folder.iterdir()):
        if name in entry.name and str(entry) not in in_use:
            yield f"stray {entry}"
    for entry in sorted(FSTAB.parent.glob(".fstab*")):
        yield f"stray {entry}"
    named = [line.split()[0] for line in FSTAB.read_text().splitlines() if line.startswith(path)]
    named += [unit.area for unit in state.units if unit.enabled and unit.text]
    ours = [entry.path for entry in state.entries]
    if sorted(named) != sorted(ours):
        yield f"{sorted(named)} are in use after a boot, the files are {sorted(ours)}"
    units = {pathlib.Path(unit.path).name for unit in state.units if unit.text}
    for entry in sorted(pathlib.Path("/etc/systemd/system").rglob("*.swap")):
        if entry.name not in units:
            yield f"stray {entry}"


def kill_everywhere(path: str, trial: Trial) -> dict[str, t.Any]:
    """Kill the trial before each of its changes, and complete it; return how often, and what went wrong."""
    problems: list[str] = []
    target = wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    floor = min(trial.start, trial.target or 0)
    for number in itertools.count(1):
        start(path, trial)

        def interrupted(number: int = number) -> None:
            kill_before(number)
            bring(target, Host(), run)

        with Sampler() as sampler:
            status = in_child(interrupted)
            problems += [f"{number}, killed: {each}" for each in complaints(path)]
            if in_child(lambda: bring(target, Host(), run)):
                problems.append(f"{number}: the next run failed")
        if sampler.lowest_bytes < floor:
            problems.append(f"{number}: swap fell to {sampler.lowest_bytes} bytes")
        problems += [f"{number}, completed: {each}" for each in (*complaints(path), *leftovers(path))]
        if status == 0:
            bring(wanted(path, None), Host(), run)
            return {"killed": number - 1, "problems": problems}
        if not os.WIFSIGNALED(status):
            problems.append(f"{number}: the run failed")
    raise AssertionError


def twice_at_once(path: str, trial: Trial) -> dict[str, t.Any]:
    """Carry out the trial by two runs at the same time; return how they ended, and what went wrong."""
    start(path, trial)
    target = wanted(path, trial.target, priority=trial.priority, persist=trial.persist)
    pids = [child(lambda: bring(target, Host(), run)) for _run in range(2)]
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    problems = [*complaints(path), *leftovers(path)]
    bring(wanted(path, None), Host(), run)
    return {"ends": ends, "problems": problems}


def compare(path: str) -> dict[str, t.Any]:
    """Grow from 1 to 2 GiB in our way and in the usual one; return how long each takes, and leaves the host short."""
    ways: dict[str, t.Callable[[], object]] = {
        "ours": lambda: bring(wanted(path, 2 * GIB), Host(), run),
        "usual": lambda: [
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for command in (
                ["swapoff", path],
                ["rm", path],
                ["dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=2048"],
                ["chmod", "600", path],
                ["mkswap", path],
                ["swapon", path],
            )
        ],
    }
    measured = {}
    for name, way in ways.items():
        bring(wanted(path, None), Host(), run)
        bring(wanted(path, GIB), Host(), run)
        began = time.monotonic()
        with Sampler() as sampler:
            way()
        measured[name] = {"seconds": time.monotonic() - began, "short_seconds": sampler.short_seconds}
    return measured


def main() -> None:
    """Carry out one verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["start", "kill", "twice", "stop", "complete", "compare"])
    parser.add_argument("trial", choices=TRIALS, nargs="?", default="grow")
    parser.add_argument("--path", default="/swapfile")
    parser.add_argument("--before", choices=POINTS, default="mkswap")
    arguments = parser.parse_args()
    trial = TRIALS[arguments.trial]
    target = wanted(arguments.path, trial.target, priority=trial.priority, persist=trial.persist)
    if arguments.verb == "start":
        start(arguments.path, trial)
    elif arguments.verb == "kill":
        print(json.dumps(kill_everywhere(arguments.path, trial)))
    elif arguments.verb == "twice":
        print(json.dumps(twice_at_once(arguments.path, trial)))
    elif arguments.verb == "compare":
        print(json.dumps(compare(arguments.path)))
    elif arguments.verb == "stop":
        stop_before(arguments.before)
        bring(target, Host(), run)
    else:
        found = list(complaints(arguments.path))
        lowest = total()
        bring(target, Host(), run)
        print(json.dumps({"found": found, "total_bytes": lowest, "left": list(leftovers(arguments.path))}))


if __name__ == "__main__":
    main()
