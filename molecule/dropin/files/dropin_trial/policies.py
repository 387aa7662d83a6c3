# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel's kill does to a unit, with each policy and each way to restart."""

from __future__ import annotations

import itertools
import json
import pathlib
import shutil
import subprocess
import time

from dropin_trial.host import UNITS, Outcome, attempt, properties, systemctl, write

KILLED = ("worker", "main")
POLICIES = ("continue", "stop", "kill")
RESTARTS = ("no", "always", "on-failure", "on-abnormal", "on-abort")

# tail keeps what it reads until a line ends. What has been restarted lives on.
_COMMANDS = {
    "worker": "tail /dev/zero; exec sleep infinity",
    "main": "exec tail /dev/zero",
}
_UNIT = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c '[ -e /run/%n ] && exec sleep infinity; touch /run/%n; sleep 2; {command}'
MemoryMax=16M
MemorySwapMax=0
RestartSec=1
"""

# SD_MESSAGE_UNIT_OUT_OF_MEMORY, of sd-messages.h: "A process of this unit has been killed by the OOM killer."
_NOTICED = "MESSAGE_ID=fe6faa94e7774663a0da52717891d8ef"


def policies() -> Outcome:
    """Have the kernel kill a worker, and the main process, under each policy and each way to restart."""
    units = {}
    for killed, policy in itertools.product(KILLED, POLICIES):
        template = f"trial-{killed}-{policy}@"
        write(UNITS / f"{template}.service", _UNIT.format(command=_COMMANDS[killed]))
        for restart in RESTARTS:
            units[f"{killed}, {policy}, {restart}"] = f"{template}{restart}.service"
            write(UNITS / f"{template}{restart}.service.d/10-restart.conf", f"[Service]\nRestart={restart}\n")
        attempt({"Service": {"OOMPolicy": [policy]}}, unit=f"{template}.service")
    began = int(time.time())
    systemctl("start", *units.values())
    outcome = settled([*units.values()], since=began)
    systemctl("stop", *units.values())
    systemctl("reset-failed", *units.values())
    for folder in UNITS.glob("trial-*@*.service.d"):
        shutil.rmtree(folder)
    for path in UNITS.glob("trial-*@.service"):
        path.unlink()
    systemctl("daemon-reload")
    return {name: outcome[unit] for name, unit in units.items()}


def apache() -> Outcome:
    """Have the kernel kill a process in Apache's cgroup, at a limit set while it runs, under each policy."""
    unit, cgroup = "apache2.service", pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service")
    worker = f"echo $$ >{cgroup}/cgroup.procs; echo 900 >/proc/$$/oom_score_adj; exec tail /dev/zero"
    outcome: Outcome = {}
    for policy in POLICIES:
        systemctl("reset-failed", unit)
        systemctl("start", unit)
        settings = {"Service": {"OOMPolicy": [policy], "MemoryMax": ["80M"], "MemorySwapMax": ["0"]}}
        error = attempt(settings, unit=unit)["error"]
        began = int(time.time())
        subprocess.run(["sh", "-c", worker], check=False)
        found = settled([unit], since=began)[unit]
        outcome[policy] = {"error": error, "answers": _answers(), **found}
    attempt(unit=unit, present=False)
    systemctl("start", unit)
    outcome["mended"] = _answers()
    return outcome


def settled(units: list[str], *, since: int) -> Outcome:
    """Return what has become of units in each of which the kernel kills a process, once nothing changes any more."""
    found: Outcome = {}
    noticed: set[str] = set()
    for _look in range(30):
        time.sleep(3)
        before, noticed = found, _noticed(since)
        states = systemctl("show", "--property=Id,ActiveState,Result,NRestarts", "--", *units).split("\n\n")
        found = {state.pop("Id"): state for state in map(properties, states)}
        resting = not any(state["ActiveState"].endswith("ating") for state in found.values())
        if resting and noticed.issuperset(units) and found == before:
            break
    return {unit: {"noticed": unit in noticed, **state} for unit, state in found.items()}


def _noticed(since: int) -> set[str]:
    """Return the units in which systemd has noticed the kernel's kill."""
    command = ["journalctl", "--quiet", f"--since=@{since}", "--output=json", "--output-fields=UNIT", _NOTICED]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return {json.loads(line)["UNIT"] for line in lines}


def _answers() -> bool:
    """Tell whether a web server answers."""
    asked = ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1/"]
    return subprocess.run(asked, check=False).returncode == 0


CASES = (policies, apache)
