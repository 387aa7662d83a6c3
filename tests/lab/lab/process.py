# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A process that is ended only if it is the one that was started."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import typing as t
from pathlib import Path

from lab.errors import LabError

_END_SECONDS = 60

ReadBytes = t.Callable[[Path], bytes]


def is_qemu_of(pid_file: Path, cmdline: bytes) -> bool:
    """Tell whether a command line (proc_pid_cmdline(5): arguments that end in NUL) is the QEMU with that pid file."""
    return b"\0-pidfile\0" + os.fsencode(pid_file) + b"\0" in cmdline


def find_qemu(pid_file: Path, read: ReadBytes = Path.read_bytes) -> int | None:
    """Return the process id of a machine's QEMU, None when it does not run: its old number may be another's by now."""
    try:
        pid = int(read(pid_file))
        cmdline = read(Path(f"/proc/{pid}/cmdline"))
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if is_qemu_of(pid_file, cmdline) else None


def kill_qemu(pid_file: Path) -> None:
    """Cut a machine's power, and wait until its QEMU is gone.

    Raises LabError.
    """
    pid = find_qemu(pid_file)
    if pid is None:
        return
    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            # The handle stays with one process; who that is, is asked again now that it cannot change.
            if find_qemu(pid_file) != pid:
                return
            signal.pidfd_send_signal(process, signal.SIGKILL)
            if not select.select([process], [], [], _END_SECONDS)[0]:
                raise LabError(
                    f"QEMU, process {pid}, does not end.", "The kernel holds it, most likely for a disk: see dmesg."
                )
        finally:
            os.close(process)
