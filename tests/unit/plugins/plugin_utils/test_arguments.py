# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of a task have their defaults and types."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.oomguard.linux.plugins.action.check_variables import ActionModule
from ansible_collections.oomguard.linux.plugins.plugin_utils._arguments import validate_arguments

SPECIFICATION = {"top": {"type": "int", "default": 10}}


def make_action(arguments: dict[str, t.Any]) -> ActionBase:
    """Return an action whose task has these arguments."""
    action = t.cast("t.Any", ActionModule.__new__(ActionModule))
    action._task = types.SimpleNamespace(args=arguments)
    return t.cast("ActionBase", action)


@pytest.mark.parametrize(("given", "top"), [({}, 10), ({"top": "3"}, 3)])
def test_arguments_have_their_types_and_defaults(given: dict[str, t.Any], top: int) -> None:
    assert validate_arguments(make_action(given), SPECIFICATION) == {"top": top}


def test_unknown_argument_is_an_error() -> None:
    with pytest.raises(AnsibleActionFail, match="Unsupported parameters"):
        validate_arguments(make_action({"tpo": 3}), SPECIFICATION)
