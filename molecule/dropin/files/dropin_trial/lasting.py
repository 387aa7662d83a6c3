# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins of every type, before a boot and after it."""

from __future__ import annotations

import os
import pathlib

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from dropin_trial.host import UNITS, Outcome, attempt, systemctl, write_file
from dropin_trial.units import INIT_SCRIPT

SLEEP = "[Service]\nExecStart=/bin/sleep infinity\nSlice=last.slice\n[Install]\nWantedBy=multi-user.target\n"
SOCKET = "[Socket]\nListenStream=/run/last.sock\nAccept=yes\n[Install]\nWantedBy=sockets.target\n"
FILES = {
    "last.service": SLEEP,
    "last@.service": SLEEP,
    "pre-one.service": SLEEP,
    "last.socket": SOCKET,
}
ENABLED = ("last.service", "last@one.service", "pre-one.service", "last.socket", "last-init.service")
SCRIPT = pathlib.Path("/etc/init.d/last-init")
CGROUPS = pathlib.Path("/sys/fs/cgroup")

# A unit, its settings, and the file in which the kernel has its limit, and the limit, if the setting is a limit.
DROPINS: dict[str, tuple[Settings, str, str]] = {
    "service.d": ({"Service": {"TasksMax": ["5001"]}}, "last.slice/last.service/pids.max", "5001"),
    "slice.d": ({"Slice": {"TasksMax": ["5002"]}}, "last.slice/pids.max", "5002"),
    "scope.d": ({"Scope": {"TasksMax": ["5003"]}}, "init.scope/pids.max", "5003"),
    "user-.slice": ({"Slice": {"MemoryMax": ["409600K"]}}, "user.slice/user-0.slice/memory.max", "419430400"),
    "session-.scope": ({"Scope": {"TasksMax": ["5004"]}}, "user.slice/user-0.slice/session-*.scope/pids.max", "5004"),
    "last.slice": ({"Slice": {"MemoryMax": ["102400K"]}}, "last.slice/memory.max", "104857600"),
    "last.service": ({"Service": {"MemoryMax": ["40M"]}}, "last.slice/last.service/memory.max", "41943040"),
    "last@.service": ({"Service": {"MemoryMax": ["41M"]}}, "last.slice/last@one.service/memory.max", "42991616"),
    "pre-.service": ({"Service": {"MemoryMax": ["42M"]}}, "last.slice/pre-one.service/memory.max", "44040192"),
    "last-init.service": ({"Service": {"MemoryMax": ["43M"]}}, "system.slice/last-init.service/memory.max", "45088768"),
    "last.socket": ({"Socket": {"Backlog": ["77"]}}, "", ""),
    "-.mount": ({"Mount": {"MemoryMax": ["70M"]}}, "", ""),
    "user.conf": ({"Manager": {"DefaultOOMPolicy": ["kill"]}}, "", ""),
}
# Of two files with the same name, one would hide the other.
NAMES = {unit: f"{number}-last" for number, unit in enumerate(DROPINS, 60)}


def set_before_boot() -> Outcome:
    """Create units that start with the host, set every drop-in, and return the outcome of each by unit."""
    for name, text in FILES.items():
        write_file(UNITS / name, text)
    write_file(SCRIPT, INIT_SCRIPT.replace("trial-init", "last-init").replace("100000", "200000")).chmod(0o755)
    systemctl("daemon-reload")
    systemctl("enable", "--now", *ENABLED)
    # The power is cut next. The drop-ins have to reach the disk without this.
    os.sync()
    return set_all()


def check_after_boot() -> Outcome:
    """Return the outcome of each drop-in when it is set again, and remove the drop-ins and their units."""
    outcome = set_all()
    outcome["absent"] = [attempt(unit=unit, name=name, present=False)["error"] for unit, name in NAMES.items()]
    systemctl("disable", "--now", *ENABLED)
    for path in [*(UNITS / name for name in FILES), SCRIPT]:
        path.unlink()
    systemctl("daemon-reload")
    outcome["strays"] = [str(path) for path in UNITS.parent.glob("**/*-last.conf")]
    return outcome


def set_all() -> Outcome:
    """Set every drop-in, and return its outcome by unit, with the limits that the kernel had before."""
    outcome: Outcome = {}
    for unit, (settings, path, limit) in DROPINS.items():
        limits = read_limits(path)
        outcome[unit] = {**attempt(settings, unit=unit, name=NAMES[unit]), "kernel": limits, "limit": limit}
    return outcome


def read_limits(path: str) -> list[str]:
    """Return the different limits in the kernel's files that match a path below the cgroups."""
    if not path:
        return []

    return sorted({file.read_text().strip() for file in CGROUPS.glob(path)})
