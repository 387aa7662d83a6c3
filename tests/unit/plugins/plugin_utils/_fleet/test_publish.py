# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report is a folder into which records are merged."""

from __future__ import annotations

import concurrent.futures
import contextlib
import itertools
import json
import pathlib
import random
import sqlite3
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet import publish
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.publish import (
    Published,
    PublishError,
    Source,
    plan_report,
    publish_report,
    read_published,
)
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.record import Record, RecordError
from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.store import write_record
from ansible_collections.oomguard.linux.tests.unit.plugins.plugin_utils._fleet.factories import (
    make_record,
    make_result,
)

OLD = "2026-11-28T03:00:00Z"
UNREACHABLE = {"unreachable": True, "msg": "no route"}
FILES = ("history.sqlite3", "hosts/web1.json", "index.html", "report.json")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "a/report"


def write(
    folder: pathlib.Path, *records: Record, folders: t.Sequence[pathlib.Path] = (), **keywords: bool
) -> Published:
    return publish_report(folder, Source(records, folders), is_anonymous=keywords.get("is_anonymous", False))


def read(folder: pathlib.Path) -> dict[str, t.Any]:
    data: dict[str, t.Any] = json.loads((folder / "report.json").read_text())
    return data


def list_files(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*")}


def test_report_has_all_its_files_for_this_user_only(folder: pathlib.Path) -> None:
    published = write(folder, make_record())
    assert published.changed == FILES == tuple(sorted(list_files(folder)))
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "hosts")} == {0o700}
    assert {(folder / name).stat().st_mode & 0o777 for name in FILES} == {0o600}


def test_report_that_is_repeated_changes_nothing(folder: pathlib.Path) -> None:
    write(folder, make_record(), make_record("web2", UNREACHABLE))
    before = list_files(folder)
    assert write(folder, make_record(), make_record("web2", UNREACHABLE)).changed == ()
    assert write(folder).changed == ()
    assert list_files(folder) == before


def test_report_is_the_same_whatever_the_order_of_runs(tmp_path: pathlib.Path) -> None:
    records = [
        make_record(),
        make_record(result=make_result(), collected_at=OLD),
        make_record("web2", UNREACHABLE),
        make_record("web2", collected_at=OLD),
        make_record("web3", make_result()),
    ]
    for number, order in enumerate(random.Random(7).sample(list(itertools.permutations(records)), 6)):
        folder = tmp_path / f"{number}"
        write(folder, *order[:2])
        write(folder, *order[2:])
    files = [list_files(tmp_path / f"{number}") for number in range(6)]
    for one in files:
        del one["history.sqlite3"]
        assert one == files[0]


def test_records_of_several_folders_are_merged(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    write_record(tmp_path / "east", make_record("web1", collected_at=OLD))
    write_record(tmp_path / "west", make_record("web1", UNREACHABLE))
    write_record(tmp_path / "west", make_record("web2"))
    published = write(folder, folders=[tmp_path / "east", tmp_path / "west"])
    assert [(host.name, host.kills, host.error) for host in published.fleet.hosts] == [
        ("web1", 3, "The host is unreachable: no route"),
        ("web2", 3, None),
    ]
    with contextlib.closing(sqlite3.connect(folder / "history.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM records").fetchone() == (3,)


def test_folder_that_is_missing_is_an_error(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(RecordError, match=r"Could not read the records in .*/missing: No such file or directory"):
        write(folder, folders=[tmp_path / "missing"])


def test_damaged_record_is_named_and_the_others_are_shown(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    write_record(tmp_path / "east", make_record("web2"))
    (tmp_path / "east/web1.json").write_text("{")
    published = write(folder, folders=[tmp_path / "east"])
    (problem,) = published.problems
    assert problem.startswith(f"Could not read the record {tmp_path}/east/web1.json. It is not JSON")
    assert [host.name for host in published.fleet.hosts] == ["web2"]
    assert "/east/web1.json" in (folder / "index.html").read_text()


def test_damaged_record_of_the_report_is_replaced(folder: pathlib.Path) -> None:
    write(folder, make_record())
    before = list_files(folder)
    (folder / "hosts/web1.json").write_text("{")
    published = write(folder)
    assert len(published.problems) == 1
    assert published.fleet.hosts == ()
    write(folder, make_record())
    assert write(folder).problems == ()
    assert list_files(folder) == before


def test_lost_history_is_made_again(folder: pathlib.Path) -> None:
    write(folder, make_record())
    (folder / "history.sqlite3").unlink()
    assert write(folder).changed == ("history.sqlite3",)


def test_setting_that_has_changed_is_in_the_data(folder: pathlib.Path) -> None:
    for size, collected_at in ((2**30, OLD), (2**31, "2026-11-29T03:00:00Z")):
        write(folder, make_record(in_force={"swap_total_bytes": size}, collected_at=collected_at))
    assert read(folder)["drift"] == [{"host": "web1", "setting": "total swap", "before": "1.0 GiB", "after": "2.0 GiB"}]


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_plan_is_what_is_written(folder: pathlib.Path, *, is_anonymous: bool) -> None:
    source = Source([make_record()])
    planned = plan_report(folder, source, is_anonymous=is_anonymous)
    assert not folder.parent.exists()
    changed = publish_report(folder, source, is_anonymous=is_anonymous).changed
    assert len(planned) == len(changed)
    assert is_anonymous or tuple(planned) == changed
    assert plan_report(folder, source, is_anonymous=is_anonymous) == []


def test_runs_wait_for_each_other(folder: pathlib.Path) -> None:
    hosts = [f"web{number}" for number in range(8)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda host: write(folder, make_record(host)), hosts))
    assert [host["host"] for host in read(folder)["hosts"]] == hosts


def test_interrupted_run_is_made_up_for(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(publish, "build_fleet", lambda _hosts: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            write(folder, make_record())
    assert write(folder, make_record()).changed == ("history.sqlite3", "index.html", "report.json")


def test_published_records_are_merged_ones(folder: pathlib.Path) -> None:
    write(folder, make_record("web2"), make_record(collected_at=OLD), make_record(result=UNREACHABLE))
    (folder / "hosts/web3.json").write_text("{")
    first, second = read_published(folder)
    assert (first["host"], first["error"], first["summary"]["count"]) == (
        "web1",
        "The host is unreachable: no route",
        3,
    )
    assert second == make_record("web2")


def test_anonymous_report_has_no_names(folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    write_record(tmp_path / "records", make_record("zebra7"))
    (tmp_path / "records/tapir.json").write_text("{")
    published = write(folder, make_record("zebra8"), folders=[tmp_path / "records"], is_anonymous=True)
    assert published.problems == ("A record could not be read.",)
    everything = b"".join([*list_files(folder).values(), *[name.encode() for name in list_files(folder)]])
    for name in (b"zebra", b"tapir", b"apache2.service", b"leak.fcgi", b"w-kill", str(tmp_path).encode()):
        assert name not in everything


def test_pseudonyms_are_the_same_in_every_run(folder: pathlib.Path) -> None:
    write(folder, make_record(), is_anonymous=True)
    assert write(folder, make_record(), is_anonymous=True).changed == ()
    assert (folder.parent / "report.key").stat().st_mode & 0o777 == 0o600


def test_damaged_key_is_not_replaced(folder: pathlib.Path) -> None:
    folder.parent.mkdir()
    key = folder.parent / "report.key"
    key.write_text("no key")
    with pytest.raises(PublishError, match=r"Could not write the report to .*: File exists"):
        write(folder, make_record(), is_anonymous=True)
    assert key.read_text() == "no key"


@pytest.mark.parametrize("is_anonymous", [False, True])
def test_report_has_names_or_pseudonyms(folder: pathlib.Path, *, is_anonymous: bool) -> None:
    write(folder, make_record(), is_anonymous=is_anonymous)
    before = list_files(folder)
    for attempt in (publish_report, plan_report):
        with pytest.raises(PublishError, match=r"there is a report with(out)? names"):
            attempt(folder, Source([make_record()]), is_anonymous=not is_anonymous)
    assert list_files(folder) == before


def test_path_that_cannot_be_written_is_an_error(folder: pathlib.Path) -> None:
    folder.parent.write_text("")
    with pytest.raises(
        PublishError, match=r"Could not write the report to .*/a/report: (Not a directory|File exists)\."
    ):
        write(folder, make_record())


@pytest.mark.parametrize("name", ["\udce9", "..", "a/b", "{{ 7*7 }}", "<script>", "x" * 300])
def test_odd_names_of_hosts_have_their_place(folder: pathlib.Path, name: str) -> None:
    write(folder, make_record(name))
    (host,) = read(folder)["hosts"]
    assert host["host"] == name
    assert (folder / host["record"]).is_file()
    assert sorted(path.name for path in folder.parent.iterdir()) == ["report"]
