# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find out how much memory is enough for jobs, which the kernel has killed before, and which were not killed once."""

from __future__ import annotations

import json
import pathlib
import subprocess
import time
import typing as t

from history_trial.drive import INTERPRETERS, PROGRAMS, UNITS, systemctl

JOBS = (
    *("job.py hold 60", "job.py peak 90", "job.py inflate 50", "job.py texts 70", "job.py workers 80"),
    *("job.py file 40", "job.pl text 64", "job.pl list 50", "job.sh awk 60", "job.sh sort 80"),
)
PLENTY_MIB = 300
SAVED = pathlib.Path("/root/enough.json")
UNIT = """\
[Service]
Type=oneshot
ExecStart={command}
MemoryMax={limit_mib}M
MemorySwapMax=0
"""


class Job(t.TypedDict):
    """A job, and the smallest limit with which it ended, in MiB."""

    command: str
    unit: str
    smallest_mib: float


def try_jobs() -> list[Job]:
    """Run all jobs: killed, with plenty of memory, and at last with ever closer limits; save and return the result."""
    jobs = [try_job(number, command) for number, command in enumerate(JOBS)]
    SAVED.write_text(json.dumps(jobs, indent=1) + "\n")
    return jobs


def try_job(number: int, command: str) -> Job:
    limit_mib = int(command.rsplit(maxsplit=1)[-1]) // 2
    unit = f"job-{number}.service"
    for mib in (limit_mib, limit_mib, PLENTY_MIB):
        run_unit(unit, command, mib)
        time.sleep(1)

    smallest_mib = find_smallest(command, limit_mib)
    return {"command": command, "unit": unit, "smallest_mib": smallest_mib}


def run_unit(unit: str, command: str, limit_mib: float) -> bool:
    """Run a job with a limit, and return whether it ended without a kill."""
    text = UNIT.format(command=build_command(command), limit_mib=limit_mib)
    (UNITS / unit).write_text(text)
    systemctl("daemon-reload")
    return subprocess.run(["systemctl", "start", unit], check=False).returncode == 0


def find_smallest(command: str, too_small_mib: float) -> float:
    """Return the smallest limit with which a job ends, to a hundredth."""
    enough_mib = float(PLENTY_MIB)
    while enough_mib > 1.01 * too_small_mib:
        mib = (too_small_mib + enough_mib) / 2
        if run_with_limit(command, mib):
            enough_mib = mib
        else:
            too_small_mib = mib

    return enough_mib


def run_with_limit(command: str, limit_mib: float) -> bool:
    """Run a job in a unit of another name, and return whether it ended without a kill."""
    limits = [f"--property=MemoryMax={int(limit_mib * 1024)}K", "--property=MemorySwapMax=0"]
    argv = ["systemd-run", "--quiet", "--wait", "--collect", *limits, *build_command(command).split()]
    return subprocess.run(argv, check=False).returncode == 0


def build_command(command: str) -> str:
    program, arguments = command.split(" ", 1)
    interpreter = INTERPRETERS[program.rpartition(".")[2]]
    return f"{interpreter} {PROGRAMS / program} {arguments}"
