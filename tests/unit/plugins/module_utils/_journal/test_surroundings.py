# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around a record, read through a fake journalctl."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal, Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.surroundings import Stretch, after, around
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import ZERO, Host, done, entry

OTHER_BOOT = "e6716ca50be64dea8921ac83594a6dad"
ENTRIES = [
    *(entry(f"line {number}", at=number, boot=OTHER_BOOT, _TRANSPORT="kernel") for number in range(3)),
    *(entry(f"line {number}", at=100 + number, _TRANSPORT="kernel") for number in range(3, 9)),
]


def read_around(host: Host, *, after: float = 0, begin: str = "line 4", limit: int = 100) -> list[str]:
    journal = Journal(host)
    journal.extent()
    record = next(record for record in journal.find([Search([], "line [67]")]))
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
    ids=["from the record on", "after it", "of its boot alone", "the beginning is before it", "no more than the limit"],
)
def test_a_stretch_goes_back_to_its_beginning(options: dict[str, t.Any], lines: str) -> None:
    assert read_around(Host(ENTRIES), **options) == [f"line {number}" for number in lines]


def test_a_record_is_gone_to_where_its_time_does_not_lead_to_it() -> None:
    host = Host(ENTRIES)
    host.answers["--until"] = done()
    assert read_around(host) == ["line 7", "line 6", "line 5", "line 4"]


@pytest.mark.parametrize(("seconds", "lines"), [(1, "123"), (103, "345"), (108, "8"), (200, "")])
def test_what_comes_after_a_time_comes_oldest_first(seconds: int, lines: str) -> None:
    found = after(Journal(Host(ENTRIES)), ZERO + seconds * 1_000_000, ["_TRANSPORT=kernel"], count=3)
    assert [record.message for record in found] == [f"line {number}" for number in lines]
