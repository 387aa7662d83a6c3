# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count names that others chose, of which there can be millions, in little memory."""

from __future__ import annotations

_MAX_NAMES = 1000


class NameCounts:
    """How often each of the first names occurs, and how often all other names do."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.others = 0

    def __bool__(self) -> bool:
        return bool(self.counts)

    @property
    def total(self) -> int:
        """Return the number of all names."""
        return sum(self.counts.values()) + self.others

    def add(self, name: str, number: int = 1) -> None:
        """Count a name."""
        if name in self.counts or len(self.counts) < _MAX_NAMES:
            self.counts[name] = self.counts.get(name, 0) + number
        else:
            self.others += number

    def add_all(self, other: NameCounts) -> None:
        """Count what another one has counted."""
        for name, number in other.counts.items():
            self.add(name, number)
        self.others += other.others

    def list_most_frequent(self) -> dict[str, int]:
        """Return the counts by name, the largest first."""
        in_order = sorted(self.counts.items(), key=_get_count, reverse=True)

        return dict(in_order)


def _get_count(item: tuple[str, int]) -> int:
    return item[1]
