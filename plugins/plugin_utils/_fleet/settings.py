# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings that are in force on a host, and when each was read. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._size import format_size
from .merge import find_age, list_ages
from .parts import get_part, get_rows
from .record import Data, Record

_TITLES = {"oom_policy": "OOMPolicy of", "fcgid": "mod_fcgid:"}


class Reading(t.NamedTuple):
    """A setting that was in force when it was read."""

    read_at: str
    name: str
    value: str


def list_settings(record: Record) -> list[Reading]:
    """Return the settings that are in force on a host, sorted by name. Of each one, the newest value counts."""
    newest: dict[str, Reading] = {}
    for setting in sorted([*_list_searched(record), *_list_applied(record)], key=_get_age):
        newest[setting.name] = setting

    return [newest[name] for name in sorted(newest)]


def _get_age(setting: Reading) -> str:
    return setting.read_at


def _list_searched(record: Record) -> t.Iterator[Reading]:
    """Yield what the search has read: the policies of units that went down."""
    searched_at = find_age(record, "summary")
    ages = get_part(get_part(record, "merging"), "unit_ages")
    for unit in get_rows(get_part(record, "summary"), "taken_down"):
        name = unit["unit"]
        read_at = ages.get(name, searched_at)
        yield from _name_settings(_TITLES["oom_policy"], {name: unit.get("oom_policy")}, read_at)


def _list_applied(record: Record) -> t.Iterator[Reading]:
    """Yield what was read after changes."""
    in_force = get_part(record, "in_force")
    ages = list_ages([record])
    for name, title in _TITLES.items():
        for key, value in get_part(in_force, name).items():
            yield from _name_settings(title, {key: value}, ages[name].get(key, ""))

    swap = in_force.get("swap_total_bytes")
    if swap is not None:
        yield Reading(ages["swap_total_bytes"][""], "total swap", format_size(swap))


def _name_settings(title: str, values: Data, read_at: str) -> t.Iterator[Reading]:
    for name, value in values.items():
        if value is not None:
            yield Reading(read_at, f"{title} {name}", str(value))
