# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why journald may not have recorded everything."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.record import Record
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.journald_gaps import list_journald_gaps
from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.records import (
    FAILED,
    JOURNALD_STARTED,
    JOURNALD_STOPPED,
    SOURCE_TIME,
    JournaldRecord,
)

ZERO_US = 1_795_000_000_000_000


def make_record(what: str, at: int, *, boot: str = "b", host: str = "web") -> JournaldRecord:
    return JournaldRecord(what, ZERO_US + at * 1_000_000, at * 1_000_000, boot, host)


def make_kill(at: int, *, late: int = 0, boot: str = "b") -> Record:
    fields = {"MESSAGE": "Killed process 7 (hog)", SOURCE_TIME: str((at - late) * 1_000_000)}
    return Record("c", ZERO_US + at * 1_000_000, at * 1_000_000, boot, fields)


BOOT = make_record(JOURNALD_STARTED, 5)
STOP = make_record(JOURNALD_STOPPED, 500)
START = make_record(JOURNALD_STARTED, 501)


@pytest.mark.parametrize(
    ("records", "kills", "has_gap"),
    [
        ([BOOT], [], False),
        ([BOOT, START], [], True),
        ([BOOT, make_record(FAILED, 500), START], [], True),
        ([make_record(FAILED, 500), START], [], True),
        ([START, BOOT], [], True),
        ([BOOT, STOP, START], [], False),
        ([BOOT, STOP, START], [make_kill(490)], True),
        ([BOOT, STOP, START], [make_kill(400)], False),
        ([BOOT, STOP, START], [make_kill(490, boot="a")], False),
        ([BOOT, make_record(JOURNALD_STARTED, 501, boot="c")], [], False),
        ([BOOT, make_record(JOURNALD_STARTED, 501, host="container")], [], False),
    ],
    ids=[
        "a boot",
        "a start without a stop",
        "a failure",
        "a failure after what was deleted",
        "newest first",
        "a restart",
        "a restart near a kill",
        "a restart after a kill",
        "a kill in another boot",
        "another boot",
        "a container",
    ],
)
def test_only_a_restart_that_may_lose_records_is_a_gap(
    records: list[JournaldRecord], kills: list[Record], *, has_gap: bool
) -> None:
    assert bool(list(list_journald_gaps(records, kills))) is has_gap


def test_the_gap_names_the_last_restarts() -> None:
    records = [make_record(JOURNALD_STARTED, 60 * number) for number in range(6)]
    assert list(list_journald_gaps(records, [])) == [
        (
            "journald died, or was restarted near an OOM kill. It started again at 2026-11-18 11:09:40 UTC, 2026-11-18 "
            "11:10:40 UTC, 2026-11-18 11:11:40 UTC and 2 times before. Records of the time before that may be missing."
        )
    ]


@pytest.mark.parametrize(("late", "has_gap"), [(3, False), (29, False), (90, True)])
def test_a_kill_that_journald_received_late_is_a_gap(late: int, *, has_gap: bool) -> None:
    gaps = list(list_journald_gaps([], [make_kill(500, late=late)]))
    assert [
        gap.startswith(f"journald received the kernel's message about an OOM kill {late} s late") for gap in gaps
    ] == [True] * has_gap


def test_a_kill_without_the_kernels_time_is_no_gap() -> None:
    kill = make_kill(500)
    del kill.fields[SOURCE_TIME]
    assert list(list_journald_gaps([], [kill])) == []
