# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warn about misspelt variables of this collection, on the control node."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase

from ..plugin_utils._arguments import validate_arguments
from ..plugin_utils._variables import find_misspelt

ARGUMENT_SPEC: dict[str, dict[str, t.Any]] = {}


class ActionModule(ActionBase):
    """Look at the names of the variables of all hosts of a play."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Warn about each variable that is probably misspelt."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        validate_arguments(self, ARGUMENT_SPEC)
        variables = task_vars or {}
        names = {*variables}
        for host in variables["ansible_play_batch"]:
            names.update(variables["hostvars"].raw_get(host))

        misspelt = find_misspelt(names)
        for sentence in misspelt:
            self._display.warning(sentence)

        return {**result, "changed": False, "misspelt": misspelt}
