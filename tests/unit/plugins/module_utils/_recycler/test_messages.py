# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the recycler."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._recycler import messages
from ansible_collections.oomguard.linux.plugins.module_utils._recycler.policy import Order
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._recycler.factories import make_worker


@pytest.mark.parametrize(
    ("order", "dry_run", "message"),
    [
        (
            Order("retire", make_worker(hwm=300 << 20), "limit", 256 << 20, 12),
            False,
            (
                "Retired pid 1000 (/srv/a.fcgi): it has held up to 300.0 MiB, its limit is 256.0 MiB"
                "; 60 s old, idle for 12 s"
            ),
        ),
        (
            Order("retire", make_worker(hwm=2 << 30, state="busy"), "hard_limit", 1 << 30, None),
            True,
            (
                "Would retire pid 1000 (/srv/a.fcgi): it has held up to 2.0 GiB, its hard limit is 1.0 GiB"
                "; 60 s old, busy"
            ),
        ),
    ],
    ids=["idle", "busy"],
)
def test_retirement_is_described(order: Order, dry_run: bool, message: str) -> None:
    assert messages.make_retirement(order, dry_run=dry_run)["MESSAGE"] == message


def test_retirement_has_fields() -> None:
    fields = messages.make_retirement(Order("retire", make_worker(hwm=300), "limit", 256, 12), dry_run=False)
    assert {name: value for name, value in fields.items() if name not in ("MESSAGE", "MESSAGE_ID")} == {
        "PRIORITY": "5",
        "OOMGUARD_PID": "1000",
        "OOMGUARD_SCRIPT": "/srv/a.fcgi",
        "OOMGUARD_USER": "www-data",
        "OOMGUARD_PROCESSES": "1",
        "OOMGUARD_VM_HWM_BYTES": "300",
        "OOMGUARD_LIMIT_BYTES": "256",
        "OOMGUARD_AGE_SECONDS": "60",
        "OOMGUARD_IDLE_SECONDS": "12",
        "OOMGUARD_STATE": "idle",
        "OOMGUARD_REASON": "limit",
        "OOMGUARD_DRY_RUN": "0",
    }


def test_name_of_a_script_cannot_forge_a_field() -> None:
    order = Order("retire", make_worker(command=("/srv/a\nPRIORITY=0\x1b[2J.fcgi",)), "limit", 256, 12)
    lines = messages.encode_for_journal(messages.make_retirement(order, dry_run=False)).decode().splitlines()
    assert (sum(line.startswith("PRIORITY=") for line in lines), any("\x1b" in line for line in lines)) == (1, False)


def test_metrics_have_all_values() -> None:
    text = messages.render_metrics([make_worker(hwm=300), make_worker(state="busy")], 1, {"limit": 3, "hard_limit": 0})
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'oomguard_fcgid_retired_total{reason="limit"} 3',
        'oomguard_fcgid_retired_total{reason="hard_limit"} 0',
        'oomguard_fcgid_workers{state="idle"} 1',
        'oomguard_fcgid_workers{state="busy"} 1',
        "oomguard_fcgid_workers_over_limit 1",
        "oomguard_fcgid_vm_hwm_max_bytes 300",
    ]


def test_missing_receiver_is_no_error() -> None:
    messages.send("/nonexistent/socket", b"READY=1")
