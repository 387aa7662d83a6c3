# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are in force and still do not do what they are set for."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Host, Limit, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import warnings
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.states import state

LOWER = {"MemoryMax": Limit(pathlib.Path("x"), 2 << 20, (("/a.slice", 1 << 20),))}


@pytest.mark.parametrize(
    ("directive", "value", "fields", "beginning"),
    [
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=0)}, "MemoryHigh= of a.service on a host without swap:"),
        ("OOMScoreAdjust", "-1000", {}, "OOMScoreAdjust=-1000 of a.service is inherited by its workers,"),
        ("OOMPolicy", "continue", {"host": Host(unified=False)}, "OOMPolicy= of a.service does nothing here:"),
        (
            "OOMPolicy",
            "continue",
            {"killers": ("-.slice",)},
            "systemd-oomd does not go by OOMPolicy=: it watches -.slice,",
        ),
        ("MemoryMax", "2M", {"limits": LOWER}, "MemoryMax= of a.service is out of reach: the cgroup /a.slice above it"),
        (
            "MemoryMax",
            "2M",
            {"limits": {"MemoryMax": Limit(pathlib.Path("x"), None)}, "properties": {"MemoryMax": "2097152"}},
            "MemoryMax= of a.service is not in force in the kernel: x should have 2097152,",
        ),
        ("OOMPolicy", "stop", {"booted": False}, "No systemd runs here that has a.service:"),
        (
            "OOMPolicy",
            "stop",
            {"hides": "/x/a@.service.d/y.conf"},
            "/etc/systemd/system/apache2.service.d/50-oomguard.conf has",
        ),
    ],
)
def test_traps_are_named(directive: str, value: str, fields: dict[str, t.Any], beginning: str) -> None:
    wanted = Wanted(unit="a.service", settings={"Service": {directive: [value]}})
    assert [warning[: len(beginning)] for warning in warnings(state(**fields), wanted)] == [beginning]


@pytest.mark.parametrize(
    ("directive", "value", "fields"),
    [
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=1)}),
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=None)}),
        ("MemoryHigh", "infinity", {"host": Host(swap_bytes=0)}),
        ("OOMScoreAdjust", "-999", {}),
        ("MemoryMax", "1G", {"host": Host(unified=False), "killers": ("-.slice",)}),
    ],
)
def test_what_is_no_trap_is_not(directive: str, value: str, fields: dict[str, t.Any]) -> None:
    wanted = Wanted(unit="a.service", settings={"Service": {directive: [value]}})
    assert list(warnings(state(**fields), wanted)) == []


def test_what_is_removed_is_no_trap() -> None:
    assert list(warnings(state(booted=False), Wanted(unit="a.service", present=False))) == []
