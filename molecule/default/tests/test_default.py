# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state after the incident, its remediation and the same load again, and what oom_info reports about it."""

from __future__ import annotations

import typing as t

import pytest
from scenario.modules import run_module

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

GIB = 1024**3


@pytest.fixture(scope="module")
def found(host: Host) -> dict[str, t.Any]:
    """Return the result of oom_info on the host."""
    return run_module(host, "oom_info")


@pytest.fixture(scope="module")
def outage(found: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the event that took Apache down."""
    events = [event for event in found["events"] if event["unit"] == "apache2.service"]
    return dict(events[0])


@pytest.fixture(scope="module")
def survived(found: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the event that was forced after the remediation, which is the last one."""
    return dict(found["events"][-1])


def test_apache_answers(host: Host) -> None:
    assert host.check_output("curl --silent --output /dev/null -w '%{http_code}' http://127.0.0.1/") == "200"


def test_leaking_program_answers(host: Host) -> None:
    assert host.check_output("curl --silent http://127.0.0.1/fcgi/leak.fcgi").endswith("MB kept")


@pytest.mark.parametrize("name", ["OOMPolicy=continue", "ActiveState=active", "NRestarts=0", "NeedDaemonReload=no"])
def test_systemd_properties_of_apache(host: Host, name: str) -> None:
    shown = host.check_output(
        "systemctl show --property=OOMPolicy,ActiveState,NRestarts,NeedDaemonReload apache2.service"
    )
    assert name in shown.splitlines()


def test_swap_has_target_size(host: Host) -> None:
    sizes = host.check_output("swapon --show=SIZE --bytes --noheadings").split()
    assert 10 * GIB - len(sizes) * 65536 <= sum(map(int, sizes)) <= 11 * GIB


def test_swap_is_in_fstab(host: Host) -> None:
    assert host.run("findmnt --fstab --types swap --noheadings --output SOURCE").stdout.split()


@pytest.mark.parametrize(
    "directive", ["FcgidMinProcessesPerClass 0", "FcgidProcessLifeTime 600", "FcgidIdleScanInterval 120"]
)
def test_apache_reads_directives(host: Host, directive: str) -> None:
    assert host.run(f"grep -RqsE '^ *{directive}$' /etc/apache2/conf-enabled/").succeeded


def test_apache_accepts_its_configuration(host: Host) -> None:
    assert host.run("apache2ctl configtest").succeeded


def test_both_kills_are_found(found: dict[str, t.Any]) -> None:
    assert found["summary"]["count"] >= 2


def test_unit_taken_down_is_reported(found: dict[str, t.Any]) -> None:
    assert "apache2.service" in found["summary"]["units_taken_down"]


def test_victim_of_outage_is_the_worker(outage: dict[str, t.Any]) -> None:
    assert [victim["name"] for victim in outage["victims"]] == ["leak.fcgi"]


def test_cause_of_outage_is_exhaustion(outage: dict[str, t.Any]) -> None:
    assert outage["diagnosis"]["cause"] == "ram_and_swap_exhausted"


def test_scope_of_outage_is_global(outage: dict[str, t.Any]) -> None:
    assert outage["scope"] == "global"


@pytest.mark.parametrize(("name", "value"), [("unit", "apache2.service"), ("stopped", True), ("result", "oom-kill")])
def test_effect_of_outage(outage: dict[str, t.Any], name: str, value: object) -> None:
    assert outage["unit_effect"][name] == value


@pytest.mark.parametrize(("role", "expected"), [("swap", True), ("fcgid", True), ("oom_policy", False)])
def test_remedies_of_outage_include_only_what_is_not_in_force(
    outage: dict[str, t.Any], role: str, expected: bool
) -> None:
    assert (role in [remedy["role"] for remedy in outage["diagnosis"]["remedies"]]) is expected


def test_sum_of_task_memory_fits_the_host(outage: dict[str, t.Any]) -> None:
    assert 300 * 1024**2 < outage["tasks"]["rss_bytes"] < 512 * 1024**2


def test_small_swap_was_full(outage: dict[str, t.Any]) -> None:
    assert outage["memory"]["swap_free_bytes"] < 0.05 * outage["memory"]["swap_total_bytes"]


def test_forced_kill_is_in_apache(survived: dict[str, t.Any]) -> None:
    assert survived["unit"] == "apache2.service"


def test_cause_of_forced_kill_is_a_limit(survived: dict[str, t.Any]) -> None:
    assert survived["diagnosis"]["cause"] == "cgroup_limit"


def test_forced_kill_took_nothing_down(survived: dict[str, t.Any]) -> None:
    assert survived["unit_effect"]["stopped"] is False


def test_coverage_is_complete(found: dict[str, t.Any]) -> None:
    assert found["coverage"]["complete"]
