# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of the trial, the drop-ins that are tried on them, and what came of each."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.bring import bring
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import result
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import warnings

UNIT = "trial.service"

UNITS = pathlib.Path("/etc/systemd/system")

FOLDER = UNITS / f"{UNIT}.d"

FILE = FOLDER / "50-oomguard.conf"

CGROUP = pathlib.Path("/sys/fs/cgroup/trial.slice/trial.service")

CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}

SIXTY: Settings = {"Service": {"MemoryMax": ["60M"]}}
BOGUS: Settings = {"Service": {"OOMPolicy": ["bogus"]}}

Outcome = dict[str, t.Any]


def attempt(
    settings: Settings | None = None,
    *,
    systemd: Systemd | None = None,
    check: bool = True,
    dry: bool = False,
    **asked: t.Any,
) -> Outcome:
    """Bring about a drop-in, and return what the module would tell, with what lies in the unit's folder afterwards."""
    outcome: Outcome = {"error": None}
    systemd = systemd or Systemd(run=run)
    try:
        wanted = Wanted(unit=asked.pop("unit", UNIT), settings=settings or {}, **asked)
        state, plan = bring(wanted, systemd, check=check, dry=dry)
        outcome.update(result(state, plan, wanted), changed=plan.changed, warnings=list(warnings(state, wanted)))
    except OomguardError as error:
        outcome["error"] = str(error)
    outcome["files"] = sorted(path.name for path in FOLDER.iterdir()) if FOLDER.is_dir() else None
    return outcome


def write(path: pathlib.Path, text: str) -> pathlib.Path:
    """Write a file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def systemctl(*arguments: str) -> str:
    """Run systemctl and return what it prints."""
    done = subprocess.run(["systemctl", *arguments], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode().strip()


def shown(*names: str, unit: str = UNIT) -> dict[str, str]:
    """Return properties of a unit."""
    return properties(systemctl("show", f"--property={','.join(names)}", "--", unit))


def properties(text: str) -> dict[str, str]:
    """Return the properties of one unit that systemctl has printed."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def clean() -> None:
    """Leave the trial's unit as it was made."""
    folders = [
        FOLDER,
        pathlib.Path(f"/run/systemd/system/{UNIT}.d"),
        UNITS.parent / f"system.control/{UNIT}.d",
        pathlib.Path(f"/run/systemd/system.control/{UNIT}.d"),
    ]
    found = [folder for folder in folders if os.path.lexists(str(folder))]
    for folder in found:
        if folder.is_symlink():
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
    if found:
        systemctl("daemon-reload")


def set_up() -> None:
    """Make the units of the trial."""
    systemctl("stop", "trial*.service", "trial*.scope")
    sleep = "[Service]\nExecStart=/bin/sleep infinity\n"
    write(UNITS / UNIT, f"{sleep}Slice=trial.slice\n")
    write(UNITS / "trial@.service", sleep)
    for name, target in (("trial-alias.service", UNITS / UNIT), ("trial-masked.service", "/dev/null")):
        if not os.path.lexists(str(UNITS / name)):
            (UNITS / name).symlink_to(target)
    clean()
    systemctl("daemon-reload")
    systemctl("restart", UNIT)
