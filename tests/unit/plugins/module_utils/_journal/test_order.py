# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which a journal was written, and where it is not that of time."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.libsystemd import FileTimes
from ansible_collections.oomguard.linux.plugins.module_utils._journal.order import is_behind, set_back, spans_of


def file(name: str, *boots: tuple[int, int, str]) -> FileTimes:
    """Return a file that holds boots with these first and last times and first cursors."""
    return f"/j/{name}", boots[0][0], boots[-1][1], [("b", *boot) for boot in boots]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([file("system.journal", (10, 20, "s=a;i=1"), (20, 30, "s=a;i=5"))], []),
        ([file("system.journal", (15, 18, "s=a;i=5"), (10, 20, "s=a;i=1"))], [(15, 20), (18, 20)]),
        ([file("system.journal", (10, 20, "s=a;i=f"), (30, 40, "s=a;i=1"))], [(10, 40), (20, 40)]),
        ([file("system.journal", (15, 30, "s=a;i=5")), file("system@1.journal", (10, 20, "s=a;i=1"))], [(15, 20)]),
        ([file("system.journal", (10, 20, "s=a;i=1")), file("user-1000.journal", (15, 25, "s=a;i=5"))], []),
        ([file("system.journal", (15, 30, "s=b;i=5")), file("system@1.journal~", (10, 20, "s=a;i=1"))], []),
    ],
    ids=["in order", "a boot behind", "a boot before all", "rotated", "of a user", "of another journald"],
)
def test_times_to_which_the_clock_was_set_back(files: list[FileTimes], expected: list[tuple[int, int]]) -> None:
    assert set_back(spans_of(files)) == expected


@pytest.mark.parametrize(
    ("cursor", "behind"),
    [
        ("s=a;i=10;b=d;m=1;t=1;x=0", True),
        ("s=a;i=9;b=d;m=3;t=3;x=0", False),
        ("s=a;i=f;b=c;m=2;t=2;x=0", False),
        ("s=b;i=1;b=c;m=3;t=1;x=0", True),
        ("s=b;i=99;b=c;m=1;t=3;x=0", False),
        ("s=b;i=1;b=d;m=1;t=3;x=0", True),
        ("s=b;i=99;b=d;m=3;t=1;x=0", False),
    ],
)
def test_what_was_written_behind_an_entry(cursor: str, *, behind: bool) -> None:
    assert is_behind(cursor, "s=a;i=f;b=c;m=2;t=2;x=0") == behind
