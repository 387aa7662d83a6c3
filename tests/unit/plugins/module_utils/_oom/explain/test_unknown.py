# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic on sizes that may be unknown."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.explain.unknown import (
    list_known,
    subtract_part,
    sum_known,
    zero_if_unknown,
)


@pytest.mark.parametrize(("size", "expected"), [(None, 0), (0, 0), (7, 7), (-7, -7)])
def test_an_unknown_size_is_zero(size: int | None, expected: int) -> None:
    assert zero_if_unknown(size) == expected


@pytest.mark.parametrize(("sizes", "total"), [((), None), ((None, None), None), ((None, 0), 0), ((1, None, 2), 3)])
def test_only_known_sizes_are_summed(sizes: tuple[int | None, ...], total: int | None) -> None:
    assert sum_known(sizes) == total


@pytest.mark.parametrize(("whole", "part", "rest"), [(None, 1, None), (5, None, 5), (5, 3, 2), (3, 5, 0)], ids=str)
def test_the_rest_is_never_negative(whole: int | None, part: int | None, rest: int | None) -> None:
    assert subtract_part(whole, part) == rest


def test_only_known_sizes_are_listed() -> None:
    assert list_known((None, 0, 3)) == [0, 3]
