# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module fcgid_recycler. Pure."""

from __future__ import annotations

import contextlib
import typing as t

from .._change_record import Setting
from .._errors import OomguardError
from .files import UNIT
from .install import Plan, State
from .settings import Bounds, parse


def build_result(state: State, plan: Plan) -> dict[str, t.Any]:
    """Return the result, without `changed` and `diff`."""
    return {
        "unit": UNIT,
        "active": state.active,
        "status": state.status if state.active else None,
        "restarted": plan.restart,
    }


def list_bounds(configuration: str) -> list[Setting]:
    """Return the limits in the text of the configuration, in bytes, for the journal; none if it cannot be read."""
    settings: list[Setting] = []
    with contextlib.suppress(OomguardError):
        parsed = parse(configuration)
        settings += _list_bounds(UNIT, parsed.bounds)
        for entry in parsed.scripts:
            settings += _list_bounds(entry.name, entry.bounds)

    return settings


def _list_bounds(owner: str, bounds: Bounds) -> list[Setting]:
    return [Setting("limit", owner, bounds.limit), Setting("hard_limit", owner, bounds.hard_limit)]
