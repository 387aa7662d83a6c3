# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units whose memory grew for a known reason: oom_info must find it, or say that it cannot tell."""

from __future__ import annotations

import collections
import json
import typing as t

import pytest
from scenario.modules import run_module

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://history-trixie", "ansible://history-sid"]

Verdicts = dict[str, list[tuple[str, str]]]
"""The units and the verdicts about them, by what is true."""

LEAST_SHARE = 0.95


@pytest.fixture(scope="module")
def waves(host: Host) -> list[dict[str, t.Any]]:
    """Return when the waves ran, and what is true of their units."""
    return list(json.loads(host.file("/root/waves.json").content_string))


@pytest.fixture(scope="module")
def verdicts(host: Host, waves: list[dict[str, t.Any]]) -> Verdicts:
    found: Verdicts = collections.defaultdict(list)
    for wave in waves:
        verdict_by_unit = judge_wave(host, wave)
        for unit, truth in wave["truths"].items():
            found[truth].append((unit, verdict_by_unit.get(unit, "no kill")))

    return found


def judge_wave(host: Host, wave: dict[str, t.Any]) -> dict[str, str]:
    """Return the verdict about each unit that was killed in a wave."""
    since, until = (f"@{int(wave[end])}" for end in ("since", "until"))
    found = run_module(host, "oom_info", since=since, until=until, history=True, tasks="none", limit=1)
    kinds = found["history"]["kinds"]
    # Of two kinds of kills in a unit, the one with more kills is first.
    return {kind["unit"]: kind["growth"]["verdict"] for kind in reversed(kinds)}


def list_wrong(verdicts: Verdicts, truth: str, *allowed: str) -> list[tuple[str, str]]:
    return [(unit, verdict) for unit, verdict in verdicts[truth] if verdict not in allowed]


def test_kernel_killed_each_unit_as_planned(waves: list[dict[str, t.Any]]) -> None:
    assert [wave["failed"] for wave in waves] == [[]] * 5


@pytest.mark.parametrize("reason", ["leak", "spike"])
def test_reason_is_found(verdicts: Verdicts, reason: str) -> None:
    wrong = list_wrong(verdicts, reason, reason)
    assert len(verdicts[reason]) == 20
    assert len(wrong) <= (1 - LEAST_SHARE) * 20, wrong


@pytest.mark.parametrize("reason", ["leak", "spike", "limit_too_low", "too_many"])
def test_no_other_reason_is_given(verdicts: Verdicts, reason: str) -> None:
    assert list_wrong(verdicts, reason, reason, "cannot_tell") == []


def test_nothing_is_told_of_units_with_one_kill(verdicts: Verdicts) -> None:
    assert list_wrong(verdicts, "hidden", "cannot_tell") == []


def test_units_without_kills_have_no_history(verdicts: Verdicts) -> None:
    assert list_wrong(verdicts, "noise", "no kill") == []
