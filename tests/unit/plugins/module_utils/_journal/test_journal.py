# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A journal, read through a fake journalctl."""

from __future__ import annotations

import json

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import CommandError, Completed
from ansible_collections.oomguard.linux.plugins.module_utils._journal.complaints import JournalError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import Place
from ansible_collections.oomguard.linux.plugins.module_utils._journal.journal import Journal
from ansible_collections.oomguard.linux.plugins.module_utils._journal.window import find_window
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import (
    ENTRIES,
    MESSAGES,
    find_messages,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import ZERO, Host, done, entry


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 100])
def test_chunks_neither_lose_nor_repeat_a_record(chunk: int) -> None:
    assert find_messages(Journal(Host(ENTRIES), chunk=chunk)) == [f"line {number}" for number in range(8, -1, -1)]


def test_no_chunk_before_the_requested_time_is_read() -> None:
    host = Host(ENTRIES)
    assert len(find_messages(Journal(host, chunk=2), since=f"@{ZERO // 1_000_000 + 106}")) == 3
    assert sum(any(argument.startswith("--cursor=") for argument in call) for call in host.calls) == 1


def test_journalctl_without_patterns_runs_without_one() -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(err="Compiled without pattern matching support", returncode=1)
    assert len(find_messages(Journal(host))) == 9


@pytest.mark.parametrize(("message", "text"), MESSAGES.values(), ids=MESSAGES)
def test_every_shape_of_a_message_is_found(message: object, text: str) -> None:
    assert find_messages(Journal(Host([entry(message, at=1, _TRANSPORT="kernel")])), "") == [text]


def test_record_with_a_line_separator_is_one_record() -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(json.dumps(entry("line a\u2028b\x85c", at=1), ensure_ascii=False) + "\n")
    journal = Journal(host)
    assert (find_messages(journal), journal.unparsed) == (["line a\u2028b\x85c"], 0)


@pytest.mark.parametrize(
    "line",
    ['{"__CURSOR":"s=1","MES', json.dumps(entry([None, "oom"], at=1))],
    ids=["cut", "a repeated field with a part that is too long"],
)
def test_record_that_is_not_whole_is_counted(line: str) -> None:
    host = Host(ENTRIES)
    host.answers["--grep"] = done(f"{line}\n")
    journal = Journal(host)
    find_messages(journal, since="@1")
    assert journal.unparsed == 1


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            done(err="Hint: You are currently not seeing messages from other users and the system.\n"),
            (
                "this user may not read all of it, so OOM kills would be missed. "
                "Run the task with become: true, or as a member of the group systemd-journal."
            ),
        ),
        (
            done("-- No entries --\n", "No journal files were found.\n"),
            (
                "there is no journal (No journal files were found.). "
                "Check that systemd-journald runs, and that journal_directory and journal_namespace are correct."
            ),
        ),
        (done(returncode=-9), "journalctl was killed by signal 9. Check whether the host is out of memory."),
        (
            done(err="Failed to parse timestamp: soon\n", returncode=1),
            (
                "journalctl ended with status 1 (Failed to parse timestamp: soon). "
                "Check since, until, boot and after_cursor. See systemd.time(7) for the format of times."
            ),
        ),
        (
            done(err="journalctl: unrecognized option '--output-fields=MESSAGE'\n", returncode=1),
            (
                "journalctl ended with status 1 (journalctl: unrecognized option '--output-fields=MESSAGE'). "
                "This journalctl is too old. systemd 236 or later is required."
            ),
        ),
    ],
    ids=["permission", "no journal", "killed", "bad time", "too old"],
)
def test_unreadable_journal_is_an_error(answer: Completed, message: str) -> None:
    host = Host(ENTRIES)
    host.answers["--lines=1"] = answer
    with pytest.raises(JournalError) as caught:
        find_window(Journal(host))
    assert str(caught.value) == f"Could not read the journal: {message}"


def test_missing_journalctl_is_an_error() -> None:
    def run(*_argv: object, **_options: object) -> Completed:
        raise CommandError("Could not run journalctl: No such file or directory.", hint="Is it installed?")

    with pytest.raises(JournalError) as caught:
        find_window(Journal(run))
    assert str(caught.value) == (
        "Could not read the journal: Could not run journalctl: No such file or directory. Is it installed?"
    )


def test_skipped_file_is_noted() -> None:
    host = Host(ENTRIES)
    host.answers["--lines=1"] = done(err="Journal file /var/log/journal/1/a.journal~ is truncated, ignoring file.\n")
    journal = Journal(host)
    find_window(journal)
    assert journal.notes == ["Journal file /var/log/journal/1/a.journal~ is truncated, ignoring file."]


@pytest.mark.parametrize(
    ("place", "source"),
    [(Place(directory="/srv/j"), "--directory=/srv/j"), (Place(namespace="web"), "--namespace=web")],
    ids=["directory", "namespace"],
)
def test_every_call_reads_the_same_journal(place: Place, source: str) -> None:
    host = Host(ENTRIES)
    find_messages(Journal(host, place))
    assert all(source in call for call in host.calls)
