# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module systemd_dropin: from parameters to what is wanted."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import DropinError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.plan import make_plan
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.result import result
from ansible_collections.oomguard.linux.plugins.modules.systemd_dropin import RETURN, values_of, wanted_from
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.states import state
from ansible_collections.oomguard.linux.tests.unit.plugins.modules.documented import (
    documented,
    documented_always,
    returned,
)

PARAMS: dict[str, t.Any] = {
    "unit": "apache2.service",
    "name": "50-oomguard",
    "settings": {"Service": {"OOMPolicy": "continue"}},
    "state": "present",
    "scope": "system",
    "runtime": False,
    "pin": True,
    "force": False,
    "reload": "needed",
}


@pytest.mark.parametrize(
    ("value", "values"),
    [
        ("continue", ("continue",)),
        (-500, ("-500",)),
        (True, ("yes",)),
        (False, ("no",)),
        (["", "a", 1], ("", "a", "1")),
    ],
)
def test_values_are_written_as_unit_files_have_them(value: t.Any, values: tuple[str, ...]) -> None:
    assert values_of(value, of="OOMPolicy= in [Service]") == values


def test_settings_are_taken_over() -> None:
    assert wanted_from(PARAMS).settings == {"Service": {"OOMPolicy": ("continue",)}}


def test_a_list_of_none_sets_nothing() -> None:
    settings = {"Service": {"OOMPolicy": "continue", "Environment": []}}
    assert wanted_from({**PARAMS, "settings": settings}).settings == {"Service": {"OOMPolicy": ("continue",)}}


def test_a_section_without_directives_is_refused() -> None:
    with pytest.raises(DropinError) as error:
        wanted_from({**PARAMS, "settings": {"Service": "OOMPolicy=continue"}})
    assert str(error.value) == (
        "settings.Service is not a mapping of directives to values. Write settings as {Service: {OOMPolicy: continue}}."
    )


@pytest.mark.parametrize("value", [None, {"a": 1}, [[1]], [None]])
def test_what_no_unit_file_can_hold_is_refused(value: t.Any) -> None:
    with pytest.raises(DropinError) as error:
        wanted_from({**PARAMS, "settings": {"Service": {"OOMPolicy": value}}})
    assert str(error.value) == (
        "The value of OOMPolicy= in [Service] is neither text nor a number nor a boolean."
        " Write an empty string to reset a directive, and leave away what shall not be set."
    )


def test_a_user_has_no_manager_configuration() -> None:
    with pytest.raises(DropinError, match=r"^system\.conf is not a unit of a user\. Leave scope away\.$"):
        wanted_from({**PARAMS, "unit": "system.conf", "scope": "user"})


def test_what_is_returned_is_documented() -> None:
    wanted = wanted_from(PARAMS)
    found = state(later="[Service]\nOOMPolicy=stop\n", properties={"OOMPolicy": "stop"})
    assert returned(result(found, make_plan(found, wanted), wanted), documented(RETURN)) == documented(RETURN)


def test_what_is_always_returned_is_documented_so() -> None:
    wanted, found = wanted_from({**PARAMS, "state": "absent"}), state(booted=False)
    assert set(result(found, make_plan(found, wanted), wanted)) == documented_always(RETURN)
