# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extent of the requested part of a journal, and the search in it, through a fake journalctl."""

from __future__ import annotations

import json
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Request, Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import (
    BEHIND,
    ENTRIES,
    OTHER_BOOT,
    find_extent,
    find_messages,
    number_entries,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    ZERO,
    Child,
    Entry,
    Host,
    done,
    entry,
)


def test_records_come_newest_first() -> None:
    assert find_messages(Journal(Host(ENTRIES)), "line [3-5]") == ["line 5", "line 4", "line 3"]


def test_records_of_several_searches_are_merged() -> None:
    window = find_window(Journal(Host(ENTRIES)))
    assert window
    searches = [Search(["_TRANSPORT=kernel"], pattern) for pattern in ("line [147]", "line [03568]")]
    assert [record.message[-1] for record in window.find(searches)] == list("87654310")


def test_pattern_without_a_match_is_no_error() -> None:
    assert find_messages(Journal(Host(ENTRIES)), "nothing") == []


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 106}"}, ["line 8", "line 7", "line 6"]),
        ({"until": f"@{ZERO // 1_000_000 + 1}"}, ["line 1", "line 0"]),
        ({"boot": OTHER_BOOT}, ["line 2", "line 1", "line 0"]),
        ({"after_cursor": ENTRIES[6]["__CURSOR"]}, ["line 8", "line 7"]),
        ({"after_cursor": ENTRIES[8]["__CURSOR"]}, []),
    ],
    ids=["since", "until", "boot", "after_cursor", "after the newest"],
)
def test_only_the_requested_part_is_searched(request_: dict[str, t.Any], expected: list[str]) -> None:
    assert find_messages(Journal(Host(ENTRIES)), **request_) == expected


def number_as(writer: str, entries: list[Entry]) -> list[Entry]:
    """Return the entries with the numbers that the journald of one host gives to them."""
    numbered = number_entries(entries)
    return [{**one, "__CURSOR": one["__CURSOR"].replace("s=a;", f"s={writer};")} for one in numbered]


FIRST_HOST = number_as("a", [entry(f"line {at}", at=at, _TRANSPORT="kernel") for at in (400, 600, 700)])
SECOND_HOST = number_as(
    "b", [entry(f"line {at}", at=at, boot=OTHER_BOOT, _TRANSPORT="kernel") for at in (450, 650, 750)]
)


@pytest.mark.parametrize(
    "request_",
    [{"since": f"@{ZERO // 1_000_000 + 500}"}, {"after_cursor": FIRST_HOST[0]["__CURSOR"]}],
    ids=["since", "after_cursor"],
)
def test_every_host_is_searched_if_journalctl_lists_one_boot_after_the_other(request_: dict[str, t.Any]) -> None:
    child = Child({"a.journal": FIRST_HOST, "b.journal": SECOND_HOST})
    found = find_messages(Journal(Host([*FIRST_HOST, *SECOND_HOST]), reader=child), **request_)
    assert {"line 600", "line 650", "line 700", "line 750"} <= set(found)


AMBIGUOUS = ("The clock was set back, so it is uncertain which journal entries belong to the requested period.",)


@pytest.mark.parametrize(
    ("request_", "gaps"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 100_050}"}, ()),
        ({"since": "last week"}, AMBIGUOUS),
        ({"until": "next week"}, AMBIGUOUS),
        ({"until": f"@{ZERO // 1_000_000 + 100_050}"}, AMBIGUOUS),
        ({"until": f"@{ZERO // 1_000_000 + 100_301}"}, ()),
    ],
)
def test_time_that_the_clock_passed_twice_is_a_gap(request_: dict[str, t.Any], gaps: tuple[str, ...]) -> None:
    host = Host(BEHIND)
    for time in ("--since=last week", "--until=next week"):
        host.answers[time] = done(json.dumps(BEHIND[-1]))
    assert find_extent(Journal(host), **request_).gaps == gaps


@pytest.mark.parametrize("field", ["first_us", "last_us", "boots", "cursor", "gaps"])
def test_extent_of_the_whole_journal(field: str) -> None:
    assert (
        getattr(find_extent(Journal(Host(ENTRIES))), field)
        == {
            "first_us": ZERO,
            "last_us": ZERO + 108_000_000,
            "boots": 2,
            "cursor": ENTRIES[-1]["__CURSOR"],
            "gaps": (),
        }[field]
    )


def test_extent_of_a_boot() -> None:
    extent = find_extent(Journal(Host(ENTRIES)), boot=BOOT)
    assert (extent.boots, extent.first_us) == (1, ZERO + 103_000_000)


@pytest.mark.parametrize(
    ("hours", "request_", "gaps"),
    [
        (23, {}, ()),
        (73, {}, ("The newest journal entry is 73 hours old. Check that systemd-journald runs.",)),
        (73, {"boot": "0"}, ("The newest journal entry is 73 hours old. Check that systemd-journald runs.",)),
        (73, {"until": "@1796000000"}, ()),
        (73, {"boot": OTHER_BOOT}, ()),
    ],
)
def test_journal_that_has_been_silent_for_long_is_a_gap(
    hours: int, request_: dict[str, t.Any], gaps: tuple[str, ...]
) -> None:
    host = Host([entry("line 1", at=0, boot="0"), entry("line 2", at=0, boot=OTHER_BOOT)])
    assert find_extent(Journal(host), now=ZERO / 1_000_000 + hours * 3600, **request_).gaps == gaps


def test_time_without_records_has_no_window() -> None:
    assert find_window(Journal(Host(ENTRIES)), Request(since="@2000000000")) is None
