# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drop-ins that several units share: those of a prefix, of a type, and of the systemd of each user."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from dropin_trial.host import CGROUP, CONTINUE, UNITS, Outcome, attempt, systemctl, write_file

SLEEP = "[Service]\nExecStart=/bin/sleep infinity\nSlice=trial.slice\n"
SEVENTY_MB: Settings = {"Service": {"MemoryMax": ["70M"]}}
TYPES: dict[str, Settings] = {
    "service.d": {"Service": {"TasksMax": ["5000"]}},
    "slice.d": {"Slice": {"TasksMax": ["9000"]}},
    "scope.d": {"Scope": {"TasksMax": ["6000"]}},
}
USERS: dict[str, Settings] = {
    "user-.slice": {"Slice": {"MemoryMax": ["400M"]}},
    "session-.scope": {"Scope": {"TasksMax": ["4000"]}},
}
DEFAULT: Settings = {"Manager": {"DefaultOOMPolicy": ["continue"]}}


def try_prefix() -> Outcome:
    """Limit all services of a prefix, two of which run, and let another drop-in override one."""
    names = ["trial-pre-one", "trial-pre-two"]
    for name in names:
        write_file(UNITS / f"{name}.service", SLEEP)
    systemctl("daemon-reload")
    systemctl("start", *names)
    options: dict[str, t.Any] = {"unit": "trial-pre-.service"}
    outcome: Outcome = {
        "check mode": attempt(SEVENTY_MB, check_mode=True, **options),
        "bad": attempt({"Service": {"MemoryMax": ["7Q"]}}, **options)["error"],
        "set": attempt(SEVENTY_MB, **options),
        "kernel": [_read_limit(f"{name}.service") for name in names],
        "again": attempt(SEVENTY_MB, **options),
    }
    write_file(UNITS / "trial-pre-two.service.d/60-site.conf", "[Service]\nMemoryMax=90M\n")
    systemctl("daemon-reload")
    outcome["exception"] = attempt(SEVENTY_MB, **options)
    outcome["hidden"] = attempt(CONTINUE, unit="trial-pre-one.service")["warnings"]
    attempt(unit="trial-pre-one.service", present=False)
    outcome["absent"] = attempt(present=False, **options)
    systemctl("stop", *names)
    shutil.rmtree(UNITS / "trial-pre-two.service.d")
    for name in names:
        (UNITS / f"{name}.service").unlink()
    systemctl("daemon-reload")
    outcome["without units"] = attempt(CONTINUE, **options)
    attempt(present=False, **options)
    outcome["strays"] = [path.name for path in UNITS.glob("trial-pre-*")]
    return outcome


def _read_limit(unit: str) -> str:
    return (CGROUP.parent / unit / "memory.max").read_text().strip()


def try_types() -> Outcome:
    """Limit all services, all slices and all scopes."""
    outcome: Outcome = {unit: attempt(settings, unit=unit) for unit, settings in TYPES.items()}
    outcome["again"] = [attempt(settings, unit=unit)["changed"] for unit, settings in TYPES.items()]
    outcome["kernel"] = (CGROUP / "pids.max").read_text().strip()
    outcome["bad"] = attempt({"Service": {"TasksMax": ["many"]}}, unit="service.d", name="60-bad")["error"]
    outcome["absent"] = [attempt(unit=unit, present=False)["error"] for unit in TYPES]
    outcome["strays"] = [path.name for unit in TYPES for path in UNITS.glob(unit)]
    return outcome


def try_users() -> Outcome:
    """Limit all users and their sessions. A session of root runs this."""
    outcome: Outcome = {unit: attempt(settings, unit=unit) for unit, settings in USERS.items()}
    outcome["kernel"] = pathlib.Path("/sys/fs/cgroup/user.slice/user-0.slice/memory.max").read_text().strip()
    outcome["absent"] = [attempt(unit=unit, present=False)["error"] for unit in USERS]
    outcome["strays"] = [path.name for unit in USERS for path in UNITS.glob(f"{unit}.d")]
    return outcome


def try_user_managers() -> Outcome:
    """Set a default of the systemd of each user, with two users for whom one runs."""
    subprocess.run(["useradd", "--create-home", "trial"], check=True)
    for user in ("root", "trial"):
        subprocess.run(["loginctl", "enable-linger", user], check=True)
    systemctl("start", "user@0.service", "user@1000.service")
    outcome: Outcome = {
        "check mode": attempt(DEFAULT, unit="user.conf", check_mode=True),
        "set": attempt(DEFAULT, unit="user.conf"),
        "again": attempt(DEFAULT, unit="user.conf"),
        "bad": attempt({"Manager": {"DefaultOOMPolicy": ["bogus"]}}, unit="user.conf", name="60-bad")["error"],
        "shown": [_show_default(user) for user in ("root", "trial")],
    }
    outcome["removed"] = attempt(unit="user.conf", present=False)
    outcome["shown, removed"] = [_show_default(user) for user in ("root", "trial")]
    for user in ("root", "trial"):
        subprocess.run(["loginctl", "disable-linger", user], check=True)
    systemctl("stop", "user@1000.service")
    return outcome


def _show_default(user: str) -> str:
    uid = {"root": 0, "trial": 1000}[user]
    argv = ["runuser", "-u", user, "--", "env", f"XDG_RUNTIME_DIR=/run/user/{uid}"]
    argv += ["systemctl", "--user", "show", "--property=DefaultOOMPolicy", "--value"]
    return subprocess.run(argv, check=False, stdout=subprocess.PIPE).stdout.decode().strip()


CASES = {
    "prefix": try_prefix,
    "types": try_types,
    "users": try_users,
    "user_managers": try_user_managers,
}
