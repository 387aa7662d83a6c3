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
    "SYSLOG_PID",
    "_TRANSPORT",
    "_PID",
    "_SYSTEMD_UNIT",
    "_HOSTNAME",
    "UNIT",
    "UNIT_RESULT",
    "EXIT_CODE",
    "EXIT_STATUS",
)
"""The fields that are read of an entry unless a caller needs fewer."""


Key = t.Tuple[str, int, int, str]
"""The boot, the time since the boot, the time since 1970 and the message of a record."""


class Record(t.NamedTuple):
    """One journal entry; `monotonic_us` is the time since its boot at which journald received it."""

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
        """What identifies this record, whichever file holds it."""
        return self.boot_id, self.monotonic_us, self.realtime_us, self.message


def read_json(line: str) -> Record | None:
    """Return the record on one line of `journalctl --output=json`, or None if the line or one of its fields is cut."""
    try:
        entry = json.loads(line)
        return Record(
            cursor=entry.pop("__CURSOR"),
            realtime_us=int(entry.pop("__REALTIME_TIMESTAMP")),
            monotonic_us=int(entry.pop("__MONOTONIC_TIMESTAMP")),
            boot_id=entry.pop("_BOOT_ID"),
            fields=_decode_fields(entry),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _decode_fields(entry: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the fields of an entry as text, without those that journalctl printed as null for their length."""
    fields = {}
    for name, value in entry.items():
        if value is not None:
            fields[name] = _decode_value(value)

    return fields


def _decode_value(value: t.Any) -> str:
    """Return the value of a field as text.

    journalctl prints a string, a list of bytes if the value is not UTF-8, or a list of both for a repeated field. A
    part of a repeated field that is too long is null. Raises TypeError for that.
    """
    if isinstance(value, str):
        return value

    is_one_value = all(isinstance(item, int) for item in value)
    if is_one_value:
        return bytes(value).decode("utf-8", "surrogateescape")

    parts = map(_decode_value, value)
    return "\n".join(parts)
