# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the standard error of journalctl means."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.complaints import is_success, read_complaints
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils.journald import done

SKIPPED = "Journal file /j/a.journal is truncated, ignoring file.\n"


@pytest.mark.parametrize(
    ("stderr", "returncode", "has_pattern", "expected"),
    [
        ("anything", 0, False, True),
        ("", 1, True, True),
        ("", 1, False, False),
        ("", 2, True, False),
        (SKIPPED, 1, True, True),
        ("No such time.\n", 1, True, False),
        ("Failed to iterate through journal: Bad message\n", 1, False, True),
    ],
    ids=["0", "no match", "no pattern", "2", "a skipped file", "an error", "stopped reading"],
)
def test_whether_journalctl_searched_the_journal(
    stderr: str, returncode: int, *, has_pattern: bool, expected: bool
) -> None:
    result = done(err=stderr, returncode=returncode)
    complaints = read_complaints(result, verbose=False)
    assert is_success(result, complaints, has_pattern=has_pattern) is expected


def test_journalctl_that_stopped_reading_found_damage() -> None:
    result = done(err="Failed to iterate through journal: Bad message\n", returncode=1)
    assert read_complaints(result, verbose=False).notes == [
        "The journal is damaged, and journalctl stopped reading it: Failed to iterate through journal: Bad message"
    ]
