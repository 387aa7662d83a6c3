# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the QEMU process of a machine, and kill that process and no other."""

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
    """Return whether a command line is that of QEMU with that pid file.

    `cmdline` has the form of proc_pid_cmdline(5): each argument ends in NUL.
    """
    return b"\0-pidfile\0" + os.fsencode(pid_file) + b"\0" in cmdline


def find_qemu(pid_file: Path, read: ReadBytes = Path.read_bytes) -> int | None:
    """Return the process id of a machine's QEMU, None if it does not run.

    Another process may have its old process id, so the command line is checked.
    """
    try:
        pid = int(read(pid_file))
        cmdline = read(Path(f"/proc/{pid}/cmdline"))
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    if not is_qemu_of(pid_file, cmdline):
        return None

    return pid


def kill_qemu(pid_file: Path) -> None:
    """Kill the QEMU of a machine, and wait until it has ended.

    Raise LabError if it does not end.
    """
    pid = find_qemu(pid_file)
    if pid is None:
        return

    with contextlib.suppress(ProcessLookupError):
        process = os.pidfd_open(pid)
        try:
            # The descriptor refers to one process for good, so check once more which process that is.
            if find_qemu(pid_file) != pid:
                return
            signal.pidfd_send_signal(process, signal.SIGKILL)
            if not select.select([process], [], [], _END_SECONDS)[0]:
                raise LabError(f"QEMU (process {pid}) does not end.", "It probably waits for a disk. See dmesg.")
        finally:
            os.close(process)
