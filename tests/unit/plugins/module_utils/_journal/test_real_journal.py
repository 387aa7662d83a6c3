# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real journal files, whole and damaged, read by this machine's journalctl and libsystemd."""

from __future__ import annotations

import contextlib
import lzma
import os
import pathlib
import sys
import time
import typing as t
import zlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed, run
from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._journal import libsystemd
from ansible_collections.oomguard.linux.plugins.module_utils._journal import reader as child
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.libsystemd import CURSOR, Walk
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader, ReaderError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._journal.surroundings import after_in_boot
from ansible_collections.oomguard.linux.plugins.modules.oom_info import ARGUMENT_SPEC, find, opened
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import FIXTURES

PARAMS: dict[str, t.Any] = {name: option.get("default") for name, option in ARGUMENT_SPEC.items()} | {
    "tasks": "all",
    "timeout": 60,
}
FOREVER = 1 << 62
PAGE = 4096


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for name in ("bullseye", "trixie"):
        (tmp_path / f"{name}.journal").write_bytes(lzma.decompress((FIXTURES / f"{name}.journal.xz").read_bytes()))
    return tmp_path


def found(folder: pathlib.Path, *, reader: bool = True, **window: t.Any) -> dict[str, t.Any]:
    params = {**PARAMS, "journal_directory": str(folder), **window}
    with opened(params) if reader else contextlib.nullcontext() as opened_reader:
        return find(params, run, opened_reader)


def walk(reader: Reader, question: Walk) -> list[Record]:
    return next(reader.walks([question]))


def units(result: t.Mapping[str, t.Any]) -> list[str]:
    return [event["unit"] for event in result["events"]]


def test_the_kills_of_two_files_are_one_history(folder: pathlib.Path) -> None:
    assert units(found(folder)) == [
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
def test_libsystemd_and_journalctl_tell_the_same(folder: pathlib.Path, window: dict[str, t.Any], part: str) -> None:
    assert found(folder, **window)[part] == found(folder, reader=False, **window)[part]


@pytest.fixture
def set_back(tmp_path: pathlib.Path) -> pathlib.Path:
    """Hold a journal of three boots, with a kill in the first; the clock of the second is 300 days behind."""
    (tmp_path / "system.journal").write_bytes(lzma.decompress((FIXTURES / "set_back.journal.xz").read_bytes()))
    return tmp_path


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "count"), [({}, 1), ({"since": "@1794990000"}, 1), ({"since": "@1795000001"}, 0)], ids=str
)
def test_a_kill_from_before_a_boot_whose_clock_was_behind_is_found(
    set_back: pathlib.Path, window: dict[str, str], count: int, *, reader: bool
) -> None:
    result = found(set_back, reader=reader, **window)
    assert (len(result["events"]), result["coverage"]["complete"]) == (count, True)


def test_a_run_after_the_cursor_finds_nothing_more(folder: pathlib.Path) -> None:
    assert units(found(folder, after_cursor=found(folder)["coverage"]["cursor"])) == []


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "message"),
    [
        ({"since": "soon"}, "Failed to parse timestamp: soon"),
        ({"until": "-"}, "Failed to parse timestamp: -"),
        ({"boot": "f" * 32}, "Check since, until, boot and after_cursor"),
        ({"boot": "-7"}, "Check since, until, boot and after_cursor"),
        ({"after_cursor": "garbage"}, "Check since, until, boot and after_cursor"),
        ({"after_cursor": f"s={'a' * 32};i=1;b={'b' * 32};m=1;t=660f3e8bc3a90;x=1"}, "is another journal's"),
    ],
    ids=["since", "until", "unknown boot", "no such boot", "garbage", "foreign cursor"],
)
def test_a_bad_question_is_an_error(
    folder: pathlib.Path, window: dict[str, str], message: str, *, reader: bool
) -> None:
    with pytest.raises(OomguardError, match=message):
        found(folder, reader=reader, **window)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_a_folder_without_a_journal_is_an_error(tmp_path: pathlib.Path, *, reader: bool) -> None:
    with pytest.raises(OomguardError, match="there is none"):
        found(tmp_path, reader=reader)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_a_folder_that_is_not_there_is_an_error(tmp_path: pathlib.Path, *, reader: bool) -> None:
    with pytest.raises(OomguardError, match="there is none"):
        found(tmp_path / "nothing", reader=reader)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"LPKSHHRH" + bytes(5000)], ids=["empty", "garbage", "header alone"]
)
def test_files_that_are_none_are_named_and_the_others_read(
    folder: pathlib.Path, content: bytes, *, reader: bool
) -> None:
    for name in ("one.journal", "two.journal"):
        (folder / name).write_bytes(content)
    result = found(folder, reader=reader)
    notes = " ".join(result["coverage"]["notes"])
    assert (len(result["events"]), result["coverage"]["complete"]) == (6, False)
    assert ["one.journal" in notes, "two.journal" in notes] == [True, True]


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize("pages", range(1, 8 * 256, 292))
def test_a_truncated_file_is_named(folder: pathlib.Path, pages: int, *, reader: bool) -> None:
    os.truncate(folder / "trixie.journal", pages * PAGE)
    coverage = found(folder, reader=reader)["coverage"]
    assert coverage["complete"] is False
    assert "trixie.journal" in " ".join(coverage["notes"])


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_a_journal_of_which_no_file_can_be_read_is_an_error_that_names_it(
    folder: pathlib.Path, *, reader: bool
) -> None:
    (folder / "bullseye.journal").unlink()
    os.truncate(folder / "trixie.journal", 100 * PAGE)
    with pytest.raises(OomguardError, match=r"No file of the journal could be read: .*trixie\.journal"):
        found(folder, reader=reader)


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bytes_neither_hang_nor_crash(folder: pathlib.Path, seed: int) -> None:
    path = folder / "trixie.journal"
    damaged = bytearray(path.read_bytes())
    used = len(damaged.rstrip(b"\0"))
    for nth in range((1, 30, 1000)[seed % 3]):
        place = zlib.crc32(b"%d %d" % (seed, nth)) % used
        damaged[place] ^= 1 << nth % 8
    path.write_bytes(damaged)
    assert {"w-continue.service", "w-kill.service", "apache2.service"} <= set(units(found(folder)))


def test_a_reader_whose_child_dies_says_so_for_good(folder: pathlib.Path) -> None:
    reader = Reader(directory=str(folder))
    question = Walk((), FOREVER, True, 1, (CURSOR,))
    assert len(walk(reader, question)) == 1
    reader.close()
    for _attempt in range(2):
        with pytest.raises(ReaderError):
            walk(reader, question)


def test_a_reader_that_does_not_answer_is_given_up(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "journal_files", lambda *_: time.sleep(60))
    reader = Reader(directory=str(folder), timeout=0.1)
    with pytest.raises(ReaderError, match="The child did not answer in time"):
        walk(reader, Walk((), FOREVER, True, 1, ()))


def test_a_child_that_hangs_does_not_hold_what_its_parent_writes_to() -> None:
    script = "; ".join(
        (
            "import os, time",
            f"import {child.__name__} as child",
            "child.journal_files = lambda *_: time.sleep(20)",
            "child.Reader()",
            "os._exit(0)",
        )
    )
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begin = time.monotonic()
    done = run([sys.executable, "-c", script], environment=environment)
    assert (done.returncode, time.monotonic() - begin < 15) == (0, True)


def test_without_libsystemd_there_is_no_answer(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libsystemd, "_LIBRARY", "libnothing.so.0")
    assert len(found(folder)["events"]) == 6


@pytest.mark.parametrize("backwards", [True, False])
def test_a_walk_goes_through_all_files_in_the_order_of_time(folder: pathlib.Path, *, backwards: bool) -> None:
    reader = Reader(directory=str(folder))
    entries = walk(reader, Walk((), FOREVER if backwards else 0, backwards, 10_000, ()))
    reader.close()
    times = [entry.realtime_us for entry in entries]
    assert (len(times), times) == (669, sorted(times, reverse=backwards))


@pytest.mark.parametrize("with_reader", [True, False])
def test_what_comes_after_a_time_since_the_boot_is_of_that_boot(folder: pathlib.Path, *, with_reader: bool) -> None:
    reader = Reader(directory=str(folder))
    boot_id = walk(reader, Walk((), 0, False, 1, ()))[0].boot_id
    whole = walk(reader, Walk((f"_BOOT_ID={boot_id}",), 0, False, 10_000, ()))
    journal = Journal(run, directory=str(folder), reader=reader if with_reader else None)
    expected = [entry.monotonic_us for entry in whole[10:30]]
    found = after_in_boot(journal, boot_id, expected[0], [], count=20)
    reader.close()
    assert [(record.boot_id, record.monotonic_us) for record in found] == [(boot_id, at) for at in expected]


def test_walks_are_answered_in_their_order(folder: pathlib.Path) -> None:
    reader = Reader(directory=str(folder))
    found = list(reader.walks([Walk((), FOREVER, True, count, ()) for count in (3, 1, 2)]))
    reader.close()
    assert [len(entries) for entries in found] == [3, 1, 2]


def test_answers_that_nobody_read_are_not_taken_for_others(folder: pathlib.Path) -> None:
    reader = Reader(directory=str(folder))
    next(reader.walks([Walk((), FOREVER, True, 1000, ("MESSAGE",)) for _unread in range(5)]))
    found = walk(reader, Walk((), FOREVER, True, 2, ()))
    reader.close()
    assert len(found) == 2


def test_a_field_that_is_matched_is_told(folder: pathlib.Path) -> None:
    reader = Reader(directory=str(folder))
    matches = ("_TRANSPORT=kernel", "PRIORITY=3", "PRIORITY=4")
    found = walk(reader, Walk(matches, FOREVER, True, 1, ("SYSLOG_FACILITY", "_TRANSPORT", "PRIORITY", "NOTHING")))
    reader.close()
    assert [record.fields for record in found] == [{"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1", "PRIORITY": "3"}]


def test_a_walk_ends_with_the_text_that_it_is_to_reach(folder: pathlib.Path) -> None:
    reader = Reader(directory=str(folder))
    kernel = ("_TRANSPORT=kernel",)
    kill = next(one for one in walk(reader, Walk(kernel, FOREVER, True, 1000, ("MESSAGE",))) if "Killed" in one.message)
    to_header = Walk(kernel, FOREVER, True, 1000, ("MESSAGE",), kill.monotonic_us, " invoked oom-killer")
    last = walk(reader, to_header)[-1]
    reader.close()
    assert (last.monotonic_us < kill.monotonic_us, "invoked oom-killer" in last.message) == (True, True)


def test_an_entry_that_lies_in_two_files_is_one(folder: pathlib.Path) -> None:
    (folder / "again.journal").write_bytes((folder / "trixie.journal").read_bytes())
    reader = Reader(directory=str(folder))
    entries = walk(reader, Walk((), FOREVER, True, 10_000, ()))
    reader.close()
    assert len(entries) == 669


class Journalctl:
    """Runs the real one, and remembers which files it was to look into; it may find none of them."""

    def __init__(self, *, finds_files: bool = True) -> None:
        self.finds_files = finds_files
        self.files: list[str] = []

    def __call__(self, argv: t.Sequence[str], **options: t.Any) -> Completed:
        files = [argument for argument in argv if argument.startswith("--file=")]
        self.files += files
        if files and not self.finds_files:
            return Completed(tuple(argv), 1, "", "Failed to open files: No such file or directory")
        return run(argv, **options)


def since(folder: pathlib.Path, journalctl: Journalctl, time: str, **window: str) -> list[str]:
    params = {**PARAMS, "journal_directory": str(folder), "since": time, **window}
    with opened(params) as reader:
        return units(find(params, journalctl, reader))


@pytest.mark.parametrize(
    ("time", "files", "count"),
    [("@1795452100", {"bullseye.journal"}, 0), ("@1795451000", set(), 6)],
    ids=["in one file", "in both"],
)
def test_only_files_of_the_time_that_was_asked_for_are_looked_into(
    folder: pathlib.Path, time: str, files: set[str], count: int
) -> None:
    journalctl = Journalctl()
    assert len(since(folder, journalctl, time)) == count
    assert {pathlib.Path(file).name for file in journalctl.files} == files


def test_boots_are_counted_over_all_files(folder: pathlib.Path) -> None:
    journalctl = Journalctl()
    since(folder, journalctl, "@1795452100", boot="-0")
    assert journalctl.files == []


def test_a_file_that_cannot_be_opened_is_named_whatever_the_time(folder: pathlib.Path) -> None:
    (folder / "other.journal").write_bytes(b"garbage")
    notes = found(folder, since="@1795452100")["coverage"]["notes"]
    assert "other.journal" in " ".join(notes)


def test_files_that_are_gone_when_they_are_looked_into_do_not_matter(folder: pathlib.Path) -> None:
    journalctl = Journalctl(finds_files=False)
    assert (since(folder, journalctl, "@1795452100"), len(journalctl.files) > 0) == ([], True)
