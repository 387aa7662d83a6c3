# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role detect says of a host."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({"msg": "No journal."}, "No journal."),
        ({"msg": "Refused.", "unreachable": True}, "The host could not be searched."),
    ],
    ids=["failed", "unreachable"],
)
def test_reason_that_the_search_has_printed_is_not_repeated(result: dict[str, object], message: str) -> None:
    assert value("detect", "__detect_failure", detect_result=result) == message
