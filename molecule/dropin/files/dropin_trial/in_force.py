# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force, and what wins: cases 39 and 47."""

from __future__ import annotations

import pathlib

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import MARK, Settings
from dropin_trial.host import (
    BOGUS,
    CGROUP,
    CONTINUE,
    FILE,
    FOLDER,
    SIXTY,
    UNIT,
    Outcome,
    attempt,
    clean,
    shown,
    systemctl,
    write,
)


def overridden() -> Outcome:
    """Let other files win: a later one, one in /run, one of set-property, one that hides ours."""
    outcome: Outcome = {}
    later = write(FOLDER / "60-site.conf", "[Service]\nOOMPolicy=stop\nMemoryMax=50M\n")
    runtime = pathlib.Path(f"/run/systemd/system/{UNIT}.d/70-site.conf")
    for name, path, settings in (("later", later, CONTINUE), ("run", runtime, SIXTY)):
        write(path, path.read_text() if path.exists() else "[Service]\nMemoryMax=40M\n")
        systemctl("daemon-reload")
        outcome[name] = attempt(settings)
        outcome[f"{name}, not verified"] = attempt(settings, check=False)
        outcome[f"{name}, found"] = attempt(settings)
        attempt(present=False)
    clean()
    systemctl("set-property", UNIT, "MemoryMax=30M")
    outcome["set-property"] = attempt(SIXTY, name="10-early")
    outcome["set-property, live"] = attempt(SIXTY)
    outcome["kernel"] = (CGROUP / "memory.max").read_text().strip()
    clean()
    attempt(SIXTY)
    systemctl("set-property", "--runtime", UNIT, "MemoryMax=30M")
    outcome["set-property, later"] = attempt(SIXTY)
    outcome["kernel, later"] = (CGROUP / "memory.max").read_text().strip()
    clean()
    write(FILE, f"{MARK}\n\n[Service]\nMemoryMax=20M\n")
    systemctl("daemon-reload")
    outcome["hidden"] = attempt(SIXTY, runtime=True)
    return outcome


def runtime() -> Outcome:
    """Write below /run."""
    return {"present": attempt(CONTINUE, runtime=True), "absent": attempt(runtime=True, present=False)}


def limits() -> Outcome:
    """Limit a running unit, look at the kernel, and take the limit away again."""
    settings: Settings = {"Service": {"MemoryMax": ["60M"], "TasksMax": ["77"], "OOMPolicy": ["kill"]}}

    def kernel() -> list[str]:
        return [(CGROUP / name).read_text().strip() for name in ("memory.max", "pids.max", "memory.oom.group")]

    pid = shown("MainPID")
    outcome: Outcome = {"set": attempt(settings), "kernel": kernel(), "again": attempt(settings)}
    (CGROUP / "memory.max").write_text("max")
    outcome["mended"] = attempt(settings)
    outcome["kernel, mended"] = kernel()
    outcome["gone"] = attempt(present=False)
    outcome["kernel, gone"] = [kernel()[0], kernel()[2]]
    outcome["same process"] = pid == shown("MainPID")
    return outcome


def parent_slice() -> Outcome:
    """Have the slice above allow less."""
    attempt({"Slice": {"MemoryMax": ["50M"]}}, unit="trial.slice")
    outcome = attempt(SIXTY)
    attempt(unit="trial.slice", present=False)
    return outcome


def traps() -> Outcome:
    """Ask for what does not do what it is set for."""
    return {
        "high": attempt({"Service": {"MemoryHigh": ["60M"]}})["warnings"],
        "spared": attempt({"Service": {"OOMScoreAdjust": ["-1000"]}})["warnings"],
        "none": attempt(CONTINUE)["warnings"],
    }


def pinned() -> Outcome:
    """Ask for what is in force already, with and without a file of our own."""
    settings: Settings = {"Service": {"Restart": ["no"]}}
    return {"not pinned": attempt(settings, pin=False), "pinned": attempt(settings)}


def check_mode() -> Outcome:
    """Ask what would be done."""
    before = shown("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    outcome: Outcome = {"present": attempt(CONTINUE, dry=True)}
    outcome["bad"] = attempt(BOGUS, dry=True)["error"]
    outcome["untouched"] = before == shown("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    attempt(CONTINUE)
    outcome["absent"] = attempt(present=False, dry=True)
    write(FOLDER / "60-site.conf", "[Service]\nOOMPolicy=stop\n")
    systemctl("daemon-reload")
    outcome["overridden"] = attempt(CONTINUE, dry=True)["error"]
    return outcome


CASES = (
    overridden,
    runtime,
    limits,
    parent_slice,
    traps,
    pinned,
    check_mode,
)
