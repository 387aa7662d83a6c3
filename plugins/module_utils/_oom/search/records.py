# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to search the journal for, and what a record that was found means: who wrote it, and about what.

Any user can write into the journal: with `logger`, with the native protocol, with the output of a service. A client
cannot send fields whose names begin with an underscore, so these come from journald itself. `SYSLOG_*`, `MESSAGE_ID`
and `UNIT` may come from anybody. Root can write to /dev/kmsg, but the kernel gives such lines a facility other than its
own 0 (printk.c, devkmsg_write). Message ids: systemd, sd-messages.h.
"""

from __future__ import annotations

import re
import typing as t

from ..._journal.record import FIELDS, Record
from ..._journal.request import Search
from . import kmsg

OUT_OF_MEMORY = "fe6faa94e7774663a0da52717891d8ef"
FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
EXITED = "98e322203f7a4ed290d09fe03c09fe15"
RESTART = "5eb03494b6584870a536b337290809b3"
STARTED = "39f53479d3a045ac8e11786248231fbf"
STOPPED = "9d1aaa27d60140bd96365438aad20286"
OOMD_KILL = "d989611b15e44c9dbf31e3c81256e4ed"
JOURNALD_STARTED = "f77379a8490b408bbe5f6940505a777b"
JOURNALD_STOPPED = "d93fb3c9c24d451a97cea615ce59c00b"
MISSED = "e9bf28e6e834481bb6f48f548ad13606"
DROPPED = "a596d6fe7bfa4994828e72309e95d61e"

LIFE = (OUT_OF_MEMORY, FAILED, EXITED, RESTART, STARTED, STOPPED)
"""The messages of systemd about a unit that matter here."""

NEAR_US = 60_000_000
"""How far from an OOM kill systemd's records of it may be."""

_NO_PROCESS = "Out of memory and no killable processes..."
_TABLE = "Tasks state (memory values in pages):"

_JOURNALD = "systemd-journald.service"
_KMSG_KINDS = {
    "OUT_OF_MEMORY": OUT_OF_MEMORY,
    "OOMD_KILL": OOMD_KILL,
    "FAILED": FAILED,
    "EXITED": EXITED,
    "RESTART": RESTART,
}

_KILLERS = {
    "systemd-oomd.service": "systemd-oomd",
    "earlyoom.service": "earlyoom",
    "nohang.service": "nohang",
    "nohang-desktop.service": "nohang-desktop",
    "psi-monitor.service": "psi-monitor",
}

_KILL_PATTERN = r"Kill(ed)? process|no killable processes"
_ANCHOR_PATTERN = (
    _KILL_PATTERN + r"|^Tasks state|OOM|oom|[Oo]ut of memory|Missed [0-9]+ kernel"
    r"|Suppressed [0-9]+ messages|Killed /|Marked /|[Kk]illing (process|task)|[Ss]end(ing)? SIG|PID: [0-9]+, [Nn]ame: "
    r"|^Journal st(arted|opped)$|" + kmsg.PATTERN
)
_ANCHORS = (
    ("_TRANSPORT=kernel", "PRIORITY=0", "PRIORITY=1", "PRIORITY=2"),
    ("_TRANSPORT=kernel", f"MESSAGE={_NO_PROCESS}"),
    ("_TRANSPORT=kernel", f"MESSAGE={_TABLE}"),
    (f"MESSAGE_ID={OUT_OF_MEMORY}", "_PID=1"),
    (f"MESSAGE_ID={FAILED}", "UNIT_RESULT=oom-kill", "_PID=1"),
    (f"MESSAGE_ID={OOMD_KILL}", "_PID=1"),
    (f"MESSAGE_ID={FAILED}", f"UNIT={_JOURNALD}", "_PID=1"),
    kmsg.MATCHES,
    (
        "_TRANSPORT=driver",
        *(f"MESSAGE_ID={message_id}" for message_id in (MISSED, DROPPED, JOURNALD_STARTED, JOURNALD_STOPPED)),
    ),
    tuple(f"_SYSTEMD_UNIT={unit}" for unit in _KILLERS),
)
_FORGED_TERMS = (
    (
        *("SYSLOG_IDENTIFIER=kernel", "_TRANSPORT=syslog", "_TRANSPORT=stdout", "_TRANSPORT=journal"),
        *("PRIORITY=0", "PRIORITY=1", "PRIORITY=2", "PRIORITY=3"),
    ),
    (f"MESSAGE_ID={OUT_OF_MEMORY}",),
    (f"MESSAGE_ID={FAILED}", "UNIT_RESULT=oom-kill"),
)


def _join_terms(terms: t.Iterable[t.Sequence[str]]) -> tuple[str, ...]:
    """Return the matches of a search for records that match any of the terms."""
    matches: list[str] = []
    for term in terms:
        if matches:
            matches.append("+")
        matches += term

    return tuple(matches)


SOURCE_TIME = "_SOURCE_MONOTONIC_TIMESTAMP"
"""The field with the time at which the kernel wrote a record, in microseconds since the boot."""
KERNEL_KILLS = Search(("_TRANSPORT=kernel", "PRIORITY=3"), _KILL_PATTERN, (*FIELDS, SOURCE_TIME), wide=True)
"""The lines "Killed process", which have the priority 3 (KERN_ERR).

The report around one has other priorities, and is rate-limited. A kernel may log millions of errors, so this is a
search of its own: more terms, or a longer pattern, would take several times as long.
"""
OTHER_ANCHORS = Search(_join_terms(_ANCHORS), _ANCHOR_PATTERN)
"""Other records about an OOM kill, or about missing records."""
FORGERIES = Search(
    _join_terms(_FORGED_TERMS),
    _KILL_PATTERN + "|OOM|oom",
    fields=("_TRANSPORT", "_PID", "_SYSTEMD_UNIT", "_SYSTEMD_USER_UNIT"),
)
"""Records that pretend to be an OOM kill, or systemd's notice of one. They are counted.

Programs write by these transports. Without transports and priorities the search would be slow, as the index does not
show quickly that none of the kernel's many records is a program's.
"""
KERNEL_LINES = Search(("_TRANSPORT=kernel",), _KILL_PATTERN, wide=True)
"""OOM kills in a journal whose priorities are not those of the kernel."""

_KILL = re.compile(r"Kill(?:ed)? process \d+|" + re.escape(_NO_PROCESS))
_IMPERSONATED = "written by another program in the name of the kernel or systemd"
_FROM_KMSG = "written to /dev/kmsg by a program, not by the kernel"
_MISSED = re.compile(r"Missed (\d+) kernel messages")
_DROPPED = re.compile(r"Suppressed \d+ messages from (\S+)")


class KernelKill(t.NamedTuple):
    """A message of the kernel about an OOM kill, or about a report whose kill line may be lost."""

    record: Record


class KillerRecord(t.NamedTuple):
    """A message of a userspace OOM killer."""

    record: Record
    killer: str


class UnitRecord(t.NamedTuple):
    """A message of systemd (process 1) about a unit; `what` is one of the message ids of `LIFE`."""

    unit: str
    what: str
    realtime_us: int
    monotonic_us: int
    boot_id: str
    result: str | None = None
    killed: bool = False
    """Whether SIGKILL ended the unit's main process."""
    hostname: str | None = None
    trusted: bool = True
    """False if it came through /dev/kmsg, to which other programs can write, too."""

    @property
    def is_failure(self) -> bool:
        """Whether it says that the unit went down because of an OOM kill."""
        return self.what == FAILED and self.result == "oom-kill"

    @property
    def is_about_kill(self) -> bool:
        """Whether it says that an OOM kill happened in the unit."""
        return self.is_failure or self.what in {OUT_OF_MEMORY, OOMD_KILL}


class JournaldRecord(t.NamedTuple):
    """journald started, stopped, or failed."""

    what: str
    """One of the message ids `JOURNALD_STARTED`, `JOURNALD_STOPPED` and `FAILED`."""
    realtime_us: int
    monotonic_us: int
    boot_id: str
    hostname: str | None = None

    @property
    def host(self) -> str:
        """The boot and the name of the host: containers may share the boot of their host."""
        return f"{self.boot_id} {self.hostname}"


class MissedRecords(t.NamedTuple):
    """How many kernel messages were lost before journald read them."""

    number: int


class DroppedRecords(t.NamedTuple):
    """Messages of systemd, or of a userspace OOM killer, that journald dropped because there were too many at once."""

    unit: str


class Forged(t.NamedTuple):
    """A record that pretends to be written by the kernel or systemd."""

    reason: str


class Overlong(t.NamedTuple):
    """A message of a userspace OOM killer that is too long to read."""


Statement = t.Union[
    KernelKill,
    KillerRecord,
    UnitRecord,
    JournaldRecord,
    MissedRecords,
    DroppedRecords,
    Forged,
    Overlong,
]


def read_record(record: Record) -> Statement | None:
    """Return what `record` states and who wrote it, or None if that does not matter here."""
    fields = record.fields
    if fields.get("_TRANSPORT") == "driver":
        return _read_driver_record(record)
    if fields.get("MESSAGE_ID") in (*LIFE, OOMD_KILL) and "UNIT" in fields:
        return _read_unit_record(record)
    if kmsg.is_kmsg_of_systemd(fields):
        return _read_kmsg_record(record)

    unit = fields.get("_SYSTEMD_UNIT", "")
    killer = _KILLERS.get(unit)
    if killer is not None:
        return _read_killer_record(record, killer)
    if "MESSAGE" not in fields:
        return _read_without_message(record)

    return _read_kill(record)


def is_from_kernel(record: Record) -> bool:
    """Return whether the kernel itself wrote `record`; old versions of journald give its records no facility."""
    if record.fields.get("_TRANSPORT") != "kernel":
        return False

    return record.fields.get("SYSLOG_FACILITY", "0") == "0"


def _read_killer_record(record: Record, killer: str) -> KillerRecord | Overlong:
    if "MESSAGE" not in record.fields:
        return Overlong()

    return KillerRecord(record=record, killer=killer)


def _read_without_message(record: Record) -> Forged | None:
    """Return whether a record is forged that has no message, as the search for forgeries does not read it.

    The kernel's lines end at 1024 bytes (printk.c, LOG_LINE_MAX): one whose message is too long to read is no OOM kill.
    """
    if record.fields.get("_TRANSPORT") in {"kernel", "driver"}:
        return None
    # The systemd of a user writes about units of its own.
    if record.fields.get("_SYSTEMD_USER_UNIT") == "init.scope":
        return None
    if _is_from_systemd(record):
        return None

    return Forged(_IMPERSONATED)


def _read_kill(record: Record) -> KernelKill | Forged | None:
    """Return what a record with a message states about an OOM kill, and whether the kernel wrote it."""
    if not _is_about_kill(record.message):
        return None
    if is_from_kernel(record):
        return KernelKill(record=record)
    if record.fields.get("_TRANSPORT") == "kernel":
        return Forged(_FROM_KMSG)
    if record.fields.get("SYSLOG_IDENTIFIER") == "kernel":
        return Forged(_IMPERSONATED)

    return None


def _is_about_kill(message: str) -> bool:
    if message == _TABLE:
        return True

    return _KILL.search(message) is not None


def _is_from_systemd(record: Record) -> bool:
    if record.fields.get("_PID") != "1":
        return False

    return record.fields.get("_SYSTEMD_UNIT", "init.scope") == "init.scope"


def _read_driver_record(record: Record) -> MissedRecords | DroppedRecords | JournaldRecord | None:
    """Return what journald itself states about messages that it does not hold."""
    message_id = record.fields.get("MESSAGE_ID")
    if message_id == MISSED:
        return _read_missed(record.message)
    if message_id == DROPPED:
        return _read_dropped(record.message)
    if message_id in {JOURNALD_STARTED, JOURNALD_STOPPED}:
        return _build_journald_record(record, message_id)

    return None


def _read_missed(message: str) -> MissedRecords | None:
    missed = _MISSED.search(message)
    if missed is None:
        return None

    return MissedRecords(number=int(missed[1]))


def _read_dropped(message: str) -> DroppedRecords | None:
    """Return what was dropped, or None if the unit does not matter here."""
    dropped = _DROPPED.search(message)
    if dropped is None or dropped[1] not in ("init.scope", *_KILLERS):
        return None

    return DroppedRecords(unit=dropped[1])


def _build_journald_record(record: Record, what: str) -> JournaldRecord:
    return JournaldRecord(
        what=what,
        realtime_us=record.realtime_us,
        monotonic_us=record.monotonic_us,
        boot_id=record.boot_id,
        hostname=record.fields.get("_HOSTNAME"),
    )


def _read_unit_record(record: Record) -> UnitRecord | JournaldRecord | Forged | None:
    if not _is_from_systemd(record):
        return Forged(_IMPERSONATED)

    fields = record.fields
    # Other processes run before, after or beside the main process.
    is_of_main_process = "Main process exited" in record.message
    if fields["MESSAGE_ID"] == EXITED and not is_of_main_process:
        return None

    was_killed = fields.get("EXIT_CODE") == "killed" and fields.get("EXIT_STATUS") in {"9", "KILL"}
    message = kmsg.Message(fields["UNIT"], fields["MESSAGE_ID"], fields.get("UNIT_RESULT"), was_killed)
    return _build_unit_record(record, message, trusted=True)


def _read_kmsg_record(record: Record) -> UnitRecord | JournaldRecord | None:
    """Return what systemd states about a unit in a record that came through /dev/kmsg."""
    message = kmsg.parse_message(record.message)
    if message is None:
        return None

    return _build_unit_record(record, message._replace(what=_KMSG_KINDS[message.what]), trusted=False)


def _build_unit_record(record: Record, message: kmsg.Message, *, trusted: bool) -> UnitRecord | JournaldRecord:
    """Return a record about a unit, or that journald failed for another reason than an OOM kill."""
    is_failure = message.what == FAILED and message.result != "oom-kill"
    if is_failure and message.unit == _JOURNALD:
        return _build_journald_record(record, FAILED)

    return UnitRecord(
        unit=message.unit,
        what=message.what,
        realtime_us=record.realtime_us,
        monotonic_us=record.monotonic_us,
        boot_id=record.boot_id,
        result=message.result,
        killed=message.killed,
        hostname=record.fields.get("_HOSTNAME"),
        trusted=trusted,
    )
