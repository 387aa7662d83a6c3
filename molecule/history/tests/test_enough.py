# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs that had too little memory, and once enough: oom_info must predict the smallest limit that is enough."""

from __future__ import annotations

import json
import typing as t

import pytest
from scenario.modules import run_module

if t.TYPE_CHECKING:
    from testinfra.host import Host

testinfra_hosts = ["ansible://history-enough"]

MIB = 1024 * 1024
TOLERANCE = 0.1
LEAST_RIGHT = 8


@pytest.fixture(scope="module")
def ratios(host: Host) -> dict[str, float]:
    """Return how many times as large as the smallest limit that is enough each predicted one is, by job."""
    jobs = json.loads(host.file("/root/enough.json").content_string)
    kinds = run_module(host, "oom_info", history=True, tasks="none", limit=1)["history"]["kinds"]
    predicted = {kind["unit"]: kind["enough"]["memory_max_bytes"] for kind in kinds if kind["enough"]}
    return {job["command"]: predicted.get(job["unit"], 0) / (job["smallest_mib"] * MIB) for job in jobs}


def test_no_prediction_is_too_small(ratios: dict[str, float]) -> None:
    assert len(ratios) == 10
    assert {job: ratio for job, ratio in ratios.items() if ratio < 1 - TOLERANCE} == {}


def test_most_predictions_are_close(ratios: dict[str, float]) -> None:
    close = [job for job, ratio in ratios.items() if abs(ratio - 1) <= TOLERANCE]
    assert len(close) >= LEAST_RIGHT, ratios
