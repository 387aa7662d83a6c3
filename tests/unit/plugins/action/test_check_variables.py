# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Warnings about misspelt variables of the hosts of a play."""

from __future__ import annotations

import types
import typing as t

import pytest
from ansible.plugins.action import ActionBase

from ansible_collections.oomguard.linux.plugins.action.check_variables import ActionModule


class Variables(dict[str, t.Any]):
    """The variables of all hosts."""

    def raw_get(self, host: str) -> dict[str, t.Any]:
        return dict(self[host])


class Screen:
    """What a display has warned about."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warning(self, text: str) -> None:
        self.warnings.append(text)


def test_variables_of_the_task_and_of_all_hosts_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    action = t.cast("t.Any", ActionModule.__new__(ActionModule))
    action._display = Screen()
    action._task = types.SimpleNamespace(args={})
    hostvars = Variables(web1={"swap_size": "4G"}, web2={"swap_sise": "4G"})
    variables = {"ansible_play_batch": ["web1", "web2"], "hostvars": hostvars, "swap_stat": "absent"}
    result = action.run(None, variables)
    assert result["misspelt"] == action._display.warnings
    assert [sentence.split()[6] for sentence in result["misspelt"]] == ["swap_sise.", "swap_stat."]
