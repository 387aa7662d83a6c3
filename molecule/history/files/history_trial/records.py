# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what the journal says of a wave, as fixtures of the unit tests keep it."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t

from history_trial.drive import Wave

FIELDS = (
    *("MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_IDENTIFIER", "_TRANSPORT", "_PID", "_COMM"),
    *("_SYSTEMD_UNIT", "_HOSTNAME", "UNIT", "UNIT_RESULT", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID", "JOB_TYPE"),
    *("MEMORY_PEAK", "MEMORY_SWAP_PEAK"),
)
ALWAYS = ("__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID")
# The stack and the registers of the kernel.
DEBUG = re.compile(r"Call Trace:| </?TASK>| [?\w.]+.*\+0x|R[A-Z0-9]{2}:|Code:|FS: |CR2: |PKRU")

Record = dict[str, t.Any]


def list_records(wave: Wave) -> list[Record]:
    """Return the records of the kernel and of systemd in a wave, without those that nothing reads."""
    span = [f"--since=@{wave['since']:.3f}", f"--until=@{wave['until']:.3f}"]
    fields = f"--output-fields={','.join(FIELDS)}"
    matches = ["_TRANSPORT=kernel", "+", "_PID=1", "+", "_SYSTEMD_UNIT=systemd-journald.service"]
    argv = ["journalctl", "--quiet", "--all", "--output=json", fields, *span, *matches]
    lines = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return [shorten(record) for record in map(json.loads, lines) if is_of_use(record)]


def is_of_use(record: Record) -> bool:
    return record["_TRANSPORT"] != "kernel" or not DEBUG.match(str(record["MESSAGE"]))


def shorten(record: Record) -> Record:
    """Return a record with a short cursor, and without numbers that are different in each record."""
    monotonic, realtime = int(record["__MONOTONIC_TIMESTAMP"]), int(record["__REALTIME_TIMESTAMP"])
    cursor = f"b={record['_BOOT_ID']};m={monotonic:x};t={realtime:x}"
    kept = {name: value for name, value in record.items() if name in FIELDS or name in ALWAYS}
    return {"__CURSOR": cursor, **kept}
