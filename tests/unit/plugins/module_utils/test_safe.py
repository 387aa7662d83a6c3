# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile text is made inert."""

from __future__ import annotations

import collections
import types

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._safe import (
    make_diff,
    neutralise,
    neutralise_all,
)


@pytest.mark.parametrize(
    ("hostile", "safe"),
    [
        ("apache2.service", "apache2.service"),
        ("größe", "größe"),
        ("a)\nOut \x1b[31m", "a)\\x0aOut \\x1b[31m"),
        (b"caf\xe9", "caf\\xe9"),
        ("\udce9", "\\udce9"),
        ("right\u202eleft", "right\\u202eleft"),
        ("\u2028", "\\u2028"),
        ("\U000e0041", "\\U000e0041"),
        ("{{ 7*7 }}", "\\x7b{ 7*7 }}"),
        ("{{{% {#", "\\x7b\\x7b\\x7b% \\x7b#"),
        ("#jinja2:variable_start_string:'[%'", "\\x23jinja2:variable_start_string:'[%'"),
        ("{ plain }", "{ plain }"),
    ],
)
def test_hostile_text_is_made_inert(hostile: str | bytes, safe: str) -> None:
    assert neutralise(hostile) == safe


def test_long_text_is_cut_and_marked() -> None:
    assert neutralise("x" * 30, limit=10) == "xxxxxxxxxx... (20 more)"


def test_every_string_in_plain_data_is_neutralised() -> None:
    assert neutralise_all({"\x1b": [("{{", 1, None, True)]}) == {"\\x1b": [["\\x7b{", 1, None, True]]}


def test_keys_of_numbers_are_neutralised() -> None:
    assert neutralise_all({"\x1b": 1, "plain": None}) == {"\\x1b": 1, "plain": None}


class Text(str):
    """A text of a type of its own, as Ansible has for texts of users."""

    __slots__ = ()


def test_values_of_derived_types_are_neutralised() -> None:
    value = types.MappingProxyType({Text("{{"): collections.OrderedDict({"a": Text("\x1b")})})
    assert neutralise_all(value) == {"\\x7b{": {"a": "\\x1b"}}


def test_diff_of_undecodable_text_is_escaped() -> None:
    assert make_diff("/etc/fstab", "# caf\udce9\n", "# café\n") == {
        "before_header": "/etc/fstab",
        "after_header": "/etc/fstab",
        "before": "# caf\\xe9\n",
        "after": "# café\n",
    }


def test_keys_that_become_equal_are_all_kept() -> None:
    mapping = {"a\x01": 1, "a\\x01": 2, "a\\x01 (2)": 3, "b": 4}
    assert neutralise_all(mapping) == {"a\\x01": 1, "a\\x01 (3)": 2, "a\\x01 (2)": 3, "b": 4}


def test_many_keys_that_become_equal_are_all_kept() -> None:
    mapping = {f"{'x' * 2000}{number:05}": number for number in range(3000)}
    assert sorted(neutralise_all(mapping).values()) == list(range(3000))
