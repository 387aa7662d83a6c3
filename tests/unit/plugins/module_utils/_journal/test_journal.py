# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal, read through a fake journalctl."""

from __future__ import annotations

import json
import os
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal, Search
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journalctl import JournalError
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import (
    BOOT,
    ZERO,
    Child,
    Entry,
    Host,
    done,
    entry,
    set_back,
)

OTHER_BOOT = "e6716ca50be64dea8921ac83594a6dad"
ENTRIES = [
    *(entry(f"line {number}", at=number, boot=OTHER_BOOT, _TRANSPORT="kernel") for number in range(3)),
    *(entry(f"line {number}", at=100 + number, _TRANSPORT="kernel") for number in range(3, 9)),
]


BIG = 1 << 30


def files(folder: pathlib.Path, size: int, count: int = 2) -> list[pathlib.Path]:
    """Make the files, sparse, of a journal of that size."""
    made = [folder / f"{number}.journal" for number in range(count)]
    for file in made:
        file.touch()
        os.truncate(file, size // count)
    return made


def messages(journal: Journal, pattern: str = "line") -> list[str]:
    journal.extent()
    return [record.message for record in journal.find([Search(["_TRANSPORT=kernel"], pattern, wide=True)])]


def test_of_the_ends_of_the_journal_no_message_is_read() -> None:
    host = Host(ENTRIES)
    Journal(host, since="@1").extent()
    assert not any("MESSAGE" in argument for call in host.calls for argument in call)


def test_newest_first() -> None:
    assert messages(Journal(Host(ENTRIES)), "line [3-5]") == ["line 5", "line 4", "line 3"]


def test_several_searches_are_one_history() -> None:
    journal = Journal(Host(ENTRIES))
    journal.extent()
    searches = [Search(["_TRANSPORT=kernel"], pattern) for pattern in ("line [147]", "line [03568]")]
    assert [record.message[-1] for record in journal.find(searches)] == list("87654310")


@pytest.mark.parametrize(("size", "parts"), [(0, [[]]), (BIG, [["0.journal"], ["1.journal"]])], ids=["small", "big"])
def test_a_big_journal_is_searched_by_two_processors(
    size: int, parts: list[list[str]], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    host = Host(ENTRIES)
    messages(Journal(host, directory=str(tmp_path), files=files(tmp_path, size)))
    assert sorted(host.parts()) == parts


@pytest.mark.parametrize("processors", [1, 2])
def test_no_search_of_a_big_journal_has_more_files_than_journalctl_maps_at_once(
    processors: int, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    host = Host(ENTRIES)
    journal = Journal(host, directory=str(tmp_path), files=files(tmp_path, BIG, count=100))
    journal.extent()
    assert list(journal.find([Search(["_TRANSPORT=kernel"], "line")]))
    assert [len(part) for part in host.parts()] == [34, 33, 33]


def test_a_journal_that_is_rotated_meanwhile_is_searched_whole(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    host = Host(ENTRIES)
    journal = Journal(host, directory=str(tmp_path), files=files(tmp_path, BIG))
    (tmp_path / "0.journal").rename(tmp_path / "0@1.journal")
    assert len(messages(journal)) == 9
    assert host.parts()[-1] == []


@pytest.mark.parametrize(("rotated", "parts"), [(False, [["1.journal"]]), (True, [[]])], ids=["no", "yes"])
def test_files_that_the_child_has_not_listed_are_searched_too(
    parts: list[list[str]], tmp_path: pathlib.Path, *, rotated: bool
) -> None:
    listed = files(tmp_path, 0)
    child = Child({str(file): entries for file, entries in zip(listed, (ENTRIES[:3], ENTRIES[3:]), strict=True)})
    if rotated:
        listed += [tmp_path / "2.journal"]
        listed[-1].touch()
    host = Host(ENTRIES)
    since = f"@{ZERO // 1_000_000 + 100}"
    messages(Journal(host, since=since, directory=str(tmp_path), files=listed, reader=child))
    assert host.parts() == parts


def test_a_pattern_without_a_match_is_no_error() -> None:
    assert messages(Journal(Host(ENTRIES)), "nothing") == []


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
def test_chunks_neither_lose_nor_repeat_a_record(chunk: int) -> None:
    assert messages(Journal(Host(ENTRIES), chunk=chunk)) == [f"line {number}" for number in range(8, -1, -1)]


def test_no_chunk_is_asked_for_that_comes_before_the_time_that_was_asked_for() -> None:
    host = Host(ENTRIES)
    assert len(messages(Journal(host, since=f"@{ZERO // 1_000_000 + 106}", chunk=2))) == 3
    assert sum(any(argument.startswith("--cursor=") for argument in call) for call in host.calls) == 1


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 106}"}, ["line 8", "line 7", "line 6"]),
        ({"until": f"@{ZERO // 1_000_000 + 1}"}, ["line 1", "line 0"]),
        ({"boot": OTHER_BOOT}, ["line 2", "line 1", "line 0"]),
        ({"after_cursor": ENTRIES[6]["__CURSOR"]}, ["line 8", "line 7"]),
        ({"after_cursor": ENTRIES[8]["__CURSOR"]}, []),
    ],
    ids=["since", "until", "boot", "after_cursor", "after the newest"],
)
def test_only_what_was_asked_for_is_read(window: dict[str, t.Any], expected: list[str]) -> None:
    assert messages(Journal(Host(ENTRIES), **window)) == expected


BEFORE = [entry("line 1", at=100, _TRANSPORT="kernel"), entry("line 2", at=7200, _TRANSPORT="kernel")]
SET_BACK = [set_back(entry(f"line {number}", at=7200 + number, _TRANSPORT="kernel"), 3600) for number in (3, 4)]
PAST_IT_AGAIN = set_back(entry("line 5", at=20_000, _TRANSPORT="kernel"), 3600)


@pytest.mark.parametrize("later", [[], [PAST_IT_AGAIN]], ids=["still before", "past it again"])
@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
def test_nothing_is_lost_where_the_clock_was_set_back_after_the_cursor(later: list[Entry], *, reader: bool) -> None:
    child = Child({"0.journal": BEFORE, "1.journal": [*SET_BACK, *later]}) if reader else None
    host = Host([*BEFORE, *SET_BACK, *later])
    found = messages(Journal(host, after_cursor=BEFORE[-1]["__CURSOR"], reader=child))
    assert found == [one["MESSAGE"] for one in (*later, *reversed(SET_BACK))]


def numbered(entries: t.Iterable[Entry]) -> list[Entry]:
    """Return the records with the numbers that their writer gave them, as real ones have."""
    return [{**one, "__CURSOR": f"s=a;i={number:x};{one['__CURSOR']}"} for number, one in enumerate(entries, 1)]


# The clock of the second boot is a day behind, until it is set.
BEHIND = numbered(
    [
        entry("line 1", at=100_000, boot=OTHER_BOOT, _TRANSPORT="kernel"),
        entry("line 2", at=100_100, boot=OTHER_BOOT, _TRANSPORT="kernel"),
        set_back(entry("line 3", at=100_200, _TRANSPORT="kernel"), 86_400),
        entry("line 4", at=100_300, _TRANSPORT="kernel"),
    ]
)
UNCLEAR = ("The clock was set back: it is not known for certain where the time that was asked for is.",)


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "lines"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 100_050}"}, "42"),
        ({"since": f"@{ZERO // 1_000_000 + 100_250}"}, "4"),
        ({"after_cursor": BEHIND[1]["__CURSOR"]}, "43"),
    ],
    ids=["since before it", "since it was set", "after_cursor"],
)
def test_nothing_is_lost_where_the_clock_of_a_boot_was_behind(
    window: dict[str, t.Any], lines: str, *, reader: bool
) -> None:
    child = Child({"system.journal": BEHIND}) if reader else None
    found = messages(Journal(Host(BEHIND), **window, reader=child))
    assert found == [f"line {number}" for number in lines]


@pytest.mark.parametrize(
    ("window", "gaps"),
    [
        ({"since": f"@{ZERO // 1_000_000 + 100_050}"}, ()),
        ({"since": "last week"}, UNCLEAR),
        ({"until": "next week"}, UNCLEAR),
        ({"until": f"@{ZERO // 1_000_000 + 100_050}"}, UNCLEAR),
        ({"until": f"@{ZERO // 1_000_000 + 100_301}"}, ()),
    ],
)
def test_a_time_that_the_clock_came_to_twice_is_told(window: dict[str, t.Any], gaps: tuple[str, ...]) -> None:
    host = Host(BEHIND)
    for time in ("--since=last week", "--until=next week"):
        host.answers[time] = done(json.dumps(BEHIND[-1]))
    extent = Journal(host, **window).extent()
    assert extent
    assert extent.gaps == gaps


def test_what_was_written_last_gives_the_cursor_where_the_clock_was_set_back() -> None:
    child = Child({"0.journal": BEFORE, "1.journal": SET_BACK})
    extent = Journal(Host([*BEFORE, *SET_BACK]), after_cursor=BEFORE[-1]["__CURSOR"], reader=child).extent()
    assert extent
    assert (extent.first_us, extent.cursor) == (ZERO + 3_603_000_000, SET_BACK[-1]["__CURSOR"])


def test_a_journalctl_without_patterns_is_asked_without() -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(err="Compiled without pattern matching support", returncode=1)
    assert len(messages(Journal(host))) == 9


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("plain", "plain"),
        ([97, 255, 10, 27], "a\udcff\n\x1b"),
        (["one", [98, 255]], "one\nb\udcff"),
        (None, ""),
    ],
    ids=["string", "bytes", "repeated", "null"],
)
def test_every_shape_of_a_message_is_read(message: object, text: str) -> None:
    journal = Journal(Host([entry(message, at=1, _TRANSPORT="kernel")]))
    journal.extent()
    assert [record.message for record in journal.find([Search(["_TRANSPORT=kernel"], "")])] == [text]


def test_a_record_with_a_line_separator_in_it_is_one() -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(json.dumps(entry("line a\u2028b\x85c", at=1), ensure_ascii=False) + "\n")
    journal = Journal(host)
    assert (messages(journal), journal.journalctl.unparsed) == (["line a\u2028b\x85c"], 0)


@pytest.mark.parametrize(
    "line",
    ['{"__CURSOR":"s=1","MES', json.dumps(entry([None, "oom"], at=1))],
    ids=["cut", "a repeated field of which one is too long"],
)
def test_a_record_that_is_not_whole_is_counted(line: str) -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(f"{line}\n")
    journal = Journal(host, since="@1")
    messages(journal)
    assert journal.journalctl.unparsed == 1


@pytest.mark.parametrize("field", ["first_us", "last_us", "boots", "cursor", "gaps"])
def test_the_extent_of_the_whole_journal(field: str) -> None:
    assert (
        getattr(Journal(Host(ENTRIES)).extent(), field)
        == {
            "first_us": ZERO,
            "last_us": ZERO + 108_000_000,
            "boots": 2,
            "cursor": ENTRIES[-1]["__CURSOR"],
            "gaps": (),
        }[field]
    )


def test_the_extent_of_a_boot() -> None:
    extent = Journal(Host(ENTRIES), boot=BOOT).extent()
    assert extent is not None
    assert (extent.boots, extent.first_us) == (1, ZERO + 103_000_000)


@pytest.mark.parametrize(
    ("since", "gaps"),
    [
        ("@1", ("The journal begins later than the time that was asked for: the rest is gone, or was never kept.",)),
        (f"@{ZERO // 1_000_000 + 2}", ()),
    ],
    ids=["before the journal", "within it"],
)
def test_a_journal_that_begins_too_late_is_told(since: str, gaps: tuple[str, ...]) -> None:
    extent = Journal(Host(ENTRIES), since=since).extent()
    assert extent is not None
    assert extent.gaps == gaps


USERS = [entry("hello", at=at, _TRANSPORT="syslog") for at in (50, 60)]
SYSTEMS = [entry("line 1", at=100, _TRANSPORT="kernel"), entry("line 2", at=110, _TRANSPORT="syslog", _UID="0")]


@pytest.mark.parametrize("reader", [True, False], ids=["libsystemd", "journalctl"])
@pytest.mark.parametrize(
    ("window", "gaps"),
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
def test_what_is_kept_of_a_user_alone_is_not_all(window: dict[str, t.Any], gaps: int, *, reader: bool) -> None:
    contents = {"/j/system.journal": SYSTEMS, "/j/user-1000.journal": USERS}
    child = Child(contents) if reader else None
    files = [pathlib.Path(name) for name in contents]
    extent = Journal(Host([*USERS, *SYSTEMS]), **window, files=files, reader=child).extent()
    assert extent
    assert (len(extent.gaps), extent.first_us >= ZERO + 100_000_000) == (gaps, True)


@pytest.mark.parametrize(
    ("first", "gaps"),
    [
        (599, ()),
        (
            7200,
            ("The journal begins 120 minutes after the boot that was asked for: the rest is gone, or was never kept.",),
        ),
    ],
)
def test_a_boot_whose_beginning_is_gone_is_told(first: int, gaps: tuple[str, ...]) -> None:
    extent = Journal(Host([entry("line 1", at=first), entry("line 2", at=8000)]), boot=BOOT).extent()
    assert extent is not None
    assert (extent.first_us, extent.gaps) == (ZERO + first * 1_000_000, gaps)


@pytest.mark.parametrize(
    ("hours", "window", "gaps"),
    [
        (23, {}, ()),
        (73, {}, ("The newest entry of the journal is 73 hours old: does systemd-journald still run?",)),
        (73, {"boot": "0"}, ("The newest entry of the journal is 73 hours old: does systemd-journald still run?",)),
        (73, {"until": "@1796000000"}, ()),
        (73, {"boot": OTHER_BOOT}, ()),
    ],
)
def test_a_journal_that_has_been_silent_for_long_is_told(
    hours: int, window: dict[str, t.Any], gaps: tuple[str, ...]
) -> None:
    host = Host([entry("line 1", at=0, boot="0"), entry("line 2", at=0, boot=OTHER_BOOT)])
    extent = Journal(host, now=ZERO / 1_000_000 + hours * 3600, **window).extent()
    assert extent is not None
    assert extent.gaps == gaps


def test_a_time_without_records_has_no_extent() -> None:
    assert Journal(Host(ENTRIES), since="@2000000000").extent() is None


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            done(err="Hint: You are currently not seeing messages from other users and the system.\n"),
            (
                "it may not be read by this user, so that kills would be missed. "
                "Run the task with become, or as a member of the group systemd-journal."
            ),
        ),
        (
            done("-- No entries --\n", "No journal files were found.\n"),
            (
                "there is none (No journal files were found.). "
                "Does systemd-journald run, and are journal_directory and journal_namespace right?"
            ),
        ),
        (done(returncode=-9), "journalctl was killed by signal 9. Is the host out of memory?"),
        (
            done(err="Failed to parse timestamp: soon\n", returncode=1),
            (
                "journalctl ended with status 1 (Failed to parse timestamp: soon). "
                "Check since, until, boot and after_cursor; `man 7 systemd.time` has the times."
            ),
        ),
        (
            done(err="journalctl: unrecognized option '--output-fields=MESSAGE'\n", returncode=1),
            (
                "journalctl ended with status 1 (journalctl: unrecognized option '--output-fields=MESSAGE'). "
                "This journalctl is too old: it takes that of systemd 236 or later."
            ),
        ),
    ],
    ids=["permission", "no journal", "killed", "bad time", "too old"],
)
def test_what_could_not_be_looked_at_is_an_error(answer: Completed, message: str) -> None:
    host = Host(ENTRIES)
    host.answers["--lines=1"] = answer
    with pytest.raises(JournalError) as caught:
        Journal(host).extent()
    assert str(caught.value) == f"Could not read the journal: {message}"


def test_an_empty_journal_is_an_error() -> None:
    with pytest.raises(JournalError, match="The journal is empty"):
        Journal(Host([])).extent()


def test_a_foreign_cursor_is_an_error() -> None:
    with pytest.raises(JournalError, match="The journal does not hold the entry of after_cursor"):
        Journal(Host(ENTRIES), after_cursor="s=1;i=1").extent()


def test_a_missing_journalctl_is_an_error() -> None:
    def run(*_argv: object, **_options: object) -> Completed:
        raise CommandError("Could not run journalctl: No such file or directory.", hint="Is it installed?")

    with pytest.raises(JournalError) as caught:
        Journal(run).extent()
    assert str(caught.value) == (
        "Could not read the journal: Could not run journalctl: No such file or directory. Is it installed?"
    )


def test_a_file_that_was_passed_over_is_noted() -> None:
    host = Host(ENTRIES)
    host.answers["--lines=1"] = done(err="Journal file /var/log/journal/1/a.journal~ is truncated, ignoring file.\n")
    journal = Journal(host)
    journal.extent()
    assert journal.journalctl.notes == ["Journal file /var/log/journal/1/a.journal~ is truncated, ignoring file."]


@pytest.mark.parametrize(
    ("arguments", "source"),
    [({"directory": "/srv/j"}, "--directory=/srv/j"), ({"namespace": "web"}, "--namespace=web")],
    ids=["directory", "namespace"],
)
def test_every_call_reads_the_same_journal(arguments: dict[str, t.Any], source: str) -> None:
    host = Host(ENTRIES)
    messages(Journal(host, **arguments))
    assert all(source in call for call in host.calls)
