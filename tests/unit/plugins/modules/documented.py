# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module documents against what it returns."""

from __future__ import annotations

import typing as t

import yaml


def documented(text: str) -> dict[str, t.Any]:
    """Return the keys that a module's RETURN documents, with those that they contain."""
    return _keys(yaml.safe_load(text))


def documented_always(text: str) -> set[str]:
    """Return the keys that a module's RETURN says are always returned."""
    return {name for name, value in yaml.safe_load(text).items() if value["returned"] == "always"}


def returned(value: t.Any, contents: t.Any) -> t.Any:
    """Return the keys that were returned, as deep as the documented `contents` have them."""
    if contents is None:
        return None
    first = value[0] if isinstance(value, list) else value
    return {name: returned(item, contents.get(name)) for name, item in first.items()}


def _keys(documented: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name: _keys(value["contains"]) if "contains" in value else None for name, value in documented.items()}
