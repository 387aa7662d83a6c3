# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the units of the trial, apply drop-ins to them, and return the outcome of each."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._change import bring
from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.change import DropinChange
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import build_result
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import list_warnings

UNIT = "trial.service"
UNITS = pathlib.Path("/etc/systemd/system")
FOLDER = UNITS / f"{UNIT}.d"
FILE = FOLDER / "50-oomguard.conf"
CGROUP = pathlib.Path("/sys/fs/cgroup/trial.slice/trial.service")

CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}
SIXTY_MB: Settings = {"Service": {"MemoryMax": ["60M"]}}
BOGUS: Settings = {"Service": {"OOMPolicy": ["bogus"]}}

Outcome = dict[str, t.Any]


def attempt(
    settings: Settings | None = None,
    *,
    systemd: Systemd | None = None,
    unit: str = UNIT,
    verify: bool = True,
    check_mode: bool = False,
    **options: t.Any,
) -> Outcome:
    """Apply a drop-in as the module does, and return the module's result with `error`, `warnings` and `files`.

    `files` are the names in the folder of the trial's unit afterwards, None if there is no such folder.
    """
    outcome: Outcome = {"error": None}
    try:
        wanted = Wanted(unit=unit, settings=settings or {}, **options)
        change = DropinChange(wanted, systemd or Systemd(run=run), verify=verify)
        state, plan = bring(change, check_mode=check_mode)
        outcome.update(build_result(state, plan, wanted, check_mode=check_mode))
        is_pending = check_mode and plan.changed
        outcome.update(changed=plan.changed, warnings=list(list_warnings(state, wanted, is_pending=is_pending)))
    except OomguardError as error:
        outcome["error"] = str(error)
    outcome["files"] = list_dropins()
    return outcome


def list_dropins() -> list[str] | None:
    """Return the names of the files in the folder of the trial's unit, None if there is no such folder."""
    if not FOLDER.is_dir():
        return None

    return sorted(path.name for path in FOLDER.iterdir())


def write_file(path: pathlib.Path, text: str) -> pathlib.Path:
    """Write a file, create the folders above it, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def systemctl(*arguments: str) -> str:
    """Run systemctl, and return its output."""
    done = subprocess.run(["systemctl", *arguments], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout.decode().strip()


def show_properties(*names: str, unit: str = UNIT) -> dict[str, str]:
    """Return properties of a unit."""
    return parse_properties(systemctl("show", f"--property={','.join(names)}", "--", unit))


def parse_properties(text: str) -> dict[str, str]:
    """Return the properties that `systemctl show` has printed for one unit."""
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def clean_up() -> None:
    """Remove every drop-in of the trial's unit."""
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
    """Create the units of the trial, and start the main one."""
    systemctl("stop", "trial*.service", "trial*.scope")
    sleep = "[Service]\nExecStart=/bin/sleep infinity\n"
    write_file(UNITS / UNIT, f"{sleep}Slice=trial.slice\n")
    write_file(UNITS / "trial@.service", sleep)
    links = {"trial-alias.service": UNITS / UNIT, "trial-masked.service": pathlib.Path("/dev/null")}
    for name, target in links.items():
        if not os.path.lexists(str(UNITS / name)):
            (UNITS / name).symlink_to(target)
    clean_up()
    systemctl("daemon-reload")
    systemctl("restart", UNIT)
