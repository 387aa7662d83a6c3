# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which value is in force, and which file wins."""

from __future__ import annotations

import pathlib

from ansible_collections.oomguard.linux.plugins.module_utils._mark import make_mark
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from dropin_trial.host import (
    BOGUS,
    CGROUP,
    CONTINUE,
    FILE,
    FOLDER,
    SIXTY_MB,
    UNIT,
    Outcome,
    attempt,
    clean_up,
    show_properties,
    systemctl,
    write_file,
)


def try_overridden() -> Outcome:
    """Let other files win: a later one, one in /run, one of set-property, one that hides ours."""
    write_file(FOLDER / "60-site.conf", "[Service]\nOOMPolicy=stop\nMemoryMax=50M\n")
    outcome = _apply_against_file("later", CONTINUE)
    write_file(pathlib.Path(f"/run/systemd/system/{UNIT}.d/70-site.conf"), "[Service]\nMemoryMax=40M\n")
    outcome.update(_apply_against_file("run", SIXTY_MB))
    clean_up()

    systemctl("set-property", UNIT, "MemoryMax=30M")
    outcome["set-property"] = attempt(SIXTY_MB, name="10-early")
    outcome["set-property, live"] = attempt(SIXTY_MB)
    outcome["kernel"] = _read_memory_max()
    clean_up()

    attempt(SIXTY_MB)
    systemctl("set-property", "--runtime", UNIT, "MemoryMax=30M")
    outcome["set-property, later"] = attempt(SIXTY_MB)
    outcome["kernel, later"] = _read_memory_max()
    clean_up()

    write_file(FILE, f"{make_mark('systemd_dropin')}\n\n[Service]\nMemoryMax=20M\n")
    systemctl("daemon-reload")
    outcome["hidden"] = attempt(SIXTY_MB, runtime=True)
    return outcome


def _apply_against_file(name: str, settings: Settings) -> Outcome:
    """Apply settings that another file overrides: with verification, without it, and with our file already there."""
    systemctl("daemon-reload")
    outcome = {
        name: attempt(settings),
        f"{name}, not verified": attempt(settings, verify=False),
        f"{name}, found": attempt(settings),
    }
    attempt(present=False)
    return outcome


def _read_memory_max() -> str:
    return (CGROUP / "memory.max").read_text().strip()


def try_runtime() -> Outcome:
    """Write below /run."""
    return {"present": attempt(CONTINUE, runtime=True), "absent": attempt(runtime=True, present=False)}


def try_limits() -> Outcome:
    """Limit a running unit, read the kernel's limits, and remove the limit again."""
    settings: Settings = {"Service": {"MemoryMax": ["60M"], "TasksMax": ["77"], "OOMPolicy": ["kill"]}}

    def read_kernel() -> list[str]:
        return [(CGROUP / name).read_text().strip() for name in ("memory.max", "pids.max", "memory.oom.group")]

    pid = show_properties("MainPID")
    outcome: Outcome = {"set": attempt(settings), "kernel": read_kernel(), "again": attempt(settings)}
    (CGROUP / "memory.max").write_text("max")
    outcome["repaired"] = attempt(settings)
    outcome["kernel, repaired"] = read_kernel()
    outcome["removed"] = attempt(present=False)
    memory_max, _pids_max, oom_group = read_kernel()
    outcome["kernel, removed"] = [memory_max, oom_group]
    outcome["same process"] = pid == show_properties("MainPID")
    return outcome


def try_parent_slice() -> Outcome:
    """Set a tighter limit on the slice above the unit."""
    attempt({"Slice": {"MemoryMax": ["50M"]}}, unit="trial.slice")
    outcome = attempt(SIXTY_MB)
    attempt(unit="trial.slice", present=False)
    return outcome


def try_traps() -> Outcome:
    """Apply settings that do not have the effect that a user expects."""
    return {
        "high": attempt({"Service": {"MemoryHigh": ["60M"]}})["warnings"],
        "spared": attempt({"Service": {"OOMScoreAdjust": ["-1000"]}})["warnings"],
        "none": attempt(CONTINUE)["warnings"],
    }


def try_pinned() -> Outcome:
    """Apply settings that are already in force, with and without pinning them in a file."""
    settings: Settings = {"Service": {"Restart": ["no"]}}
    return {"not pinned": attempt(settings, pin=False), "pinned": attempt(settings)}


def try_check_mode() -> Outcome:
    """Apply drop-ins in check mode."""
    before = show_properties("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    outcome: Outcome = {"present": attempt(CONTINUE, check_mode=True)}
    outcome["bad"] = attempt(BOGUS, check_mode=True)["error"]
    outcome["untouched"] = before == show_properties("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    attempt(CONTINUE)
    outcome["absent"] = attempt(present=False, check_mode=True)
    write_file(FOLDER / "60-site.conf", "[Service]\nOOMPolicy=stop\n")
    systemctl("daemon-reload")
    outcome["overridden"] = attempt(CONTINUE, check_mode=True)["error"]
    return outcome


CASES = {
    "overridden": try_overridden,
    "runtime": try_runtime,
    "limits": try_limits,
    "parent_slice": try_parent_slice,
    "traps": try_traps,
    "pinned": try_pinned,
    "check_mode": try_check_mode,
}
