# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The wanted drop-in, from the parameters of the module."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.oomguard.linux.plugins.module_utils._errors import OomguardError
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import render_dropin
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
    with pytest.raises(DropinError, match=r"^system\.conf is not a user unit\. Omit scope, or use user\.conf\.$"):
        parse_wanted({**PARAMS, "unit": "system.conf", "scope": "user"})


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
ANY_VALUE = st.recursive(
    ANY_TEXT | st.integers() | st.floats() | st.booleans() | st.none() | st.sampled_from(["9" * 400 + "G", "\udcff"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(ANY_TEXT, values, max_size=3),
)
ANY_SETTINGS = st.dictionaries(
    st.sampled_from(["Service", "Unit"]) | ANY_TEXT,
    st.dictionaries(st.sampled_from(["MemoryMax", "OOMPolicy"]) | ANY_TEXT, ANY_VALUE, max_size=3) | ANY_VALUE,
    max_size=3,
)


@settings(deadline=None)
@given(st.just("a.service") | ANY_TEXT, st.just("50-x") | ANY_TEXT, ANY_SETTINGS)
def test_any_parameters_are_accepted_or_refused_in_words(unit: str, name: str, found: dict[str, t.Any]) -> None:
    with contextlib.suppress(OomguardError):
        wanted = parse_wanted({**PARAMS, "unit": unit, "name": name, "settings": found})
        assert render_dropin(wanted.settings).encode("utf-8")


@pytest.mark.parametrize(("length", "is_valid"), [(253, True), (254, False)])
def test_name_of_unit_leaves_room_for_its_directory(length: int, *, is_valid: bool) -> None:
    unit = "x" * (length - len(".service")) + ".service"
    with contextlib.nullcontext() if is_valid else pytest.raises(DropinError, match="is not the name of a unit"):
        parse_wanted({**PARAMS, "unit": unit})
