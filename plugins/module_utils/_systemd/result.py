# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told about a drop-in: plain data, with every string made inert. Pure."""

from __future__ import annotations

import typing as t

from .._safe import neutralise_all
from .dropin import Plan, State, Wanted
from .in_force import (
    conflicts,
    effective,
    not_in_force,
    tighter,
    unverified,
)
from .plan import restart_required


def result(state: State, plan: Plan, wanted: Wanted) -> dict[str, t.Any]:
    """Return the module's result beside `changed` and `diff`."""
    shown = state.booted and wanted.present
    unknown = unverified(state, wanted) if wanted.present else []
    overrides = {entry.directive: entry for entry in (*conflicts(state, wanted), *not_in_force(state, wanted))}
    found = {
        "path": str(state.path),
        "effective": effective(state, wanted.settings) if shown else {},
        "overridden_by": [
            {
                "section": override.section,
                "directive": override.directive,
                "value": override.value,
                "path": override.path,
            }
            for override in overrides.values()
        ],
        "verified": not unknown and not overrides,
        "unverified": unknown,
        "limits": {
            directive: {
                "value": limit.value,
                "tightest_value": above[1] if above else limit.value,
                "tightest_cgroup": above[0] if above else None,
            }
            for directive, limit in state.limits.items()
            for above in [tighter(state, directive)]
            if any(directive in directives for directives in wanted.settings.values())
        },
        "active_state": next((unit for unit in state.units if unit.active), state).properties.get("ActiveState"),
        "unit_result": state.properties.get("Result"),
        "reload_required": state.reload_required,
        "restart_required": restart_required(state, plan),
    }
    return t.cast("dict[str, t.Any]", neutralise_all(found))
