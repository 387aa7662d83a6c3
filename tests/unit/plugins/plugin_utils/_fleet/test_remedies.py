# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pathlib
import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.remedies import (
    ROLES,
    list_remedies,
    write_command,
)

CHECKOUT = pathlib.Path(__file__).parents[5]
READING_ROLES = {"detect", "report"}


def make_remedy(role: str = "swap", **parts: t.Any) -> dict[str, t.Any]:
    remedy = {"role": role, "variables": {}, "why": "It helps.", "risk": "None.", "trusted": True, "automatic": True}
    return {**remedy, **parts}


def list_variables(*remedies: dict[str, t.Any]) -> list[tuple[str, ...]]:
    return [remedy.variables for remedy in list_remedies({"remedies": remedies})]


def test_roles_are_those_of_the_collection() -> None:
    folders = {path.name for path in (CHECKOUT / "roles").iterdir()}

    assert set(ROLES) == folders - READING_ROLES


def test_variables_are_yaml() -> None:
    assert list_variables(make_remedy(variables={"swap_size": "9G"})) == [("swap_size: 9G",)]


def test_units_of_several_remedies_are_one_list() -> None:
    remedies = [make_remedy("oom_policy", variables={"oom_policy_units": [f"{name}.service"]}) for name in "ab"]

    assert list_variables(*remedies) == [("oom_policy_units:", "  - a.service", "  - b.service")]


@pytest.mark.parametrize(
    ("units", "lines"),
    [
        (None, ("# This role needs no variables.",)),
        ("auto", ("oom_policy_units:", "  - auto")),
        ([{"a": 1}, ["b"], 3], ("oom_policy_units:", "  - \"{'a': 1}\"", "  - \"['b']\"", '  - "3"')),
    ],
    ids=["null", "text", "no names"],
)
def test_units_of_a_foreign_record_are_a_list(units: object, lines: tuple[str, ...]) -> None:
    remedy = make_remedy("oom_policy", variables={"oom_policy_units": units})

    assert list_variables(remedy) == [lines]


def test_role_that_people_choose_is_named() -> None:
    remedy = make_remedy("zram", variables={"zram_size": "50%"}, automatic=False)

    assert list_variables(remedy) == [("oomguard_roles:", "  - auto", "  - zram", 'zram_size: "50%"')]


def test_roles_that_people_choose_come_last() -> None:
    remedies = {"remedies": [make_remedy("zram", automatic=False), make_remedy("swap")]}

    assert [remedy.role for remedy in list_remedies(remedies)] == ["swap", "zram"]


def test_role_without_variables_says_so() -> None:
    assert list_variables(make_remedy("fcgid")) == [("# This role needs no variables.",)]


def test_foreign_role_is_left_out() -> None:
    assert list_variables(make_remedy("evil.collection.role")) == []


@pytest.mark.parametrize("name", ["ansible_ssh_common_args", "oom_policy_units", "swap_size: 1\nansible_connection"])
def test_foreign_variable_is_left_out(name: str) -> None:
    remedy = make_remedy(variables={name: "-o ProxyCommand=id", "swap_size": "9G"})

    assert list_variables(remedy) == [("swap_size: 9G",)]


def test_value_cannot_end_its_line() -> None:
    remedy = make_remedy(variables={"swap_size": "9G\nansible_connection: local"})

    assert list_variables(remedy) == [(r'swap_size: "9G\nansible_connection: local"',)]


def test_remedy_of_an_older_record_is_not_trusted() -> None:
    (remedy,) = list_remedies({"remedies": [{"role": "swap", "variables": {}}]})

    assert remedy.is_trusted is False


def test_command_quotes_the_host() -> None:
    assert write_command("a b").endswith("--check --diff --limit 'a b'")
