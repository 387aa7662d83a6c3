# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the result of the module as plain data. Pure."""

from __future__ import annotations

import typing as t

from .in_force import Override, find_conflicts, find_differences, find_effective_values, find_unverified
from .limits import find_tighter_ceiling
from .model import Limit, Plan, State, Wanted
from .plan import is_restart_required


def build_result(state: State, plan: Plan, wanted: Wanted) -> dict[str, t.Any]:
    """Return the module's result, without `changed` and `diff`."""
    effective: dict[str, dict[str, str | None]] = {}
    if state.booted and wanted.present:
        effective = find_effective_values(state, wanted.settings)

    unverified: list[str] = []
    if wanted.present:
        unverified = find_unverified(state, wanted)

    overrides = _find_overrides(state, wanted)
    return {
        "path": str(state.path),
        "effective": effective,
        "overridden_by": [_describe_override(override) for override in overrides],
        "verified": not unverified and not overrides,
        "unverified": unverified,
        "limits": _describe_limits(state, wanted),
        "active_state": _find_active_state(state),
        "unit_result": state.properties.get("Result"),
        "oom_killed_units": _find_killed_units(state, wanted),
        "reload_required": state.reload_required,
        "restart_required": is_restart_required(state, plan),
    }


def _find_overrides(state: State, wanted: Wanted) -> list[Override]:
    """Return one override for each directive; the value in force now counts more than that of a later file."""
    found = [*find_conflicts(state, wanted), *find_differences(state, wanted)]
    by_directive = {override.directive: override for override in found}
    return list(by_directive.values())


def _describe_override(override: Override) -> dict[str, str | None]:
    return {
        "section": override.section,
        "directive": override.directive,
        "value": override.value,
        "path": override.path,
    }


def _describe_limits(state: State, wanted: Wanted) -> dict[str, dict[str, float | str | None]]:
    described = {}
    for directive, limit in state.limits.items():
        if directive in wanted.directives:
            described[directive] = _describe_limit(state, directive, limit)

    return described


def _describe_limit(state: State, directive: str, limit: Limit) -> dict[str, float | str | None]:
    ceiling = find_tighter_ceiling(state, directive)
    if ceiling is None:
        return {"value": limit.value, "tightest_value": limit.value, "tightest_cgroup": None}

    return {"value": limit.value, "tightest_value": ceiling.value, "tightest_cgroup": ceiling.cgroup}


def _find_active_state(state: State) -> str | None:
    """Return the state of the first unit that runs, or else that of the unit itself."""
    first, *_others = (*state.active_units, state)
    return first.properties.get("ActiveState")


def _find_killed_units(state: State, wanted: Wanted) -> list[str]:
    """Return the unit, or the instances of it, that failed because of an OOM kill and have not been started since."""
    killed = {}
    for unit in state.units:
        ended = (unit.properties.get("ActiveState"), unit.properties.get("Result"))
        if ended == ("failed", "oom-kill"):
            name = unit.properties.get("Id", wanted.unit)
            killed[name] = unit

    return list(killed)
