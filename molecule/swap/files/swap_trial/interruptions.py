# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that are killed, find the disk full, lose their power, or run at the same time as another run.

Each trial is interrupted before each of its changes to the host in turn.
"""

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
    find_damage,
    find_leftovers,
    find_unfinished_tables,
    reach_target,
    remove_swap,
    run_in_child,
    set_up,
    start_child,
    switch_off,
    switch_on,
)
from swap_trial.proc import read_swap_total

STOPPED = pathlib.Path("/run/swap_trial.json")
_FILLER = "trial-filler"
_CHANGES = {"os.rename", "os.remove", "subprocess.Popen", "trial.posix_fallocate", "trial.fsync"}


def is_change(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Return whether an audit event announces a change of the host: a change to a file, or the start of a program."""
    name = str(arguments[:1])
    if event == "trial.fsync":
        name = os.readlink(f"/proc/self/fd/{arguments[0]}")
    # Files in /run are lost with the power, and no check looks at them.
    if "/run/" in f"{name}/":
        return False
    if event == "open":
        return bool(arguments[2] & (os.O_WRONLY | os.O_RDWR)) and "/dev/null" not in str(arguments[0])

    return event in _CHANGES


def watch_changes(notify: t.Callable[[int], object], *, syncs: bool) -> None:
    """Make this process call `notify` just before each of its changes, with its number from 1.

    If `syncs`, each fsync(2) counts as a change.
    """
    counter = itertools.count(1)

    def handle_event(event: str, arguments: tuple[t.Any, ...]) -> None:
        if is_change(event, arguments):
            notify(next(counter))

    sys.addaudithook(handle_event)
    # These functions have no audit event of their own.
    _add_audit_event("posix_fallocate")
    if syncs:
        _add_audit_event("fsync")


def _add_audit_event(name: str) -> None:
    """Make the function os.NAME raise the audit event `trial.NAME` before each call."""
    function = getattr(os, name)

    def audit_and_call(*arguments: t.Any) -> None:
        sys.audit(f"trial.{name}", *arguments)
        function(*arguments)

    setattr(os, name, audit_and_call)


def act_before_change(number: int, act: t.Callable[[], object], *, syncs: bool) -> None:
    """Make this process call `act` just before its change of that number."""

    def act_if_reached(reached: int) -> None:
        if reached == number:
            act()

    watch_changes(act_if_reached, syncs=syncs)


def count_changes(path: str, trial: Trial, *, syncs: bool) -> int:
    """Run the trial, and return how many changes it makes to the host."""
    set_up(path, trial)

    def count() -> None:
        numbers: list[int] = []
        watch_changes(numbers.append, syncs=syncs)
        reach_target(path, trial)
        os._exit(len(numbers))

    return os.WEXITSTATUS(run_in_child(count))


def kill_self() -> None:
    """End this process as the OOM killer does."""
    os.kill(os.getpid(), signal.SIGKILL)


def stop_self() -> None:
    """Make this process wait until the power is cut."""
    os.kill(os.getpid(), signal.SIGSTOP)


def fill_disk(path: str) -> None:
    """Use all free space of the filesystem of `path`."""
    length = 0
    step = 2**40
    descriptor = os.open(f"{pathlib.Path(path).parent}/{_FILLER}", os.O_RDWR | os.O_CREAT, 0o600)
    while step:
        try:
            os.posix_fallocate(descriptor, length, step)
        except OSError:
            step //= 2
        else:
            length += step
    os.close(descriptor)


def free_disk(path: str) -> None:
    """Free the space that `fill_disk` has used."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(f"{pathlib.Path(path).parent}/{_FILLER}")
        # btrfs frees the space only with a sync.
        os.sync()


def interrupt_everywhere(path: str, trial: Trial, act: t.Callable[[], object]) -> dict[str, t.Any]:
    """Call `act` before each change of the trial in turn, and complete the trial.

    Return the number of changes, how many runs failed, and the problems.
    """
    changes = count_changes(path, trial, syncs=False)
    failed = 0
    problems: list[str] = []
    for number in range(1, changes + 1):
        set_up(path, trial)
        elsewhere = read_swap_total() - trial.start
        with Sampler() as sampler:
            status = _run_interrupted(path, trial, number, act)
            failed += status != 0
            if os.WIFEXITED(status) and os.WEXITSTATUS(status) > 1:
                problems.append(f"{number}: the run ended with a traceback")
            problems += [f"{number}, interrupted: {damage}" for damage in find_damage(path)]
            if run_in_child(functools.partial(reach_target, path, trial)):
                problems.append(f"{number}: the next run failed")
        if sampler.lowest_bytes < elsewhere + trial.floor:
            problems.append(f"{number}: swap fell to {sampler.lowest_bytes} bytes")
        problems += [f"{number}, completed: {problem}" for problem in _find_problems(path)]
        if reach_target(path, trial):
            problems.append(f"{number}: one run was not enough")
    remove_swap(path)
    return {"changes": changes, "failed": failed, "problems": problems}


def _run_interrupted(path: str, trial: Trial, number: int, act: t.Callable[[], object]) -> int:
    """Run the trial in a child process that calls `act` before its change of that number; return its wait status."""

    def interrupt() -> None:
        act_before_change(number, act, syncs=False)
        reach_target(path, trial)

    status = run_in_child(interrupt)
    free_disk(path)
    return status


def _find_problems(path: str) -> list[str]:
    """Return the problems of a host on which the change at `path` is complete."""
    return [*find_damage(path), *find_leftovers(path), *find_unfinished_tables()]


def stop_everywhere(folder: str, trial: Trial) -> t.NoReturn:
    """Start the trial once for each of its changes, each at its own path, and stop it just before that change.

    Write to STOPPED how many changes there are and how many runs are stopped, and wait until the power is cut.
    """
    changes = count_changes(f"{folder}/0/swapfile", trial, syncs=True)
    remove_swap(f"{folder}/0/swapfile")
    stopped = 0
    for number in range(1, changes + 1):
        path = f"{folder}/{number}/swapfile"
        set_up(path, trial)
        stopped += _stop_before_change(path, trial, number)
        # The kernel allows only 23 swap areas at once, and after the power cut only the disk counts.
        switch_off(path)
    STOPPED.write_text(json.dumps({"changes": changes, "stopped": stopped}))
    while True:
        signal.pause()


def _stop_before_change(path: str, trial: Trial, number: int) -> bool:
    """Run the trial in a child process that stops before its change of that number. Return whether it stops."""

    def interrupt() -> None:
        act_before_change(number, stop_self, syncs=True)
        # The runs that are already stopped still hold the lock.
        with unittest.mock.patch.object(SwapChange, "lock", return_value=contextlib.nullcontext()):
            reach_target(path, trial)

    return os.WIFSTOPPED(os.waitpid(start_child(interrupt), os.WUNTRACED)[1])


def complete_everywhere(folder: str, trial: Trial) -> dict[str, t.Any]:
    """Complete the trials that `stop_everywhere` has stopped.

    Return the total swap that the boot has switched on, and the problems.
    """
    total = read_swap_total()
    folders = [entry for entry in sorted(pathlib.Path(folder).iterdir()) if entry.name.isdigit()]
    paths = [f"{entry}/swapfile" for entry in folders]
    problems: list[str] = []
    for path in paths:
        problems += [f"{path}, interrupted: {damage}" for damage in find_damage(path)]
    # The boot may have switched on as many areas as the kernel allows, but each trial needs another one.
    booted = {path: switch_off(path) for path in paths}
    for path, areas in booted.items():
        problems += [f"{path}{problem}" for problem in _complete(path, trial, areas)]
    # All trials change the same table: one that still has to change it removes the unfinished table of another.
    problems += find_unfinished_tables()
    return {"total_bytes": total, "problems": problems}


def _complete(path: str, trial: Trial, areas: list[str]) -> t.Iterator[str]:
    """Complete one stopped trial, whose areas the boot has switched on; yield the problems. Remove its swap."""
    for area in areas:
        switch_on(area)
    if run_in_child(functools.partial(reach_target, path, trial)):
        yield ": the next run failed"
    for problem in (*find_damage(path), *find_leftovers(path)):
        yield f", completed: {problem}"
    remove_swap(path)


def run_twice_at_once(path: str, trial: Trial) -> dict[str, t.Any]:
    """Run the trial twice at the same time; return the wait statuses and the problems."""
    set_up(path, trial)
    pids = [start_child(functools.partial(reach_target, path, trial)) for _run in range(2)]
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    problems = _find_problems(path)
    remove_swap(path)
    return {"ends": ends, "problems": problems}


INTERRUPTIONS: dict[str, t.Callable[[str, Trial], dict[str, t.Any]]] = {
    "kill": lambda path, trial: interrupt_everywhere(path, trial, kill_self),
    "fill": lambda path, trial: interrupt_everywhere(path, trial, lambda: fill_disk(path)),
    "twice": run_twice_at_once,
    "stop": stop_everywhere,
    "complete": complete_everywhere,
}
