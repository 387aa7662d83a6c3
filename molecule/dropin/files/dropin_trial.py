# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring about drop-ins on a real systemd, in every way that goes wrong, and report what came of each as JSON.

The folder of this file holds the collection's plugins as the package ansible_collections.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed, run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.bring import bring
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import MARK, Settings, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.in_force import not_in_force
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import result
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import warnings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.unit import Systemd

UNIT = "trial.service"
UNITS = pathlib.Path("/etc/systemd/system")
FOLDER = UNITS / f"{UNIT}.d"
FILE = FOLDER / "50-oomguard.conf"
CGROUP = pathlib.Path("/sys/fs/cgroup/trial.slice/trial.service")
CONTINUE: Settings = {"Service": {"OOMPolicy": ["continue"]}}
SIXTY: Settings = {"Service": {"MemoryMax": ["60M"]}}

TEXT = f"{MARK}\n\n[Service]\nOOMPolicy={{}}\n"

# Each way leads on from the one before: what is asked for, and the policy that is in force then.
KILLED: dict[str, tuple[Settings | None, str]] = {
    "new": (CONTINUE, "continue"),
    "other": ({"Service": {"OOMPolicy": ["kill"]}}, "kill"),
    "absent": (None, "stop"),
}
WHOLE = (None, TEXT.format("continue"), TEXT.format("kill"))

Outcome = dict[str, t.Any]
CASES: dict[str, t.Callable[[], Outcome]] = {}


def case(work: t.Callable[[], Outcome]) -> t.Callable[[], Outcome]:
    """Register a case under its name."""
    CASES[work.__name__] = work
    return work


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


def shown(*properties: str, unit: str = UNIT) -> dict[str, str]:
    """Return properties of a unit."""
    lines = systemctl("show", f"--property={','.join(properties)}", "--", unit).splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


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


# Which units: case 35 of what a drop-in has to survive, and 40.


@case
def units() -> Outcome:
    """Ask for units that no drop-in belongs to."""
    systemctl("reset-failed", "trial-transient.service")
    subprocess.run(["systemd-run", "--quiet", "--unit=trial-transient", "sleep", "infinity"], check=True)
    named = ("nosuch.service", "trial-masked.service", "-.mount", "trial-transient.service", "trial-scope.scope")
    outcome: Outcome = {unit: attempt(CONTINUE, unit=unit)["error"] for unit in named}
    outcome["forced"] = attempt(SIXTY, unit="trial-transient.service", force=True)["error"]
    attempt(unit="trial-transient.service", present=False)
    systemctl("stop", "trial-transient.service")
    outcome["strays"] = [str(path) for path in UNITS.glob("*.d") for unit in named if path.name == f"{unit}.d"]
    return outcome


@case
def alias() -> Outcome:
    """Name a unit by its alias."""
    return attempt(CONTINUE, unit="trial-alias.service")


@case
def template() -> Outcome:
    """Set a template, and one instance of it; the instance says more."""
    outcome: Outcome = {
        "template": attempt({"Service": {"OOMScoreAdjust": ["-5"]}}, unit="trial@.service"),
        "instance": attempt(CONTINUE, unit="trial@one.service"),
        "shown": shown("OOMScoreAdjust", "OOMPolicy", unit="trial@one.service"),
    }
    for unit in ("trial@.service", "trial@one.service"):
        attempt(unit=unit, present=False)
    outcome["strays"] = [path.name for path in UNITS.glob("trial@*.d")]
    return outcome


@case
def slices_and_scopes() -> Outcome:
    """Limit a slice that has no file, and the scopes of systemd itself and of a session."""
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


# What is valid: cases 36, 37, 39 and 45.

MISTAKES: dict[str, Settings] = {
    "enumeration": {"Service": {"OOMPolicy": ["bogus"]}},
    "directive": {"Service": {"OOMPolice": ["stop"]}},
    "section": {"Servce": {"OOMPolicy": ["stop"]}},
    "directive of another section": {"Unit": {"OOMPolicy": ["stop"]}},
    "size": {"Service": {"MemoryMax": ["10Q"]}},
    "percentage": {"Service": {"MemoryMax": ["120%"]}},
    "range": {"Service": {"OOMScoreAdjust": ["5000"]}},
    "boolean": {"Service": {"NoNewPrivileges": ["maybe"]}},
    "time": {"Service": {"TimeoutStopSec": ["soon"]}},
    "specifier": {"Service": {"Environment": ["A=%n %%"]}},
    "second command": {"Service": {"ExecStart": ["/bin/true"]}},
    "type": {"Service": {"Type": ["oneshoot"]}},
    "newer systemd": {"Service": {"MemoryZSwapWriteback": ["no"]}},
}


@case
def mistakes() -> Outcome:
    """Ask for what systemd would ignore."""
    outcome: Outcome = {name: attempt(settings)["error"] for name, settings in MISTAKES.items()}
    outcome["files"] = attempt(present=False)["files"]
    attempt(CONTINUE)
    outcome["over an old file"] = attempt(MISTAKES["enumeration"])["error"]
    return outcome


@case
def reset_command() -> Outcome:
    """Replace a list by resetting it first."""
    outcome = attempt({"Service": {"ExecStart": ["", "/bin/sleep 5000"]}})
    outcome["shown"] = shown("ExecStart")["ExecStart"]
    return outcome


EVERYTHING: dict[str, dict[str, list[str]]] = {
    "Unit": {
        "Description": ["A unit of many words"],
        "After": ["network.target nosuch.service"],
        "StartLimitIntervalSec": ["2min 30"],
        "StartLimitBurst": ["7"],
    },
    "Service": {
        "OOMPolicy": ["kill"],
        "OOMScoreAdjust": ["-500"],
        "Restart": ["on-failure"],
        "RestartSec": ["1500ms"],
        "TimeoutSec": ["1min 30"],
        "TimeoutAbortSec": ["infinity"],
        "RuntimeMaxSec": ["2h"],
        "MemoryMax": ["50%"],
        "MemoryHigh": ["infinity"],
        "MemoryLow": ["1.5M"],
        "MemoryMin": ["10000"],
        "MemorySwapMax": ["10%"],
        "MemoryAccounting": ["on"],
        "TasksMax": ["50%"],
        "CPUQuota": ["150%"],
        "CPUWeight": ["200"],
        "IOWeight": ["300"],
        "IOReadBandwidthMax": ["/dev/vda 5M"],
        "LimitNOFILE": ["1024:2048"],
        "LimitAS": ["1G"],
        "LimitCPU": ["1min"],
        "LimitCORE": ["infinity"],
        "LimitNICE": ["+5"],
        "UMask": ["022"],
        "Nice": ["5"],
        "Environment": ['"A=b c" D=e', "F=g"],
        "EnvironmentFile": ["-/etc/nosuch"],
        "PassEnvironment": ["X Y"],
        "ExecStartPre": ['-/bin/true --x "a b"', "/bin/true"],
        "KillSignal": ["SIGINT"],
        "KillMode": ["mixed"],
        "NoNewPrivileges": ["on"],
        "PrivateTmp": ["0"],
        "ProtectSystem": ["true"],
        "ProtectHome": ["read-only"],
        "CapabilityBoundingSet": ["CAP_CHOWN CAP_KILL"],
        "SystemCallFilter": ["~reboot"],
        "RestrictAddressFamilies": ["AF_UNIX"],
        "User": ["root"],
        "WorkingDirectory": ["/srv/"],
        "StandardOutput": ["append:/var/log/trial.log"],
        "SyslogIdentifier": ["trial"],
        "CPUSchedulingPolicy": ["batch"],
        "IOSchedulingClass": ["idle"],
        "SuccessExitStatus": ["3 SIGKILL"],
        "ManagedOOMMemoryPressure": ["auto"],
        "DeviceAllow": ["/dev/null rw"],
        "LogLevelMax": ["info"],
        "LogRateLimitIntervalSec": ["7"],
        "Delegate": ["memory pids"],
        "RemainAfterExit": ["t"],
        "GuessMainPID": ["no"],
        "RuntimeDirectory": ["trial"],
        "RuntimeDirectoryMode": ["0755"],
        "TimerSlackNSec": ["5us"],
        "Type": ["exec"],
    },
}


@case
def every_type() -> Outcome:
    """Set directives of every type at once; then again; then see which a restart has to bring."""
    outcome = {"first": attempt(EVERYTHING), "second": attempt(EVERYTHING)}
    systemctl("restart", UNIT)
    outcome["restarted"] = attempt(EVERYTHING)
    return outcome


@case
def every_type_is_compared() -> Outcome:
    """Have another file set other values of every type; none may be taken for what was asked."""
    other = EVERYTHING | {
        "Service": {
            "OOMPolicy": ["continue"],
            "OOMScoreAdjust": ["-400"],
            "Restart": ["no"],
            "RestartSec": ["1501ms"],
            "TimeoutSec": ["91"],
            "RuntimeMaxSec": ["infinity"],
            "MemoryMax": ["49%"],
            "MemoryLow": ["1.6M"],
            "MemorySwapMax": ["infinity"],
            "MemoryAccounting": ["no"],
            "TasksMax": ["51%"],
            "CPUQuota": ["151%"],
            "CPUWeight": ["201"],
            "LimitNOFILE": ["1023:2048"],
            "LimitAS": ["2G"],
            "LimitCPU": ["2min"],
            "LimitCORE": ["1G"],
            "UMask": ["023"],
            "KillSignal": ["SIGTERM"],
            "KillMode": ["process"],
            "NoNewPrivileges": ["off"],
            "ProtectHome": ["yes"],
            "ProtectSystem": ["full"],
            "WorkingDirectory": ["/"],
            "CPUSchedulingPolicy": ["other"],
            "LogLevelMax": ["debug"],
            "TimerSlackNSec": ["6us"],
            "Environment": ["", "A=other"],
        }
    }
    attempt(other, name="40-other")
    systemd = Systemd(run=run)
    wanted = Wanted(unit=UNIT, settings={"Service": {name: EVERYTHING["Service"][name] for name in other["Service"]}})
    state = systemd.observe(wanted)
    differ = {override.directive for override in not_in_force(state, wanted)}
    return {"missed": sorted(set(other["Service"]) - differ)}


# What is in force: case 39.


@case
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


@case
def runtime() -> Outcome:
    """Write below /run."""
    return {"present": attempt(CONTINUE, runtime=True), "absent": attempt(runtime=True, present=False)}


@case
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


@case
def parent_slice() -> Outcome:
    """Have the slice above allow less."""
    attempt({"Slice": {"MemoryMax": ["50M"]}}, unit="trial.slice")
    outcome = attempt(SIXTY)
    attempt(unit="trial.slice", present=False)
    return outcome


@case
def traps() -> Outcome:
    """Ask for what does not do what it is set for."""
    return {
        "high": attempt({"Service": {"MemoryHigh": ["60M"]}})["warnings"],
        "spared": attempt({"Service": {"OOMScoreAdjust": ["-1000"]}})["warnings"],
        "none": attempt(CONTINUE)["warnings"],
    }


@case
def pinned() -> Outcome:
    """Ask for what is in force already, with and without a file of our own."""
    settings: Settings = {"Service": {"Restart": ["no"]}}
    return {"not pinned": attempt(settings, pin=False), "pinned": attempt(settings)}


@case
def manager() -> Outcome:
    """Set a default of systemd itself; daemon-reload is enough for it."""
    settings: Settings = {"Manager": {"DefaultOOMPolicy": ["continue"]}}
    outcome: Outcome = {
        "set": attempt(settings, unit="system.conf"),
        "again": attempt(settings, unit="system.conf"),
        "unit": shown("OOMPolicy")["OOMPolicy"],
        "bad": attempt({"Manager": {"DefaultOOMPolicy": ["bogus"]}}, unit="system.conf", name="60-bad")["error"],
    }
    outcome["gone"] = attempt(unit="system.conf", present=False)
    outcome["unit, gone"] = shown("OOMPolicy")["OOMPolicy"]
    outcome["strays"] = [str(path) for path in pathlib.Path("/etc/systemd/system.conf.d").glob("*")]
    return outcome


@case
def user() -> Outcome:
    """Set a unit of a user, with the user's systemd and without."""
    folder = pathlib.Path("/root/.config/systemd/user")
    write(folder / "trial-user.service", "[Service]\nExecStart=/bin/sleep infinity\n")
    systemd = Systemd(run=run, user=True)
    asked: dict[str, t.Any] = {"unit": "trial-user.service", "systemd": systemd}
    subprocess.run(["loginctl", "enable-linger", "root"], check=True)
    systemctl("stop", "user@0.service")
    outcome: Outcome = {"asleep": attempt(CONTINUE, **asked)}
    systemctl("start", "user@0.service")
    outcome |= {
        "awake": attempt(CONTINUE, **asked),
        "bad": attempt(MISTAKES["enumeration"], **asked)["error"],
        "changed": attempt({"Service": {"OOMPolicy": ["kill"]}}, **asked),
        "absent": attempt(present=False, **asked),
    }
    outcome["strays"] = [path.name for path in folder.glob("*.d")]
    shutil.rmtree("/root/.config/systemd")
    return outcome


# What is refused, and what is left: cases 38, 41 to 44 and 46 to 48.


@case
def foreign() -> Outcome:
    """Find a file of somebody else's."""
    write(FILE, "[Service]\nOOMPolicy=kill\n")
    outcome: Outcome = {"refused": attempt(CONTINUE), "not removed": attempt(present=False), "text": FILE.read_text()}
    outcome["forced"] = attempt(CONTINUE, force=True)
    outcome["backups"] = [path.read_text() for path in FOLDER.glob("*~")]
    return outcome


@case
def links() -> Outcome:
    """Find links where the folder or the file should be."""
    FOLDER.symlink_to("/dev/null")
    outcome = {"folder": attempt(CONTINUE)["error"]}
    FOLDER.unlink()
    FOLDER.mkdir()
    FILE.symlink_to("/dev/null")
    return {**outcome, "file": attempt(CONTINUE)["error"], "still": os.readlink(str(FILE))}


@contextlib.contextmanager
def mounted(*arguments: str) -> t.Iterator[None]:
    """Have a filesystem mounted over the unit's folder."""
    subprocess.run(["mount", *arguments, str(FOLDER)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(FOLDER)], check=True)


@case
def no_room() -> Outcome:
    """Let the disk be full, or not writable, with an old file there."""
    outcome: Outcome = {}
    FOLDER.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=8k", "tmpfs"):
        attempt(CONTINUE)
        with contextlib.suppress(OSError):
            write(FOLDER / "fill", "x" * 100_000)
        outcome["full"] = attempt(SIXTY)
        outcome["text, full"] = FILE.read_text()
        subprocess.run(["mount", "-o", "remount,ro", str(FOLDER)], check=True)
        outcome["read-only"] = attempt(SIXTY)
        outcome["absent, read-only"] = attempt(present=False)
        outcome["text, read-only"] = FILE.read_text()
    attempt(CONTINUE)
    subprocess.run(["chattr", "+i", str(FILE)], check=True)
    outcome["immutable"] = attempt(SIXTY)
    outcome["text, immutable"] = FILE.read_text()
    subprocess.run(["chattr", "-i", str(FILE)], check=True)
    return outcome


@case
def read_only_etc() -> Outcome:
    """Let /etc be read-only, as on a host that is booted from an image."""
    subprocess.run(["mount", "--bind", "/etc", "/etc"], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", "/etc"], check=True)
    try:
        return {"etc": attempt(CONTINUE), "run": attempt(CONTINUE, runtime=True)}
    finally:
        subprocess.run(["umount", "--lazy", "/etc"], check=True)


def failing(times: int, *, error: OomguardError | None = None) -> t.Callable[..., Completed]:
    """Return a way to run programs of which daemon-reload fails, the first `times`."""
    left = [times]

    def call(argv: t.Sequence[str], **options: t.Any) -> Completed:
        if argv[-1] == "daemon-reload" and left[0]:
            left[0] -= 1
            if error is None:
                return run(["sleep", "60"], timeout=0.2)
            return Completed(argv=tuple(argv), returncode=1, stdout="", stderr=str(error))
        return run(argv, **options)

    return call


@case
def failed_reload() -> Outcome:
    """Have daemon-reload fail or hang, once and for good, over no file and over an old one."""
    refused = OomguardError("Refusing to reload")
    outcome: Outcome = {
        "fails": attempt(CONTINUE, systemd=Systemd(run=failing(1, error=refused))),
        "hangs": attempt(CONTINUE, systemd=Systemd(run=failing(1))),
        "fails twice": attempt(CONTINUE, systemd=Systemd(run=failing(2, error=refused))),
    }
    attempt(CONTINUE)
    outcome["old"] = attempt(SIXTY, systemd=Systemd(run=failing(1, error=refused)))
    outcome["text, old"] = FILE.read_text()
    outcome["in force"] = shown("OOMPolicy", "NeedDaemonReload", "MemoryMax")
    return outcome


@case
def really_failed_reload() -> Outcome:
    """Fill /run, where systemd keeps its state while it reads its files; newer ones refuse to reload then."""
    fill = pathlib.Path("/run/fill")
    free = os.statvfs("/run").f_bavail * os.statvfs("/run").f_frsize
    with contextlib.suppress(OSError), fill.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free - 1024 * 1024)
    try:
        outcome: Outcome = {"full": attempt(CONTINUE)}
    finally:
        fill.unlink()
    outcome["freed"] = attempt(CONTINUE)
    return outcome


@case
def not_booted() -> Outcome:
    """Ask in a root without a running systemd, as when an image is built."""
    root = pathlib.Path("/mnt")
    subprocess.run(["mount", "--rbind", "/", str(root)], check=True)
    subprocess.run(["mount", "--make-rslave", str(root)], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(root / "run")], check=True)
    try:
        argv = ["chroot", str(root), sys.executable, __file__, "in-chroot"]
        said = subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", str(root)], check=True)
    return t.cast(Outcome, json.loads(said))


def in_chroot() -> Outcome:
    """Do what `not_booted` is about."""
    return {
        "alias": attempt(CONTINUE, unit="trial-alias.service"),
        "bad": attempt(MISTAKES["enumeration"])["error"],
        "masked": attempt(CONTINUE, unit="trial-masked.service")["error"],
        "no unit": attempt(CONTINUE, unit="nosuch.service")["error"],
        "instance": attempt(CONTINUE, unit="trial@two.service"),
        "no instance": attempt(unit="trial@two.service", present=False),
        "again": attempt(CONTINUE),
        "absent": attempt(present=False),
        "runtime": attempt(CONTINUE, runtime=True)["error"],
    }


@case
def check_mode() -> Outcome:
    """Ask what would be done."""
    before = shown("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    outcome: Outcome = {"present": attempt(CONTINUE, dry=True)}
    outcome["bad"] = attempt(MISTAKES["enumeration"], dry=True)["error"]
    outcome["untouched"] = before == shown("NeedDaemonReload", "DropInPaths", "OOMPolicy")
    attempt(CONTINUE)
    outcome["absent"] = attempt(present=False, dry=True)
    write(FOLDER / "60-site.conf", "[Service]\nOOMPolicy=stop\n")
    systemctl("daemon-reload")
    outcome["overridden"] = attempt(CONTINUE, dry=True)["error"]
    return outcome


def changes(event: str, arguments: tuple[t.Any, ...]) -> bool:
    """Tell whether an audit event announces a change of the host: of a unit's files, or of what systemd has read."""
    if event == "subprocess.Popen":
        return "daemon-reload" in str(arguments[1])
    if event == "open" and not arguments[2] & (os.O_WRONLY | os.O_RDWR):
        return False
    return event in {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir"} and str(UNITS) in str(arguments[0])


def before_change(number: int, signal_: signal.Signals, *, word: str = "") -> None:
    """Have this process send itself a signal just before its change of that number, of those with `word` in them."""
    counter = itertools.count(1)

    def hook(event: str, arguments: tuple[t.Any, ...]) -> None:
        if changes(event, arguments) and word in f"{event} {arguments}" and next(counter) == number:
            os.kill(os.getpid(), signal_)

    sys.addaudithook(hook)


def child(work: t.Callable[[], Outcome]) -> int:
    """Begin `work` in a child process, and return its number."""
    pid = os.fork()
    if pid == 0:
        os._exit(1 if work()["error"] else 0)
    return pid


def killed(number: int, work: t.Callable[[], Outcome]) -> bool:
    """Do `work` in a process that is killed before its change of that number; tell whether there was one."""

    def interrupted() -> Outcome:
        before_change(number, signal.SIGKILL)
        return work()

    return os.WIFSIGNALED(os.waitpid(child(interrupted), 0)[1])


@case
def kills() -> Outcome:
    """Kill a run before each of its changes, and complete it: a new file, another one, none."""
    outcome: Outcome = {"problems": [], "killed": dict.fromkeys(KILLED, 0)}
    for number in range(1, 8):
        for way, (settings, policy) in KILLED.items():
            work = functools.partial(attempt, settings, present=settings is not None)
            outcome["killed"][way] += killed(number, work)
            text = FILE.read_text() if FILE.exists() else None
            last = work()
            found = [text in WHOLE, last["error"], last["files"], shown("OOMPolicy", "NeedDaemonReload")]
            files = None if settings is None else ["50-oomguard.conf"]
            if found != [True, None, files, {"OOMPolicy": policy, "NeedDaemonReload": "no"}]:
                outcome["problems"].append([way, number, *found])
    return outcome


@case
def two_at_once() -> Outcome:
    """Run several at the same time, on one file and on different ones."""
    works = [
        functools.partial(attempt, settings, name=name) for settings, name in ((CONTINUE, "50-a"), (SIXTY, "60-b"))
    ]
    pids = [child(work) for work in (works[0], *works)]
    outcome: Outcome = {"ends": [os.waitpid(pid, 0)[1] for pid in pids]}
    outcome["shown"] = shown("OOMPolicy", "MemoryMax", "NeedDaemonReload")
    outcome["files"] = sorted(path.name for path in FOLDER.iterdir())
    return outcome


# What the kernel's kill does to a unit, with each policy.

_WORKER = "import time; held = bytearray(96 << 20); time.sleep(1000)"
_OOM_UNIT = """[Unit]
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh -c '{command}'
MemoryMax=64M
MemorySwapMax=0
RestartSec=1
"""
_WORKER_DIES = f"""sleep 1; /usr/bin/python3 -c "{_WORKER}"; exec sleep infinity"""
_ONCE = "[ -e /run/trial-died ] && exec sleep infinity; touch /run/trial-died; sleep 1"
_MAIN_DIES = f'''{_ONCE}; exec /usr/bin/python3 -c "{_WORKER}"'''


@case
def policies() -> Outcome:
    """Have the kernel kill a worker, and the main process, under each policy and way to restart."""
    outcome: Outcome = {}
    unit = "trial-oom.service"
    for command, policy, restart in (
        (_WORKER_DIES, "continue", "no"),
        (_WORKER_DIES, "stop", "no"),
        (_WORKER_DIES, "kill", "no"),
        (_MAIN_DIES, "continue", "on-abort"),
        (_MAIN_DIES, "stop", "on-abort"),
        (_MAIN_DIES, "stop", "on-failure"),
        (_MAIN_DIES, "kill", "on-abnormal"),
    ):
        pathlib.Path("/run/trial-died").unlink(missing_ok=True)
        write(UNITS / unit, _OOM_UNIT.format(command=command.replace("%", "%%")))
        systemctl("daemon-reload")
        attempt({"Service": {"OOMPolicy": [policy], "Restart": [restart]}}, unit=unit)
        kills_before = _kills()
        systemctl("start", unit)
        deadline = time.monotonic() + 240
        while _kills() == kills_before and time.monotonic() < deadline:
            time.sleep(0.5)
        settled = shown("ActiveState", "Result", "NRestarts", unit=unit)
        for _look in range(40):
            time.sleep(0.5)
            settled = shown("ActiveState", "Result", "NRestarts", unit=unit)
            if settled["ActiveState"] == "failed":
                break
        who = "worker" if command == _WORKER_DIES else "main"
        outcome[f"{who}, {policy}, {restart}"] = {"killed": _kills() > kills_before, **settled}
        systemctl("stop", unit)
        systemctl("reset-failed", unit)
    attempt(unit=unit, present=False)
    (UNITS / unit).unlink()
    return outcome


@case
def apache() -> Outcome:
    """Have the kernel kill a process in Apache's cgroup, at a limit set while it runs, under each policy."""
    unit, cgroup = "apache2.service", pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service")
    hog = f"echo $$ >{cgroup}/cgroup.procs; echo 900 >/proc/$$/oom_score_adj; exec python3 -c '{_WORKER}'"
    outcome: Outcome = {}
    for policy in ("stop", "continue", "kill"):
        systemctl("reset-failed", unit)
        systemctl("start", unit)
        limits = {"MemoryMax": ["80M"], "MemorySwapMax": ["0"]}
        set_ = attempt({"Service": {"OOMPolicy": [policy], **limits}}, unit=unit)
        before = _kills()
        subprocess.run(["sh", "-c", hog], check=False)
        for _look in range(60):
            time.sleep(0.5)
            settled = shown("ActiveState", "Result", unit=unit)
            if settled["ActiveState"] not in ("active", "deactivating"):
                break
        outcome[policy] = {"error": set_["error"], "killed": _kills() > before, **settled}
    attempt(unit=unit, present=False)
    systemctl("start", unit)
    return outcome


def _kills() -> int:
    lines = pathlib.Path("/proc/vmstat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))


# Power cuts: the run stops itself, the test cuts the power, and the next run completes it.


def stop_before(word: str) -> None:
    """Begin a new file, and stop for good just before the change that has `word` in it."""
    before_change(1, signal.SIGSTOP, word=word)
    attempt(CONTINUE)


def complete() -> Outcome:
    """Tell what a power cut has left, and complete it."""
    found = FILE.read_text() if FILE.exists() else None
    outcome = {"whole": found in (None, TEXT.format("continue")), "completed": attempt(CONTINUE)}
    outcome["absent"] = attempt(present=False)
    return outcome


def main() -> None:
    """Carry out one verb."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("verb", choices=["run", "in-chroot", "start", "stop", "complete"])
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--before", default="")
    arguments = parser.parse_args()
    if arguments.verb == "in-chroot":
        print(json.dumps(in_chroot()))
    elif arguments.verb == "stop":
        stop_before(arguments.before)
    elif arguments.verb == "complete":
        print(json.dumps(complete()))
    else:
        set_up()
        for name in arguments.cases or ([] if arguments.verb == "start" else CASES):
            began = time.monotonic()
            try:
                outcome = CASES[name]()
            finally:
                clean()
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            print(json.dumps({name: outcome}), flush=True)


if __name__ == "__main__":
    main()
