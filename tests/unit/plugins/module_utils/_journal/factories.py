# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a journal, and short ways to look at the part of it that a test requests."""

from __future__ import annotations

import lzma
import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader
from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Request, Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import Walk
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import Extent, find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES, Entry, entry, set_back

OTHER_BOOT = "e6716ca50be64dea8921ac83594a6dad"
ENTRIES = [
    *(entry(f"line {number}", at=number, boot=OTHER_BOOT, _TRANSPORT="kernel") for number in range(3)),
    *(entry(f"line {number}", at=100 + number, _TRANSPORT="kernel") for number in range(3, 9)),
]


def find_messages(journal: Journal, pattern: str = "line", **request: t.Any) -> list[str]:
    """Return the messages that a search finds in the requested part of a journal, none if it holds nothing of it."""
    window = find_window(journal, Request(**request))
    if window is None:
        return []
    return [record.message for record in window.find([Search(["_TRANSPORT=kernel"], pattern, wide=True)])]


def find_extent(journal: Journal, **request: t.Any) -> Extent:
    """Return the extent of the requested part of a journal, which must hold something of it."""
    window = find_window(journal, Request(**request))
    assert window
    return window.extent


def unpack_journal(name: str, path: pathlib.Path) -> None:
    """Write the captured journal file of that name to a path."""
    path.write_bytes(lzma.decompress((FIXTURES / f"{name}.journal.xz").read_bytes()))


def number_entries(entries: t.Iterable[Entry]) -> list[Entry]:
    """Return the entries with the numbers that journald gives to real ones."""
    return [{**one, "__CURSOR": f"s=a;i={number:x};{one['__CURSOR']}"} for number, one in enumerate(entries, 1)]


# The clock of the second boot is a day behind, until it is set.
BEHIND = number_entries(
    [
        entry("line 1", at=100_000, boot=OTHER_BOOT, _TRANSPORT="kernel"),
        entry("line 2", at=100_100, boot=OTHER_BOOT, _TRANSPORT="kernel"),
        set_back(entry("line 3", at=100_200, _TRANSPORT="kernel"), 86_400),
        entry("line 4", at=100_300, _TRANSPORT="kernel"),
    ]
)


def walk_once(reader: Reader, walk: Walk) -> list[Record]:
    """Return what a reader finds on one walk."""
    return next(reader.walk_each([walk]))


MESSAGES: dict[str, tuple[object, str]] = {
    "string": ("plain", "plain"),
    "bytes": ([97, 255, 10, 27], "a\udcff\n\x1b"),
    "repeated": (["one", [98, 255]], "one\nb\udcff"),
    "null": (None, ""),
}
"""The shapes in which journalctl prints a message as JSON, and the text of each."""
