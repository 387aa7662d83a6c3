# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of the recycler to the journal, systemd and node_exporter: their formats, and how they are sent."""

from __future__ import annotations

import socket
import typing as t

from .._fcgid.worker import Worker
from .._safe import neutralise
from .._size import format_size
from .policy import Order

JOURNAL = "/run/systemd/journal/socket"
IDENTIFIER = "oomguard-fcgid-recycler"

# One for each kind of message, so that `journalctl MESSAGE_ID=` finds all messages of that kind.
RETIRED = "5d0f8c1e2a7b4c6f9e31b7a4d2586c90"
PROBLEM = "b1c97f36e0fd4a58a3a1d9c7e4f20b6d"

_NOTICE = 5
_WARNING = 4
_STATES = ("idle", "busy")


def make_retirement(order: Order, *, dry_run: bool) -> dict[str, str]:
    """Return the journal's fields for a worker that was signalled, would be signalled, or was drained and is gone."""
    worker = order.worker
    return {
        "MESSAGE": _describe_retirement(order, dry_run=dry_run),
        "MESSAGE_ID": RETIRED,
        "PRIORITY": str(_NOTICE),
        "OOMGUARD_PID": str(worker.pid),
        "OOMGUARD_SCRIPT": worker.script,
        "OOMGUARD_USER": worker.user,
        "OOMGUARD_PROCESSES": str(len(worker.processes)),
        "OOMGUARD_VM_HWM_BYTES": str(worker.memory.peak_bytes),
        "OOMGUARD_LIMIT_BYTES": str(order.bound),
        "OOMGUARD_AGE_SECONDS": str(worker.age_seconds),
        "OOMGUARD_IDLE_SECONDS": "" if order.idle_seconds is None else str(order.idle_seconds),
        "OOMGUARD_STATE": worker.state,
        "OOMGUARD_REASON": order.reason,
        "OOMGUARD_DRY_RUN": str(int(dry_run)),
    }


def _describe_retirement(order: Order, *, dry_run: bool) -> str:
    worker = order.worker
    verb = "Would retire" if dry_run else "Retired"
    peak = format_size(worker.memory.peak_bytes)
    if len(worker.processes) > 1:
        peak = f"{peak} in {len(worker.processes)} processes"
    reason = order.reason.replace("_", " ")
    return (
        f"{verb} pid {worker.pid} ({worker.script}): it has held up to {peak}, its {reason} is"
        f" {format_size(order.bound)}; {worker.age_seconds} s old, {_describe_state(order)}"
    )


def _describe_state(order: Order) -> str:
    if order.act == "gone":
        return "drained and gone"
    if order.worker.state == "busy":
        return "busy"
    if order.idle_seconds is None:
        return "idle"

    return f"idle for {order.idle_seconds} s"


def make_problem(message: str) -> dict[str, str]:
    """Return the journal's fields for a problem that keeps the recycler from its work."""
    return {"MESSAGE": message, "MESSAGE_ID": PROBLEM, "PRIORITY": str(_WARNING)}


def encode_for_journal(fields: t.Mapping[str, str]) -> bytes:
    """Return `fields` in the journal's native protocol, one line each, since inert text has no line breaks."""
    named = {"SYSLOG_IDENTIFIER": IDENTIFIER, **fields}
    return "".join(f"{name}={neutralise(value)}\n" for name, value in named.items()).encode()


def render_metrics(workers: t.Sequence[Worker], over: int, retired: t.Mapping[str, int]) -> str:
    """Return the text for node_exporter's textfile collector. `over` workers have passed their limit."""
    states = [worker.state for worker in workers]
    peaks = [worker.memory.peak_bytes for worker in workers]
    return "".join(
        (
            "# HELP oomguard_fcgid_retired_total Workers retired since the recycler was started.\n",
            "# TYPE oomguard_fcgid_retired_total counter\n",
            *(f'oomguard_fcgid_retired_total{{reason="{reason}"}} {count}\n' for reason, count in retired.items()),
            "# HELP oomguard_fcgid_workers Workers of mod_fcgid.\n",
            "# TYPE oomguard_fcgid_workers gauge\n",
            *(f'oomguard_fcgid_workers{{state="{state}"}} {states.count(state)}\n' for state in _STATES),
            "# HELP oomguard_fcgid_workers_over_limit Workers whose VmHWM exceeds their limit.\n",
            "# TYPE oomguard_fcgid_workers_over_limit gauge\n",
            f"oomguard_fcgid_workers_over_limit {over}\n",
            "# HELP oomguard_fcgid_vm_hwm_max_bytes The largest VmHWM of a worker.\n",
            "# TYPE oomguard_fcgid_vm_hwm_max_bytes gauge\n",
            f"oomguard_fcgid_vm_hwm_max_bytes {max(peaks, default=0)}\n",
        )
    )


def send(path: str, data: bytes) -> None:
    """Send one datagram. If nobody receives it, the recycler works on."""
    address = path
    if path.startswith("@"):
        address = f"\0{path[1:]}"

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto(data, address)
        except OSError:
            return
