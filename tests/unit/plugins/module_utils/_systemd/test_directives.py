# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, assignments that reset one another, and the properties of directives."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.directives import (
    get_properties,
    is_list,
    resolve_assignments,
)


@pytest.mark.parametrize(("value", "name"), [("yes", "Delegate"), ("memory pids", "DelegateControllers")])
def test_property_of_delegation_depends_on_value(value: str, name: str) -> None:
    assert get_properties("Delegate", value) == (name,)


@pytest.mark.parametrize(
    ("directive", "value", "properties"),
    [
        ("OOMPolicy", "stop", ("OOMPolicy",)),
        ("CPUQuota", "50%", ("CPUQuotaPerSecUSec",)),
        ("RestartSec", "5", ("RestartUSec",)),
        ("TimerSlackNSec", "5us", ("TimerSlackNSec",)),
        ("LimitNOFILE", "1024", ("LimitNOFILE",)),
        ("LimitNOFILE", "1024:2048", ("LimitNOFILESoft", "LimitNOFILE")),
        ("ListenStream", "80", ("Listen",)),
        ("PrivateTmp", "yes", ("PrivateTmp",)),
        ("PrivateTmp", "disconnected", ("PrivateTmpEx",)),
    ],
)
def test_directive_has_properties(directive: str, value: str, properties: tuple[str, ...]) -> None:
    assert get_properties(directive, value) == properties


@pytest.mark.parametrize(
    ("directive", "expected"), [("Environment", True), ("ExecStart", True), ("OOMPolicy", False), ("MemoryMax", False)]
)
def test_lists_are_known(directive: str, expected: bool) -> None:
    assert is_list(directive) is expected


@pytest.mark.parametrize(
    ("values", "remaining"), [(["a", "b"], ["a", "b"]), (["a", "", "b"], ["b"]), (["a", " "], []), ([], [])]
)
def test_empty_value_resets_earlier_ones(values: list[str], remaining: list[str]) -> None:
    assert resolve_assignments(values) == remaining
