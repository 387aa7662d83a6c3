# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recycler's installation, in the steps of `bring`."""

from __future__ import annotations

import typing as t

from .._change import Change
from .._change_record import Setting
from .._errors import OomguardError
from .files import CONFIGURATION_PATH, UNIT
from .install import (
    LOOK_HINT,
    Host,
    Plan,
    State,
    Wanted,
    make_plan,
)
from .result import list_bounds
from .settings import RecyclerError


class RecyclerChange(Change[State, Plan]):
    """Bring the recycler on `host` to what is `wanted`, and check that it runs with that.

    A failed change is not put back: each step can be repeated, and the next run carries on.
    """

    module = "fcgid_recycler"

    def __init__(self, host: Host, wanted: Wanted) -> None:
        self._host = host
        self._wanted = wanted

    def lock(self) -> t.ContextManager[object]:
        """Return the lock for the recycler's installation."""
        return self._host.lock()

    def observe(self) -> State:
        """Return the state of the recycler on the host. Raises CommandError and FileError."""
        return self._host.observe()

    def plan(self, state: State) -> Plan:
        """Return the steps to take. Raises FileError if they could not be taken."""
        plan = make_plan(state, self._wanted)
        self._host.check_places(plan)
        return plan

    def apply(self, plan: Plan) -> Plan:
        """Carry out the plan. Raises CommandError, FileError and RecyclerError."""
        self._host.apply(plan)
        return plan

    def verify(self, state: State) -> None:
        """Raise RecyclerError if another change would be necessary."""
        if make_plan(state, self._wanted).changed:
            properties = ", ".join(f"{name}={value}" for name, value in state.properties.items())
            raise RecyclerError(f"{UNIT} does not run with its current settings ({properties}).", hint=LOOK_HINT)

    def activate(self, state: State, plan: Plan) -> State:
        """Return the state. The plan has already restarted the recycler."""
        del plan
        return state

    def list_settings(self, state: State) -> list[Setting]:
        """Return the service, and the limits in its configuration."""
        text = state.files[CONFIGURATION_PATH]
        return [Setting("recycler", ""), *list_bounds(text or "")]

    def undo(self, plan: Plan, error: OomguardError) -> t.NoReturn:
        """Raise the error, and leave the rest of the plan to the next run."""
        del plan
        raise error
