# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic on sizes that a report may not show: None is an unknown size."""

from __future__ import annotations

import typing as t


def zero_if_unknown(size: int | None) -> int:
    """Return the size, 0 if it is unknown."""
    return size or 0


def list_known(sizes: t.Iterable[int | None]) -> list[int]:
    """Return the sizes that are known."""
    return [size for size in sizes if size is not None]


def sum_known(sizes: t.Iterable[int | None]) -> int | None:
    """Return the sum of the sizes that are known, None if none is."""
    all_sizes = tuple(sizes)
    # A task table has hundreds of rows, and this looks at none of them in Python.
    total = sum(filter(None, all_sizes))
    if total == 0 and 0 not in all_sizes:
        return None

    return total


def subtract_part(whole: int | None, part: int | None) -> int | None:
    """Return the rest of `whole`, at least 0, None if it is unknown; an unknown `part` counts as 0."""
    if whole is None:
        return None

    rest = whole - zero_if_unknown(part)
    return max(rest, 0)
