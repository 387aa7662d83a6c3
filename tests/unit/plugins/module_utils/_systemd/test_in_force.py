# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values in force against the wanted ones, and the file that wins."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import Settings
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.in_force import (
    Override,
    find_conflicts,
    find_differences,
    find_effective_values,
    find_unverified,
    find_winner,
    refuse_conflicts,
    verify_settings,
)
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError, State, Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import (
    LATER,
    PATH,
    TEXT,
    WANTED,
    state,
)

CONTROL = "/etc/systemd/system.control/apache2.service.d/50-z.conf"

STOP = "[Service]\nOOMPolicy = stop\n"


def test_effective_values_are_grouped_by_section() -> None:
    settings = {"Service": {"OOMPolicy": ["stop"], "Odd": ["1"]}}
    assert find_effective_values(state(), settings) == {"Service": {"OOMPolicy": "continue", "Odd": None}}


def test_effective_time_span_is_read_from_usec_property() -> None:
    settings = {"Service": {"RestartSec": ["5"], "CPUQuota": ["50%"]}}
    shown = find_effective_values(state(properties={"RestartUSec": "5s", "CPUQuotaPerSecUSec": "500ms"}), settings)
    assert shown == {"Service": {"RestartSec": "5s", "CPUQuota": "500ms"}}


def test_difference_names_value_and_file() -> None:
    found = state(later=STOP, properties={"OOMPolicy": "stop"})
    assert find_differences(found, WANTED) == [Override("Service", "OOMPolicy", "stop", LATER)]


@pytest.mark.parametrize(
    ("later", "path"),
    [
        (STOP, LATER),
        ("[Service]\nMemoryMax=1G\n", None),
        ("[Unit]\nOOMPolicy=stop\n", None),
    ],
)
def test_later_file_wins_if_it_sets_the_directive(later: str, path: str | None) -> None:
    assert find_winner(state(later=later), "Service", "OOMPolicy") == path


@pytest.mark.parametrize(("value", "path"), [("B=2", None), ("", LATER)])
def test_later_file_wins_over_list_only_if_it_resets_it(value: str, path: str | None) -> None:
    assert find_winner(state(later=f"[Service]\nEnvironment={value}\n"), "Service", "Environment") == path


@pytest.mark.parametrize(
    ("ours", "other", "hides"),
    [
        ("/etc/systemd/system", "/etc/systemd/system.control", True),
        ("/run/systemd/system", "/etc/systemd/system", True),
        ("/etc/systemd/system", "/run/systemd/system", False),
    ],
)
def test_file_of_same_name_in_earlier_folder_hides_ours(ours: str, other: str, hides: bool) -> None:
    path = f"{other}/a.service.d/50-oomguard.conf"
    found = State(path=pathlib.Path(f"{ours}/a.service.d/50-oomguard.conf"), text=TEXT, dropins=((path, ""),))
    assert find_winner(found, "Service", "OOMPolicy") == (path if hides else None)


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
def test_conflict_is_found_before_installation(later: str, settings: Settings, conflict: bool) -> None:
    found = state(later=later, properties={"MemoryMax": "1073741824", "Environment": "A=1"})
    assert bool(find_conflicts(found, Wanted(unit="apache2.service", settings=settings))) is conflict


def test_conflict_is_refused() -> None:
    with pytest.raises(DropinError) as error:
        refuse_conflicts(state(text=None, later=STOP, properties={"OOMPolicy": "stop"}), WANTED)
    assert str(error.value) == (
        f"OOMPolicy= of apache2.service would be 'stop', whatever {PATH} sets. Nothing was changed."
        f" {LATER} is read later and overrides it. Change it there, or give the drop-in a name that sorts after it."
    )


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        (
            CONTROL,
            (
                f"{CONTROL}, which `systemctl set-property` wrote, overrides it."
                " Set OOMPolicy with that command as well, or remove the file."
            ),
        ),
        (
            None,
            (
                "No drop-in sets this value. Check that this version of systemd knows the directive,"
                " and that the host has the resource."
            ),
        ),
    ],
)
def test_hint_explains_how_to_win(path: str | None, hint: str) -> None:
    assert Override("Service", "OOMPolicy", "stop", path).hint == hint


def test_verification_error_names_value_and_winner() -> None:
    with pytest.raises(DropinError) as error:
        verify_settings(state(later=STOP, properties={"OOMPolicy": "stop"}), WANTED)
    assert str(error.value) == (
        f"OOMPolicy= of apache2.service has the value 'stop' in force, although {PATH} sets 'continue'."
        f" {LATER} is read later and overrides it. Change it there, or give the drop-in a name that sorts after it."
    )


@pytest.mark.parametrize(
    ("found", "names"),
    [
        (state(), []),
        (state(booted=False), ["OOMPolicy"]),
        (state(properties={"NeedDaemonReload": "yes"}), ["OOMPolicy"]),
    ],
)
def test_unverified_directives_are_named(found: State, names: list[str]) -> None:
    assert find_unverified(found, WANTED) == names
