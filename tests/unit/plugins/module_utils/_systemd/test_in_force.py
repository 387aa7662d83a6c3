# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in force against what is asked for: who wins, in systemd and in the kernel."""

from __future__ import annotations

import dataclasses
import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import (
    DropinError,
    Limit,
    Settings,
    State,
    Wanted,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.in_force import (
    Override,
    conflicts,
    effective,
    not_in_force,
    refuse_conflicts,
    stale_limits,
    tighter,
    unverified,
    verify,
    verify_limits,
    winner,
)
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.states import (
    LATER,
    PATH,
    TEXT,
    WANTED,
    state,
)

CONTROL = "/etc/systemd/system.control/apache2.service.d/50-z.conf"
STOP = "[Service]\nOOMPolicy = stop\n"
MEMORY = pathlib.Path("/sys/fs/cgroup/system.slice/apache2.service/memory.max")
ONE_MIB = Wanted(unit="apache2.service", settings={"Service": {"MemoryMax": ["1M"]}})


def limited(value: int | None, shown: str, *above: tuple[str, int | None]) -> State:
    return state(limits={"MemoryMax": Limit(MEMORY, value, above)}, properties={"MemoryMax": shown})


def test_what_is_in_force_is_shown_by_section() -> None:
    settings = {"Service": {"OOMPolicy": ["stop"], "Odd": ["1"]}}
    assert effective(state(), settings) == {"Service": {"OOMPolicy": "continue", "Odd": None}}


def test_seconds_are_asked_for_as_microseconds() -> None:
    settings = {"Service": {"RestartSec": ["5"], "CPUQuota": ["50%"]}}
    shown = effective(state(properties={"RestartUSec": "5s", "CPUQuotaPerSecUSec": "500ms"}), settings)
    assert shown == {"Service": {"RestartSec": "5s", "CPUQuota": "500ms"}}


def test_what_is_not_in_force_is_named() -> None:
    found = state(later=STOP, properties={"OOMPolicy": "stop"})
    assert not_in_force(found, WANTED) == [Override("Service", "OOMPolicy", "stop", LATER)]


@pytest.mark.parametrize(
    ("later", "path"),
    [
        (STOP, LATER),
        ("[Service]\nMemoryMax=1G\n", None),
        ("[Unit]\nOOMPolicy=stop\n", None),
    ],
)
def test_the_later_file_wins_where_it_says_something(later: str, path: str | None) -> None:
    assert winner(state(later=later), "Service", "OOMPolicy") == path


@pytest.mark.parametrize(("value", "path"), [("B=2", None), ("", LATER)])
def test_a_later_file_adds_to_a_list_unless_it_resets_it(value: str, path: str | None) -> None:
    assert winner(state(later=f"[Service]\nEnvironment={value}\n"), "Service", "Environment") == path


@pytest.mark.parametrize(
    ("ours", "other", "hides"),
    [
        ("/etc/systemd/system", "/etc/systemd/system.control", True),
        ("/run/systemd/system", "/etc/systemd/system", True),
        ("/etc/systemd/system", "/run/systemd/system", False),
    ],
)
def test_a_file_of_the_same_name_in_an_earlier_folder_hides_ours(ours: str, other: str, hides: bool) -> None:
    path = f"{other}/a.service.d/50-oomguard.conf"
    found = State(path=pathlib.Path(f"{ours}/a.service.d/50-oomguard.conf"), text=TEXT, dropins=((path, ""),))
    assert winner(found, "Service", "OOMPolicy") == (path if hides else None)


@pytest.mark.parametrize(
    ("later", "settings", "conflict"),
    [
        (STOP, {"Service": {"OOMPolicy": ["kill"]}}, True),
        (STOP, {"Service": {"OOMPolicy": ["stop"]}}, False),
        ("[Service]\nMemoryMax=1024M\n", {"Service": {"MemoryMax": ["1G"]}}, False),
        ("[Service]\nMemoryMax=1024M\n", {"Service": {"MemoryMax": ["2G"]}}, True),
        ("[Service]\nEnvironment=\nEnvironment=A=1\n", {"Service": {"Environment": ["A=2"]}}, True),
        ("[Service]\nEnvironment=A=1\n", {"Service": {"Environment": ["A=2"]}}, False),
    ],
)
def test_what_will_win_is_known_before(later: str, settings: Settings, conflict: bool) -> None:
    found = state(later=later, properties={"MemoryMax": "1073741824", "Environment": "A=1"})
    assert bool(conflicts(found, Wanted(unit="apache2.service", settings=settings))) is conflict


def test_what_would_not_be_in_force_is_refused() -> None:
    with pytest.raises(DropinError) as error:
        refuse_conflicts(state(text=None, later=STOP, properties={"OOMPolicy": "stop"}), WANTED)
    assert str(error.value) == (
        f"OOMPolicy= of apache2.service would be 'stop', whatever {PATH} says. Nothing was changed."
        f" {LATER} is read later and wins; change it there, or give the drop-in a name that sorts after it."
    )


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (
            CONTROL,
            (
                f"{CONTROL} wins, which `systemctl set-property` has written;"
                " set OOMPolicy in that way as well, or remove the file."
            ),
        ),
        (None, "No drop-in says so; does this systemd know the directive, and the host have the resource?"),
    ],
)
def test_the_winner_is_explained(path: str | None, hint: str) -> None:
    assert Override("Service", "OOMPolicy", "stop", path).hint == hint


def test_the_failure_names_the_value_and_the_winner() -> None:
    with pytest.raises(DropinError) as error:
        verify(state(later=STOP, properties={"OOMPolicy": "stop"}), WANTED)
    assert str(error.value) == (
        f"OOMPolicy= of apache2.service is 'stop' in force, although {PATH} says 'continue'."
        f" {LATER} is read later and wins; change it there, or give the drop-in a name that sorts after it."
    )


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (state(), []),
        (state(booted=False), ["OOMPolicy"]),
        (state(properties={"NeedDaemonReload": "yes"}), ["OOMPolicy"]),
    ],
)
def test_what_was_not_compared_is_named(found: State, names: list[str]) -> None:
    assert unverified(found, WANTED) == names


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        (1048576, "1048576", None),
        (None, "1048576", "1048576"),
        (1048576, "infinity", "max"),
        (None, "infinity", None),
        (1044480, "1048000", None),
        (4096, "1048000", "1048000"),
        (0, "1048576", "1048576"),
        (None, "", None),
    ],
)
def test_the_kernel_is_asked_as_well(value: int | None, shown: str, text: str | None) -> None:
    found = [entry[2] for entry in stale_limits(limited(value, shown), ONE_MIB)]
    assert found == ([text] if text else [])


@pytest.mark.parametrize(("shown", "value", "text"), [("kill", 0, "1"), ("continue", 1, "0"), ("kill", 1, None)])
def test_the_policy_kill_is_a_file_of_the_cgroup(shown: str, value: int, text: str | None) -> None:
    found = state(limits={"OOMPolicy": Limit(MEMORY, value)}, properties={"OOMPolicy": shown})
    assert [entry[2] for entry in stale_limits(found, WANTED)] == ([text] if text else [])


def test_each_instance_of_a_template_has_its_limit() -> None:
    found = dataclasses.replace(state(), instances=(limited(1048576, "1048576"), limited(None, "1048576")))
    assert stale_limits(found, ONE_MIB) == [("MemoryMax", MEMORY, "1048576")]


def test_what_another_has_limited_is_not_ours() -> None:
    assert stale_limits(limited(None, "1048576"), WANTED) == []


def test_a_limit_that_the_drop_in_had_is_ours_still() -> None:
    gone = Wanted(unit="apache2.service", present=False, formerly=frozenset(["MemoryMax"]))
    assert stale_limits(limited(1048576, "infinity"), gone) == [("MemoryMax", MEMORY, "max")]


def test_a_limit_that_the_kernel_has_not_is_an_error() -> None:
    with pytest.raises(DropinError) as error:
        verify_limits(limited(None, "1048576"), ONE_MIB)
    assert str(error.value) == (
        f"MemoryMax= of apache2.service is 1048576 for systemd, but the kernel has None in {MEMORY}."
        " Who else writes to this cgroup?"
    )


@pytest.mark.parametrize(
    ("above", "tightest"),
    [
        ([], None),
        ([("/system.slice", None)], None),
        ([("/system.slice", 2048)], None),
        ([("/a.slice/b.slice", 512), ("/a.slice", 256)], ("/a.slice", 256)),
    ],
)
def test_the_tightest_cgroup_above_is_named(
    above: list[tuple[str, int | None]], tightest: tuple[str, int] | None
) -> None:
    assert tighter(limited(1024, "1024", *above), "MemoryMax") == tightest
