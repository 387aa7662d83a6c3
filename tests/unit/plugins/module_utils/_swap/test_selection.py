# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that stay, those that go, and the size of a new one."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.selection import fit_selection, select_files
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import State
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import SLACK_BYTES, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.factories import (
    ABSENT,
    EXACT,
    GIB,
    MIB,
    ROOT_LINE,
    WANTED,
    area,
    entry,
    managed,
    state,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import PAGE


class Case(t.NamedTuple):
    host: State
    wanted: Wanted
    kept: list[str]
    retired: list[str]
    added_bytes: int


CASES = {
    "nothing there": Case(state(), WANTED, [], [], 10 * GIB),
    "absent": Case(managed(GIB, GIB), ABSENT, [], ["/swapfile", "/swapfile.1"], 0),
    "foreign files stay out of it": Case(
        state(area("/swapfile", GIB), entries=[entry("/swapfile", GIB, label="other")]), WANTED, [], [], 9 * GIB
    ),
    "difference within the slack": Case(managed(10 * GIB - SLACK_BYTES), WANTED, ["/swapfile"], [], 0),
    "difference above the slack": Case(
        managed(10 * GIB - SLACK_BYTES - 1), WANTED, ["/swapfile"], [], SLACK_BYTES + PAGE
    ),
    "exact prefers large files": Case(
        managed(GIB, 3 * GIB, 2 * GIB),
        dataclasses.replace(EXACT, size_bytes=5 * GIB),
        ["/swapfile.1", "/swapfile.2"],
        ["/swapfile"],
        0,
    ),
    "file that is off and not persistent is kept only if needed": Case(
        state(
            area("/swapfile.1", 10 * GIB),
            entries=[entry("/swapfile", 2 * GIB), entry("/swapfile.1", 10 * GIB)],
            fstab=ROOT_LINE,
        ),
        WANTED,
        ["/swapfile.1"],
        ["/swapfile"],
        0,
    ),
    "difference within the slack of a relative size": Case(
        managed(9 * GIB), dataclasses.replace(WANTED, slack_bytes=GIB), ["/swapfile"], [], 0
    ),
    "difference above the slack of a relative size": Case(
        managed(8 * GIB), dataclasses.replace(WANTED, slack_bytes=GIB), ["/swapfile"], [], 2 * GIB
    ),
    "file that exceeds a relative size within the slack": Case(
        managed(11 * GIB), dataclasses.replace(EXACT, slack_bytes=GIB), ["/swapfile"], [], 0
    ),
    "another priority": Case(managed(GIB), dataclasses.replace(WANTED, priority=5), [], ["/swapfile"], 10 * GIB),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_selection(case: Case) -> None:
    selection = select_files(case.host, case.wanted)
    assert (selection.kept_paths, selection.retired_paths, selection.added_bytes) == (
        case.kept,
        case.retired,
        case.added_bytes,
    )


def test_final_bytes_include_the_new_file() -> None:
    assert select_files(managed(GIB), WANTED).final_bytes == 10 * GIB


FIT = dataclasses.replace(WANTED, fit=True)


@pytest.mark.parametrize(
    ("host", "wanted", "room", "added"),
    [
        (state(), FIT, 20 * GIB, 10 * GIB),
        (state(), FIT, 3 * GIB + 1, 3 * GIB),
        (state(), FIT, 64 * MIB, 64 * MIB),
        (state(), FIT, 64 * MIB - 1, 0),
        (managed(4 * GIB), FIT, GIB, GIB),
        (managed(4 * GIB), FIT, GIB - 1, 0),
        (managed(9 * GIB), FIT, GIB, GIB),
        (state(), WANTED, GIB, 10 * GIB),
        (managed(GIB), dataclasses.replace(FIT, priority=5), GIB, 10 * GIB),
    ],
    ids=[
        "room for all",
        "room for less, in whole pages",
        "room for the least file",
        "room for too little",
        "a quarter of what is there",
        "less than a quarter",
        "less than a quarter, but all that is missing",
        "not requested",
        "file that has to be replaced",
    ],
)
def test_added_file_fits(host: State, wanted: Wanted, room: int, added: int) -> None:
    assert fit_selection(host, wanted, select_files(host, wanted), room).added_bytes == added
