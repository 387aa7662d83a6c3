# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Databases that the kernel kills, before and after the remediation, and after a boot."""

from __future__ import annotations

import json
import typing as t

import pytest
from scenario.modules import run_module
from scenario.power import cut_power_and_boot

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

DOWN = {"ActiveState": "failed", "Result": "oom-kill", "Answer": ""}
UP = {"ActiveState": "active", "Result": "success", "Answer": "1"}
CONTINUE = {"OOMPolicy": "continue"}
DATABASES = ["mariadb", "postgresql"]
IN_FORCE: dict[str, dict[str, str]] = {
    # Restart=on-abnormal, which Debian's package has by now, applies after an OOM kill, so nothing needs to change.
    "mariadb": {**UP, "Restart": "on-abnormal"},
    # Restart= is for kills of the main process, which PostgreSQL protects from the kernel.
    "postgresql": {**UP, **CONTINUE, "Restart": "no", "OOMScoreAdjust": "-900"},
}


def read_saved(host: Host, name: str) -> dict[str, dict[str, str]]:
    """Return what systemd said about the units of the databases at an earlier time."""
    return dict(json.loads(host.file(f"/root/{name}.json").content_string))


def show(host: Host) -> dict[str, dict[str, str]]:
    return dict(json.loads(host.check_output("databases show")))


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        ("mariadb", {**UP, "NRestarts": "1"}),
        ("postgresql", {**DOWN, "OOMPolicy": "stop"}),
    ],
)
def test_the_first_kill_ended_each_database(host: Host, database: str, expected: dict[str, str]) -> None:
    assert expected.items() <= read_saved(host, "killed")[database].items()


@pytest.mark.parametrize("database", DATABASES)
def test_remediation_brought_each_database_back(host: Host, database: str) -> None:
    assert IN_FORCE[database].items() <= read_saved(host, "remediated")[database].items()


@pytest.mark.parametrize("database", DATABASES)
def test_each_database_is_up_after_another_kill(host: Host, database: str) -> None:
    assert IN_FORCE[database].items() <= show(host)[database].items()


def test_systemd_restarted_mariadb(host: Host) -> None:
    assert show(host)["mariadb"]["NRestarts"] == "2"


def test_postgresql_stayed_up(host: Host) -> None:
    before = read_saved(host, "remediated")["postgresql"]
    assert {"NRestarts": "0", "MainPID": before["MainPID"]}.items() <= show(host)["postgresql"].items()


@pytest.mark.parametrize("database", DATABASES)
def test_each_database_was_killed_twice(host: Host, database: str) -> None:
    unit = show(host)[database]["Unit"]
    assert run_module(host, "oom_info", tasks="none")["summary"]["by_unit"][unit] >= 2


def test_no_remedy_is_left(host: Host) -> None:
    remedies = run_module(host, "oom_info")["remedies"]
    assert [remedy["role"] for remedy in remedies if remedy["automatic"]] == []


def test_each_database_is_up_after_a_kill_in_the_next_boot(host: Host) -> None:
    cut_power_and_boot(host)
    host.run_expect([0], "databases kill")
    shown = show(host)
    assert [database for database in DATABASES if not IN_FORCE[database].items() <= shown[database].items()] == []
