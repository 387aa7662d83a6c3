# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of the module fcgid_recycler. Pure."""

from __future__ import annotations

import typing as t

from .files import UNIT
from .install import Plan, State


def build_result(state: State, plan: Plan) -> dict[str, t.Any]:
    """Return the result, without `changed` and `diff`."""
    return {
        "unit": UNIT,
        "active": state.active,
        "status": state.status if state.active else None,
        "restarted": plan.restart,
    }
