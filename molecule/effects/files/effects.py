# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the kernel kill processes of units of every kind, and write down what really became of each unit.

A unit's name says what it is: whose process is killed (`worker`, `main`, or a `child` with whose status the main
process ends), by the limit of its cgroup (`memcg`) or for the whole host (`global`), its OOMPolicy= and its Restart=.
"""

import itertools
import json
import os
import pathlib
import subprocess
import sys
import time
import typing

STATE = pathlib.Path("/run/effects")
UNITS = pathlib.Path("/run/systemd/system")
POLICIES = ("stop", "continue", "kill")
RESTARTS = ("no", "on-success", "on-failure", "on-abnormal", "on-watchdog", "on-abort", "always")
KINDS = [
    *itertools.product(("worker", "main"), ("memcg",), POLICIES, RESTARTS),
    *itertools.product(("child",), ("memcg",), POLICIES, ("no", "on-failure")),
    ("worker", "global", "stop", "no"),
    ("worker", "global", "continue", "no"),
    ("worker", "global", "kill", "on-failure"),
    ("main", "global", "stop", "on-failure"),
    ("main", "global", "continue", "no"),
    ("main", "global", "kill", "no"),
]
# Eats memory the first time only: what systemd starts again lives.
BEGIN = "if test -e {state}/{name}.main; then exec sleep 100000; fi; echo $$ > {state}/{name}.main; "
# The kernel fills one buffer within one call: a program that ran meanwhile would read its own code from the disk again
# and again, and the kernel, which could always take that back, would wait with the kill for many minutes.
HOG = "echo $$ > {state}/{name}.hog; exec dd if=/dev/zero of=/dev/null count=1 bs={size}"
HOGS = {
    "worker": "sh {state}/{name}.hog.sh & sleep 100000",
    "main": HOG,
    "child": "sh {state}/{name}.hog.sh; exit $?",
}
SERVICE = """\
[Service]
ExecStart=/bin/sh {state}/{name}.sh
OOMPolicy={policy}
Restart={restart}
RestartSec=1
OOMScoreAdjust={adjust}
"""
MEMCG = "MemoryMax=24M\nMemorySwapMax=0\n"
# More than the kernel can find, and no more than it promises.
SIZES = {"memcg": 64 << 20, "global": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10}


def main() -> None:
    """Kill, and leave what became of each unit as JSON in /root/effects.json."""
    STATE.mkdir(exist_ok=True)
    kinds = {"effect-" + "-".join(kind): kind for kind in KINDS}
    for name, (who, where, policy, restart) in kinds.items():
        values = {"state": STATE, "name": name, "policy": policy, "restart": restart, "size": SIZES[where]}
        (STATE / f"{name}.sh").write_text((BEGIN + HOGS[who] + "\n").format(**values))
        (STATE / f"{name}.hog.sh").write_text((HOG + "\n").format(**values))
        service = SERVICE.format(adjust=500 if where == "global" else 0, **values)
        (UNITS / f"{name}.service").write_text(service + (MEMCG if where == "memcg" else ""))
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    for name in kinds:
        subprocess.run(["systemctl", "start", f"{name}.service"], check=True)
        wait_for_kill(name)
        # The kernel writes no more than ten reports in five seconds.
        time.sleep(0.5)
    time.sleep(10)
    became_of = {f"{name}.service": became(name, kind[2]) for name, kind in kinds.items()}
    pathlib.Path("/root/effects.json").write_text(json.dumps(became_of))


def became(name: str, policy: str) -> dict[str, typing.Any]:
    """Return what became of the unit, from its processes and systemd's properties: nothing of it from the journal."""
    command = ["systemctl", "show", "--property=ActiveState,Result,NRestarts", f"{name}.service"]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    properties = dict(line.split("=", 1) for line in shown.splitlines())
    restarted = int(properties["NRestarts"]) > 0
    return {
        "stopped": not alive(pid(name, "main")),
        "restarted": restarted,
        "active": properties["ActiveState"] == "active",
        # A start that succeeds makes the result forgotten.
        "result": None if restarted or properties["Result"] == "success" else properties["Result"],
        "policy": policy,
    }


def pid(name: str, which: str) -> str:
    """Return the process id that a script has left, nothing before it has."""
    path = STATE / f"{name}.{which}"
    return path.read_text().strip() if path.exists() else ""


def alive(process: str) -> bool:
    """Tell whether a process runs."""
    try:
        state = pathlib.Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state != "Z"


def wait_for_kill(name: str) -> None:
    """Wait until the process that eats memory is gone."""
    for _attempt in range(3000):
        if pid(name, "hog") and not alive(pid(name, "hog")):
            return
        time.sleep(0.2)
    sys.exit(f"Waited in vain for the kill in {name}.")


if __name__ == "__main__":
    os.chdir("/")
    main()
