# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables that begin like those of a role, and that the role does not have."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._variables import find_misspelt, load_options


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("swap_sise", "The role swap has no variable swap_sise. Did you mean swap_size?"),
        ("detect_log_file", "The role detect has no variable detect_log_file. Did you mean detect_log_files?"),
        ("oomguard_rolls", "The playbooks have no variable oomguard_rolls. Did you mean oomguard_roles?"),
        (
            "fcgid_recycler_limits",
            "The role fcgid_recycler has no variable fcgid_recycler_limits. Did you mean fcgid_recycler_limit?",
        ),
        ("fcgid_lifetime", "The role fcgid has no variable fcgid_lifetime, so it is ignored."),
    ],
)
def test_misspelt_variable_is_reported(name: str, sentence: str) -> None:
    assert find_misspelt([name]) == [sentence]


@pytest.mark.parametrize(
    "name",
    [
        "oomguard_started",
        "oom_policy_set",
        "detect_result",
        "swap_file_path",
        "swap_partition",
        "zram_generator_version",
        "detect_os",
        "swapfile",
        "ansible_host",
        "x",
    ],
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert find_misspelt([name]) == []


def test_options_of_all_roles_are_known() -> None:
    names = {name for options in load_options().values() for name in options}
    assert find_misspelt(names) == []
