# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the requested part of a journal begins, through a fake journalctl."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.complaints import JournalError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Request
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import (
    BEHIND,
    ENTRIES,
    find_extent,
    find_messages,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    ZERO,
    Child,
    Entry,
    Host,
    entry,
    set_back,
)

BEFORE = [entry("line 1", at=100, _TRANSPORT="kernel"), entry("line 2", at=7200, _TRANSPORT="kernel")]
SET_BACK = [set_back(entry(f"line {number}", at=7200 + number, _TRANSPORT="kernel"), 3600) for number in (3, 4)]
LATER = set_back(entry("line 5", at=20_000, _TRANSPORT="kernel"), 3600)


@pytest.mark.parametrize("later", [[], [LATER]], ids=["still before", "later"])
@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_no_record_is_lost_if_the_clock_was_set_back_after_the_cursor(later: list[Entry], *, reader: bool) -> None:
    child = Child({"0.journal": BEFORE, "1.journal": [*SET_BACK, *later]}) if reader else None
    host = Host([*BEFORE, *SET_BACK, *later])
    found = find_messages(Journal(host, reader=child), after_cursor=BEFORE[-1]["__CURSOR"])
    assert found == [one["MESSAGE"] for one in (*later, *reversed(SET_BACK))]


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("request_", "lines"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 100_050}"}, "42"),
        ({"since": f"@{ZERO // 1_000_000 + 100_250}"}, "4"),
        ({"after_cursor": BEHIND[1]["__CURSOR"]}, "43"),
    ],
    ids=["since before it", "since it was set", "after_cursor"],
)
def test_no_record_is_lost_if_the_clock_of_a_boot_was_behind(
    request_: dict[str, t.Any], lines: str, *, reader: bool
) -> None:
    child = Child({"system.journal": BEHIND}) if reader else None
    found = find_messages(Journal(Host(BEHIND), reader=child), **request_)
    assert found == [f"line {number}" for number in lines]


def test_cursor_is_of_the_entry_written_last_if_the_clock_was_set_back() -> None:
    child = Child({"0.journal": BEFORE, "1.journal": SET_BACK})
    extent = find_extent(Journal(Host([*BEFORE, *SET_BACK]), reader=child), after_cursor=BEFORE[-1]["__CURSOR"])
    assert (extent.first_us, extent.cursor) == (ZERO + 3_603_000_000, SET_BACK[-1]["__CURSOR"])


def test_no_message_is_read_at_the_ends_of_the_journal() -> None:
    host = Host(ENTRIES)
    find_extent(Journal(host), since="@1")
    assert not any("MESSAGE" in argument for call in host.calls for argument in call)


@pytest.mark.parametrize(
    ("since", "gaps"),
    [
        ("@1", ("The journal begins later than the requested period: earlier entries were deleted or never stored.",)),
        (f"@{ZERO // 1_000_000 + 2}", ()),
    ],
    ids=["before the journal", "within it"],
)
def test_journal_that_begins_too_late_is_a_gap(since: str, gaps: tuple[str, ...]) -> None:
    assert find_extent(Journal(Host(ENTRIES)), since=since).gaps == gaps


USERS = [entry("hello", at=at, _TRANSPORT="syslog") for at in (50, 60)]
SYSTEMS = [entry("line 1", at=100, _TRANSPORT="kernel"), entry("line 2", at=110, _TRANSPORT="syslog", _UID="0")]


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("request_", "gaps"),
    [
        ({}, 0),
        ({"since": f"@{ZERO // 1_000_000 + 55}"}, 1),
        ({"since": f"@{ZERO // 1_000_000 + 105}"}, 0),
        ({"after_cursor": USERS[0]["__CURSOR"]}, 1),
        ({"after_cursor": SYSTEMS[0]["__CURSOR"]}, 0),
        ({"boot": BOOT}, 1),
    ],
    ids=str,
)
def test_journal_begins_where_more_than_a_users_entries_are_kept(
    request_: dict[str, t.Any], gaps: int, *, reader: bool
) -> None:
    contents = {"/j/system.journal": SYSTEMS, "/j/user-1000.journal": USERS}
    child = Child(contents) if reader else None
    files = [pathlib.Path(name) for name in contents]
    extent = find_extent(Journal(Host([*USERS, *SYSTEMS]), files=files, reader=child), **request_)
    assert (len(extent.gaps), extent.first_us >= ZERO + 100_000_000) == (gaps, True)


DELETED = "earlier entries were deleted or never stored."
BEGINS_LATE = f"The journal begins 120 minutes after the start of the requested boot: {DELETED}"


@pytest.mark.parametrize(("first", "gaps"), [(599, ()), (7200, (BEGINS_LATE,))])
def test_boot_whose_beginning_is_missing_is_a_gap(first: int, gaps: tuple[str, ...]) -> None:
    extent = find_extent(Journal(Host([entry("line 1", at=first), entry("line 2", at=8000)])), boot=BOOT)
    assert (extent.first_us, extent.gaps) == (ZERO + first * 1_000_000, gaps)


def test_empty_journal_is_an_error() -> None:
    with pytest.raises(JournalError, match="The journal is empty"):
        find_window(Journal(Host([])))


def test_foreign_cursor_is_an_error() -> None:
    with pytest.raises(JournalError, match="The journal does not contain the entry of after_cursor"):
        find_window(Journal(Host(ENTRIES)), Request(after_cursor="s=1;i=1"))
