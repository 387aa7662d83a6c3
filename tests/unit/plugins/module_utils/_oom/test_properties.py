# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever has happened to a log, reading it ends, and no kill line is lost or counted twice."""

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
# Cutting a log at every line is reading half its lines that often; of long logs not every line has its turn.
MANY_LINES = 30_000

some_log = st.sampled_from(sorted(LOGS)).map(LOGS.__getitem__)


@pytest.mark.parametrize("name", LOGS)
def test_a_log_that_ends_at_any_line_keeps_the_law(name: str) -> None:
    log = LOGS[name]
    ends = range(0, len(log) + 1, max(1, len(log) ** 2 // MANY_LINES))
    assert [(end, problem) for end in ends if (problem := mutations.broken_law(log[:end]))] == []


@pytest.mark.parametrize("name", LOGS)
def test_a_log_that_begins_at_any_line_keeps_the_law(name: str) -> None:
    log = LOGS[name]
    starts = range(0, len(log) + 1, max(1, len(log) ** 2 // MANY_LINES))
    assert [(start, problem) for start in starts if (problem := mutations.broken_law(log[start:]))] == []


@pytest.mark.parametrize("mutation", mutations.MUTATIONS, ids=lambda mutation: str(mutation.__name__))
@settings(deadline=None)
@given(log=some_log, other=some_log, chance=st.randoms(use_true_random=False))
def test_a_mutated_log_keeps_the_law(
    mutation: t.Callable[..., list[str]], log: list[str], other: list[str], chance: t.Any
) -> None:
    assert mutations.broken_law(mutation(chance, log, other)) is None


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), max_size=20))
def test_any_text_is_read(texts: list[str]) -> None:
    assert mutations.broken_law(texts) is None
