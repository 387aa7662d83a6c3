# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is killed, loses its power or meets itself: cases 44 and 46."""

from __future__ import annotations

import functools
import itertools
import os
import signal
import sys
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import MARK, Settings
from dropin_trial.host import (
    CONTINUE,
    FILE,
    FOLDER,
    SIXTY,
    UNITS,
    Outcome,
    attempt,
    shown,
)

TEXT = f"{MARK}\n\n[Service]\nOOMPolicy={{}}\n"

# Each way leads on from the one before: what is asked for, and the policy that is in force then.
KILLED: dict[str, tuple[Settings | None, str]] = {
    "new": (CONTINUE, "continue"),
    "other": ({"Service": {"OOMPolicy": ["kill"]}}, "kill"),
    "absent": (None, "stop"),
}

WHOLE = (None, TEXT.format("continue"), TEXT.format("kill"))

# What the audit event of the change has in it.
CUTS = {"cut-before-rename": "os.rename", "cut-before-reload": "daemon-reload"}


def changes(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Tell whether an audit event announces a change of the host: of a unit's files, or of what systemd has read."""
    if event == "subprocess.Popen":
        return "daemon-reload" in str(arguments[1])
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return False
    return event in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"} and str(UNITS) in str(arguments[0])


def before_change(number: int, signal_: signal.Signals, *, word: str = "") -> None:
    """Have this process send itself a signal just before its change of that number, of those with `word` in them."""
    counter = itertools.count(1)

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if changes(event, arguments) and word in f"{event} {arguments}" and next(counter) == number:
            os.kill(os.getpid(), signal_)

    sys.addaudithook(hook)


def child(work: t.Callable[[], Outcome]) -> int:
    """Begin `work` in a child process, and return its number."""
    pid = os.fork()
    if pid == 0:
        os._exit(1 if work()["error"] else 0)
    return pid


def killed(number: int, work: t.Callable[[], Outcome]) -> bool:
    """Do `work` in a process that is killed before its change of that number; tell whether there was one."""

    def interrupted() -> Outcome:
        before_change(number, signal.SIGKILL)
        return work()

    return os.WIFSIGNALED(os.waitpid(child(interrupted), 0)[1])


def kills() -> Outcome:
    """Kill a run before each of its changes, and complete it: a new file, another one, none."""
    outcome: Outcome = {"problems": [], "killed": dict.fromkeys(KILLED, 0)}
    for number in itertools.count(1):
        reached = sum(outcome["killed"].values())
        for way, (settings, policy) in KILLED.items():
            work = functools.partial(attempt, settings, present=settings is not None)
            outcome["killed"][way] += killed(number, work)
            text = FILE.read_text() if FILE.exists() else None
            last = work()
            found = [text in WHOLE, last["error"], last["files"], shown("OOMPolicy", "NeedDaemonReload")]
            files = None if settings is None else ["50-oomguard.conf"]
            if found != [True, None, files, {"OOMPolicy": policy, "NeedDaemonReload": "no"}]:
                outcome["problems"].append([way, number, *found])
        if reached == sum(outcome["killed"].values()):
            break
    return outcome


def two_at_once() -> Outcome:
    """Run several at the same time, on one file and on different ones."""
    works = [
        functools.partial(attempt, settings, name=name) for settings, name in ((CONTINUE, "50-a"), (SIXTY, "60-b"))
    ]
    pids = [child(work) for work in (works[0], *works)]
    outcome: Outcome = {"ends": [os.waitpid(pid, 0)[1] for pid in pids]}
    outcome["shown"] = shown("OOMPolicy", "MemoryMax", "NeedDaemonReload")
    outcome["files"] = sorted(path.name for path in FOLDER.iterdir())
    return outcome


def stop(cut: str) -> None:
    """Replace a file that is in force, and stop for good just before the change that the power is to be cut at."""
    attempt(KILLED["other"][0])
    before_change(1, signal.SIGSTOP, word=CUTS[cut])
    attempt(CONTINUE)


def complete() -> Outcome:
    """Tell what a power cut has left, and complete it."""
    return {
        "text": FILE.read_text(),
        "shown": shown("OOMPolicy")["OOMPolicy"],
        "completed": attempt(CONTINUE),
        "absent": attempt(present=False),
    }


CASES = (kills, two_at_once)
