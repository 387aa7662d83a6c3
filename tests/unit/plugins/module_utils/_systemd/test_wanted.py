# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted drop-in, from the parameters of the module."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.model import DropinError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.wanted import parse_values, parse_wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._systemd.factories import PARAMS


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
def test_value_is_formatted_as_in_unit_files(value: t.Any, values: tuple[str, ...]) -> None:
    assert parse_values(value, name="OOMPolicy= in [Service]") == values


def test_settings_become_tuples_of_values() -> None:
    assert parse_wanted(PARAMS).settings == {"Service": {"OOMPolicy": ("continue",)}}


def test_empty_list_sets_nothing() -> None:
    settings = {"Service": {"OOMPolicy": "continue", "Environment": []}}
    assert parse_wanted({**PARAMS, "settings": settings}).settings == {"Service": {"OOMPolicy": ("continue",)}}


def test_section_without_directives_is_refused() -> None:
    with pytest.raises(DropinError) as error:
        parse_wanted({**PARAMS, "settings": {"Service": "OOMPolicy=continue"}})
    assert str(error.value) == (
        "settings.Service is not a mapping of directives to values. Write settings as {Service: {OOMPolicy: continue}}."
    )


@pytest.mark.parametrize("value", [None, {"a": 1}, [[1]], [None]])
def test_value_that_unit_files_cannot_contain_is_refused(value: t.Any) -> None:
    with pytest.raises(DropinError) as error:
        parse_wanted({**PARAMS, "settings": {"Service": {"OOMPolicy": value}}})
    assert str(error.value) == (
        "The value of OOMPolicy= in [Service] is neither text nor a number nor a boolean."
        " Use an empty string to reset a directive, and omit directives that you do not want to set."
    )


def test_user_has_no_manager_configuration() -> None:
    with pytest.raises(DropinError, match=r"^system\.conf is not a user unit\. Omit scope\.$"):
        parse_wanted({**PARAMS, "unit": "system.conf", "scope": "user"})
