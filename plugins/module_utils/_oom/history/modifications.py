# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of a host that the modules of this collection have recorded in its journal."""

from __future__ import annotations

import typing as t

from ..._change_record import MESSAGE_IDS, name_setting
from ..._journal.journal import Journal
from ..._journal.record import Record
from ..._journal.walk import Walk
from .model import Modification

_MODULES = {message_id: module for module, message_id in MESSAGE_IDS.items()}
# The object of their records is a unit.
_MODULES_OF_UNITS = ("systemd_dropin", "fcgid_config")
_USER_UNIT = "_SYSTEMD_USER_UNIT"
_FIELDS = (
    "MESSAGE_ID",
    "_UID",
    "_TRANSPORT",
    _USER_UNIT,
    "OOMGUARD_WHAT",
    "OOMGUARD_OBJECT",
    "OOMGUARD_BEFORE",
    "OOMGUARD_AFTER",
)
_MATCHES = (*(f"MESSAGE_ID={message_id}" for message_id in _MODULES), "_UID=0", "_TRANSPORT=journal")
# A host that changes more often has only its newest changes judged.
_MOST_RECORDS = 500
# A module writes its record within this time after the files. A drop-in is verified, and Apache reloaded, in between.
_NEAR_US = 120_000_000


def read_changes(journal: Journal, first_us: int, last_us: int) -> list[Modification]:
    """Return the changes that modules have recorded in a period, oldest first. Raises JournalError."""
    walk = Walk(matches=_MATCHES, realtime_us=last_us, backwards=True, limit=_MOST_RECORDS, fields=_FIELDS)
    found = filter(None, map(read_change, journal.walk(walk)))
    return sorted(filter(lambda change: change.time_us >= first_us, found), key=_get_time)


def read_change(record: Record) -> Modification | None:
    """Return what a record of a module says was changed, None if no value was, or if somebody else may have written it.

    Any user can write a record with these fields. `_UID` is that of the writer as the kernel gives it to journald, and
    only root can change the settings that a record is about. A process of root in a unit of a user does not count: a
    user can start one through sudo, at(1) or a program with the setuid bit, which may log what the user likes.
    """
    fields = record.fields
    is_from_root = (fields.get("_UID"), fields.get("_TRANSPORT")) == ("0", "journal")
    if not is_from_root or _USER_UNIT in fields:
        return None

    module = _MODULES.get(fields.get("MESSAGE_ID", ""))
    values = (fields.get("OOMGUARD_BEFORE"), fields.get("OOMGUARD_AFTER"))
    if module is None or values[0] == values[1]:
        return None

    owner = fields.get("OOMGUARD_OBJECT", "")
    unit = ""
    if module in _MODULES_OF_UNITS:
        unit = owner

    return Modification(
        time_us=record.realtime_us,
        what=name_setting(fields.get("OOMGUARD_WHAT", module), owner),
        before=values[0],
        after=values[1],
        by="oomguard",
        unit=unit,
    )


def merge_changes(recorded: t.Sequence[Modification], files: t.Iterable[Modification]) -> list[Modification]:
    """Return all changes, oldest first, without those of files that a module wrote before it wrote a record."""
    merged = list(recorded)
    for change in files:
        distances = [abs(change.time_us - other.time_us) for other in recorded]
        if min(distances, default=_NEAR_US) >= _NEAR_US:
            merged.append(change)

    return sorted(merged, key=_get_time)


def _get_time(change: Modification) -> int:
    return change.time_us
