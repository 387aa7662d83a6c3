# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a search was complete."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._oom.search.coverage import Coverage


@pytest.mark.parametrize(
    ("change", "complete"),
    [
        ({}, True),
        ({"notes": ("note",)}, True),
        ({"untrusted": 1}, True),
        ({"missed_records": 1}, False),
        ({"unparsed": 1}, False),
        ({"gaps": ("gap",)}, False),
    ],
    ids=["nothing", "a note", "untrusted", "missed", "unparsed", "a gap"],
)
def test_only_what_may_hide_a_kill_makes_a_search_incomplete(change: dict[str, t.Any], *, complete: bool) -> None:
    assert Coverage(**change).complete is complete
