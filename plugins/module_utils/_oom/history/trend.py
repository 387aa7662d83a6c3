# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the memory of a unit depends on how long it runs: a straight line, and how well it fits; pure."""

from __future__ import annotations

import math
import typing as t

from .clock import HOUR, SECOND

_FEWEST = 3
_ERRORS = 2
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))

Point = t.Tuple[int, int]
"""How long a run lasted, in microseconds, and the most memory that it used, in bytes."""


class Trend(t.NamedTuple):
    """The straight line nearest to some points (least squares)."""

    begin_bytes: float
    """The memory right after the start."""
    bytes_per_us: float
    fit: float
    """The share of the variance that the line explains (r squared), from 0 to 1."""
    error: float
    """The standard error of `bytes_per_us`."""

    @property
    def bytes_per_hour(self) -> int:
        return round(self.bytes_per_us * HOUR)

    @property
    def most_bytes_per_us(self) -> float:
        """An upper bound of the growth."""
        return self.bytes_per_us + _ERRORS * self.error

    def predict(self, length_us: int) -> float:
        """Return the memory after a time."""
        return self.begin_bytes + self.bytes_per_us * length_us


def fit_trend(points: t.Sequence[Point]) -> Trend | None:
    """Return the trend of some points, None if there are fewer than three, or all have the same length."""
    if len(points) < _FEWEST:
        return None

    mean_us = sum(length for length, _size in points) / len(points)
    mean_bytes = sum(size for _length, size in points) / len(points)
    spread = sum((length - mean_us) ** 2 for length, _size in points)
    if not spread:
        return None

    common = sum((length - mean_us) * (size - mean_bytes) for length, size in points)
    variance = sum((size - mean_bytes) ** 2 for _length, size in points)
    slope = common / spread
    unexplained = max(variance - slope * common, 0)

    return Trend(
        begin_bytes=mean_bytes - slope * mean_us,
        bytes_per_us=slope,
        fit=_divide(common * common, spread * variance),
        error=math.sqrt(unexplained / spread / (len(points) - 2)),
    )


def _divide(part: float, whole: float) -> float:
    """Return a share, 0 of nothing."""
    if not whole:
        return 0.0

    return part / whole


def format_length(length_us: int) -> str:
    """Return a time in the largest unit of which there are at least two."""
    seconds = length_us / SECOND
    for size, name in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"

    return f"{seconds:.1f} s"
