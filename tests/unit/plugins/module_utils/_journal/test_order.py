# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a journal was written, and where it differs from the order of time."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.contents import (
    Boot,
    BootTimes,
    Contents,
    FileTimes,
)
from ansible_collections.oomguard.linux.plugins.module_utils._journal.order import (
    find_setbacks,
    has_parallel_boots,
    is_written_after,
)


def make_file(name: str, *boots: tuple[int, int, str]) -> FileTimes:
    """Return a file that holds boots with these first and last times and first cursors."""
    return FileTimes(f"/j/{name}", boots[0][0], boots[-1][1], [BootTimes("b", *boot) for boot in boots])


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([make_file("system.journal", (10, 20, "s=a;i=1"), (20, 30, "s=a;i=5"))], []),
        ([make_file("system.journal", (15, 18, "s=a;i=5"), (10, 20, "s=a;i=1"))], [(15, 20), (18, 20)]),
        ([make_file("system.journal", (10, 20, "s=a;i=f"), (30, 40, "s=a;i=1"))], [(10, 40), (20, 40)]),
        (
            [make_file("system.journal", (15, 30, "s=a;i=5")), make_file("system@1.journal", (10, 20, "s=a;i=1"))],
            [(15, 20)],
        ),
        ([make_file("system.journal", (10, 20, "s=a;i=1")), make_file("user-1000.journal", (15, 25, "s=a;i=5"))], []),
        ([make_file("system.journal", (15, 30, "s=b;i=5")), make_file("system@1.journal~", (10, 20, "s=a;i=1"))], []),
    ],
    ids=["in order", "a boot behind", "a boot before all", "rotated", "of a user", "of another journald"],
)
def test_setbacks_of_the_clock_are_found(files: list[FileTimes], expected: list[tuple[int, int]]) -> None:
    assert find_setbacks(Contents([], files)) == expected


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("s=a;i=10;b=d;m=1;t=1;x=0", True),
        ("s=a;i=9;b=d;m=3;t=3;x=0", False),
        ("s=a;i=f;b=c;m=2;t=2;x=0", False),
        ("s=b;i=1;b=c;m=3;t=1;x=0", True),
        ("s=b;i=99;b=c;m=1;t=3;x=0", False),
        ("s=b;i=1;b=d;m=1;t=3;x=0", True),
        ("s=b;i=99;b=d;m=3;t=1;x=0", False),
        ("", False),
    ],
)
def test_whether_an_entry_was_written_after_another(cursor: str, *, expected: bool) -> None:
    assert is_written_after(cursor, "s=a;i=f;b=c;m=2;t=2;x=0") == expected


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([], False),
        ([(0, 100)], False),
        ([(0, 100), (200, 300)], False),
        ([(200, 300), (0, 200)], False),
        ([(0, 300), (200, 400)], True),
        ([(200, 250), (0, 300)], True),
    ],
    ids=["none", "one", "one after the other", "within a second", "two hosts", "one within the other"],
)
def test_boots_of_two_hosts_are_parallel(times: list[tuple[int, int]], *, expected: bool) -> None:
    boots = [Boot(str(number), first * 1_000_000, last * 1_000_000) for number, (first, last) in enumerate(times)]
    assert has_parallel_boots(boots) is expected
