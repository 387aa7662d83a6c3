# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what would have been enough."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.enough import Enough, find_enough
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.growth import Growth
from ansible_collections.oomguard.linux.plugins.module_utils._oom.history.model import Kill
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._oom.history.factories import (
    MIB,
    make_end,
    make_kill,
    make_life,
    make_past,
)

SPIKE = Growth("spike")
LARGER = [make_life(1, 20), make_life(2, 200)]
SMALLER = [make_life(1, 20), make_life(2, 100)]


def find(kill: Kill, lives: t.Sequence[t.Any] = (), growth: Growth = SPIKE) -> Enough | None:
    return find_enough([make_kill(1), kill], make_past(kill, lives=lives), growth)


def test_nothing_is_enough_for_a_leak() -> None:
    enough = find(make_end(3, 100), LARGER, Growth("leak"))
    assert enough == Enough(
        "No size is enough for a leak: a higher limit or more swap only delays the next kill. Fix the leak, or restart "
        "the program regularly."
    )


def test_limit_is_that_of_the_largest_run_without_a_kill() -> None:
    enough = find(make_end(3, 100), LARGER)
    assert enough == Enough(
        "MemoryMax=210M is enough for what shop.service is known to need: a run that was not killed used 200.0 MiB, "
        "and 5% are added. At 100.0 MiB it was killed.",
        memory_max_bytes=210 * MIB,
    )


def test_without_a_larger_run_only_a_lower_bound_is_known() -> None:
    enough = find(make_end(3, 100), SMALLER)
    assert enough
    assert (enough.memory_max_bytes, enough.is_lower_bound) == (100 * MIB, True)
    assert enough.sentence.startswith("More than 100.0 MiB is needed. How much more is not known")


def test_what_may_be_a_leak_has_no_lower_bound() -> None:
    assert find(make_end(3, 100), SMALLER, Growth("cannot_tell")) is None


@pytest.mark.parametrize("limit", [None, 50 * MIB, 120 * MIB])
def test_limit_of_a_slice_shows_nothing(limit: int | None) -> None:
    assert find(make_end(3, 100)._replace(limit_bytes=limit), LARGER) is None


SHORT = make_end(3, 100, cause="ram_and_swap_exhausted", swap_total_bytes=50 * MIB)


def test_swap_is_what_the_largest_run_without_a_kill_lacked() -> None:
    enough = find(SHORT, LARGER)
    assert enough
    assert (enough.swap_total_bytes, enough.is_lower_bound) == (160 * MIB, False)


@pytest.mark.parametrize(
    ("kill", "lives"),
    [
        (SHORT, SMALLER),
        (SHORT._replace(swap_total_bytes=None), LARGER),
        (SHORT._replace(unit_peak_bytes=None), LARGER),
        (SHORT._replace(cause="fragmentation"), LARGER),
        (SHORT, [make_life(2, 200, unit="other.service")]),
    ],
    ids=["no larger run", "unknown swap", "unknown size", "another cause", "another unit"],
)
def test_else_nothing_shows_how_much_swap_is_enough(kill: Kill, lives: t.Sequence[t.Any]) -> None:
    assert find(kill, lives) is None


def test_number_of_processes_is_a_tenth_less_than_at_the_kill() -> None:
    enough = find(make_kill(2, namesakes=40), growth=Growth("too_many"))
    assert enough
    assert enough.workers == 36
    assert enough.sentence.startswith("At most 36 processes named worker fit: 40 filled the memory")
