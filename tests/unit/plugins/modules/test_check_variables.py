# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation of check_variables against the action plugin."""

from __future__ import annotations

import yaml

from ansible_collections.oomguard.linux.plugins.action.check_variables import ARGUMENT_SPEC
from ansible_collections.oomguard.linux.plugins.modules.check_variables import DOCUMENTATION


def test_options_are_those_of_the_action_plugin() -> None:
    documented = yaml.safe_load(DOCUMENTATION)["options"]
    for option in documented.values():
        option.pop("description")
    assert documented == ARGUMENT_SPEC
