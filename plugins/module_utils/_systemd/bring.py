# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of one drop-in: observe, plan, apply, verify."""

from __future__ import annotations

from .dropin import Plan, State, Wanted
from .in_force import refuse_conflicts, verify
from .manager import Systemd
from .plan import make_plan
from .traps import refuse_kill
from .validate import validate


def bring(wanted: Wanted, systemd: Systemd, *, check: bool = True, dry: bool = False) -> tuple[State, Plan]:
    """Bring about the wanted drop-in; return what there is then, and the plan that led to it.

    With `check`, raises DropinError where a setting is not in force, or would not be; in any case, where a new limit
    of memory is below what is in use. With `dry`, changes nothing.
    Raises DropinError, CommandError and FileError.
    """
    if dry:
        return _prepare(wanted, systemd, check=check)
    with systemd.alone():
        state, plan = _prepare(wanted, systemd, check=check)
        return (systemd.carry_out(plan, wanted, check=check) if plan.changed else state), plan


def _prepare(wanted: Wanted, systemd: Systemd, *, check: bool) -> tuple[State, Plan]:
    state = systemd.observe(wanted)
    plan = make_plan(state, wanted)
    validate(plan, state, wanted, systemd)
    refuse_kill(state, wanted)
    if check:
        refuse_conflicts(state, wanted)
        if not (plan.changed or state.reload_required):
            verify(state, wanted)
    return state, plan
