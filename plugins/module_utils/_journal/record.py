# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal entry, as both journalctl and libsystemd give it."""

from __future__ import annotations

import json
import typing as t

FIELDS = (
    "MESSAGE",
    "MESSAGE_ID",
    "PRIORITY",
    "SYSLOG_FACILITY",
    "SYSLOG_IDENTIFIER",
    "_TRANSPORT",
    "_PID",
    "_SYSTEMD_UNIT",
    "_HOSTNAME",
    "UNIT",
    "UNIT_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
)
"""What is asked of an entry."""


Key = t.Tuple[str, int, int, str]


class Record(t.NamedTuple):
    """One journal entry; `monotonic_us` is the time since its boot at which the journal received it."""

    cursor: str
    realtime_us: int
    monotonic_us: int
    boot_id: str
    fields: dict[str, str]

    @property
    def message(self) -> str:
        return self.fields.get("MESSAGE", "")

    @property
    def key(self) -> Key:
        """What makes it this record, in whichever file it lies."""
        return self.boot_id, self.monotonic_us, self.realtime_us, self.message


def read_json(line: str) -> Record | None:
    """Return the record that one line of `journalctl --output=json` holds, None where it, or a part of it, is cut."""
    try:
        entry = json.loads(line)
        return Record(
            cursor=entry.pop("__CURSOR"),
            realtime_us=int(entry.pop("__REALTIME_TIMESTAMP")),
            monotonic_us=int(entry.pop("__MONOTONIC_TIMESTAMP")),
            boot_id=entry.pop("_BOOT_ID"),
            fields={name: _decoded(value) for name, value in entry.items() if value is not None},
        )
    except (ValueError, KeyError, TypeError):
        return None


def _decoded(value: t.Any) -> str:
    """Return a field as text: journalctl prints a string, a list of bytes, or a list of those for a repeated field.

    In the last, what is too long to be printed is null: raises TypeError.
    """
    if isinstance(value, str):
        return value
    if all(isinstance(item, int) for item in value):
        return bytes(value).decode("utf-8", "surrogateescape")
    return "\n".join(_decoded(item) for item in value)
