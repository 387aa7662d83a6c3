# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let the kernel kill processes in units of every kind, and record what really happens to each unit.

The name of a unit names its kind: the process that is killed (`worker`, `main`, or a `child` whose exit status the main
process passes on), the limit it exceeds (`memcg` for that of its cgroup, `global` for the memory of the host), its
OOMPolicy= and its Restart=.
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
# Takes memory only on the first start, so that a restarted unit survives.
BEGIN = "if test -e {state}/{name}.main; then exec sleep 100000; fi; echo $$ > {state}/{name}.main; "
# The kernel fills the buffer of dd within one system call. A program that runs while memory is short reads its own code
# from the disk again and again. The kernel can always reclaim that, so it delays the kill for many minutes.
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
LIMITS = {"memcg": "MemoryMax=24M\nMemorySwapMax=0\n", "global": ""}
ADJUST = {"memcg": 0, "global": 500}
# More than the kernel can free, but no more than it promises.
SIZES = {"memcg": 64 << 20, "global": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 9 // 10}


def main() -> None:
    """Make the kills, and write the effect on each unit as JSON to /root/effects.json."""
    STATE.mkdir(exist_ok=True)
    kinds = {"effect-" + "-".join(kind): kind for kind in KINDS}
    for name, kind in kinds.items():
        write_unit(name, *kind)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    for name in kinds:
        subprocess.run(["systemctl", "start", f"{name}.service"], check=True)
        wait_for_kill(name)
        # The kernel writes at most ten reports in five seconds.
        time.sleep(0.5)
    time.sleep(10)
    effects = {}
    for name, (_process, _limit, policy, _restart) in kinds.items():
        effects[f"{name}.service"] = read_effect(name, policy)
    pathlib.Path("/root/effects.json").write_text(json.dumps(effects))


def write_unit(name: str, process: str, limit: str, policy: str, restart: str) -> None:
    """Write the files of a unit of that kind."""
    values = {"state": STATE, "name": name, "policy": policy, "restart": restart, "size": SIZES[limit]}
    (STATE / f"{name}.sh").write_text((BEGIN + HOGS[process] + "\n").format(**values))
    (STATE / f"{name}.hog.sh").write_text((HOG + "\n").format(**values))
    service = SERVICE.format(adjust=ADJUST[limit], **values)
    (UNITS / f"{name}.service").write_text(service + LIMITS[limit])


def read_effect(name: str, policy: str) -> dict[str, typing.Any]:
    """Return the effect on a unit, according to its processes and systemd's properties, but not to the journal."""
    command = ["systemctl", "show", "--property=ActiveState,Result,NRestarts", f"{name}.service"]
    shown = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    properties = dict(line.split("=", 1) for line in shown.splitlines())
    restarted = int(properties["NRestarts"]) > 0
    result: str | None = properties["Result"]
    # systemd resets the result when a unit starts successfully.
    if restarted or result == "success":
        result = None
    return {
        "stopped": not is_alive(read_pid(name, "main")),
        "restarted": restarted,
        "active": properties["ActiveState"] == "active",
        "result": result,
        "policy": policy,
    }


def read_pid(name: str, process: str) -> str:
    """Return the process id that a script of the unit has written, "" if it has not yet."""
    path = STATE / f"{name}.{process}"
    return path.read_text().strip() if path.exists() else ""


def is_alive(pid: str) -> bool:
    """Return whether a process runs and is not a zombie."""
    try:
        state = pathlib.Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False

    return state != "Z"


def wait_for_kill(name: str) -> None:
    """Wait until the process that takes memory is gone. Exit if the kernel does not kill it."""
    for _attempt in range(3000):
        pid = read_pid(name, "hog")
        if pid and not is_alive(pid):
            return
        time.sleep(0.2)
    sys.exit(f"The kernel has not killed the process that takes memory in {name}.")


if __name__ == "__main__":
    os.chdir("/")
    main()
