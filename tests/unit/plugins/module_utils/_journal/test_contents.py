# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The boots of a journal, put together from its files."""

from __future__ import annotations

from ansible_collections.oomguard.linux.plugins.module_utils._journal.contents import (
    Boot,
    BootTimes,
    FileTimes,
    merge_boots,
)


def test_boot_in_two_files_has_the_earliest_and_latest_time_of_both() -> None:
    files = [
        FileTimes("/j/system.journal", 20, 60, [BootTimes("a", 20, 30, "s=1"), BootTimes("b", 40, 60, "s=2")]),
        FileTimes("/j/user-1000.journal", 10, 25, [BootTimes("a", 10, 25, "s=3")]),
    ]
    assert merge_boots(files) == [Boot("a", 10, 30), Boot("b", 40, 60)]


def test_files_that_cannot_be_opened_have_no_boots() -> None:
    assert merge_boots([FileTimes("/j/system.journal", 0, 0, [])]) == []
