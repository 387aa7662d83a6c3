# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a walk through the journal ends."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._journal.walk import Walk


@pytest.mark.parametrize(
    ("until", "monotonic_us", "text", "expected"),
    [
        ("begin", 10, "the begin", True),
        ("begin", 11, "the begin", False),
        ("begin", 10, "the end", False),
        ("", 10, "the begin", False),
    ],
    ids=["at its end", "not passed yet", "another text", "a walk without an end"],
)
def test_walk_ends_at_a_text_once_it_has_passed_a_time(
    until: str, monotonic_us: int, text: str, *, expected: bool
) -> None:
    walk = Walk((), 0, True, 100, ("MESSAGE",), passing_us=10, until=until)
    assert walk.is_end(monotonic_us, text) is expected
