# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The conditions of the role fcgid."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.tests.unit.roles.role import value


@pytest.mark.parametrize(
    ("returned", "runs"),
    [
        ({"unit": "apache2.service", "masked": False}, True),
        ({"unit": "apache2.service", "masked": None}, True),
        ({"unit": "apache2.service", "masked": True}, False),
        ({"changed": False}, False),
    ],
)
def test_ceilings_need_a_unit(returned: dict[str, object], *, runs: bool) -> None:
    assert bool(value("fcgid", "__fcgid_with_unit", fcgid_set={"results": [returned]})) == runs


def test_ceilings_of_skipped_directives_are_none() -> None:
    assert value("fcgid", "__fcgid_with_unit") == []


@pytest.mark.parametrize(
    ("swap_bytes", "variables", "has_swap"),
    [
        (1024, {"ansible_check_mode": False}, True),
        (0, {"ansible_check_mode": False, "__swap_set": {"after": {"total_bytes": 1024}}}, False),
        (0, {"ansible_check_mode": True, "__swap_set": {"after": {"total_bytes": 1024}}}, True),
        (0, {"ansible_check_mode": True, "__swap_set": {"skipped": True}}, False),
        (0, {"ansible_check_mode": True, "__zram_set": {"changed": True}}, True),
        (0, {"ansible_check_mode": True}, False),
    ],
    ids=["has swap", "has none", "would have swap", "skipped", "would have zram", "would have none"],
)
def test_swap_that_a_run_would_make_counts_in_check_mode(
    swap_bytes: int, variables: dict[str, object], *, has_swap: bool
) -> None:
    results = [{"unit": "apache2.service", "masked": False, "memory": {"swap_bytes": swap_bytes}}]
    assert value("fcgid", "__fcgid_has_swap", fcgid_set={"results": results}, **variables) == has_swap
