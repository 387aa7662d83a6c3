# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are known again by their first line."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._mark import has_mark, make_mark


def test_mark_names_the_module() -> None:
    assert make_mark("swap") == "# Managed by oomguard.linux.swap. Changes made by hand are lost."


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        (f"{make_mark('swap')}\n[Unit]\n", True),
        ("# Managed by oomguard.linux.swap; what is changed here by hand is lost.\n", True),
        (f"\n{make_mark('swap')}\n", False),
        (make_mark("swap_file"), False),
        ("", False),
    ],
    ids=["own", "older wording", "not the first line", "another module", "empty"],
)
def test_own_file_is_known_again(text: str, *, is_own: bool) -> None:
    assert has_mark(text, "swap") is is_own
