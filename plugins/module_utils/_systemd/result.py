# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the result of the module as plain data. Pure."""

from __future__ import annotations

import dataclasses
import operator
import typing as t

from .._change_record import Setting
from .directives import is_list, resolve_assignments
from .dropin import iterate_settings, parse_assignments
from .in_force import (
    Override,
    find_conflicts,
    find_differences,
    find_effective_values,
    find_unverified,
    list_exceptions,
)
from .limits import find_tighter_ceiling
from .model import Limit, Plan, State, Wanted
from .plan import is_restart_required
from .syntax import parse_size

# Their values may be secret.
_SECRET = ("Environment", "SetCredential", "SetCredentialEncrypted")


def build_result(state: State, plan: Plan, wanted: Wanted, *, check_mode: bool = False) -> dict[str, t.Any]:
    """Return the module's result, without `changed` and `diff`.

    In check mode, `state` is the one before the plan, and the values are those that would be in force after it.
    """
    values = _describe_values(state, wanted)
    if check_mode and plan.changed:
        values = _predict_values(state, plan, wanted)

    return {
        "path": str(state.path),
        **values,
        "limits": _describe_limits(state, wanted),
        "active_state": _find_active_state(state),
        "unit_result": state.properties.get("Result"),
        "oom_killed_units": _find_killed_units(state, wanted),
        "restart_required": is_restart_required(state, plan),
    }


def _describe_values(state: State, wanted: Wanted) -> dict[str, t.Any]:
    """Return the values in force, and how they differ from the wanted ones."""
    unverified: list[str] = []
    exceptions: list[str] = []
    overrides: list[Override] = []
    effective: dict[str, dict[str, str | None]] = {}
    if wanted.present:
        unverified = find_unverified(state, wanted)
        exceptions = list_exceptions(state, wanted)
        overrides = _find_overrides(state, wanted)
        effective = find_effective_values(state, wanted.settings)

    return {
        "effective": effective,
        "overridden_by": _describe_overrides(overrides),
        "exceptions": exceptions,
        "verified": not unverified and not overrides,
        "unverified": unverified,
        "reload_required": state.reload_required,
    }


def _predict_values(state: State, plan: Plan, wanted: Wanted) -> dict[str, t.Any]:
    """Return the values that would be in force after the plan: as systemd prints them now, or as they were written."""
    values = _describe_values(state, wanted)
    conflicts = find_conflicts(state, wanted)
    differences = map(operator.attrgetter("directive"), find_differences(state, wanted))
    pending = {*values["unverified"], *differences}
    is_outdated = plan.writes or state.reload_required
    return {
        "effective": _predict_effective(state, wanted, pending),
        "overridden_by": _describe_overrides(conflicts),
        "exceptions": [],
        "verified": not pending and not conflicts,
        "unverified": sorted(pending),
        "reload_required": state.booted and is_outdated and not plan.reload,
    }


def _predict_effective(state: State, wanted: Wanted, pending: t.AbstractSet[str]) -> dict[str, dict[str, str | None]]:
    effective = find_effective_values(state, wanted.settings)
    if not effective or not wanted.present:
        return {}

    for section, directive, written in iterate_settings(wanted.settings):
        if directive in pending:
            effective[section][directive] = _join(directive, written)

    for override in find_conflicts(state, wanted):
        effective[override.section][override.directive] = override.value

    return effective


def _join(directive: str, written: t.Sequence[str]) -> str:
    """Return what remains of the values that are assigned to a directive."""
    remaining = resolve_assignments(written)
    if is_list(directive):
        return " ".join(remaining)

    return "".join(remaining[-1:])


def _find_overrides(state: State, wanted: Wanted) -> list[Override]:
    """Return one override for each directive; the value in force now counts more than that of a later file."""
    found = [*find_conflicts(state, wanted), *find_differences(state, wanted)]
    by_directive = {override.directive: override for override in found}
    return list(by_directive.values())


def _describe_overrides(overrides: t.Iterable[Override]) -> list[dict[str, str | None]]:
    return list(map(dataclasses.asdict, overrides))


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
        name = unit.properties.get("Id", wanted.unit)
        if ended == ("failed", "oom-kill"):
            killed[name] = unit

    return list(killed)


def list_settings(state: State, wanted: Wanted) -> list[Setting]:
    """Return the drop-in, and the value of each directive in it or in the request, for the journal.

    That is the value in force if systemd was asked for it, and the one in the file otherwise. Directives whose values
    may be secret are left out, because a journal may be sent to other hosts.
    """
    written: dict[str, list[str]] = {}
    for assignment in parse_assignments(state.text):
        written.setdefault(assignment.directive, []).append(assignment.value)

    values: dict[str, str | None] = {directive: _join(directive, texts) for directive, texts in written.items()}
    for in_force in find_effective_values(state, wanted.settings).values():
        values.update(in_force)

    unit = _find_name(state, wanted)
    settings = [Setting(f"drop-in {wanted.name}", unit)]
    for directive, value in values.items():
        if directive not in _SECRET:
            settings.append(Setting(directive, unit, _to_bytes(directive, value)))

    return settings


def _find_name(state: State, wanted: Wanted) -> str:
    """Return the name of the unit, and not an alias."""
    if state.instances:
        return wanted.unit

    return state.properties.get("Id", wanted.unit)


def _to_bytes(directive: str, value: str | None) -> str | int | None:
    """Return a value, a size in bytes."""
    if value is None or not directive.startswith("Memory"):
        return value

    size_bytes = parse_size(value)
    if size_bytes is None:
        return value

    return size_bytes
