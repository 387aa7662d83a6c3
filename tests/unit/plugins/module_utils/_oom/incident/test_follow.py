# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the traces in a journal to findings, over the records of real kills on bullseye and trixie."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    OUT_OF_MEMORY,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.incident.factories import (
    KERNEL,
    OOM_KILL,
    find_by_unit,
    follow_host,
    make_systemd_entry,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    Host,
    captured,
    done,
    entry,
)


@pytest.mark.parametrize(
    ("release", "unit", "expected"),
    [
        ("bullseye", "apache2.service", ("oom-kill", True, False, None)),
        ("bullseye", "w-continue.service", (None, False, False, None)),
        ("bullseye", "w-kill.service", ("oom-kill", True, False, None)),
        ("trixie-apache", "apache2.service", ("oom-kill", True, False, None)),
        ("trixie", "w-stop.service", ("oom-kill", True, False, None)),
        ("trixie", "w-restart.service", ("oom-kill", True, True, 1.085)),
        ("trixie", "m-continue.service", ("signal", True, False, None)),
    ],
)
def test_what_became_of_each_unit(release: str, unit: str, expected: tuple[object, ...]) -> None:
    effect = find_by_unit(release)[unit].effect
    assert effect is not None
    assert (effect.result, effect.stopped, effect.restarted, effect.down_seconds) == expected


@pytest.mark.parametrize(
    ("release", "units"),
    [
        ("bullseye", ("apache2.service", "w-kill.service")),
        ("trixie", ("m-continue.service", "w-restart.service", "w-stop.service")),
    ],
)
def test_the_units_that_were_taken_down(release: str, units: tuple[str, ...]) -> None:
    assert tuple(unit.unit for unit in follow_host(Host(captured(release))).taken_down) == units


def test_the_unit_of_a_kill_beyond_the_limit_is_the_one_systemd_named() -> None:
    older = follow_host(Host(captured("trixie")), limit=2).older
    assert [incident.place.unit for incident in older] == ["m-continue.service"]


@pytest.mark.parametrize(
    ("policies", "local", "policy"),
    [({"apache2.service": "continue"}, True, "continue"), ({}, True, None), ({"apache2.service": "stop"}, False, None)],
    ids=["in force", "gone", "of another host"],
)
def test_only_this_host_is_asked_for_the_policy(policies: dict[str, str], local: bool, policy: str | None) -> None:
    effect = follow_host(Host(captured("bullseye"), policies), local=local).incidents[-1].effect
    assert effect is not None
    assert effect.oom_policy == policy


def test_a_unit_that_is_still_stopping_may_not_have_stayed_up() -> None:
    host = Host([entry(OOM_KILL, at=1000, PRIORITY="3", **KERNEL), make_systemd_entry(OUT_OF_MEMORY, 1000.1)])
    host.entries.append(entry("something else", at=1200))
    host.answers["--property"] = done("Id=web.service\nLoadState=loaded\nActiveState=deactivating\nOOMPolicy=stop\n")
    effect = follow_host(host).incidents[0].effect
    assert effect is not None
    assert (effect.oom_policy, effect.stopped) == ("stop", None)


def test_without_systemctl_the_policy_is_unknown() -> None:
    class NoSystemctl(Host):
        def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
            if argv[0] == "systemctl":
                raise CommandError("Could not run systemctl: No such file or directory.")
            return super().__call__(argv, **options)

    effect = follow_host(NoSystemctl(captured("bullseye"))).incidents[-1].effect
    assert effect is not None
    assert (effect.oom_policy, effect.gone) == (None, False)


def test_finding_no_kill_is_a_success() -> None:
    findings = follow_host(Host([entry("usb 1-1: new device", at=1, PRIORITY="6", **KERNEL)]))
    assert (findings.incidents, findings.coverage.complete) == ((), True)


def test_a_kill_with_another_priority_is_found_if_systemd_noticed_it() -> None:
    noticed = {"MESSAGE_ID": "fe6faa94e7774663a0da52717891d8ef", "_PID": "1", "UNIT": "apache2.service"}
    findings = follow_host(
        Host([entry(OOM_KILL, at=1, PRIORITY="4", **KERNEL), entry("apache2.service: OOM", at=2, **noticed)])
    )
    assert [incident.place.unit for incident in findings.incidents] == ["apache2.service"]


KMSG = {"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "3", "SYSLOG_IDENTIFIER": "systemd", "SYSLOG_PID": "1"}


def test_systemd_is_asked_about_few_of_the_units_that_only_kmsg_names() -> None:
    texts = [f"{number}.service: Failed with result 'oom-kill'." for number in range(300)]
    kill = entry(OOM_KILL, at=1, PRIORITY="3", **KERNEL)
    host = Host([kill, *(entry(text, at=2, PRIORITY="4", **KMSG) for text in texts)])
    findings = follow_host(host)
    (asked,) = [call[call.index("--") + 1 :] for call in host.calls if call[0] == "systemctl"]
    assert len(asked) == 100
    assert findings.taken_down == ()
    assert findings.coverage.complete is False
