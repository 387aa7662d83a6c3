# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recycler tells others."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._recycler import messages
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.policy import Order
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.test_policy import a_worker


@pytest.mark.parametrize(
    ("order", "dry_run", "message"),
    [
        (
            Order("retire", a_worker(hwm=300 << 20), "limit", 256 << 20, 12),
            False,
            ("Retired pid 1000 (/srv/a.fcgi): it has had 300.0 MiB, its limit is 256.0 MiB; 60 s old, idle for 12 s"),
        ),
        (
            Order("retire", a_worker(hwm=2 << 30, state="busy"), "hard_limit", 1 << 30, None),
            True,
            ("Would retire pid 1000 (/srv/a.fcgi): it has had 2.0 GiB, its hard limit is 1.0 GiB; 60 s old, busy"),
        ),
    ],
    ids=["idle", "busy"],
)
def test_a_retirement_in_words(order: Order, dry_run: bool, message: str) -> None:
    assert messages.retirement(order, dry_run=dry_run)["MESSAGE"] == message


def test_a_retirement_in_fields() -> None:
    fields = messages.retirement(Order("retire", a_worker(hwm=300), "limit", 256, 12), dry_run=False)
    assert {name: value for name, value in fields.items() if name not in ("MESSAGE", "MESSAGE_ID")} == {
        "PRIORITY": "5",
        "OOMGUARD_PID": "1000",
        "OOMGUARD_SCRIPT": "/srv/a.fcgi",
        "OOMGUARD_USER": "www-data",
        "OOMGUARD_VM_HWM_BYTES": "300",
        "OOMGUARD_LIMIT_BYTES": "256",
        "OOMGUARD_AGE_SECONDS": "60",
        "OOMGUARD_IDLE_SECONDS": "12",
        "OOMGUARD_STATE": "idle",
        "OOMGUARD_REASON": "limit",
        "OOMGUARD_DRY_RUN": "0",
    }


def test_no_name_of_a_script_makes_a_field_of_its_own() -> None:
    order = Order("retire", a_worker(command=("/srv/a\nPRIORITY=0\x1b[2J.fcgi",)), "limit", 256, 12)
    lines = messages.journal_datagram(messages.retirement(order, dry_run=False)).decode().splitlines()
    assert (sum(line.startswith("PRIORITY=") for line in lines), any("\x1b" in line for line in lines)) == (1, False)


def test_metrics() -> None:
    text = messages.metrics([a_worker(hwm=300), a_worker(state="busy")], 1, {"limit": 3, "hard_limit": 0})
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'oomguard_fcgid_retired_total{reason="limit"} 3',
        'oomguard_fcgid_retired_total{reason="hard_limit"} 0',
        'oomguard_fcgid_workers{state="idle"} 1',
        'oomguard_fcgid_workers{state="busy"} 1',
        'oomguard_fcgid_workers{state="exiting"} 0',
        "oomguard_fcgid_workers_over_limit 1",
        "oomguard_fcgid_vm_hwm_max_bytes 300",
    ]


def test_nobody_who_listens_is_no_error() -> None:
    messages.send("/nonexistent/socket", b"READY=1")
