# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal contains: its boots, and its files if libsystemd could list them."""

from __future__ import annotations

import typing as t

BOOT_PRECISION_US = 1_000_000
"""How exact the times of boots are at least: journalctl lists them in whole seconds."""


class Boot(t.NamedTuple):
    """One boot that the journal knows of, with the times of its first and last entry."""

    boot_id: str
    first_us: int
    last_us: int


class BootTimes(t.NamedTuple):
    """The part of a boot that one file holds: the times of its first and last entry, and the first one's cursor."""

    boot_id: str
    first_us: int
    last_us: int
    cursor: str


class FileTimes(t.NamedTuple):
    """A file, the times of its first and last entry, and its boots; the times of a file that cannot be opened are 0."""

    path: str
    first_us: int
    last_us: int
    boots: t.Sequence[BootTimes]


class Contents(t.NamedTuple):
    """The boots of a journal, and its files; journalctl does not list `files`, so these are empty if it answered."""

    boots: t.Sequence[Boot]
    files: t.Sequence[FileTimes] = ()


def merge_boots(files: t.Iterable[FileTimes]) -> list[Boot]:
    """Return the boots of all files, each once, with the earliest and latest time of their entries."""
    boots: dict[str, Boot] = {}
    for file in files:
        for part in file.boots:
            only = Boot(part.boot_id, part.first_us, part.last_us)
            known = boots.get(part.boot_id, only)
            boots[part.boot_id] = Boot(
                boot_id=part.boot_id,
                first_us=min(known.first_us, part.first_us),
                last_us=max(known.last_us, part.last_us),
            )

    return list(boots.values())
