# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as written against values as systemd shows them."""

from __future__ import annotations

import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.directives import get_properties
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import Totals
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.values import is_in_force

GIB = 1024**3

DIRECTIVES = (
    *("CPUQuota", "CPUSchedulingPolicy", "CPUWeight", "Delegate", "Environment", "EnvironmentFile", "ExecStart"),
    *("IOReadBandwidthMax", "KillSignal", "LimitCPU", "LimitNICE", "LimitNOFILE", "LimitRTTIME", "LogLevelMax"),
    *("ManagedOOMMemoryPressureLimit", "MemoryMax", "Nice", "OOMPolicy", "PrivateTmp", "RestartSec", "RuntimeMaxSec"),
    *("SuccessExitStatus", "TasksMax", "TimeoutSec", "TimerSlackNSec", "UMask", "WatchdogSec"),
)
HOSTILE = (
    *(
        "",
        "+abc",
        "-",
        "+",
        ".",
        "²",
        "١٢",
        "%",
        ":",
        "1:",
        "0x10",
        "infinity",
        "1e999",
        "nan",
        '"',
        "SIG",
        "RTMIN+9999",
    ),
    *(
        "9" * 400,
        "9" * 400 + "K",
        "9" * 400 + "%",
        "7" * 9000,
        "1." + "9" * 5000 + "G",
        "9" * 5000 + "y",
        "-" + "9" * 5000,
    ),
)
TEXTS = st.sampled_from(HOSTILE) | st.text(max_size=20) | st.text("0123456789+-.:%smKGB ", max_size=20)

TOTALS = Totals(ram_bytes=GIB, tasks=1000)


@pytest.mark.parametrize(
    ("directive", "values", "shown", "verdict"),
    [
        ("OOMPolicy", ["continue"], "continue", True),
        ("OOMPolicy", ["continue"], "stop", False),
        ("OOMPolicy", ["continue"], None, None),
        ("OOMPolicy", ["stop", "continue"], "continue", True),
        ("OOMPolicy", [""], "stop", None),
        ("NoNewPrivileges", ["true"], "yes", True),
        ("NoNewPrivileges", ["0"], "no", True),
        ("NoNewPrivileges", ["0"], "yes", False),
        ("ProtectHome", ["read-only"], "yes", False),
        ("MemoryMax", ["7Q"], "73400320", False),
        ("MemoryMax", ["512M"], "536870912", True),
        ("MemoryMax", ["1.5G"], "1610612736", True),
        ("MemoryMax", ["512M"], "infinity", False),
        ("MemoryMax", ["infinity"], "infinity", True),
        ("MemoryMax", ["infinity"], "512", False),
        ("MemoryLimit", ["infinity"], "18446744073709551615", True),
        ("MemoryMax", ["0"], "0", True),
        ("MemoryMax", ["50%"], "536870912", True),
        ("MemoryMax", ["50%"], "536868000", True),
        ("MemoryMax", ["50%"], "268435456", False),
        ("MemoryMax", ["50%"], "infinity", False),
        ("MemorySwapMax", ["100%"], "infinity", True),
        ("TasksMax", ["50%"], "500", True),
        ("TasksMax", ["50%"], "501", True),
        ("TasksMax", ["50%"], "510", False),
        ("TasksMax", ["77"], "77", True),
        ("CPUQuota", ["150%"], "1.500000s", True),
        ("CPUQuota", ["150%"], "1s", False),
        ("ManagedOOMMemoryPressureLimit", ["50%"], "2147483648", True),
        ("ManagedOOMMemoryPressureLimit", ["50%"], "1147483648", False),
        ("CPUWeight", ["200"], "[not set]", False),
        ("CPUWeight", ["200"], "200", True),
        ("OOMScoreAdjust", ["-500"], "-500", True),
        ("OOMScoreAdjust", ["-500"], "0", False),
        ("Nice", ["+5"], "5", True),
        ("TimeoutStopSec", ["90"], "1min 30s", True),
        ("TimeoutStopSec", ["1min 30s"], "1min 30s", True),
        ("TimeoutStopSec", ["2h"], "1min 30s", False),
        ("TimeoutStopSec", ["0"], "infinity", True),
        ("TimeoutStopSec", ["infinity"], "1min 30s", False),
        ("TimeoutStopSec", ["5"], "infinity", False),
        ("WatchdogSec", ["5"], "0", None),
        ("RestartSec", ["1500ms"], "1.500000s", True),
        ("TimerSlackNSec", ["5us"], "5000", True),
        ("TimerSlackNSec", ["5us"], "50000", False),
        ("UMask", ["022"], "0022", True),
        ("UMask", ["022"], "0027", False),
        ("RuntimeDirectoryMode", ["755"], "0755", True),
        ("KillSignal", ["SIGINT"], "2", True),
        ("KillSignal", ["INT"], "15", False),
        ("IOSchedulingClass", ["idle"], "3", True),
        ("LogLevelMax", ["info"], "7", False),
        ("LimitNICE", ["+5"], "15", True),
        ("LimitCPU", ["1min"], "60", True),
        ("LimitCPU", ["1500ms"], "2", True),
        ("LimitCPU", ["1500ms"], "1", False),
        ("LimitCPU", ["infinity"], "infinity", True),
        ("LimitRTTIME", ["5"], "5", True),
        ("LimitRTTIME", ["5"], "5000000", False),
        ("LimitRTTIME", ["5s"], "5000000", True),
        ("LimitRTTIME", ["1ms 5"], "1005", True),
        ("LimitRTTIME", ["infinity"], "infinity", True),
        ("LimitRTTIME", ["infinity"], "5", False),
        ("LimitCORE", ["infinity"], "infinity", True),
        ("StandardOutput", ["append:/srv/x"], "append", True),
        ("StandardOutput", ["append:/srv/x"], "journal", False),
        ("WorkingDirectory", ["/srv/"], "/srv", True),
        ("Description", ["many words"], "other words", None),
        ("SyslogIdentifier", ["%p"], "trial", None),
        ("Environment", ["A=1", "B=2"], "B=2 A=1 C=3", True),
        ("Environment", ['"A=b c" D=e'], '"A=b c" D=e', True),
        ("Environment", ["A=1", "", "B=2"], "B=2", True),
        ("Environment", ["A=1", "B=2"], "A=1", False),
        ("Environment", ["A=%n"], "A=b", None),
        ("Environment", [""], "", True),
        ("Environment", [""], "A=1", False),
        ("EnvironmentFile", ["-/etc/x"], "/etc/x (ignore_errors=yes)", True),
        ("ExecStartPre", ['-/bin/a "b c"'], "{ path=/bin/a ; argv[]=/bin/a b c ; ignore_errors=yes }", True),
        ("ExecStartPre", ["/bin/b"], "{ path=/bin/a ; argv[]=/bin/a ; ignore_errors=no }", False),
        ("ExecStartPre", ["/bin/b %n"], "{ path=/bin/b ; argv[]=/bin/b x ; ignore_errors=no }", None),
        ("ExecReload", [""], None, True),
        ("CapabilityBoundingSet", ["CAP_KILL"], "cap_kill cap_chown", None),
        ("CapabilityBoundingSet", ["CAP_KILL CAP_CHOWN"], "cap_chown cap_kill", True),
        ("SystemCallFilter", ["read"], "read write", None),
        ("Environment", ["", "A=1"], "A=1 B=2", None),
        ("Environment", ["", "A=1"], "A=1", True),
        ("Environment", ["", "A=1"], "B=2", False),
        ("Environment", ["A=x"], "A=X", False),
        ("EnvironmentFile", ["", "/etc/x"], "/etc/x (ignore_errors=no)", True),
        ("EnvironmentFile", ["/etc/a b"], "/etc/a b (ignore_errors=no)", True),
        ("EnvironmentFile", ["/etc/%p"], "/etc/x (ignore_errors=no)", None),
        ("ExecStartPre", ["", "/bin/a"], "{ argv[]=/bin/a ; pid=0 }\n{ argv[]=/bin/b ; pid=0 }", None),
        ("SystemCallFilter", ["@system-service"], "read write", None),
        ("SuccessExitStatus", ["3 SIGKILL"], "3 KILL", True),
        ("IOReadBandwidthMax", ["/dev/vda 5M"], "/dev/vda 5000000", True),
        ("ConditionPathExists", ["/x"], None, None),
        ("SystemCallErrorNumber", ["EPERM"], "1", None),
        ("SyslogFacility", ["daemon"], "3", None),
        ("SyslogLevel", ["warning"], "4", True),
        ("SyslogLevel", ["warning"], "6", False),
        ("SecureBits", ["noroot"], "1", None),
        ("NUMAPolicy", ["bind"], "2", None),
        ("IOSchedulingClass", ["unheard-of"], "3", None),
        ("KillSignal", ["SIGRTMIN+3"], "37", True),
        ("KillSignal", ["RTMIN+3"], "38", False),
        ("KillSignal", ["SIGODD"], "38", None),
        ("PrivateTmp", ["yes"], "yes", True),
        ("PrivateTmp", ["disconnected"], "yes", None),
        ("PrivateUsers", ["identity"], "yes", None),
        ("ProtectControlGroups", ["strict"], "yes", None),
        ("TimeoutStopSec", ["0s"], "infinity", True),
        ("TimeoutStopSec", ["0s"], "1min 30s", False),
        ("TimeoutStopSec", ["5"], "unheard of", None),
        ("ExecStartPre", ["/bin/sh -c 'a ; b'"], "{ path=/bin/sh ; argv[]=/bin/sh -c a ; b ; pid=0 }", None),
        ("ExecStartPre", ["/bin/a ; /bin/b"], "{ argv[]=/bin/a ; pid=0 } ; { argv[]=/bin/b ; pid=0 }", None),
        ("ExecStartPre", ["@/bin/foo foo -x"], "{ path=/bin/foo ; argv[]=foo -x ; pid=0 }", None),
        ("ExecStartPre", ['/bin/a "b  c"'], "{ path=/bin/a ; argv[]=/bin/a b  c ; pid=0 }", True),
        ("ExecStartPre", ["a b"], "{ path=/bin/a ; argv[]=/bin/a b ; pid=0 }", None),
        ("Environment", ["FOO=a\\b"], '"FOO=a\\\\b"', None),
        ("Environment", ["FOO=a$b"], '"FOO=a\\$b"', None),
        ("Environment", ["A=1", "A=2"], "A=2", True),
        ("Environment", ["A=1", "A=2"], "A=1", False),
    ],
)
def test_written_value_is_compared_with_shown_value(
    directive: str, values: list[str], shown: str | None, verdict: bool | None
) -> None:
    properties = {} if shown is None else {get_properties(directive)[0]: shown}
    assert is_in_force(directive, values, properties, TOTALS) is verdict


@pytest.mark.parametrize(
    ("soft", "hard", "verdict"), [("1024", "2048", True), ("1024", "4096", False), ("512", "2048", False)]
)
def test_limit_has_soft_and_hard_value(soft: str, hard: str, verdict: bool) -> None:
    shown = {"LimitNOFILESoft": soft, "LimitNOFILE": hard}
    assert is_in_force("LimitNOFILE", ["1024:2048"], shown, TOTALS) is verdict


@pytest.mark.parametrize(("hard", "verdict"), [("524288", True), ("1024", False)])
def test_default_limit_has_soft_and_hard_value(hard: str, verdict: bool) -> None:
    shown = {"DefaultLimitNOFILESoft": "1024", "DefaultLimitNOFILE": hard}
    assert is_in_force("DefaultLimitNOFILE", ["1024:524288"], shown, TOTALS) is verdict


@pytest.mark.parametrize(("word", "verdict"), [("disconnected", True), ("connected", False)])
def test_word_of_former_boolean_is_compared_with_second_property(word: str, verdict: bool) -> None:
    shown = {"PrivateTmp": "yes", "PrivateTmpEx": word}
    assert is_in_force("PrivateTmp", ["disconnected"], shown, TOTALS) is verdict


@pytest.mark.parametrize(("stop", "verdict"), [("5s", True), ("6s", False)])
def test_timeout_is_compared_with_two_properties(stop: str, verdict: bool) -> None:
    shown = {"TimeoutStartUSec": "5s", "TimeoutStopUSec": stop}
    assert is_in_force("TimeoutSec", ["5"], shown, TOTALS) is verdict


def test_percentage_of_unknown_total_is_unknown() -> None:
    assert is_in_force("MemoryMax", ["50%"], {"MemoryMax": "5"}, Totals()) is None


@pytest.mark.parametrize("value", ["+x", ":5", "-"])
def test_invalid_nice_limit_is_no_crash(value: str) -> None:
    shown = {"LimitNICESoft": "0", "LimitNICE": "0"}
    assert is_in_force("LimitNICE", [value], shown, TOTALS) is not True


@settings(deadline=None, max_examples=500)
@given(st.sampled_from(DIRECTIVES), st.lists(TEXTS, max_size=3), TEXTS)
def test_any_values_can_be_compared(directive: str, values: list[str], shown: str) -> None:
    properties: t.Mapping[str, str] = dict.fromkeys(get_properties(directive, " ".join(values)), shown)
    assert is_in_force(directive, values, properties, TOTALS) in (True, False, None)


@pytest.mark.parametrize(
    ("directive", "value", "shown"),
    [
        ("MemoryMax", "1G 512M", "1610612736"),
        ("MemoryMax", "500‰", "536870912"),
        ("MemoryMax", "+512M", "536870912"),
        ("RestartSec", ".5", "500ms"),
        ("RestartSec", "1.5us", "1us"),
        ("RestartSec", "0.9us", "0"),
        ("LimitNICE", "+5", "15"),
        ("LimitNICE", "-5", "25"),
    ],
)
def test_unusual_values_that_systemd_accepts_are_read(directive: str, value: str, shown: str) -> None:
    properties = dict.fromkeys(get_properties(directive, value), shown)
    assert is_in_force(directive, [value], properties, TOTALS) is True


@pytest.mark.parametrize(
    ("directive", "value", "shown", "verdict"),
    [("CPUWeight", "0100", "64", None), ("UMask", "022", "0022", True), ("UMask", "022", "0027", False)],
)
def test_number_that_may_be_octal_is_not_compared(
    directive: str, value: str, shown: str, *, verdict: bool | None
) -> None:
    assert is_in_force(directive, [value], {directive: shown}, TOTALS) is verdict


@pytest.mark.parametrize("value", ["+abc", "-", "+"])
def test_nice_limit_that_is_no_number_is_not_compared(value: str) -> None:
    assert is_in_force("LimitNICE", [value], {"LimitNICE": "0"}, TOTALS) is not True


def test_watchdogs_that_cannot_be_read_are_not_compared() -> None:
    assert is_in_force("WatchdogSec", ["soon"], {"WatchdogUSec": "later"}, TOTALS) is None
