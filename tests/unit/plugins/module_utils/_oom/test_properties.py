# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a damaged log ends, and loses or repeats no kill line."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom import mutations

FOLDERS = [mutations.FIXTURES, *map(Path, filter(None, [os.environ.get("OOMGUARD_CORPUS")]))]
LOGS = {path.stem: mutations.read_text(path) for folder in FOLDERS for path in sorted(folder.glob("*.log"))}
# A log is cut at every line, but a long one only at some: each cut means that half of the log is read again.
MAX_LINES_READ = 30_000

any_log = st.sampled_from(sorted(LOGS)).map(LOGS.__getitem__)


@pytest.mark.parametrize("name", LOGS)
def test_no_kill_is_lost_if_a_log_ends_at_any_line(name: str) -> None:
    log = LOGS[name]
    ends = range(0, len(log) + 1, max(1, len(log) ** 2 // MAX_LINES_READ))
    assert [(end, problem) for end in ends if (problem := mutations.find_problem(log[:end]))] == []


@pytest.mark.parametrize("name", LOGS)
def test_no_kill_is_lost_if_a_log_begins_at_any_line(name: str) -> None:
    log = LOGS[name]
    starts = range(0, len(log) + 1, max(1, len(log) ** 2 // MAX_LINES_READ))
    assert [(start, problem) for start in starts if (problem := mutations.find_problem(log[start:]))] == []


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: str(mutation.__name__))
@settings(deadline=None)
@given(log=any_log, other=any_log, chance=st.randoms(use_true_random=False))
def test_no_kill_is_lost_in_a_mutated_log(
    mutation: t.Callable[..., list[str]], log: list[str], other: list[str], chance: t.Any
) -> None:
    assert mutations.find_problem(mutation(chance, log, other)) is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=20))
def test_any_text_can_be_read(texts: list[str]) -> None:
    assert mutations.find_problem(texts) is None
