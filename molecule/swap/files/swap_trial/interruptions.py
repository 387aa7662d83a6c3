# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change that is killed, finds the disk full, loses its power or meets itself, at each of the things that it does."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import pathlib
import signal
import sys
import typing as t
import unittest.mock

from ansible_collections.oomguard.linux.plugins.module_utils._swap.change import SwapChange
from swap_trial.host import (
    Sampler,
    Trial,
    child,
    complaints,
    complete,
    in_child,
    leftovers,
    remove,
    start,
    switch_off,
    switch_on,
    tables_left,
    total,
)

STOPPED = pathlib.Path("/run/swap-trial.json")
_FILLER = "trial-filler"
_CHANGES = {"os.rename", "os.remove", "subprocess.Popen", "trial.posix_fallocate", "trial.fsync"}


def changes(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Tell whether an audit event announces a change of the host: a file written, renamed or removed, a program run."""
    name = os.readlink(f"/proc/self/fd/{arguments[0]}") if event == "trial.fsync" else str(arguments[:1])
    if "/run/" in f"{name}/":
        return False  # gone with the power, and looked at by nobody
    if event == "open":
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)) and "/dev/null" not in str(arguments[0])
    return event in _CHANGES


def watch_changes(tell: t.Callable[[int], object], *, syncs: bool) -> None:
    """Have this process `tell` just before each of its changes which it is, from 1; `syncs` count as such."""
    counter = itertools.count(1)

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if changes(event, arguments):
            tell(next(counter))

    sys.addaudithook(hook)
    # What has no audit event of its own.
    for name in ("posix_fallocate", "fsync") if syncs else ("posix_fallocate",):
        setattr(os, name, _announced(name, getattr(os, name)))


def before_change(number: int, act: t.Callable[[], object], *, syncs: bool) -> None:
    """Have this process do `act` just before its change of that number."""
    watch_changes(lambda reached: act() if reached == number else None, syncs=syncs)


def _announced(name: str, function: t.Callable[..., None]) -> t.Callable[..., None]:
    def announce(*arguments: t.Any) -> None:
        sys.audit(f"trial.{name}", *arguments)
        function(*arguments)

    return announce


def number_of_changes(path: str, trial: Trial, *, syncs: bool) -> int:
    """Return how many changes the trial makes to the host, once it has been made."""
    start(path, trial)

    def counted() -> None:
        numbers: list[int] = []
        watch_changes(numbers.append, syncs=syncs)
        complete(path, trial)
        os._exit(len(numbers))

    return os.WEXITSTATUS(in_child(counted))


def kill() -> None:
    """End this process as the OOM killer would."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop() -> None:
    """Have this process wait for its power to be cut."""
    os.kill(os.getpid(), signal.SIGSTOP)


def fill(path: str) -> None:
    """Leave no room on the disk of `path`; for an image in a file, all others need theirs."""
    length, step = 0, 2**40
    descriptor = os.open(f"{pathlib.Path(path).parent}/{_FILLER}", os.O_RDWR | os.O_CREAT, 0o600)
    while step:
        try:
            os.posix_fallocate(descriptor, length, step)
        except OSError:
            step //= 2
        else:
            length += step
    os.close(descriptor)


def empty(path: str) -> None:
    """Give the room back."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{pathlib.Path(path).parent}/{_FILLER}")
        # Only then does btrfs have it to give.
        os.sync()


def interrupt_everywhere(path: str, trial: Trial, act: t.Callable[[], object]) -> dict[str, t.Any]:
    """Do `act` before each change of the trial, and complete it; return how often, and what went wrong."""
    problems: list[str] = []
    number = number_of_changes(path, trial, syncs=False)
    failed = 0
    for each in range(1, number + 1):
        start(path, trial)
        elsewhere = total() - trial.start

        def interrupted(each: int = each) -> None:
            before_change(each, act, syncs=False)
            complete(path, trial)

        with Sampler() as sampler:
            status = in_child(interrupted)
            empty(path)
            failed += status != 0
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) > 1:
                problems.append(f"{each}: the run ended with a traceback")
            problems += [f"{each}, interrupted: {complaint}" for complaint in complaints(path)]
            if in_child(functools.partial(complete, path, trial)):
                problems.append(f"{each}: the next run failed")
        if sampler.lowest_bytes < elsewhere + trial.floor:
            problems.append(f"{each}: swap fell to {sampler.lowest_bytes} bytes")
        left = (*complaints(path), *leftovers(path), *tables_left())
        problems += [f"{each}, completed: {complaint}" for complaint in left]
        if complete(path, trial):
            problems.append(f"{each}: one run was not enough")
    remove(path)
    return {"changes": number, "failed": failed, "problems": problems}


def stop_everywhere(folder: str, trial: Trial) -> t.NoReturn:
    """Begin the trial once for each of its changes, each at a path of its own, and hold it just before that change.

    Say in STOPPED how many there are, and wait for the power to be cut.
    """
    number = number_of_changes(f"{folder}/0/swapfile", trial, syncs=True)
    remove(f"{folder}/0/swapfile")
    stopped = 0
    for each in range(1, number + 1):
        path = f"{folder}/{each}/swapfile"
        start(path, trial)

        def interrupted(each: int = each, path: str = path) -> None:
            before_change(each, stop, syncs=True)
            # Those that are stopped already still hold the lock.
            with unittest.mock.patch.object(SwapChange, "lock", return_value=contextlib.nullcontext()):
                complete(path, trial)

        stopped += os.WIFSTOPPED(os.waitpid(child(interrupted), os.WUNTRACED)[1])
        # The kernel takes no more than 23 areas at once, and what counts is what is on the disk.
        switch_off(path)
    STOPPED.write_text(json.dumps({"changes": number, "stopped": stopped}))
    while True:
        signal.pause()


def complete_everywhere(folder: str, trial: Trial) -> dict[str, t.Any]:
    """Complete what was stopped everywhere; return how much swap there was before, and what went wrong."""
    before = total()
    paths = [f"{each}/swapfile" for each in sorted(pathlib.Path(folder).iterdir()) if each.name.isdigit()]
    problems = [f"{path}, interrupted: {complaint}" for path in paths for complaint in complaints(path)]
    # There would be no room for one more than the boot has switched on.
    booted = {path: switch_off(path) for path in paths}
    for path in paths:
        for area in booted[path]:
            switch_on(area)
        if in_child(functools.partial(complete, path, trial)):
            problems.append(f"{path}: the next run failed")
        problems += [f"{path}, completed: {complaint}" for complaint in (*complaints(path), *leftovers(path))]
        remove(path)
    # They all had the same table: whoever has to change it yet takes away what another has left of it.
    return {"total_bytes": before, "problems": [*problems, *tables_left()]}


def twice_at_once(path: str, trial: Trial) -> dict[str, t.Any]:
    """Carry out the trial by two runs at the same time; return how they ended, and what went wrong."""
    start(path, trial)
    pids = [child(functools.partial(complete, path, trial)) for _run in range(2)]
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    problems = [*complaints(path), *leftovers(path), *tables_left()]
    remove(path)
    return {"ends": ends, "problems": problems}


INTERRUPTIONS: dict[str, t.Callable[[str, Trial], dict[str, t.Any]]] = {
    "kill": lambda path, trial: interrupt_everywhere(path, trial, kill),
    "fill": lambda path, trial: interrupt_everywhere(path, trial, lambda: fill(path)),
    "twice": twice_at_once,
    "stop": stop_everywhere,
    "complete": complete_everywhere,
}
