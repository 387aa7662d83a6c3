# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed, lose their power, or run at the same time as another one."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import sys
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from dropin_trial.host import (
    CONTINUE,
    FILE,
    FOLDER,
    SIXTY_MB,
    UNITS,
    Outcome,
    attempt,
    show_properties,
)

TEXT = f"{make_mark('systemd_dropin')}\n\n[Service]\nOOMPolicy={{}}\n"

KILL: Settings = {"Service": {"OOMPolicy": ["kill"]}}

# Each change starts from the result of the one before: its settings (None: state=absent), and the policy in force then.
CHANGES: dict[str, tuple[Settings | None, str]] = {
    "new": (CONTINUE, "continue"),
    "other": (KILL, "kill"),
    "absent": (None, "stop"),
}

# The texts of the file when no change is half done.
WHOLE_TEXTS = (None, TEXT.format("continue"), TEXT.format("kill"))

# A word in the audit event of the change to stop at.
CUTS = {"cut-before-rename": "os.rename", "cut-before-reload": "daemon-reload"}


def is_change(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Return whether an audit event announces a change of a unit's files, or of systemd's view of them."""
    if event == "subprocess.Popen":
        return "daemon-reload" in str(arguments[1])
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return False
    return event in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"} and str(UNITS) in str(arguments[0])


def signal_before_change(number: int, signal_: signal.Signals, *, word: str = "") -> None:
    """Make this process send itself a signal just before one of its changes.

    Only changes whose event contains `word` count, from 1.
    """
    counter = itertools.count(1)

    def handle_event(event: str, arguments: tuple[t.Any, ...]) -> None:
        if not is_change(event, arguments) or word not in f"{event} {arguments}":
            return
        if next(counter) == number:
            os.kill(os.getpid(), signal_)

    sys.addaudithook(handle_event)


def start_child(work: t.Callable[[], Outcome]) -> int:
    """Start `work` in a child process, and return its process id. The child exits with 1 if the outcome is an error."""
    pid = os.fork()
    if pid == 0:
        os._exit(1 if work()["error"] else 0)
    return pid


def kill_before_change(number: int, work: t.Callable[[], Outcome]) -> bool:
    """Do `work` in a process that is killed before its change of that number. Return whether it got that far."""

    def interrupt() -> Outcome:
        signal_before_change(number, signal.SIGKILL)
        return work()

    return os.WIFSIGNALED(os.waitpid(start_child(interrupt), 0)[1])


def try_kills() -> Outcome:
    """Kill a run before each of its changes, and complete it: for a new file, for other settings, and for no file."""
    killed = dict.fromkeys(CHANGES, 0)
    problems: list[t.Any] = []
    for number in itertools.count(1):
        killed_before = sum(killed.values())
        for name, (settings, policy) in CHANGES.items():
            work = functools.partial(attempt, settings, present=settings is not None)
            killed[name] += kill_before_change(number, work)
            text = FILE.read_text() if FILE.exists() else None
            last = work()
            found = [
                text in WHOLE_TEXTS,
                last["error"],
                last["files"],
                show_properties("OOMPolicy", "NeedDaemonReload"),
            ]
            files = None if settings is None else ["50-oomguard.conf"]
            if found != [True, None, files, {"OOMPolicy": policy, "NeedDaemonReload": "no"}]:
                problems.append([name, number, *found])
        if sum(killed.values()) == killed_before:
            break
    return {"problems": problems, "killed": killed}


def try_two_at_once() -> Outcome:
    """Start several runs at the same time: two on one file, and one on another file."""
    first = functools.partial(attempt, CONTINUE, name="50-a")
    other = functools.partial(attempt, SIXTY_MB, name="60-b")
    pids = [start_child(work) for work in (first, first, other)]
    outcome: Outcome = {"ends": [os.waitpid(pid, 0)[1] for pid in pids]}
    outcome["shown"] = show_properties("OOMPolicy", "MemoryMax", "NeedDaemonReload")
    outcome["files"] = sorted(path.name for path in FOLDER.iterdir())
    return outcome


def stop_before_cut(cut: str) -> None:
    """Replace a file that is in force, and stop for good just before the change at which the test cuts the power."""
    attempt(KILL)
    signal_before_change(1, signal.SIGSTOP, word=CUTS[cut])
    attempt(CONTINUE)


def complete_after_cut() -> Outcome:
    """Return what a power cut has left, then complete the change, and remove the drop-in."""
    return {
        "text": FILE.read_text(),
        "shown": show_properties("OOMPolicy")["OOMPolicy"],
        "completed": attempt(CONTINUE),
        "absent": attempt(present=False),
    }


CASES = {"kills": try_kills, "two_at_once": try_two_at_once}
