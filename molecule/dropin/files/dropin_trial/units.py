# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which units can have a drop-in."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from dropin_trial.host import (
    BOGUS,
    CONTINUE,
    SIXTY_MB,
    UNITS,
    Outcome,
    attempt,
    show_properties,
    systemctl,
    write_file,
)


def try_units() -> Outcome:
    """Name units that can have no drop-in."""
    systemctl("reset-failed", "trial-transient.service")
    subprocess.run(["systemd-run", "--quiet", "--unit=trial-transient", "sleep", "infinity"], check=True)
    names = ("nosuch.service", "trial-masked.service", "-.mount", "trial-transient.service", "trial-scope.scope")
    outcome: Outcome = {unit: attempt(CONTINUE, unit=unit)["error"] for unit in names}
    outcome["forced"] = attempt(SIXTY_MB, unit="trial-transient.service", force=True)["error"]
    attempt(unit="trial-transient.service", present=False)
    systemctl("stop", "trial-transient.service")
    outcome["strays"] = [str(path) for path in UNITS.glob("*.d") if path.stem in names]
    return outcome


def try_alias() -> Outcome:
    """Name a unit by its alias."""
    return attempt(CONTINUE, unit="trial-alias.service")


def try_template() -> Outcome:
    """Set a template, then one of its instances, whose drop-in hides that of the template."""
    outcome: Outcome = {
        "template": attempt({"Service": {"OOMScoreAdjust": ["-5"]}}, unit="trial@.service"),
        "instance": attempt(CONTINUE, unit="trial@one.service"),
        "shown": show_properties("OOMScoreAdjust", "OOMPolicy", unit="trial@one.service"),
    }
    for unit in ("trial@.service", "trial@one.service"):
        attempt(unit=unit, present=False)
    outcome["strays"] = [path.name for path in UNITS.glob("trial@*.d")]
    return outcome


def try_slices_and_scopes() -> Outcome:
    """Limit a slice that has no file, a scope, and the scope of systemd itself."""
    subprocess.run(
        ["systemd-run", "--quiet", "--unit=trial-other", "--slice=trial-inner.slice", "sleep", "1000"], check=True
    )
    scope = subprocess.Popen(["systemd-run", "--quiet", "--scope", "--unit=trial-scope", "sleep", "1000"])
    time.sleep(2)
    inner = pathlib.Path("/sys/fs/cgroup/trial.slice/trial-inner.slice/memory.max")
    outcome: Outcome = {
        "bad slice": attempt({"Slice": {"OOMPolicy": ["stop"]}}, unit="trial-inner.slice")["error"],
        "slice": attempt({"Slice": {"MemoryMax": ["70M"]}}, unit="trial-inner.slice"),
        "kernel": inner.read_text().strip(),
        "scope": attempt({"Scope": {"MemoryMax": ["70M"]}}, unit="trial-scope.scope", force=True),
        "bad scope": attempt({"Scope": {"MemoryMax": ["7Q"]}}, unit="trial-scope.scope", force=True, name="60-bad"),
        "init": attempt({"Scope": {"MemoryLow": ["5M"]}}, unit="init.scope"),
    }
    for unit in ("trial-inner.slice", "trial-scope.scope", "init.scope"):
        attempt(unit=unit, present=False)
    outcome["strays"] = [path.name for kind in ("slice", "scope") for path in UNITS.glob(f"*.{kind}.d")]
    systemctl("stop", "trial-other.service", "trial-scope.scope")
    scope.wait()
    return outcome


def try_manager() -> Outcome:
    """Set a default of systemd itself, for which daemon-reload is enough."""
    settings: Settings = {"Manager": {"DefaultOOMPolicy": ["continue"]}}
    outcome: Outcome = {
        "set": attempt(settings, unit="system.conf"),
        "again": attempt(settings, unit="system.conf"),
        "unit": show_properties("OOMPolicy")["OOMPolicy"],
        "bad": attempt({"Manager": {"DefaultOOMPolicy": ["bogus"]}}, unit="system.conf", name="60-bad")["error"],
    }
    outcome["removed"] = attempt(unit="system.conf", present=False)
    outcome["unit, removed"] = show_properties("OOMPolicy")["OOMPolicy"]
    outcome["strays"] = [str(path) for path in pathlib.Path("/etc/systemd/system.conf.d").glob("*")]
    return outcome


def try_user() -> Outcome:
    """Set a unit of a user, while the user's systemd does not run and while it runs."""
    folder = pathlib.Path("/root/.config/systemd/user")
    write_file(folder / "trial-user.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    systemd = Systemd(run=run, user=True)
    options: dict[str, t.Any] = {"unit": "trial-user.service", "systemd": systemd}
    subprocess.run(["loginctl", "enable-linger", "root"], check=True)
    systemctl("stop", "user@0.service")
    outcome: Outcome = {"stopped": attempt(CONTINUE, **options)}
    systemctl("start", "user@0.service")
    outcome["started"] = attempt(CONTINUE, **options)
    outcome["bad"] = attempt(BOGUS, **options)["error"]
    outcome["changed"] = attempt({"Service": {"OOMPolicy": ["kill"]}}, **options)
    outcome["absent"] = attempt(present=False, **options)
    outcome["strays"] = [path.name for path in folder.glob("*.d")]
    shutil.rmtree("/root/.config/systemd")
    return outcome


CASES = {
    "units": try_units,
    "alias": try_alias,
    "template": try_template,
    "slices_and_scopes": try_slices_and_scopes,
    "manager": try_manager,
    "user": try_user,
}
