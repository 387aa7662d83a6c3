# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings are valid, and how they are compared."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.in_force import find_differences
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.manager import Systemd
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import Wanted
from dropin_trial.host import BOGUS, CONTINUE, UNIT, Outcome, attempt, show_properties, systemctl

MISTAKES: dict[str, Settings] = {
    "enumeration": BOGUS,
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


def try_mistakes() -> Outcome:
    """Apply settings that systemd would ignore."""
    outcome: Outcome = {name: attempt(settings)["error"] for name, settings in MISTAKES.items()}
    outcome["files"] = attempt(present=False)["files"]
    attempt(CONTINUE)
    outcome["over an old file"] = attempt(BOGUS)["error"]
    return outcome


def try_reset_command() -> Outcome:
    """Replace a list by resetting it first."""
    outcome = attempt({"Service": {"ExecStart": ["", "/bin/sleep 5000"]}})
    outcome["shown"] = show_properties("ExecStart")["ExecStart"]
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
        "Environment": ['"A=b c" D=e', "F=f", "F=g"],
        "EnvironmentFile": ["-/etc/nosuch"],
        "PassEnvironment": ["X Y"],
        "ExecStartPre": ['-/bin/true --x "a b"', "/bin/true"],
        "KillSignal": ["SIGINT"],
        "FinalKillSignal": ["SIGRTMIN+3"],
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
        "SyslogLevel": ["warning"],
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


def try_every_type() -> Outcome:
    """Set directives of every type at once, a second time, and a third time after a restart."""
    outcome = {"first": attempt(EVERYTHING), "second": attempt(EVERYTHING)}
    systemctl("restart", UNIT)
    outcome["restarted"] = attempt(EVERYTHING)
    return outcome


# Forms that few people write.
UNUSUAL = {
    "CPUQuota": ["12.5%"],
    "CPUWeight": ["0100"],
    "KillSignal": ["RTMIN+3"],
    "LimitCPU": ["1min 5"],
    "LimitNICE": ["-5", "+abc", "-"],
    "LimitNOFILE": ["1K:2K"],
    "MemoryMax": ["1G 512M", "+512M", "0.5G", "500‰", "9" * 400, "9" * 400 + "G"],
    "Nice": ["-0"],
    "OOMScoreAdjust": ["+5", "-0"],
    "RestartSec": [".5", "1.5us", "2min 30", "5 5", "0.9us", "9" * 400],
    "TasksMax": ["0x100", "12.5%"],
    "TimerSlackNSec": ["50000", "50000ns"],
    "UMask": ["22"],
}


def try_unusual() -> Outcome:
    """Set values in unusual forms, each alone. Return how each ends."""
    outcome: Outcome = {}
    for directive, values in UNUSUAL.items():
        for value in values:
            found = attempt({"Service": {directive: [value]}})
            outcome[f"{directive}={value[:20]}"] = [found["error"], found.get("overridden_by")]
    return outcome


NOT_COMPARED: Settings = {
    "Service": {
        "SyslogFacility": ["daemon"],
        "SecureBits": ["noroot"],
        "SystemCallErrorNumber": ["EPERM"],
        "Environment": [r"A=a\\b", "B=a$b"],
        "ExecStartPre": ["/bin/sh -c 'true ; true'", "/bin/true ; /bin/true", "@/bin/true name"],
    }
}


def try_not_compared() -> Outcome:
    """Set directives whose values systemd shows in another form, so that they cannot be compared."""
    return attempt(NOT_COMPARED)


def try_every_type_is_compared() -> Outcome:
    """Let another file set other values of every type, and return the directives whose difference was missed."""
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
    settings = {name: EVERYTHING["Service"][name] for name in other["Service"]}
    wanted = Wanted(unit=UNIT, settings={"Service": settings})
    state = systemd.observe(wanted)
    differing = {override.directive for override in find_differences(state, wanted)}
    return {"missed": sorted(set(other["Service"]) - differing)}


CASES = {
    "mistakes": try_mistakes,
    "reset_command": try_reset_command,
    "every_type": try_every_type,
    "unusual": try_unusual,
    "not_compared": try_not_compared,
    "every_type_is_compared": try_every_type_is_compared,
}
