# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The child process that reads a journal: its answers, and its end."""

from __future__ import annotations

import os
import pathlib
import sys
import time

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._command import run
from ansible_collections.oomguard.linux.plugins.module_utils._journal import reader as child
from ansible_collections.oomguard.linux.plugins.module_utils._journal.files import Place
from ansible_collections.oomguard.linux.plugins.module_utils._journal.reader import Reader, ReaderError
from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import CURSOR, FAR_FUTURE_US, Walk
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._journal.factories import walk_once


def test_reader_whose_child_died_fails_every_time(folder: pathlib.Path) -> None:
    reader = Reader(Place(str(folder)))
    question = Walk((), FAR_FUTURE_US, True, 1, (CURSOR,))
    assert len(walk_once(reader, question)) == 1
    reader.close()
    for _attempt in range(2):
        with pytest.raises(ReaderError):
            walk_once(reader, question)


def test_reader_does_not_wait_longer_than_its_timeout(folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "find_journal_files", lambda *_: time.sleep(60))
    reader = Reader(Place(str(folder)), timeout=0.1)
    with pytest.raises(ReaderError, match="The child did not answer in time"):
        walk_once(reader, Walk((), FAR_FUTURE_US, True, 1, ()))


def test_child_that_hangs_does_not_hold_the_output_of_its_parent() -> None:
    script = "; ".join(
        (
            "import os, time",
            f"import {child.__name__} as child",
            "child.find_journal_files = lambda *_: time.sleep(20)",
            "child.Reader()",
            "os._exit(0)",
        )
    )
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    begin = time.monotonic()
    done = run([sys.executable, "-c", script], environment=environment)
    assert (done.returncode, time.monotonic() - begin < 15) == (0, True)


def test_walks_are_answered_in_their_order(folder: pathlib.Path) -> None:
    reader = Reader(Place(str(folder)))
    found = list(reader.walk_each([Walk((), FAR_FUTURE_US, True, count, ()) for count in (3, 1, 2)]))
    reader.close()
    assert [len(entries) for entries in found] == [3, 1, 2]


def test_unread_answers_are_not_taken_for_those_to_the_next_question(folder: pathlib.Path) -> None:
    reader = Reader(Place(str(folder)))
    next(reader.walk_each([Walk((), FAR_FUTURE_US, True, 1000, ("MESSAGE",)) for _unread in range(5)]))
    found = walk_once(reader, Walk((), FAR_FUTURE_US, True, 2, ()))
    reader.close()
    assert len(found) == 2


def test_field_with_one_matching_value_is_known(folder: pathlib.Path) -> None:
    reader = Reader(Place(str(folder)))
    matches = ("_TRANSPORT=kernel", "PRIORITY=3", "PRIORITY=4")
    found = walk_once(
        reader, Walk(matches, FAR_FUTURE_US, True, 1, ("SYSLOG_FACILITY", "_TRANSPORT", "PRIORITY", "NOTHING"))
    )
    reader.close()
    assert [record.fields for record in found] == [{"_TRANSPORT": "kernel", "SYSLOG_FACILITY": "1", "PRIORITY": "3"}]
