# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Records are kept in a folder."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import RecordError
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import (
    find_record,
    name_file,
    read_record,
    read_records,
    read_version,
    write_next_record,
    write_record,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import make_record


def test_record_is_read_as_it_was_written(tmp_path: pathlib.Path) -> None:
    write_record(tmp_path, make_record("web1"))
    assert read_record(tmp_path, "web1") == make_record("web1")


def test_host_without_a_record_has_none(tmp_path: pathlib.Path) -> None:
    assert read_record(tmp_path / "missing", "web1") is None


def test_damaged_record_of_a_host_counts_as_none(tmp_path: pathlib.Path) -> None:
    path = write_record(tmp_path, make_record("web1"))
    assert find_record(tmp_path, "web1") == make_record("web1")
    path.write_text('{"schema"')
    assert find_record(tmp_path, "web1") is None


def test_only_the_user_can_read_records(tmp_path: pathlib.Path) -> None:
    path = write_record(tmp_path / "a/records", make_record())
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_new_record_replaces_the_last_one(tmp_path: pathlib.Path) -> None:
    write_record(tmp_path, make_record())
    path = write_record(tmp_path, make_record(result=None))
    assert os.listdir(tmp_path) == [path.name]
    assert read_record(tmp_path, "web1") == make_record(result=None)


def test_records_are_sorted_by_the_names_of_their_files(tmp_path: pathlib.Path) -> None:
    for host in ("web2", "web10", "db1"):
        write_record(tmp_path, make_record(host))
    assert [*read_records(tmp_path)] == [make_record("db1"), make_record("web10"), make_record("web2")]


def test_damaged_record_is_named_and_the_others_are_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web1.json").write_text('{"schema"')
    (tmp_path / "web2.json").mkdir()
    (tmp_path / "notes.txt").write_text("")
    write_record(tmp_path, make_record("web3"))
    *damaged, record = read_records(tmp_path)
    assert record == make_record("web3")
    assert [str(error).partition(". ")[0] for error in damaged] == [
        f"Could not read the record {tmp_path}/web1.json",
        f"Could not read the record {tmp_path}/web2.json: Is a directory",
    ]


def test_folder_that_is_missing_is_an_error(tmp_path: pathlib.Path) -> None:
    with pytest.raises(RecordError, match=r"Could not read the records in .*missing: No such file or directory"):
        next(read_records(tmp_path / "missing"))


def test_folder_that_is_a_file_is_an_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match=r"Could not write the record .*/file/web1\.json: "):
        write_record(tmp_path / "file", make_record())


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("web1", "web1.json"),
        ("2001:db8::1", "2001:db8::1.json"),
        ("admin@web1", "admin@web1.json"),
        ("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd.json"),
        (".hidden", "%2Ehidden.json"),
        ("a%2Fb", "a%252Fb.json"),
        ("größe", "gr%C3%B6%C3%9Fe.json"),
        ("\udce9", "%ED%B3%A9.json"),
        ("", ".json"),
    ],
)
def test_name_of_a_host_becomes_a_name_of_a_file(host: str, name: str) -> None:
    assert name_file(host) == name


def test_long_names_differ() -> None:
    names = [name_file("x" * 300 + end) for end in ("a", "b")]
    assert names[0] != names[1]
    assert max(map(len, names)) <= 210


def test_next_record_keeps_the_list_of_changes(tmp_path: pathlib.Path) -> None:
    changes = [
        {"time": "2026-11-29T03:00:00Z", "what": f"swap {number}", "before": None, "after": "1G"} for number in (1, 2)
    ]
    write_next_record(tmp_path, make_record(applied=changes[:1]))
    write_next_record(tmp_path, make_record(applied=changes[1:]))
    record = read_record(tmp_path, "web1")
    assert record is not None
    assert record["applied"] == changes


def test_record_of_a_host_that_was_not_searched_has_the_changes_alone(tmp_path: pathlib.Path) -> None:
    change = {"time": "2026-11-29T03:00:00Z", "what": "swap", "before": None, "after": "1G"}
    write_next_record(tmp_path, make_record())
    write_next_record(tmp_path, make_record(result=None, applied=[change]))
    assert read_record(tmp_path, "web1") == make_record(applied=[change])


def test_nothing_is_written_about_a_host_that_was_never_searched(tmp_path: pathlib.Path) -> None:
    write_next_record(tmp_path, make_record(result=None))
    assert list(tmp_path.iterdir()) == []


def test_next_record_replaces_a_damaged_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "web1.json").write_text("{")
    write_next_record(tmp_path, make_record())
    assert read_record(tmp_path, "web1") == make_record()


def test_temporary_files_are_not_read(tmp_path: pathlib.Path) -> None:
    (tmp_path / ".web1.json").write_text("{")
    assert [*read_records(tmp_path)] == []


def test_version_is_that_of_the_collection() -> None:
    assert read_version().count(".") == 2
