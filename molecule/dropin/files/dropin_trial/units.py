# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which units can have a drop-in."""

from __future__ import annotations

import os
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
    names = ("nosuch.service", "trial-masked.service", "trial-transient.service", "trial-scope.scope")
    outcome: Outcome = {unit: attempt(CONTINUE, unit=unit)["error"] for unit in names}
    outcome["forced"] = attempt(SIXTY_MB, unit="trial-transient.service", force=True)["error"]
    attempt(unit="trial-transient.service", present=False)
    systemctl("stop", "trial-transient.service")
    outcome["strays"] = [str(path) for path in UNITS.glob("*.d") if path.stem in names]
    return outcome


DEAD_UNIT = """[Service]
ExecStart=/bin/sh -c '[ -e /run/%n ] && exec sleep infinity; touch /run/%n; exec tail /dev/zero'
MemoryMax=16M
MemorySwapMax=0
Restart=on-abort
"""


def kill_dead_unit() -> None:
    """Create a service that stays down after an OOM kill, as MariaDB does, and let the kernel kill it once."""
    write_file(UNITS / "trial-dead.service", DEAD_UNIT)
    systemctl("daemon-reload")
    systemctl("start", "trial-dead.service")
    for _look in range(60):
        if show_properties("ActiveState", unit="trial-dead.service")["ActiveState"] == "failed":
            break
        time.sleep(1)


INIT_SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides: trial-init
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
# Short-Description: A daemon with an init script
### END INIT INFO
case "$1" in
start) sleep 100000 & ;;
stop) pkill -f 'sleep 100000' ;;
esac
"""


def try_generated() -> Outcome:
    """Set the unit of an init script, which a generator makes, and that of a line in fstab."""
    script = write_file(pathlib.Path("/etc/init.d/trial-init"), INIT_SCRIPT)
    script.chmod(0o755)
    systemctl("daemon-reload")
    systemctl("start", "trial-init.service")
    outcome: Outcome = {
        "fragment": show_properties("FragmentPath", unit="trial-init.service")["FragmentPath"],
        "init script": attempt(CONTINUE, unit="trial-init.service"),
        "again": attempt(CONTINUE, unit="trial-init.service"),
        "mount": attempt({"Mount": {"MemoryMax": ["70M"]}}, unit="-.mount"),
    }
    for unit in ("trial-init.service", "-.mount"):
        attempt(unit=unit, present=False)
    systemctl("stop", "trial-init.service")
    script.unlink()
    systemctl("daemon-reload")
    outcome["strays"] = [path.name for path in UNITS.glob("trial-init*")]
    return outcome


def try_empty() -> Outcome:
    """Name a service that runs nothing, as Debian's postgresql.service does, while its instances have the processes."""
    write_file(UNITS / "trial-parent.service", "[Service]\nType=oneshot\nExecStart=/bin/true\nRemainAfterExit=yes\n")
    part = "[Unit]\nPartOf=trial-parent.service\n[Service]\nExecStart=/bin/sleep infinity\n"
    write_file(UNITS / "trial-part@.service", part)
    systemctl("daemon-reload")
    systemctl("start", "trial-parent.service", "trial-part@one.service")
    outcome: Outcome = {
        "refused": attempt(CONTINUE, unit="trial-parent.service")["error"],
        "forced": attempt(CONTINUE, unit="trial-parent.service", force=True),
        "part": attempt(CONTINUE, unit="trial-part@one.service"),
    }
    for unit in ("trial-parent.service", "trial-part@one.service"):
        attempt(unit=unit, present=False)
    systemctl("stop", "trial-parent.service", "trial-part@one.service")
    for name in ("trial-parent.service", "trial-part@.service"):
        (UNITS / name).unlink()
    systemctl("daemon-reload")
    return outcome


def try_environment() -> Outcome:
    """Set variables that change what systemd's programs print."""
    variables = {"SYSTEMD_LOG_LEVEL": "debug", "SYSTEMD_PAGER": "false", "LC_ALL": "xx_XX", "PATH": "/nonexistent"}
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        return attempt(CONTINUE)
    finally:
        os.environ.clear()
        os.environ.update(before)


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
    "generated": try_generated,
    "empty": try_empty,
    "environment": try_environment,
    "alias": try_alias,
    "template": try_template,
    "slices_and_scopes": try_slices_and_scopes,
    "manager": try_manager,
    "user": try_user,
}
