# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OOM kills in real journal files, whole and damaged, found with this machine's journalctl and libsystemd."""

from __future__ import annotations

import contextlib
import os
import pathlib
import typing as t
import zlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed, run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._journal import libsystemd
from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import find_in_journal, open_reader
from ansible_collections.oomguard.linux.plugins.modules.oom_info import ARGUMENT_SPEC, query_from
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import unpack_journal

PARAMS: dict[str, t.Any] = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()} | {
    "tasks": "all",
    "timeout": 60,
}
PAGE = 4096


def find_in(folder: pathlib.Path, *, reader: bool = True, **window: t.Any) -> dict[str, t.Any]:
    params = {**PARAMS, "journal_directory": str(folder), **window}
    query = query_from(params)
    with open_reader(query) if reader else contextlib.nullcontext() as opened_reader:
        return find_in_journal(query, run, opened_reader)


def list_units(result: t.Mapping[str, t.Any]) -> list[str]:
    return [event["unit"] for event in result["events"]]


def test_kills_of_two_files_are_merged(folder: pathlib.Path) -> None:
    assert list_units(find_in(folder)) == [
        "w-continue.service",
        "w-kill.service",
        "apache2.service",
        "m-continue.service",
        "w-stop.service",
        "w-restart.service",
    ]


@pytest.mark.parametrize(
    "window",
    [{}, {"since": "2026-11-23 16:38:00 UTC"}, {"until": "2026-11-23 16:38:00 UTC"}, {"limit": 2}, {"since": "@1"}],
    ids=["all", "since", "until", "limit", "before the journal"],
)
@pytest.mark.parametrize("part", ["events", "summary"])
def test_libsystemd_and_journalctl_give_the_same_result(
    folder: pathlib.Path, window: dict[str, t.Any], part: str
) -> None:
    assert find_in(folder, **window)[part] == find_in(folder, reader=False, **window)[part]


@pytest.fixture
def set_back(tmp_path: pathlib.Path) -> pathlib.Path:
    """Hold a journal of three boots, with a kill in the first; the clock of the second is 300 days behind."""
    unpack_journal("set_back", tmp_path / "system.journal")
    return tmp_path


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "count"), [({}, 1), ({"since": "@1794990000"}, 1), ({"since": "@1795000001"}, 0)], ids=str
)
def test_kill_before_a_boot_whose_clock_was_behind_is_found(
    set_back: pathlib.Path, window: dict[str, str], count: int, *, reader: bool
) -> None:
    result = find_in(set_back, reader=reader, **window)
    assert (len(result["events"]), result["coverage"]["complete"]) == (count, True)


def test_run_after_the_cursor_finds_nothing_more(folder: pathlib.Path) -> None:
    assert list_units(find_in(folder, after_cursor=find_in(folder)["coverage"]["cursor"])) == []


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"since": "soon"}, "Failed to parse timestamp: soon"),
        ({"until": "-"}, "Failed to parse timestamp: -"),
        ({"boot": "f" * 32}, "Check since, until, boot and after_cursor"),
        ({"boot": "-7"}, "Check since, until, boot and after_cursor"),
        ({"after_cursor": "garbage"}, "Check since, until, boot and after_cursor"),
        ({"after_cursor": f"s={'a' * 32};i=1;b={'b' * 32};m=1;t=660f3e8bc3a90;x=1"}, "belongs to another journal"),
    ],
    ids=["since", "until", "unknown boot", "no such boot", "garbage", "foreign cursor"],
)
def test_bad_parameter_is_an_error(folder: pathlib.Path, window: dict[str, str], message: str, *, reader: bool) -> None:
    with pytest.raises(OomguardError, match=message):
        find_in(folder, reader=reader, **window)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_directory_without_a_journal_is_an_error(tmp_path: pathlib.Path, *, reader: bool) -> None:
    with pytest.raises(OomguardError, match="there is no journal"):
        find_in(tmp_path, reader=reader)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_missing_directory_is_an_error(tmp_path: pathlib.Path, *, reader: bool) -> None:
    with pytest.raises(OomguardError, match="there is no journal"):
        find_in(tmp_path / "nothing", reader=reader)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"LPKSHHRH" + bytes(5000)], ids=["empty", "garbage", "header alone"]
)
def test_files_that_are_no_journal_are_named_and_the_others_read(
    folder: pathlib.Path, content: bytes, *, reader: bool
) -> None:
    for name in ("one.journal", "two.journal"):
        (folder / name).write_bytes(content)
    result = find_in(folder, reader=reader)
    notes = " ".join(result["coverage"]["notes"])
    assert (len(result["events"]), result["coverage"]["complete"]) == (6, False)
    assert ["one.journal" in notes, "two.journal" in notes] == [True, True]


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize("pages", range(1, 8 * 256, 292))
def test_truncated_file_is_named(folder: pathlib.Path, pages: int, *, reader: bool) -> None:
    os.truncate(folder / "trixie.journal", pages * PAGE)
    coverage = find_in(folder, reader=reader)["coverage"]
    assert coverage["complete"] is False
    assert "trixie.journal" in " ".join(coverage["notes"])


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_journal_without_a_readable_file_is_an_error_that_names_the_file(folder: pathlib.Path, *, reader: bool) -> None:
    (folder / "bullseye.journal").unlink()
    os.truncate(folder / "trixie.journal", 100 * PAGE)
    with pytest.raises(OomguardError, match=r"No journal file could be read: .*trixie\.journal"):
        find_in(folder, reader=reader)


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_neither_hang_nor_crash(folder: pathlib.Path, seed: int) -> None:
    path = folder / "trixie.journal"
    damaged = bytearray(path.read_bytes())
    used = len(damaged.rstrip(b"\0"))
    for nth in range((1, 30, 1000)[seed % 3]):
        place = zlib.crc32(b"%d %d" % (seed, nth)) % used
        damaged[place] ^= 1 << nth % 8
    path.write_bytes(damaged)
    assert {"w-continue.service", "w-kill.service", "apache2.service"} <= set(list_units(find_in(folder)))


def test_kills_are_found_without_libsystemd(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsystemd, "_LIBRARY", "libnothing.so.0")
    assert len(find_in(folder)["events"]) == 6


class Journalctl:
    """Runs the real one, and remembers the files that it is given; it may find none of them."""

    def __init__(self, *, finds_files: bool = True) -> None:
        self.finds_files = finds_files
        self.files: list[str] = []

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        files = [argument for argument in argv if argument.startswith("--file=")]
        self.files += files
        if files and not self.finds_files:
            return Completed(tuple(argv), 1, "", "Failed to open files: No such file or directory")
        return run(argv, **options)


def find_units_since(folder: pathlib.Path, journalctl: Journalctl, time: str, **window: str) -> list[str]:
    params = {**PARAMS, "journal_directory": str(folder), "since": time, **window}
    query = query_from(params)
    with open_reader(query) as reader:
        return list_units(find_in_journal(query, journalctl, reader))


@pytest.mark.parametrize(
    ("time", "files", "count"),
    [("@1795452100", {"bullseye.journal"}, 0), ("@1795451000", set(), 6)],
    ids=["in one file", "in both"],
)
def test_only_files_of_the_requested_time_are_read(
    folder: pathlib.Path, time: str, files: set[str], count: int
) -> None:
    journalctl = Journalctl()
    assert len(find_units_since(folder, journalctl, time)) == count
    assert {pathlib.Path(file).name for file in journalctl.files} == files


def test_boots_are_counted_over_all_files(folder: pathlib.Path) -> None:
    journalctl = Journalctl()
    find_units_since(folder, journalctl, "@1795452100", boot="-0")
    assert journalctl.files == []


def test_file_that_cannot_be_opened_is_named_whatever_the_time(folder: pathlib.Path) -> None:
    (folder / "other.journal").write_bytes(b"garbage")
    notes = find_in(folder, since="@1795452100")["coverage"]["notes"]
    assert "other.journal" in " ".join(notes)


def test_files_that_are_gone_when_they_are_read_do_not_matter(folder: pathlib.Path) -> None:
    journalctl = Journalctl(finds_files=False)
    assert (find_units_since(folder, journalctl, "@1795452100"), len(journalctl.files) > 0) == ([], True)
