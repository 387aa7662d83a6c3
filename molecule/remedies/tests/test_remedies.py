# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state after the remediation: what had to be up is up, and what nobody vouches for has changed nothing."""

from __future__ import annotations

import typing as t

import pytest
from scenario.modules import run_module
from scenario.power import cut_power_and_boot

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]


RESTARTED = {"ActiveState=active", "Restart=on-failure", "OOMPolicy=continue", "NRestarts=1"}
STAYED_UP = {"ActiveState=active", "OOMPolicy=continue", "NRestarts=0"}
IN_FORCE = {
    "database.service": RESTARTED,
    "shop.service": STAYED_UP,
    "queue.service": RESTARTED,
    "pool@main.service": STAYED_UP,
    "legacyd.service": STAYED_UP,
}
OTHERS = {
    "job.service": {"ActiveState=failed", "Result=oom-kill"},
    "apache2.service": {"ActiveState=active"},
}


def show(host: Host, unit: str) -> set[str]:
    properties = "ActiveState,Restart,OOMPolicy,NRestarts,Result"
    return set(host.check_output(f"systemctl show --property={properties} {unit}").splitlines())


@pytest.mark.parametrize(("unit", "expected"), [*IN_FORCE.items(), *OTHERS.items()])
def test_units(host: Host, unit: str, expected: set[str]) -> None:
    assert expected <= show(host, unit)


def test_forged_report_brought_no_swap(host: Host) -> None:
    assert host.check_output("swapon --show --noheadings") == ""
    assert not host.file("/swapfile").exists


def test_fcgid_was_configured_though_swap_failed(host: Host) -> None:
    assert host.run("grep -qs 'FcgidProcessLifeTime 600' /etc/apache2/conf-enabled/zz-oomguard-fcgid.conf").succeeded


def test_remedies_from_logs_are_not_trusted(host: Host) -> None:
    found = run_module(host, "oom_info", log_files=["/root/dmesg.log", "/srv/report.log"])
    assert {remedy["trusted"] for remedy in found["remedies"]} == {False}


def test_no_remedy_is_left(host: Host) -> None:
    remedies = run_module(host, "oom_info")["remedies"]
    assert [remedy["role"] for remedy in remedies if remedy["automatic"]] == []


def test_the_same_kills_take_nothing_down_after_a_boot(host: Host) -> None:
    cut_power_and_boot(host)
    host.run_expect([0], "outages kill-again")
    assert [unit for unit, expected in IN_FORCE.items() if not expected <= show(host, unit)] == []
