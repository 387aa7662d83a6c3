# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables and the page of a fleet: each host must stand in them with what is really known about it."""

from __future__ import annotations

import json
import os
import pathlib
import sqlite3
import stat
import typing as t

import pytest

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://fleet-down"]

FOLDER = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
HOSTS = {"fleet-down", "fleet-killed", "fleet-clean", "fleet-silent", "fleet-gone"}


def read_output(step: str) -> str:
    """Return what a playbook printed, and its status."""
    return (FOLDER / f"{step}.txt").read_text()


def find_row(step: str, host: str) -> str:
    """Return the row of a host in the table that a playbook printed, nothing if it has none."""
    _before, _heading, table = read_output(step).rpartition("\nHOST ")
    rows = table.partition("\n\n")[0].splitlines()
    return next(filter(lambda row: row.startswith(f"{host} "), rows), "")


@pytest.mark.parametrize(
    ("step", "host", "expected"),
    [
        ("detect", "fleet-down", "shop"),
        ("detect", "fleet-killed", "dd"),
        ("detect", "fleet-silent", "The search failed: Could not list the boots of the journal"),
        ("detect", "fleet-gone", "unreachable"),
        ("check", "fleet-down", "policy"),
        ("remediate", "fleet-down", "policy"),
        ("remediate", "fleet-gone", "unreachable"),
    ],
)
def test_row_of_the_table(step: str, host: str, expected: str) -> None:
    row = find_row(step, host)
    assert host in row
    assert expected in row


def test_tables_fit_into_80_columns() -> None:
    tables = [read_output(step).rpartition("\nHOST ")[2].partition("\n\n")[0] for step in ("detect", "remediate")]
    assert max(len(line) for table in tables for line in table.splitlines()) <= 80


@pytest.mark.parametrize("step", ["detect", "check", "remediate", "report", "again"])
def test_unreachable_host_fails_the_run(step: str) -> None:
    status = int(read_output(step).rpartition("status: ")[2])
    assert status != 0


def test_service_is_up_after_the_remediation(host: Host) -> None:
    assert host.service("shop.service").is_running


def test_page_names_every_host() -> None:
    page = (FOLDER / "report/index.html").read_text()
    assert {name for name in HOSTS if name not in page} == set()


def test_record_has_what_was_changed() -> None:
    record = json.loads((FOLDER / "records/fleet-down.json").read_text())
    assert [change["after"] for change in record["applied"] if "shop.service" in change["what"]] != []
    assert record["in_force"]["oom_policy"] == {"shop.service": "continue"}


def test_report_can_be_read_by_its_owner_alone() -> None:
    folder = FOLDER / "report"
    modes = {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in (folder, *folder.rglob("*"))}
    assert modes == {0}


def test_second_report_adds_a_run_to_the_history() -> None:
    database = sqlite3.connect(FOLDER / "report/history.sqlite3")
    runs = database.execute("SELECT standing FROM records WHERE host = 'fleet-silent'").fetchall()
    assert runs == [("unknown",)] * 2
