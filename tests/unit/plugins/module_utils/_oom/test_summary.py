# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times as they are returned."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.summary import format_time


@pytest.mark.parametrize(
    ("realtime_us", "time"),
    [
        (1795416526787033, "2026-11-23T06:48:46.787033Z"),
        (-1, "1969-12-31T23:59:59.999999Z"),
        (253402300799999999, "9999-12-31T23:59:59.999999Z"),
        (253402300800000000, None),
        (-62135596800000001, None),
        (2**64, None),
        (2**100, None),
        (None, None),
    ],
)
def test_a_time_outside_the_years_1_to_9999_is_unknown(realtime_us: int | None, time: str | None) -> None:
    assert format_time(realtime_us) == time
