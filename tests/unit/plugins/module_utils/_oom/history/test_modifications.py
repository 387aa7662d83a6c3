# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes that the journal and the files of a host show."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._change_record import (
    MESSAGE_IDS,
    Difference,
    encode_record,
)
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Modification
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.modifications import (
    merge_changes,
    read_change,
    read_changes,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import BOOT, ZERO, Entry, Host, entry

TRUSTED = {"_UID": "0", "_TRANSPORT": "journal", "_SYSTEMD_UNIT": "session-3.scope"}
POLICY = Difference("OOMPolicy", "apache2.service", "stop", "continue")
CHANGE = Modification(7, "/etc/fstab", None, None, "unknown")


def make_fields(module: str, difference: Difference, **fields: str) -> dict[str, str]:
    """Return the fields of a record that a module has written, as journald stores it."""
    lines = encode_record(module, difference).decode().splitlines()
    sent = dict(line.split("=", 1) for line in lines)
    return {**sent, **TRUSTED, **fields}


def make_record(fields: dict[str, str]) -> Record:
    return Record("c", 7, 1, BOOT, fields)


def make_entry(at: float, difference: Difference = POLICY, **fields: str) -> Entry:
    sent = make_fields("systemd_dropin", difference, **fields)
    return entry(sent.pop("MESSAGE"), at=at, **sent)


@pytest.mark.parametrize("module", MESSAGE_IDS)
def test_record_is_read_as_it_was_written(module: str) -> None:
    change = read_change(make_record(make_fields(module, POLICY)))
    assert change is not None
    assert change[:5] == (7, "OOMPolicy of apache2.service", "stop", "continue", "oomguard")


@pytest.mark.parametrize(("module", "unit"), [("systemd_dropin", "apache2.service"), ("fcgid_recycler", "")])
def test_only_settings_of_units_concern_a_unit(module: str, unit: str) -> None:
    change = read_change(make_record(make_fields(module, POLICY)))
    assert change is not None
    assert change.unit == unit


def test_swap_belongs_to_the_host() -> None:
    change = read_change(make_record(make_fields("swap", Difference("swap", "", 4, 10))))
    assert change == Modification(7, "swap", "4", "10", "oomguard")


@pytest.mark.parametrize(
    "forged",
    [
        {"_UID": "1000"},
        {"_TRANSPORT": "syslog"},
        {"_TRANSPORT": "stdout"},
        {"_SYSTEMD_USER_UNIT": "app.service"},
        {"MESSAGE_ID": "0" * 32},
    ],
    ids=lambda fields: " ".join(fields.values()),
)
def test_record_of_somebody_else_is_not_read(forged: dict[str, str]) -> None:
    assert read_change(make_record(make_fields("systemd_dropin", POLICY, **forged))) is None


@pytest.mark.parametrize("value", ["stop", None])
def test_record_without_another_value_is_no_change(value: str | None) -> None:
    same = POLICY._replace(before=value, after=value)
    assert read_change(make_record(make_fields("systemd_dropin", same))) is None


def test_changes_in_the_period_are_found() -> None:
    host = Host([make_entry(10), make_entry(20, POLICY._replace(after="kill")), make_entry(30, _UID="1000")])
    journal = Journal(host)
    found = read_changes(journal, ZERO + 15_000_000, ZERO + 60_000_000)
    assert [change.after for change in found] == ["kill"]


def test_journal_is_asked_by_its_index() -> None:
    host = Host([make_entry(10)])
    read_changes(Journal(host), ZERO, ZERO + 60_000_000)
    (call,) = host.calls
    assert [word for word in call if word.startswith("MESSAGE_ID=")]
    assert "_UID=0" in call


def test_file_that_a_module_wrote_is_not_another_change() -> None:
    recorded = [Modification(300_000_000, "OOMPolicy of a.service", "stop", "continue", "oomguard", "a.service")]
    before = CHANGE._replace(time_us=100_000_000)
    merged = merge_changes(recorded, [CHANGE._replace(time_us=290_000_000), before])
    assert merged == [before, *recorded]


def test_file_alone_is_a_change() -> None:
    assert merge_changes([], [CHANGE]) == [CHANGE]
