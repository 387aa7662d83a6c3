# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of a task whose action runs on the control node."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase


def validate_arguments(action: ActionBase, specification: dict[str, dict[str, t.Any]]) -> dict[str, t.Any]:
    """Return the arguments of an action's task, with defaults and types. Raises AnsibleActionFail."""
    # Ansible's function has no types.
    validate: t.Callable[..., tuple[t.Any, dict[str, t.Any]]] = action.validate_argument_spec
    _result, arguments = validate(specification)
    return arguments
