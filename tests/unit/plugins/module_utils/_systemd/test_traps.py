# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that do harm, or are in force without having their effect."""

from __future__ import annotations

import dataclasses
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
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.traps import (
    list_warnings,
    refuse_empty,
    refuse_kill,
)
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


EMPTY = {"SubState": "exited", "ConsistsOf": "a@1.service a.timer a@2.service a@3.service a@4.service"}
ON_SERVICE: t.Mapping[str, t.Mapping[str, list[str]]] = {"Service": {"OOMPolicy": ["continue"]}}


def test_service_without_process_is_refused_with_its_parts() -> None:
    with pytest.raises(DropinError) as error:
        refuse_empty(state(properties=EMPTY), Wanted(unit="a.service", settings=ON_SERVICE))
    assert str(error.value) == (
        "a.service runs no process, so the settings would have no effect. These units are part of it:"
        " a@1.service, a@2.service, a@3.service and 1 more. Nothing was changed. Configure those units, or use force."
    )


@pytest.mark.parametrize(
    ("properties", "fields"),
    [
        ({**EMPTY, "SubState": "running"}, {}),
        ({**EMPTY, "ConsistsOf": "a.timer"}, {}),
        (EMPTY, {"force": True}),
        (EMPTY, {"present": False}),
        (EMPTY, {"settings": {"Unit": {"After": ["b.service"]}}}),
    ],
    ids=["running", "no services", "forced", "absent", "no processes concerned"],
)
def test_other_service_is_not_refused(properties: dict[str, str], fields: dict[str, t.Any]) -> None:
    wanted = Wanted(**{"unit": "a.service", "settings": ON_SERVICE, **fields})
    refuse_empty(state(properties=properties), wanted)


def test_service_without_process_causes_warning() -> None:
    found = state(properties={"SubState": "exited"})
    assert list(list_warnings(found, Wanted(unit="a.service", settings=ON_SERVICE))) == [
        "a.service runs no process now. The settings have no effect until it does."
    ]


def test_units_that_override_shared_dropin_are_named() -> None:
    values = ["continue", "stop", "continue"]
    instances = [state(properties={"Id": f"a-{n}.service", "OOMPolicy": value}) for n, value in enumerate(values)]
    found = state(instances=tuple(instances))
    (warning,) = list_warnings(found, Wanted(unit="a-.service", settings=ON_SERVICE))
    assert warning == (
        f"{found.path} is not in force for 1 of 3 units (a-1.service). Other drop-ins of these units override it, or"
        " hide it because they have the same name."
    )


def test_pending_change_causes_no_warning_about_units() -> None:
    found = state(instances=(state(properties={"Id": "a-1.service", "OOMPolicy": "stop"}),))
    assert not list(list_warnings(found, Wanted(unit="a-.service", settings=ON_SERVICE), is_pending=True))


def test_shared_dropin_without_units_causes_warning() -> None:
    found = dataclasses.replace(state(), properties={})
    (warning,) = list_warnings(found, Wanted(unit="a-.service", settings=ON_SERVICE))
    assert warning == (
        f"systemd has loaded no unit to which drop-ins of a-.service apply, so {found.path} was not verified. systemd"
        " reads it when it loads such a unit."
    )
