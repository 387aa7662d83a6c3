# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records around a record and after a time, read through a fake journalctl."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import Place
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.surroundings import (
    Stretch,
    after,
    after_in_boot,
    around,
)
from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import Walk
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import ENTRIES, walk_once
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import ZERO, Host, done


def read_around(host: Host, *, after: float = 0, begin: str = "line 4", limit: int = 100) -> list[str]:
    journal = Journal(host)
    window = find_window(journal)
    assert window
    record = next(window.find([Search([], "line [67]")]))
    stretch = Stretch(record, record, ["_TRANSPORT=kernel"], int(after * 1_000_000), begin, limit)
    return [record.message for found in around(journal, [stretch]) for record in found]


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ({}, "7654"),
        ({"after": 1}, "87654"),
        ({"begin": "line 0"}, "76543"),
        ({"begin": "line 8", "after": 1}, "876543"),
        ({"limit": 2}, "76"),
    ],
    ids=["from the record on", "after it", "only of its boot", "the beginning is before it", "no more than the limit"],
)
def test_stretch_goes_back_to_its_beginning(options: dict[str, t.Any], lines: str) -> None:
    assert read_around(Host(ENTRIES), **options) == [f"line {number}" for number in lines]


def test_stretch_is_found_by_cursor_if_not_by_time() -> None:
    host = Host(ENTRIES)
    host.answers["--until"] = done()
    assert read_around(host) == ["line 7", "line 6", "line 5", "line 4"]


@pytest.mark.parametrize(("seconds", "lines"), [(1, "123"), (103, "345"), (108, "8"), (200, "")])
def test_records_after_a_time_come_oldest_first(seconds: int, lines: str) -> None:
    found = after(Journal(Host(ENTRIES)), ZERO + seconds * 1_000_000, ["_TRANSPORT=kernel"], count=3)
    assert [record.message for record in found] == [f"line {number}" for number in lines]


@pytest.mark.parametrize("with_reader", [True, False])
def test_records_after_a_time_since_the_boot_are_of_that_boot(folder: pathlib.Path, *, with_reader: bool) -> None:
    reader = Reader(Place(str(folder)))
    boot_id = walk_once(reader, Walk((), 0, False, 1, ()))[0].boot_id
    whole = walk_once(reader, Walk((f"_BOOT_ID={boot_id}",), 0, False, 10_000, ()))
    journal = Journal(run, Place(str(folder)), reader=reader if with_reader else None)
    expected = [entry.monotonic_us for entry in whole[10:30]]
    found = after_in_boot(journal, boot_id, expected[0], [], count=20)
    reader.close()
    assert [(record.boot_id, record.monotonic_us) for record in found] == [(boot_id, at) for at in expected]
