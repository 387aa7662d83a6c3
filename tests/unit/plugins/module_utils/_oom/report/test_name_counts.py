# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counting names, and those beyond the first thousand."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._oom.report.name_counts import NameCounts


def test_names_are_listed_by_frequency() -> None:
    names = NameCounts()
    for name in "abbcc":
        names.add(name)
    assert (list(names.list_most_frequent().items()), names.others) == ([("b", 2), ("c", 2), ("a", 1)], 0)


def test_names_beyond_the_first_thousand_are_counted_together() -> None:
    names = NameCounts()
    for number in range(3000):
        names.add(f"n{number}")
        names.add("n0")
    assert (len(names.counts), names.counts["n0"], names.others, names.total) == (1000, 3001, 2000, 6000)


def test_counts_are_added() -> None:
    one = NameCounts()
    other = NameCounts()
    one.add("a")
    other.add("a", 2)
    other.others = 3
    one.add_all(other)
    assert (one.counts, one.others) == ({"a": 3}, 3)
