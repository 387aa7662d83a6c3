# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who really wrote a journal record, and what it says.

Any user can write into the journal: with `logger`, with the native protocol, with the output of a service. What a
client sends cannot begin with an underscore, so those fields are journald's own word; `SYSLOG_*`, `MESSAGE_ID` and
`UNIT` are not. Root can write to /dev/kmsg, but the kernel gives such lines a facility other than its own 0 (printk.c,
devkmsg_write). Message ids: systemd, sd-messages.h.
"""

from __future__ import annotations

import re
import typing as t

from ..._journal.journal import Search
from ..._journal.record import Record

OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
EXITED = "98e322203f7a4ed290d09fe03c09fe15"
RESTART = "5eb03494b6584870a536b337290809b3"
STARTED = "39f53479d3a045ac8e11786248231fbf"
STOPPED = "9d1aaa27d60140bd96365438aad20286"
OOMD_KILL = "d989611b15e44c9dbf31e3c81256e4ed"
MISSED = "e9bf28e6e834481bb6f48f548ad13606"
DROPPED = "a596d6fe7bfa4994828e72309e95d61e"

LIFE = (OUT_OF_MEMORY, FAILED, EXITED, RESTART, STARTED, STOPPED)
"""What systemd logs of a unit that matters here."""

NEAR_US = 60_000_000
"""How far from a kill systemd's records of it may lie."""

_NO_PROCESS = "Out of memory and no killable processes..."
_TABLE = "Tasks state (memory values in pages):"

_KILLERS = {
    "systemd-oomd.service": "systemd-oomd",
    "earlyoom.service": "earlyoom",
    "nohang.service": "nohang",
    "nohang-desktop.service": "nohang-desktop",
}

_KILL_PATTERN = r"Kill(ed)? process|no killable processes"
_ANCHOR_PATTERN = (
    _KILL_PATTERN + r"|^Tasks state|OOM|oom|[Oo]ut of memory|Missed [0-9]+ kernel"
    r"|Suppressed [0-9]+ messages|Killed /|Marked /|[Kk]illing process|[Ss]end(ing)? SIG|PID: [0-9]+, [Nn]ame: "
)
_ANCHORS = (
    ("_TRANSPORT=kernel", "PRIORITY=0", "PRIORITY=1", "PRIORITY=2"),
    ("_TRANSPORT=kernel", f"MESSAGE={_NO_PROCESS}"),
    ("_TRANSPORT=kernel", f"MESSAGE={_TABLE}"),
    (f"MESSAGE_ID={OUT_OF_MEMORY}", "_PID=1"),
    (f"MESSAGE_ID={FAILED}", "UNIT_RESULT=oom-kill", "_PID=1"),
    (f"MESSAGE_ID={OOMD_KILL}", "_PID=1"),
    ("_TRANSPORT=driver", f"MESSAGE_ID={MISSED}", f"MESSAGE_ID={DROPPED}"),
    tuple(f"_SYSTEMD_UNIT={unit}" for unit in _KILLERS),
)

KERNEL_KILLS = Search(("_TRANSPORT=kernel", "PRIORITY=3"), _KILL_PATTERN, wide=True)
"""The lines "Killed process", which have the priority 3 (KERN_ERR).

The report around one has other priorities, and is rate-limited. A kernel may log millions of errors, so these are
looked for apart: more terms, or a longer pattern, would take several times as long.
"""
OTHER_ANCHORS = Search(tuple(argument for term in _ANCHORS for argument in ("+", *term))[1:], _ANCHOR_PATTERN)
"""What else tells of a kill, or of what is missing."""
FORGERIES = Search(
    (
        *("SYSLOG_IDENTIFIER=kernel", "_TRANSPORT=syslog", "_TRANSPORT=stdout", "_TRANSPORT=journal"),
        *("PRIORITY=0", "PRIORITY=1", "PRIORITY=2", "PRIORITY=3"),
        *("+", f"MESSAGE_ID={OUT_OF_MEMORY}", "+", f"MESSAGE_ID={FAILED}", "UNIT_RESULT=oom-kill"),
    ),
    _KILL_PATTERN + "|OOM|oom",
    fields=("_TRANSPORT", "_PID", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"),
)
"""What pretends to be a kill, or systemd's notice of one, to be counted: programs write by these ways.

Without transports and priorities this would be slow, as the index cannot tell quickly that of the kernel's many records
none is a program's.
"""
KERNEL_LINES = Search(("_TRANSPORT=kernel",), _KILL_PATTERN, wide=True)
"""Kills where priorities are not the kernel's."""

_KILL = re.compile(r"Kill(?:ed)? process \d+|" + re.escape(_NO_PROCESS))
_POSES = "written in the name of the kernel or of systemd by another program"
_MISSED = re.compile(r"Missed (\d+) kernel messages")
_DROPPED = re.compile(r"Suppressed \d+ messages from (\S+)")


class KernelKill(t.NamedTuple):
    """A message of the kernel that tells of a kill, or of a report that may have lost its kill."""

    record: Record


class KillerRecord(t.NamedTuple):
    """A message of an OOM killer outside the kernel."""

    record: Record
    killer: str


class UnitRecord(t.NamedTuple):
    """What systemd (process 1) says of a unit; `what` is one of the message ids of `LIFE`."""

    unit: str
    what: str
    realtime_us: int
    monotonic_us: int
    boot_id: str
    result: str | None = None
    killed: bool = False
    """The unit's main process was ended by SIGKILL."""
    hostname: str | None = None


class MissedRecords(t.NamedTuple):
    """Kernel messages that journald came too late to read."""

    number: int


class DroppedRecords(t.NamedTuple):
    """There were more messages at once of systemd, or of a killer outside the kernel, than journald takes."""

    unit: str


class Forged(t.NamedTuple):
    """A record that poses as the kernel's or systemd's."""

    reason: str


class Overlong(t.NamedTuple):
    """A message of an OOM killer outside the kernel that is too long to be read."""


Said = t.Union[KernelKill, KillerRecord, UnitRecord, MissedRecords, DroppedRecords, Forged, Overlong]


def read_record(record: Record) -> Said | None:
    """Return what `record` says and who says it, None where that does not matter here."""
    fields = record.fields
    if fields.get("_TRANSPORT") == "driver":
        return _driver_record(record)
    if fields.get("MESSAGE_ID") in (*LIFE, OOMD_KILL) and "UNIT" in fields:
        return _unit_record(record)
    killer = _KILLERS.get(fields.get("_SYSTEMD_UNIT", ""))
    if killer:
        return KillerRecord(record=record, killer=killer) if "MESSAGE" in fields else Overlong()
    if "MESSAGE" not in fields:
        return Forged(_POSES) if _poses(record) else None
    if not _KILL.search(record.message) and record.message != _TABLE:
        return None
    if from_kernel(record):
        return KernelKill(record=record)
    if fields.get("_TRANSPORT") == "kernel":
        return Forged("written to /dev/kmsg by a program, not by the kernel")
    if fields.get("SYSLOG_IDENTIFIER") == "kernel":
        return Forged(_POSES)
    return None


def from_kernel(record: Record) -> bool:
    """Tell whether the kernel itself wrote `record`; old versions of journald give its records no facility."""
    return record.fields.get("_TRANSPORT") == "kernel" and record.fields.get("SYSLOG_FACILITY", "0") == "0"


def _poses(record: Record) -> bool:
    """Tell whether a record without a message, as the search for forgeries asks for none, is one.

    The kernel's lines end at 1024 bytes (printk.c, LOG_LINE_MAX): a longer one, which was not read, is no kill. A
    user's systemd writes of units of its own.
    """
    fields = record.fields
    own = fields.get("_TRANSPORT") in {"kernel", "driver"} or fields.get("_SYSTEMD_USER_UNIT") == "init.scope"
    return not (own or _from_systemd(record))


def _from_systemd(record: Record) -> bool:
    return record.fields.get("_PID") == "1" and record.fields.get("_SYSTEMD_UNIT", "init.scope") == "init.scope"


def _driver_record(record: Record) -> MissedRecords | DroppedRecords | None:
    """Return what journald itself says of messages that it does not hold."""
    what = record.fields.get("MESSAGE_ID")
    missed = _MISSED.search(record.message) if what == MISSED else None
    if missed:
        return MissedRecords(number=int(missed[1]))
    dropped = _DROPPED.search(record.message) if what == DROPPED else None
    return DroppedRecords(unit=dropped[1]) if dropped and dropped[1] in ("init.scope", *_KILLERS) else None


def _unit_record(record: Record) -> UnitRecord | Forged | None:
    fields = record.fields
    if not _from_systemd(record):
        return Forged(_POSES)
    # Others are of what runs before or after it, or beside it.
    if fields["MESSAGE_ID"] == EXITED and "Main process exited" not in record.message:
        return None
    killed = fields.get("EXIT_CODE") == "killed" and fields.get("EXIT_STATUS") in {"9", "KILL"}
    return UnitRecord(
        unit=fields["UNIT"],
        what=fields["MESSAGE_ID"],
        realtime_us=record.realtime_us,
        monotonic_us=record.monotonic_us,
        boot_id=record.boot_id,
        result=fields.get("UNIT_RESULT"),
        killed=killed,
        hostname=fields.get("_HOSTNAME"),
    )
