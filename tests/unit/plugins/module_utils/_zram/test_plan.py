# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans for zram0."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import SwapError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import Device, State, Wanted, ZramError
from ansible_collections.oomguard.linux.plugins.module_utils._zram.plan import make_plan, verify_state
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._zram.factories import (
    ABSENT,
    HALF,
    MIB,
    WANTED,
    device,
    managed,
    state,
)

ZSTD = dataclasses.replace(WANTED, algorithm="zstd")


@pytest.mark.parametrize(
    ("found", "wanted", "steps"),
    [
        (state(), WANTED, ["write_config", "start"]),
        (state(device()), WANTED, ["write_config"]),
        (managed(), WANTED, []),
        (managed(), ZSTD, ["write_config", "stop", "start"]),
        (managed(None), WANTED, ["start"]),
        (managed(device(size_bytes=MIB)), WANTED, ["stop", "start"]),
        (state(), ABSENT, ["write_config"]),
        (state(device()), ABSENT, ["write_config", "stop"]),
        (managed(None, ABSENT), ABSENT, []),
        (state(has_generator=False), ABSENT, []),
    ],
)
def test_steps(found: State, wanted: Wanted, steps: list[str]) -> None:
    assert [step["step"] for step in make_plan(found, wanted).steps] == steps


@pytest.mark.parametrize(
    ("wanted", "after"),
    [
        (WANTED, device(algorithm="", memory_bytes=0)),
        (ZSTD, device(algorithm="zstd", memory_bytes=0)),
        (ABSENT, None),
    ],
)
def test_expected_device(wanted: Wanted, after: Device | None) -> None:
    assert make_plan(state(), wanted).after == after


def test_difference() -> None:
    differences = make_plan(state(), WANTED).diff
    assert [item["before"] for item in differences] == ["", ""]
    assert differences[0]["after"] == "500.0 MiB, priority 100, the kernel's default algorithm\n"
    assert "zram-size = " in differences[1]["after"]


def test_contents_that_fit_nowhere_keep_the_device() -> None:
    full = state(device(used_bytes=HALF), available=100 * MIB)
    with pytest.raises(SwapError, match="Refused to switch off /dev/zram0"):
        make_plan(full, ABSENT)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (state(has_generator=False), "zram-generator is not installed"),
        (state(device(generated=False)), "zram-generator did not set it up"),
    ],
)
def test_impossible_change_is_refused(found: State, reason: str) -> None:
    with pytest.raises(ZramError, match=reason):
        make_plan(found, WANTED)


def test_container_is_refused() -> None:
    with pytest.raises(SwapError, match=r"in a container \(lxc\)"):
        make_plan(state(container="lxc"), WANTED)


def test_requested_state_is_verified() -> None:
    verify_state(managed(), WANTED)


@pytest.mark.parametrize(("found", "words"), [(None, "not in use"), (device(priority=5), "500.0 MiB, priority 5, lz4")])
def test_other_state_fails_verification(found: Device | None, words: str) -> None:
    with pytest.raises(ZramError, match=words):
        verify_state(managed(found), WANTED)
