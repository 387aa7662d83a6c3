# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the recycler tells the journal, systemd and node_exporter: their formats, and the sockets that take them."""

from __future__ import annotations

import socket
import typing as t

from .._fcgid.worker import Worker
from .._safe import neutralise
from .._size import format_size
from .policy import Order

JOURNAL = "/run/systemd/journal/socket"
IDENTIFIER = "oomguard-fcgid-recycler"

# One for each kind of message, so that all of it is found with `journalctl MESSAGE_ID=`.
RETIRED = "5d0f8c1e2a7b4c6f9e31b7a4d2586c90"
PROBLEM = "b1c97f36e0fd4a58a3a1d9c7e4f20b6d"

_NOTICE, _WARNING = 5, 4


def retirement(order: Order, *, dry_run: bool) -> dict[str, str]:
    """Return the journal's fields for one worker that was signalled, that would be, or that was drained and is gone."""
    worker, peak = order.worker, order.worker.memory.vm_hwm_bytes or 0
    doing = "idle" if order.idle_seconds is None else f"idle for {order.idle_seconds} s"
    if order.act == "gone":
        doing = "drained and gone"
    elif worker.state == "busy":
        doing = "busy"
    message = (
        f"{'Would retire' if dry_run else 'Retired'} pid {worker.pid} ({worker.script}):"
        f" it has had {format_size(peak)}, its {order.reason.replace('_', ' ')} is {format_size(order.bound)};"
        f" {worker.age_seconds} s old, {doing}"
    )
    return {
        "MESSAGE": message,
        "MESSAGE_ID": RETIRED,
        "PRIORITY": str(_NOTICE),
        "OOMGUARD_PID": str(worker.pid),
        "OOMGUARD_SCRIPT": worker.script,
        "OOMGUARD_USER": worker.user,
        "OOMGUARD_VM_HWM_BYTES": str(peak),
        "OOMGUARD_LIMIT_BYTES": str(order.bound),
        "OOMGUARD_AGE_SECONDS": str(worker.age_seconds),
        "OOMGUARD_IDLE_SECONDS": "" if order.idle_seconds is None else str(order.idle_seconds),
        "OOMGUARD_STATE": worker.state,
        "OOMGUARD_REASON": order.reason,
        "OOMGUARD_DRY_RUN": str(int(dry_run)),
    }


def problem(message: str) -> dict[str, str]:
    """Return the journal's fields for what keeps the recycler from its work."""
    return {"MESSAGE": message, "MESSAGE_ID": PROBLEM, "PRIORITY": str(_WARNING)}


def journal_datagram(fields: t.Mapping[str, str]) -> bytes:
    """Return `fields` in the journal's native protocol, one line each, since neutral text has no line breaks."""
    named = {"SYSLOG_IDENTIFIER": IDENTIFIER, **fields}
    return "".join(f"{name}={neutralise(value)}\n" for name, value in named.items()).encode()


def metrics(workers: t.Sequence[Worker], over: int, retired: t.Mapping[str, int]) -> str:
    """Return the text for node_exporter's textfile collector."""
    states = {state: sum(worker.state == state for worker in workers) for state in ("idle", "busy", "exiting")}
    peak = max((worker.memory.vm_hwm_bytes or 0 for worker in workers), default=0)
    return "".join(
        (
            "# HELP oomguard_fcgid_retired_total Workers retired since the recycler was started.\n",
            "# TYPE oomguard_fcgid_retired_total counter\n",
            *(f'oomguard_fcgid_retired_total{{reason="{reason}"}} {count}\n' for reason, count in retired.items()),
            "# HELP oomguard_fcgid_workers Workers of mod_fcgid.\n",
            "# TYPE oomguard_fcgid_workers gauge\n",
            *(f'oomguard_fcgid_workers{{state="{state}"}} {count}\n' for state, count in states.items()),
            "# HELP oomguard_fcgid_workers_over_limit Workers whose VmHWM has passed their limit.\n",
            "# TYPE oomguard_fcgid_workers_over_limit gauge\n",
            f"oomguard_fcgid_workers_over_limit {over}\n",
            "# HELP oomguard_fcgid_vm_hwm_max_bytes The largest VmHWM of a worker.\n",
            "# TYPE oomguard_fcgid_vm_hwm_max_bytes gauge\n",
            f"oomguard_fcgid_vm_hwm_max_bytes {peak}\n",
        )
    )


def send(path: str, data: bytes) -> None:
    """Send one datagram; that nobody takes it is no reason to stop working."""
    address = f"\0{path[1:]}" if path.startswith("@") else path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(data, address)
        except OSError:
            return
