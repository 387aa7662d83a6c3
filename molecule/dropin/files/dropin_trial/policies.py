# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of a kernel OOM kill on a unit, with each OOMPolicy= and each Restart=."""

from __future__ import annotations

import itertools
import json
import pathlib
import shutil
import subprocess
import time

from dropin_trial.host import UNITS, Outcome, attempt, parse_properties, systemctl, write_file

KILLED = ("worker", "main")
POLICIES = ("continue", "stop", "kill")
RESTARTS = ("no", "always", "on-failure", "on-abnormal", "on-abort")

# tail keeps its input in memory until a line ends. A restarted unit does not take memory again.
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
_UNIT_OUT_OF_MEMORY = "MESSAGE_ID=fe6faa94e7774663a0da52717891d8ef"


def try_policies() -> Outcome:
    """Let the kernel kill a worker, and the main process, with each policy and each way to restart."""
    units = _create_units()
    began = int(time.time())
    systemctl("start", *units.values())
    outcome = wait_until_settled([*units.values()], since=began)
    systemctl("stop", *units.values())
    systemctl("reset-failed", *units.values())
    _remove_units()
    return {name: outcome[unit] for name, unit in units.items()}


def _create_units() -> dict[str, str]:
    """Create an instance of a unit for each kind of kill, policy and way to restart; return their names by kind."""
    units = {}
    for killed, policy in itertools.product(KILLED, POLICIES):
        template = f"trial-{killed}-{policy}@"
        write_file(UNITS / f"{template}.service", _UNIT.format(command=_COMMANDS[killed]))
        for restart in RESTARTS:
            units[f"{killed}, {policy}, {restart}"] = f"{template}{restart}.service"
            write_file(UNITS / f"{template}{restart}.service.d/10-restart.conf", f"[Service]\nRestart={restart}\n")
        attempt({"Service": {"OOMPolicy": [policy]}}, unit=f"{template}.service")
    return units


def _remove_units() -> None:
    for folder in UNITS.glob("trial-*@*.service.d"):
        shutil.rmtree(folder)
    for path in UNITS.glob("trial-*@.service"):
        path.unlink()
    systemctl("daemon-reload")


def try_apache() -> Outcome:
    """Let the kernel kill a process in Apache's cgroup, at a limit set while Apache runs, with each policy."""
    unit = "apache2.service"
    cgroup = pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service")
    worker = f"echo $$ >{cgroup}/cgroup.procs; echo 900 >/proc/$$/oom_score_adj; exec tail /dev/zero"
    outcome: Outcome = {}
    for policy in POLICIES:
        systemctl("reset-failed", unit)
        systemctl("start", unit)
        settings = {"Service": {"OOMPolicy": [policy], "MemoryMax": ["80M"], "MemorySwapMax": ["0"]}}
        error = attempt(settings, unit=unit)["error"]
        began = int(time.time())
        subprocess.run(["sh", "-c", worker], check=False)
        found = wait_until_settled([unit], since=began)[unit]
        outcome[policy] = {"error": error, "answers": _has_answer(), **found}
    attempt(unit=unit, present=False)
    systemctl("start", unit)
    outcome["recovered"] = _has_answer()
    return outcome


def wait_until_settled(units: list[str], *, since: int) -> Outcome:
    """Wait until the states of the units no longer change, and return them. The kernel kills a process in each unit.

    `noticed` is whether systemd has noticed the kill. After 30 looks, return the states as they are.
    """
    states: dict[str, dict[str, str]] = {}
    noticed: set[str] = set()
    for _look in range(30):
        time.sleep(3)
        states_before = states
        noticed = _find_units_out_of_memory(since)
        states = _read_states(units)
        if noticed.issuperset(units) and states == states_before and not _has_transition(states):
            break
    return {unit: {"noticed": unit in noticed, **state} for unit, state in states.items()}


def _read_states(units: list[str]) -> dict[str, dict[str, str]]:
    printed = systemctl("show", "--property=Id,ActiveState,Result,NRestarts", "--", *units)
    states = [parse_properties(text) for text in printed.split("\n\n")]
    return {state.pop("Id"): state for state in states}


def _has_transition(states: dict[str, dict[str, str]]) -> bool:
    """Return whether a unit is `activating` or `deactivating`."""
    return any(state["ActiveState"].endswith("ating") for state in states.values())


def _find_units_out_of_memory(since: int) -> set[str]:
    """Return the units in which systemd has noticed a kernel OOM kill."""
    fields = ["--output=json", "--output-fields=UNIT"]
    command = ["journalctl", "--quiet", f"--since=@{since}", *fields, _UNIT_OUT_OF_MEMORY]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines()
    return {json.loads(line)["UNIT"] for line in lines}


def _has_answer() -> bool:
    """Return whether the web server of this host answers."""
    command = ["curl", "--silent", "--fail", "--output", "/dev/null", "http://127.0.0.1/"]
    return subprocess.run(command, check=False).returncode == 0


CASES = {"policies": try_policies, "apache": try_apache}
