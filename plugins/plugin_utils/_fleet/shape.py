# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare data with a JSON schema, of which only the keywords that the schema of records uses are known."""

from __future__ import annotations

import typing as t

_NAMES: dict[type, frozenset[str]] = {
    str: frozenset(("string",)),
    bool: frozenset(("boolean",)),
    int: frozenset(("integer", "number")),
    float: frozenset(("number",)),
    list: frozenset(("array",)),
    dict: frozenset(("object",)),
    type(None): frozenset(("null",)),
}
_NO_NAME: frozenset[str] = frozenset()

Schema = t.Mapping[str, t.Any]


class ShapeError(Exception):
    """A value does not have the shape that its schema demands; the text says where, and what it should be."""


def check_shape(value: t.Any, schema: Schema, path: str) -> None:
    """Raise ShapeError for the first part of `value` that is not as `schema` demands; `path` is the name of `value`.

    Known are `type` (a list of names), `required`, `properties`, `additionalProperties` and `items`.
    """
    if _NAMES.get(type(value), _NO_NAME).isdisjoint(schema["type"]):
        raise ShapeError(f"{path} is not of type {' or '.join(schema['type'])}")

    if isinstance(value, dict):
        _check_members(value, schema, path)
    elif isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            check_shape(item, schema["items"], f"{path}[{number}]")


def _check_members(members: t.Mapping[str, t.Any], schema: Schema, path: str) -> None:
    missing = [name for name in schema.get("required", ()) if name not in members]
    if missing:
        raise ShapeError(f"{_join(path, missing[0])} is missing")

    known = schema.get("properties", {})
    others = schema.get("additionalProperties")
    for name, value in members.items():
        member_schema = known.get(name, others)
        if member_schema is not None:
            check_shape(value, member_schema, _join(path, name))


def _join(path: str, name: str) -> str:
    return f"{path}.{name}"
