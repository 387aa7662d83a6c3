# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Histories that were made on a virtual machine, with a real kernel and systemd, and whose truth is known.

Each fixture is what molecule/history says of one wave of units: the time, the truth of each unit, and the records. The
host was busy, so the units grew and ran unevenly. In the first fixture, systemd recorded nothing of many short runs.
In the second one, runs began late, and their programs got the arguments of the next runs. So most verdicts are
`cannot_tell`, but none may be wrong.
"""

from __future__ import annotations

import functools
import json
import lzma
import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.in_journal import Query, find_in_journal
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import Host

FIXTURES = pathlib.Path(__file__).parent / "fixtures"
WAVES = ("trixie-1", "trixie-2")

Growths = dict[str, dict[str, t.Any]]
"""What is said of the growth of each unit that was killed."""


@functools.cache
def read_wave(name: str) -> tuple[dict[str, str], Growths]:
    """Return the truth of each unit in a wave, and what is said of it on a host that has only this journal."""
    saved = json.loads(lzma.decompress((FIXTURES / f"{name}.json.xz").read_bytes()))
    found = find_in_journal(Query(directory="/srv/journal", history=True, limit=1), Host(saved["records"]))
    # Of two kinds of kills in a unit, the one with more kills is first.
    growths = {kind["unit"]: kind["growth"] for kind in reversed(found["history"]["kinds"])}
    return saved["wave"]["truths"], growths


@pytest.mark.parametrize("name", WAVES)
def test_no_verdict_is_wrong(name: str) -> None:
    truths, growths = read_wave(name)
    wrong = {}
    for unit, truth in truths.items():
        if unit in growths and growths[unit]["verdict"] not in {truth, "cannot_tell"}:
            wrong[unit] = growths[unit]["verdict"]

    assert len(growths) >= 10
    assert wrong == {}


@pytest.mark.parametrize("name", WAVES)
def test_units_without_kills_have_no_history(name: str) -> None:
    truths, growths = read_wave(name)
    assert [unit for unit, truth in truths.items() if truth == "noise"] == ["noise-0.service"]
    assert "noise-0.service" not in growths


@pytest.mark.parametrize(
    ("name", "unit"), [("trixie-1", "spike-sh-sort-0.service"), ("trixie-2", "leak-pl-circles-0.service")]
)
def test_reason_is_found(name: str, unit: str) -> None:
    truths, growths = read_wave(name)
    assert growths[unit]["verdict"] == truths[unit]


def test_runs_that_systemd_did_not_record_are_named_as_the_gap() -> None:
    _truths, growths = read_wave("trixie-1")
    gap = (
        "systemd recorded what 3 runs of leak-py-list-0.service used that ended without a kill, and nothing of others."
    )
    assert growths["leak-py-list-0.service"]["evidence"][0].startswith(gap)
