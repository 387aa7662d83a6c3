# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs append to a history, each record once."""

from __future__ import annotations

import concurrent.futures
import contextlib
import pathlib
import sqlite3
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.history import (
    Day,
    Drift,
    HistoryError,
    open_history,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.merge import merge_records
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    make_event,
    make_record,
    make_result,
)

OLD = "2026-11-28T03:00:00Z"
NEW = "2026-11-29T03:00:00Z"
TABLES = ("records", "events", "settings", "changes")
CHANGE = {"time": OLD, "what": "total swap", "before": "1.0 GiB", "after": "2.0 GiB"}


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "history.sqlite3"


def make_swap(size: int | None, collected_at: str = NEW, **parts: t.Any) -> Record:
    in_force: Record = {"oom_policy": {}, "swap_total_bytes": size, "fcgid": {}}
    return make_record(result=make_result(), collected_at=collected_at, in_force=in_force, **parts)


def add(path: pathlib.Path, *records: Record) -> bool:
    """Add records in one run, and return whether that changed anything."""
    with open_history(path) as history:
        for record in records:
            history.add(record)
        return history.has_changed()


def query(path: pathlib.Path, statement: str) -> list[tuple[t.Any, ...]]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return database.execute(statement).fetchall()


def dump(path: pathlib.Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as database:
        return list(database.iterdump())


def count(path: pathlib.Path, table: str) -> int:
    return int(query(path, f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608


def test_run_is_added_once(path: pathlib.Path) -> None:
    record = make_record(applied=[CHANGE], in_force={"swap_total_bytes": 2**30})
    assert add(path, record)
    before = path.read_bytes()
    assert not add(path, record)
    assert path.read_bytes() == before
    assert [count(path, table) for table in TABLES] == [1, 3, 2, 1]


def test_runs_are_appended(path: pathlib.Path) -> None:
    add(path, make_swap(2**30, OLD))
    add(path, make_swap(2**31))
    assert query(path, "SELECT host, collected_at, standing FROM records") == [
        ("web1", OLD, "clean"),
        ("web1", NEW, "clean"),
    ]
    assert query(path, "SELECT read_at, value FROM settings") == [(OLD, "1.0 GiB"), (NEW, "2.0 GiB")]


def test_event_of_which_more_is_known_is_updated(path: pathlib.Path) -> None:
    event = make_event(id="a", unit_effect=None)
    add(path, make_record(result=make_result(events=[event])))
    record = make_record(result=make_result(events=[event]))
    record["kinds"][0]["events"][0]["down_seconds"] = 7.5
    assert add(path, record)
    assert query(path, "SELECT id, down_seconds FROM events") == [("a", 7.5)]


def test_late_record_is_added_beside_what_it_was_merged_into(path: pathlib.Path) -> None:
    late, new = make_swap(2**30, OLD), make_swap(2**31)
    add(path, new)
    merged = merge_records([late, new])
    for is_changed in (True, False):
        with open_history(path) as history:
            history.add_source(late)
            history.add(merged)
            assert history.has_changed() is is_changed
    assert query(path, "SELECT collected_at FROM records") == [(OLD,), (NEW,)]
    assert query(path, "SELECT value FROM settings") == [("1.0 GiB",), ("2.0 GiB",)]


def test_source_does_not_replace_what_is_merged(path: pathlib.Path) -> None:
    source = make_record(result=make_result())
    add(path, {**source, "error": "merged"})
    with open_history(path) as history:
        history.add_source(source)
    assert query(path, "SELECT error FROM records") == [("merged",)]


def test_drift_is_between_the_last_two_values(path: pathlib.Path) -> None:
    add(path, make_swap(2**30, "2026-11-27T03:00:00Z"), make_swap(2**31, OLD), make_swap(2**32))
    with open_history(path) as history:
        assert history.list_drift() == [Drift("web1", "total swap", "2.0 GiB", "4.0 GiB")]


def test_setting_that_was_read_again_has_not_drifted(path: pathlib.Path) -> None:
    add(path, make_swap(2**30, "2026-11-27T03:00:00Z"), make_swap(2**31, OLD), make_swap(2**31))
    with open_history(path) as history:
        assert history.list_drift() == []


def test_day_shows_how_hosts_stood_at_its_end(path: pathlib.Path) -> None:
    add(path, make_swap(None, OLD), make_record("web2", None, collected_at=OLD))
    add(path, make_swap(None, "2026-11-28T05:00:00Z", ok=False), make_swap(None))
    with open_history(path) as history:
        assert history.list_days() == [
            Day("2026-11-29", {"clean": 1}),
            Day("2026-11-28", {"unknown": 2}),
        ]


def test_history_shows_the_last_days(path: pathlib.Path) -> None:
    add(path, *[make_swap(None, f"2026-{month:02}-{day:02}T00:00:00Z") for month in (1, 2) for day in range(1, 29)])
    with open_history(path) as history:
        days = [day.day for day in history.list_days()]
    assert (len(days), days[0]) == (30, "2026-02-28")


def test_kills_before_and_after_the_changes_are_counted(path: pathlib.Path) -> None:
    events = [make_event(id=f"{day}", time=f"2026-11-{day}T00:00:00Z") for day in (26, 27, 29)]
    record = make_record(result=make_result(events=events), applied=[CHANGE, {**CHANGE, "time": None}])
    add(path, record)
    assert query(path, "SELECT kills_before, kills_after FROM before_and_after") == [(2, 1)]


@pytest.mark.parametrize("view", ["latest", "days", "kills_by_day", "kills_by_unit", "before_and_after", "drift"])
def test_views_work(path: pathlib.Path, view: str) -> None:
    add(path, make_record(applied=[CHANGE]), make_swap(2**30, OLD), make_swap(2**31))
    assert count(path, view) > 0


def test_kills_are_counted_by_unit(path: pathlib.Path) -> None:
    add(path, make_record())
    assert query(path, "SELECT unit, kills, outages FROM kills_by_unit ORDER BY unit") == [
        ("apache2.service", 1, 1),
        ("w-continue.service", 1, 0),
        ("w-kill.service", 1, 1),
    ]


def test_only_the_user_can_read_it(path: pathlib.Path) -> None:
    add(path, make_record())
    assert path.stat().st_mode & 0o777 == 0o600


def test_nothing_is_added_if_the_run_fails(path: pathlib.Path) -> None:
    add(path)
    with pytest.raises(KeyError):
        add(path, make_record(), {"host": "web2"})
    assert count(path, "records") == 0


def test_runs_wait_for_each_other(path: pathlib.Path) -> None:
    hosts = [f"web{number}" for number in range(16)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda host: add(path, make_record(host)), hosts))
    assert count(path, "latest") == len(hosts)
    assert count(path, "events") == 3 * len(hosts)


@pytest.mark.parametrize("text", ["\udce9", "it's", 'a"; DROP TABLE records; --', "{{ 7*7 }}", "x" * 10_000])
def test_hostile_names_are_values(path: pathlib.Path, text: str) -> None:
    add(path, make_record(text, make_result(events=[make_event(victim=text)])))
    stored = text.encode("utf-8", "backslashreplace").decode()
    assert query(path, "SELECT host, victim FROM events") == [(stored, stored)]


@pytest.mark.parametrize("number", [2**80, -(2**80)])
def test_numbers_that_cannot_be_right_are_values(path: pathlib.Path, number: int) -> None:
    record = make_record(result=make_result(events=[make_event()]))
    record["kinds"][0]["events"][0]["rss_bytes"] = number
    add(path, record)
    assert abs(query(path, "SELECT rss_bytes FROM events")[0][0]) == 2**63 - 1


def test_damaged_file_is_an_error_that_says_what_to_do(path: pathlib.Path) -> None:
    path.write_bytes(b"not a database" * 100)
    with pytest.raises(HistoryError, match=r"Could not write the history .*: file is not a database\."):
        add(path, make_record())


def test_file_of_a_newer_version_is_left_alone(path: pathlib.Path) -> None:
    add(path)
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(HistoryError, match="a newer version"):
        add(path, make_record())


def test_folder_in_its_place_is_an_error(path: pathlib.Path) -> None:
    path.mkdir()
    with pytest.raises(HistoryError, match=r"Could not open the history .*: Is a directory\."):
        add(path, make_record())


def test_history_is_that_of_all_its_records_in_any_order(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    records = [make_swap(2**30, OLD), make_swap(2**31), make_record("web2"), make_record("web3", None)]
    add(path, *records)
    other = tmp_path / "other.sqlite3"
    for record in reversed(records):
        add(other, record)
    assert dump(other) == dump(path)
