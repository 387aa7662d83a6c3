# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and times that a search reads, as a fake journalctl sees them."""

from __future__ import annotations

import os
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import Place
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.request import Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import ENTRIES, find_messages
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import ZERO, Child, Host

BIG = 1 << 30


def make_files(folder: pathlib.Path, size: int, count: int = 2) -> list[pathlib.Path]:
    """Make the sparse files of a journal of that size."""
    made = [folder / f"{number}.journal" for number in range(count)]
    for file in made:
        file.touch()
        os.truncate(file, size // count)
    return made


@pytest.mark.parametrize(("size", "parts"), [(0, [[]]), (BIG, [["0.journal"], ["1.journal"]])], ids=["small", "big"])
def test_big_journal_is_searched_by_two_processors(
    size: int, parts: list[list[str]], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    host = Host(ENTRIES)
    find_messages(Journal(host, Place(str(tmp_path)), files=make_files(tmp_path, size)))
    assert sorted(host.parts()) == parts


@pytest.mark.parametrize("processors", [1, 2])
def test_no_run_on_a_big_journal_has_more_files_than_journalctl_maps_at_once(
    processors: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    host = Host(ENTRIES)
    journal = Journal(host, Place(str(tmp_path)), files=make_files(tmp_path, BIG, count=100))
    window = find_window(journal)
    assert window
    assert list(window.find([Search(["_TRANSPORT=kernel"], "line")]))
    assert [len(part) for part in host.parts()] == [34, 33, 33]


def test_journal_that_is_rotated_meanwhile_is_searched_whole(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    host = Host(ENTRIES)
    journal = Journal(host, Place(str(tmp_path)), files=make_files(tmp_path, BIG))
    (tmp_path / "0.journal").rename(tmp_path / "0@1.journal")
    assert len(find_messages(journal)) == 9
    assert host.parts()[-1] == []


@pytest.mark.parametrize(("rotated", "parts"), [(False, [["1.journal"]]), (True, [[]])], ids=["no", "yes"])
def test_files_that_the_child_did_not_list_are_searched_too(
    parts: list[list[str]], tmp_path: pathlib.Path, *, rotated: bool
) -> None:
    listed = make_files(tmp_path, 0)
    child = Child({str(file): entries for file, entries in zip(listed, (ENTRIES[:3], ENTRIES[3:]), strict=True)})
    if rotated:
        listed += [tmp_path / "2.journal"]
        listed[-1].touch()
    host = Host(ENTRIES)
    since = f"@{ZERO // 1_000_000 + 100}"
    find_messages(Journal(host, Place(str(tmp_path)), files=listed, reader=child), since=since)
    assert host.parts() == parts
