# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this host says now, which shows what its journal lacks."""

from __future__ import annotations

import os
import pathlib
import re
import time
import typing as t

from ..._command import Run
from ..._journal.record import Record
from .systemd import JOURNALD, observe_failed_units
from .units import UnitStates

_ROOT = pathlib.Path("/")
_SECOND_US = 1_000_000
# The journal receives its first entries of a boot within seconds; a slow host may take minutes.
_BOOT_BEGINS_US = 600 * _SECOND_US
_KILL = re.compile(r"Kill(?:ed)? process \d+")


class Present(t.NamedTuple):
    """What the kernel and systemd of this host say now; None for what they do not say, or what is not asked."""

    boot_id: str = ""
    booted_us: int = 0
    """When the current boot began, in microseconds since 1970."""
    kills: int | None = None
    """How many processes OOM kills have killed in the current boot."""
    failed: UnitStates = UnitStates()
    """journald, and the units that have failed."""
    stores_journal: bool | None = None
    """Whether journald has a journal file open."""


def observe_present(run: Run, root: pathlib.Path = _ROOT) -> Present:
    """Return what this host says now."""
    boot_id = _read(root / "proc/sys/kernel/random/boot_id").strip().replace("-", "")
    # The counter is read before the journal, which may receive further kills meanwhile.
    kills = _find_kill_count(_read(root / "proc/vmstat"))
    failed = observe_failed_units(run, boot_id=boot_id)

    return Present(
        boot_id=boot_id,
        booted_us=int((time.time() - time.monotonic()) * _SECOND_US),
        kills=kills,
        failed=failed,
        stores_journal=_has_journal_open(root / f"proc/{failed.find(JOURNALD).main_pid}/fd"),
    )


def list_present_gaps(present: Present, kills: t.Iterable[Record], *, first_us: int) -> t.Iterator[str]:
    """Yield why the journal lacks what happens now, or has happened in the current boot.

    `kills` are the kernel's records of OOM kills, `first_us` the time since which the journal was searched.
    """
    journald = present.failed.find(JOURNALD)
    if journald.is_up is None:
        # systemd does not run this host.
        return

    if not journald.is_up:
        yield "systemd-journald does not run, so the journal lacks what happens now."
    elif present.stores_journal is False:
        yield "systemd-journald stores no journal (Storage=none), so the journal lacks what happens now."

    if first_us <= present.booted_us + _BOOT_BEGINS_US:
        yield from _list_missing_kills(present, kills)


def _list_missing_kills(present: Present, kills: t.Iterable[Record]) -> t.Iterator[str]:
    """Yield a gap if the kernel has killed more processes than a journal shows that begins with the boot."""
    found = sum(_is_kill_of_boot(kill, present.boot_id) for kill in kills)
    if found < (present.kills or 0):
        yield (
            f"The kernel has killed {present.kills} processes for lack of memory since the host was booted, and the "
            f"journal shows {found} of them."
        )


def _is_kill_of_boot(kill: Record, boot_id: str) -> bool:
    return kill.boot_id == boot_id and _KILL.search(kill.message) is not None


def _find_kill_count(vmstat: str) -> int | None:
    """Return the number of OOM kills in /proc/vmstat, None before Linux 4.13: proc(5)."""
    found = re.search(r"^oom_kill (\d+)$", vmstat, re.MULTILINE)
    if found is None:
        return None

    return int(found[1])


def _has_journal_open(folder: pathlib.Path) -> bool | None:
    """Return whether one of the files that a process has open is a journal, None if that cannot be seen."""
    try:
        names = list(map(os.readlink, folder.iterdir()))
    except OSError:
        return None

    return any(name.endswith(".journal") for name in names)


def _read(path: pathlib.Path) -> str:
    try:
        return path.read_text("ascii")
    except OSError:
        return ""
