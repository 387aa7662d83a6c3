# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a journal to the module's result."""

from __future__ import annotations

import time
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.complaints import CursorError
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    Entry,
    Host,
    captured,
    done,
    entry,
)


def count_events(host: Host, **options: t.Any) -> int:
    return len(find_in_journal(Query(**options), host)["events"])


def test_every_event_is_returned_by_default() -> None:
    assert count_events(Host(captured("bullseye"))) == 3


@pytest.mark.parametrize(
    ("options", "count"),
    [({"since": "@1795452000"}, 1), ({"until": "@1795452000"}, 2), ({"limit": 2}, 2)],
    ids=["since", "until", "limit"],
)
def test_a_query_limits_the_events(options: dict[str, t.Any], count: int) -> None:
    assert count_events(Host(captured("bullseye")), **options) == count


def test_a_second_run_after_the_cursor_finds_nothing() -> None:
    host = Host(captured("bullseye"))
    cursor = find_in_journal(Query(), host)["coverage"]["cursor"]
    assert count_events(host, after_cursor=cursor) == 0


def test_lost_cursor_is_an_error() -> None:
    with pytest.raises(CursorError, match="The journal does not contain the entry of after_cursor"):
        find_in_journal(Query(after_cursor="s=lost"), Host(captured("bullseye")))


def test_journal_that_has_lost_the_cursor_is_searched_from_its_beginning() -> None:
    found = find_in_journal(Query(after_cursor="s=lost", restart=True), Host(captured("bullseye")))
    assert len(found["events"]) == 3
    assert found["coverage"]["notes"][0].startswith("The journal has lost the entry at which the last search ended")
    assert (found["coverage"]["complete"], found["summary"]["units_taken_down_complete"]) == (False, False)


def test_systemd_is_not_asked_about_another_host() -> None:
    host = Host(captured("bullseye"))
    find_in_journal(Query(directory="/srv/journal"), host)
    assert all(call[0] == "journalctl" for call in host.calls)


@pytest.mark.parametrize(("directory", "trusted"), [(None, True), ("/srv/journal", False)])
def test_only_this_hosts_own_journal_is_trusted(directory: str | None, *, trusted: bool) -> None:
    found = find_in_journal(Query(directory=directory), Host(captured("bullseye"), {"apache2.service": "stop"}))
    assert found["events"]
    assert {event["trusted"] for event in found["events"]} == {trusted}
    assert {remedy["trusted"] for remedy in found["remedies"]} == {trusted}


QUIET = [entry("usb 1-1: new device", at=1, _TRANSPORT="kernel", SYSLOG_FACILITY="0", PRIORITY="6")]
DOWN_US = int(time.monotonic() * 1_000_000)
FAILED_UNIT = f"""\
Id=shop.service
LoadState=loaded
ActiveState=failed
Result=oom-kill
OOMPolicy=stop
ExecMainCode=2
ExecMainStatus=15
InactiveEnterTimestampMonotonic={DOWN_US}
"""


def find_outage(entries: list[Entry], **options: t.Any) -> dict[str, t.Any]:
    host = Host(entries)
    host.answers["--state=failed"] = done(FAILED_UNIT)
    return find_in_journal(Query(**options), host)


@pytest.mark.parametrize(
    ("entries", "options"),
    [(QUIET, {}), (QUIET, {"since": f"@{int(time.time()) - 3600}"}), (captured("bullseye"), {})],
    ids=["no kill", "nothing since then", "other kills"],
)
def test_unit_that_systemd_says_is_down_is_found_without_its_kill(
    entries: list[Entry], options: dict[str, t.Any]
) -> None:
    found = find_outage(entries, **options)
    assert "shop.service" in found["summary"]["units_taken_down"]
    assert any("no event shows such a kill: shop.service" in note for note in found["coverage"]["notes"])
    assert (found["coverage"]["complete"], found["summary"]["units_taken_down_complete"]) == (False, False)


@pytest.mark.parametrize(
    "options",
    [{"until": "@1795452000"}, {"boot": "-1"}, {"since": f"@{int(time.time()) + 3600}"}, {"namespace": "a"}],
    ids=["until", "another boot", "since later", "a namespace"],
)
def test_units_that_are_down_now_do_not_belong_to_another_request(options: dict[str, t.Any]) -> None:
    assert find_outage(captured("bullseye"), **options)["summary"]["units_taken_down"].count("shop.service") == 0


def test_systemd_that_does_not_answer_is_no_error() -> None:
    host = Host(QUIET)
    host.answers["--state=failed"] = done(returncode=1)
    assert find_in_journal(Query(), host)["coverage"]["complete"] is False


def test_history_is_returned_if_it_is_wanted() -> None:
    host = Host(captured("bullseye"), {"apache2.service": "stop"})
    assert "history" not in find_in_journal(Query(), host)
    found = find_in_journal(Query(history=True), host)
    assert found["history"]["from"] == found["coverage"]["from"]
    assert sum(kind["count"] for kind in found["history"]["kinds"]) == found["summary"]["count"]


def test_history_counts_kills_beyond_the_limit() -> None:
    found = find_in_journal(Query(history=True, limit=1), Host(captured("bullseye")))
    assert sum(kind["count"] for kind in found["history"]["kinds"]) == 3


def test_history_of_a_host_without_kills_is_empty() -> None:
    found = find_in_journal(Query(history=True), Host(QUIET))
    coverage = found["coverage"]
    assert found["history"] == {"from": coverage["from"], "to": coverage["to"], "kinds": [], "other_kinds": 0}


def test_continued_search_without_new_kills_has_no_history() -> None:
    host = Host(captured("bullseye"))
    cursor = find_in_journal(Query(), host)["coverage"]["cursor"]
    assert find_in_journal(Query(history=True, after_cursor=cursor), host)["history"] is None


def test_continued_search_with_new_kills_has_the_history_of_the_whole_journal() -> None:
    entries = captured("bullseye")
    host = Host(entries)
    result = find_in_journal(Query(history=True, after_cursor=entries[len(entries) // 2]["__CURSOR"]), host)
    assert 0 < len(result["events"]) < 3
    assert sum(kind["count"] for kind in result["history"]["kinds"]) == 3
