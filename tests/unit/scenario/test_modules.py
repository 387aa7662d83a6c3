# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t

import pytest
from scenario.modules import run_module, try_module


class Ansible:
    """Record the calls of modules, and return a result."""

    def __init__(self, result: dict[str, t.Any]) -> None:
        self.result = result
        self.calls: list[tuple[str, str, bool]] = []

    def __call__(self, name: str, arguments: str, *, check: bool) -> dict[str, t.Any]:
        self.calls.append((name, arguments, check))
        return self.result


class Host:
    """Stand for testinfra's host."""

    def __init__(self, **result: t.Any) -> None:
        self.ansible = Ansible(result)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param({"size": "1G", "force": True}, '{"size": "1G", "force": true}', id="arguments"),
        pytest.param({}, "", id="no arguments"),
    ],
)
def test_run_module_passes_arguments(arguments: dict[str, t.Any], text: str) -> None:
    host = Host(changed=True, plan=[])
    run_module(host, "swap", check=True, **arguments)
    assert host.ansible.calls == [("oomguard.linux.swap", text, True)]


def test_run_module_returns_the_result() -> None:
    assert run_module(Host(changed=True, plan=[]), "swap") == {"changed": True, "plan": []}


def test_run_module_raises_if_the_module_fails() -> None:
    with pytest.raises(AssertionError, match=r"^swap: No\.$"):
        run_module(Host(changed=False, msg="No."), "swap")


def test_try_module_returns_the_result_of_a_failed_module() -> None:
    assert try_module(Host(changed=False, msg="No."), "swap") == {"changed": False, "msg": "No."}
