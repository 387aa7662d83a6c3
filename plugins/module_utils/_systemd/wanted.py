# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the wanted drop-in from the parameters of the module. Pure."""

from __future__ import annotations

import typing as t

from .model import MANAGER, DropinError, Wanted

_BOOLEANS = {True: "yes", False: "no"}


def parse_wanted(params: t.Mapping[str, t.Any]) -> Wanted:
    """Return the drop-in that the module's parameters ask for. Raises DropinError and SizeError."""
    if params["unit"] == MANAGER and params["scope"] == "user":
        raise DropinError(f"{MANAGER} is not a user unit.", hint="Omit scope, or use user.conf.")

    return Wanted(
        unit=params["unit"],
        name=params["name"],
        settings=_parse_settings(params["settings"]),
        present=params["state"] == "present",
        runtime=params["runtime"],
        force=params["force"],
        pin=params["pin"],
        reload=params["reload"],
    )


def _parse_settings(settings: t.Mapping[str, t.Any]) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the values of each directive by section; an empty list sets nothing."""
    parsed: dict[str, dict[str, tuple[str, ...]]] = {}
    for section, directives in settings.items():
        _refuse_section(section, directives)
        parsed[section] = {}
        for directive, value in directives.items():
            if value != []:
                parsed[section][directive] = parse_values(value, name=f"{directive}= in [{section}]")

    return parsed


def _refuse_section(section: str, directives: t.Any) -> None:
    if not isinstance(directives, dict):
        raise DropinError(
            f"settings.{section} is not a mapping of directives to values.",
            hint="Write settings as {Service: {OOMPolicy: continue}}.",
        )


def parse_values(value: t.Any, *, name: str) -> tuple[str, ...]:
    """Return the values of one directive as unit files contain them: booleans as yes and no, numbers in digits.

    Raises DropinError, which names the directive, for a mapping, a list in a list, and null.
    """
    items = value
    if not isinstance(value, list):
        items = [value]

    return tuple(_format_value(item, name) for item in items)


def _format_value(item: t.Any, name: str) -> str:
    if isinstance(item, (dict, list, type(None))):
        raise DropinError(
            f"The value of {name} is neither text nor a number nor a boolean.",
            hint="Use an empty string to reset a directive, and omit directives that you do not want to set.",
        )

    if isinstance(item, bool):
        return _BOOLEANS[item]

    return str(item)
