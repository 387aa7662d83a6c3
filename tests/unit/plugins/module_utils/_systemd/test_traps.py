# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that do harm, or are in force without having their effect."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import (
    DropinError,
    Host,
    Limit,
    State,
    Totals,
    Wanted,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import list_warnings, refuse_kill
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import state

LOWER = {"MemoryMax": Limit(pathlib.Path("x"), 2 << 20, (("/a.slice", 1 << 20),))}


@pytest.mark.parametrize(
    ("directive", "value", "fields", "beginning"),
    [
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=0)}, "MemoryHigh= of a.service is set on a host without swap."),
        (
            "MemoryHigh",
            "512M",
            {"memory_bytes": 700 << 20},
            "MemoryHigh= of a.service is 512.0 MiB, but the unit uses 700.0 MiB that the kernel cannot",
        ),
        ("OOMScoreAdjust", "-1000", {}, "OOMScoreAdjust=-1000 of a.service is inherited by its child processes,"),
        ("OOMPolicy", "continue", {"host": Host(unified=False)}, "OOMPolicy= of a.service has no effect on this host:"),
        (
            "OOMPolicy",
            "continue",
            {"oomd_units": ("-.slice",)},
            "systemd-oomd ignores OOMPolicy=: it watches -.slice and",
        ),
        (
            "MemoryMax",
            "2M",
            {"limits": LOWER},
            "MemoryMax= of a.service cannot be reached: the cgroup /a.slice above it",
        ),
        (
            "MemoryMax",
            "2M",
            {"limits": {"MemoryMax": Limit(pathlib.Path("x"), None)}, "properties": {"MemoryMax": "2097152"}},
            "MemoryMax= of a.service is not in force in the kernel: x should contain 2097152,",
        ),
        ("OOMPolicy", "stop", {"booted": False}, "The systemd instance of a.service does not run, so"),
        (
            "OOMPolicy",
            "stop",
            {"hidden": "/x/a@.service.d/y.conf"},
            "/etc/systemd/system/apache2.service.d/50-oomguard.conf hides",
        ),
    ],
)
def test_trap_is_warned_about(directive: str, value: str, fields: dict[str, t.Any], beginning: str) -> None:
    wanted = Wanted(unit="a.service", settings={"Service": {directive: [value]}})
    assert [warning[: len(beginning)] for warning in list_warnings(state(**fields), wanted)] == [beginning]


@pytest.mark.parametrize(
    ("directive", "value", "fields"),
    [
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=1)}),
        ("MemoryHigh", "1G", {"host": Host(swap_bytes=None)}),
        ("MemoryHigh", "infinity", {"host": Host(swap_bytes=0)}),
        ("MemoryHigh", "512M", {"memory_bytes": 512 << 20}),
        ("OOMScoreAdjust", "-999", {}),
        ("MemoryMax", "1G", {"host": Host(unified=False), "oomd_units": ("-.slice",)}),
    ],
)
def test_harmless_setting_causes_no_warning(directive: str, value: str, fields: dict[str, t.Any]) -> None:
    wanted = Wanted(unit="a.service", settings={"Service": {directive: [value]}})
    assert list(list_warnings(state(**fields), wanted)) == []


def test_removed_dropin_causes_no_warning() -> None:
    assert list(list_warnings(state(booted=False), Wanted(unit="a.service", present=False))) == []


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
def test_limit_below_memory_in_use_is_refused(value: str, limit: int | None) -> None:
    with pytest.raises(DropinError) as error:
        refuse_kill(using(700, limit=limit), at_most(value))
    assert str(error.value) == (
        "MemoryMax= of a.service would be 512.0 MiB, but the unit uses 700.0 MiB that the kernel cannot drop. The"
        " kernel would swap out or kill its processes at once. Nothing was changed."
        " Allow more, stop the unit first, or use force."
    )


def test_instance_that_uses_more_is_named() -> None:
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
def test_other_limit_is_not_refused(found: State, wanted: Wanted) -> None:
    refuse_kill(found, wanted)
