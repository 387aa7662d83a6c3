# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data is compared with a schema."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.oomguard.linux.plugins.plugin_utils._fleet.shape import ShapeError, check_shape

SCHEMA: dict[str, t.Any] = {
    "type": ["object"],
    "required": ["host"],
    "properties": {
        "host": {"type": ["string"]},
        "seconds": {"type": ["number", "null"]},
        "units": {"type": ["array"], "items": {"type": ["object"], "additionalProperties": {"type": ["integer"]}}},
        "notes": {"type": ["array"]},
    },
}


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"seconds": None},
        {"seconds": 1},
        {"seconds": 1.5},
        {"units": [{"a": 1}, {}]},
        {"notes": [1, "a"]},
        {"unknown": 1},
    ],
)
def test_data_of_the_right_shape_is_accepted(parts: dict[str, t.Any]) -> None:
    check_shape({"host": "web1", **parts}, SCHEMA, "it")


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], "it is not of type object"),
        ({}, "it.host is missing"),
        ({"host": 1}, "it.host is not of type string"),
        ({"host": "web1", "seconds": True}, "it.seconds is not of type number or null"),
        ({"host": "web1", "units": {}}, "it.units is not of type array"),
        ({"host": "web1", "units": [{}, {"a": "1"}]}, "it.units[1].a is not of type integer"),
    ],
)
def test_fault_is_named_with_its_place(value: object, fault: str) -> None:
    with pytest.raises(ShapeError) as raised:
        check_shape(value, SCHEMA, "it")
    assert str(raised.value) == fault
