# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The limits that systemd has in force against those of the kernel."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.limits import (
    find_stale_limits,
    find_tighter_ceiling,
    verify_limits,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, Limit, State, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import WANTED, state

MEMORY = pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service/memory.max")

ONE_MIB = Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}})


def limited(value: int | None, shown: str, *above: tuple[str, int | None]) -> State:
    return state(limits={"MemoryMax": Limit(MEMORY, value, above)}, properties={"MemoryMax": shown})


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (1048576, "1048576", None),
        (None, "1048576", "1048576"),
        (1048576, "infinity", "max"),
        (None, "infinity", None),
        (1044480, "1048000", None),
        (4096, "1048000", "1048000"),
        (0, "1048576", "1048576"),
        (None, "", None),
    ],
)
def test_limit_that_differs_in_kernel_is_stale(value: int | None, shown: str, text: str | None) -> None:
    found = [entry[2] for entry in find_stale_limits(limited(value, shown), ONE_MIB)]
    assert found == ([text] if text else [])


@pytest.mark.parametrize(("shown", "value", "text"), [("kill", 0, "1"), ("continue", 1, "0"), ("kill", 1, None)])
def test_kill_policy_is_compared_with_oom_group(shown: str, value: int, text: str | None) -> None:
    found = state(limits={"OOMPolicy": Limit(MEMORY, value)}, properties={"OOMPolicy": shown})
    assert [entry[2] for entry in find_stale_limits(found, WANTED)] == ([text] if text else [])


def test_stale_limit_of_instance_is_found() -> None:
    found = dataclasses.replace(state(), instances=(limited(1048576, "1048576"), limited(None, "1048576")))
    assert find_stale_limits(found, ONE_MIB) == [("MemoryMax", MEMORY, "1048576", "max")]


def test_limit_set_by_others_is_not_stale() -> None:
    assert find_stale_limits(limited(None, "1048576"), WANTED) == []


def test_limit_of_former_dropin_is_stale() -> None:
    gone = Wanted(unit="apache2.service", present=False)
    stale = find_stale_limits(limited(1048576, "infinity"), gone, former={"MemoryMax"})
    assert stale == [("MemoryMax", MEMORY, "max", "1048576")]


def test_stale_limit_is_an_error() -> None:
    with pytest.raises(DropinError) as error:
        verify_limits(limited(None, "1048576"), ONE_MIB)
    assert str(error.value) == (
        f"MemoryMax= of apache2.service is 1048576 in systemd, but the kernel has max in {MEMORY}."
        " Check whether another program writes to this cgroup."
    )


@pytest.mark.parametrize(
    ("above", "tightest"),
    [
        ([], None),
        ([("/system.slice", None)], None),
        ([("/system.slice", 2048)], None),
        ([("/a.slice/b.slice", 512), ("/a.slice", 256)], ("/a.slice", 256)),
    ],
)
def test_lowest_ceiling_above_unit_is_found(
    above: list[tuple[str, int | None]], tightest: tuple[str, int] | None
) -> None:
    assert find_tighter_ceiling(limited(1024, "1024", *above), "MemoryMax") == tightest
