# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are in force and still do not do what they are set for."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    DropinError,
    Host,
    Limit,
    State,
    Wanted,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import refuse_kill, warnings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.values import Totals
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.states import state

LOWER = {"MemoryMax": Limit(pathlib.Path("x"), 2 << 20, (("/a.slice", 1 << 20),))}


@pytest.mark.parametrize(
    ("directive", "value", "fields", "beginning"),
    [
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=0)}, "MemoryHigh= of a.service on a host without swap:"),
        (
            "MemoryHigh",
            "512M",
            {"memory_bytes": 700 << 20},
            "MemoryHigh= of a.service is 512.0 MiB, below the 700.0 MiB that it uses now beside",
        ),
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
        ("MemoryHigh", "512M", {"memory_bytes": 512 << 20}),
        ("OOMScoreAdjust", "-999", {}),
        ("MemoryMax", "1G", {"host": Host(unified=False), "killers": ("-.slice",)}),
    ],
)
def test_what_is_no_trap_is_not(directive: str, value: str, fields: dict[str, t.Any]) -> None:
    wanted = Wanted(unit="a.service", settings={"Service": {directive: [value]}})
    assert list(warnings(state(**fields), wanted)) == []


def test_what_is_removed_is_no_trap() -> None:
    assert list(warnings(state(booted=False), Wanted(unit="a.service", present=False))) == []


def using(mebibytes: int | None, *, limit: int | None = None, **fields: t.Any) -> State:
    """Return a unit that uses so much and has the limit, in bytes, on a host of 1 GiB."""
    return state(
        memory_bytes=None if mebibytes is None else mebibytes << 20,
        limits={"MemoryMax": Limit(pathlib.Path("x"), limit)},
        host=Host(totals=Totals(ram_bytes=1 << 30)),
        **fields,
    )


def at_most(value: str, **fields: t.Any) -> Wanted:
    return Wanted(unit="a.service", settings={"Service": {"MemoryMax": ["infinity", value]}}, **fields)


@pytest.mark.parametrize("value", ["512M", "50%"])
@pytest.mark.parametrize("limit", [None, 1 << 30])
def test_a_limit_below_what_is_in_use_is_refused(value: str, limit: int | None) -> None:
    with pytest.raises(DropinError) as error:
        refuse_kill(using(700, limit=limit), at_most(value))
    assert str(error.value) == (
        "MemoryMax= of a.service would be 512.0 MiB, below the 700.0 MiB that it uses now beside what the kernel can"
        " drop. The kernel would swap it out or kill at once. Nothing was changed."
        " Allow more, stop the unit first, or use force."
    )


def test_an_instance_that_uses_more_is_named() -> None:
    instance = using(700, properties={"Id": "a@1.service"})
    with pytest.raises(DropinError, match=r"^MemoryMax= of a@1\.service would be 512\.0 MiB,"):
        refuse_kill(using(None, instances=(instance,)), at_most("512M"))


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (using(512), at_most("512M")),
        (using(None), at_most("512M")),
        (using(700), at_most("infinity")),
        (using(700), at_most("")),
        (using(700), at_most("512M", force=True)),
        (using(700), at_most("512M", present=False)),
        (using(700, limit=512 << 20), at_most("512M")),
        (using(700), Wanted(unit="a.service", settings={"Service": {"OOMPolicy": ["stop"]}})),
    ],
    ids=["fits", "unknown", "no limit", "reset", "forced", "removed", "in force already", "another directive"],
)
def test_other_limits_are_not_refused(found: State, wanted: Wanted) -> None:
    refuse_kill(found, wanted)
