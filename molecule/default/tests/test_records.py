# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's records of what was changed, after a run in check mode, the real one and an idempotent one."""

from __future__ import annotations

import json
import typing as t

import pytest

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://all"]

SWAP = "b79d262c985347b88d24b705bf34d6f3"
DROPIN = "a3d35f601fdf4d7e9996f8abb424a45e"
FCGID = "e97d3b1a9c4644789de104f46f7d77e0"


def read_records(host: Host, message_id: str) -> list[dict[str, str]]:
    """Return the records of a module in the journal of the host."""
    printed = host.check_output(f"journalctl --quiet --output=json MESSAGE_ID={message_id} _UID=0")
    return [json.loads(line) for line in printed.splitlines()]


def test_swap_has_one_record(host: Host) -> None:
    (record,) = read_records(host, SWAP)
    assert (record["PRIORITY"], record["SYSLOG_IDENTIFIER"], record["OOMGUARD_MODULE"]) == ("5", "oomguard", "swap")
    assert int(record["OOMGUARD_BEFORE"]) < 1 << 30 < int(record["OOMGUARD_AFTER"])


def test_policy_of_apache_has_one_record(host: Host) -> None:
    records = read_records(host, DROPIN)
    found = [record for record in records if record["OOMGUARD_WHAT"] == "OOMPolicy"]
    assert [record["OOMGUARD_OBJECT"] for record in found] == ["apache2.service"]
    assert found[0]["MESSAGE"] == "Changed OOMPolicy of apache2.service from stop to continue."


@pytest.mark.parametrize("message_id", [DROPIN, FCGID])
def test_each_setting_has_one_record(host: Host, message_id: str) -> None:
    records = read_records(host, message_id)
    settings = [(record["OOMGUARD_WHAT"], record["OOMGUARD_OBJECT"]) for record in records]
    assert settings
    assert len(set(settings)) == len(settings)
