# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start units, and stop them or wait until the kernel kills them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import threading
import time
import typing as t

from history_trial.plan import History, Run, plan_waves

UNITS = pathlib.Path("/run/systemd/system")
INVOCATIONS = pathlib.Path("/run/systemd/units")
ARGUMENTS = pathlib.Path("/run/history")
PROGRAMS = pathlib.Path(__file__).parent / "programs"
WAVES = pathlib.Path("/root/waves.json")
INTERPRETERS = {"py": "/usr/bin/python3", "pl": "/usr/bin/perl", "sh": "/bin/sh"}
LONGEST = 300
# systemd records what a run used only if it used more than a second of processor time, or 64 MiB. An ExecStartPre=
# cannot use that second: the argument of the run, which systemd reads after it, would be that of the next one.
UNIT = """\
[Unit]
StartLimitIntervalSec=0

[Service]
EnvironmentFile={arguments}
ExecStart=/bin/sh -c '(ulimit -t 1; while :; do :; done); exec {command} $ARGUMENT'
Restart=always
RestartSec=1
OOMPolicy={policy}
MemoryMax={limit_mib}M
MemorySwapMax=0
TimeoutStopSec=5
"""


class Wave(t.TypedDict):
    """When a wave ran, in seconds since 1970, and why the memory of each unit grew."""

    since: float
    until: float
    truths: dict[str, str]
    failed: list[str]
    """The units that the kernel did not kill in time."""


def run_waves(seed: int) -> list[Wave]:
    """Let all waves happen, save what was planned, and return it."""
    waves = []
    for histories in plan_waves(seed):
        waves.append(run_wave(histories))
        draft = WAVES.with_suffix(".new")
        draft.write_text(json.dumps(waves, indent=1) + "\n")
        draft.replace(WAVES)

    return waves


def run_wave(histories: t.Sequence[History]) -> Wave:
    since = time.time()
    ARGUMENTS.mkdir(exist_ok=True)
    for history in histories:
        write_unit(history)

    systemctl("daemon-reload")
    failed: list[str] = []
    threads = [threading.Thread(target=run_history, args=(history, failed)) for history in histories]
    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    time.sleep(2)
    subprocess.run(["journalctl", "--sync"], check=True)
    truths = {history.unit: history.truth for history in histories}
    return {"since": since, "until": time.time(), "truths": truths, "failed": failed}


def write_unit(history: History) -> None:
    program, arguments = history.command.split(" ", 1)
    interpreter = INTERPRETERS[program.rpartition(".")[2]]
    text = UNIT.format(
        arguments=ARGUMENTS / history.unit,
        command=f"{interpreter} {PROGRAMS / program} {arguments}",
        # The other workers of a crowd keep running.
        policy={"too_many": "continue"}.get(history.truth, "stop"),
        limit_mib=history.limit_mib,
    )
    (UNITS / history.unit).write_text(text)


def run_history(history: History, failed: list[str]) -> None:
    """Run a unit as planned. systemd itself restarts it after a kill, so the next argument is always there before."""
    write_argument(history, history.runs[0])
    systemctl("start", history.unit)
    for run, following in zip(history.runs, [*history.runs[1:], None], strict=True):
        invocation = read_invocation(history.unit)
        if following:
            write_argument(history, following)

        if run.seconds is not None:
            time.sleep(run.seconds)
        elif not wait_for_kill(history.unit, invocation):
            failed.append(history.unit)

        if following and run.seconds is not None:
            systemctl("restart", history.unit)

    if history.truth != "too_many":
        systemctl("stop", history.unit)


def write_argument(history: History, run: Run) -> None:
    (ARGUMENTS / history.unit).write_text(f"ARGUMENT={run.argument}\n")


def wait_for_kill(unit: str, invocation: str) -> bool:
    """Wait until systemd has started the unit again, and return whether it has."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        time.sleep(1)
        if read_invocation(unit) not in {"", invocation}:
            return True

    return False


def read_invocation(unit: str) -> str:
    """Return the ID of the current run from systemd's own link. So many calls of systemctl would slow units down."""
    try:
        return os.readlink(INVOCATIONS / f"invocation:{unit}")
    except FileNotFoundError:
        return ""


def systemctl(*arguments: str) -> str:
    return subprocess.run(["systemctl", *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout
