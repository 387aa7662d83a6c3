# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of one drop-in, in the steps that `bring` of `_change.py` takes."""

from __future__ import annotations

import typing as t

from .._change import Change
from .._change_record import Setting
from .._errors import OomguardError, undoing
from .._files import reporting
from .cgroup import write_limit
from .dropin import find_directives
from .in_force import refuse_conflicts, verify_settings
from .install import FormerFile, check_place, install_dropin, restore_file
from .limits import find_stale_limits, verify_limits
from .manager import Systemd
from .model import DropinError, Plan, State, Wanted
from .plan import make_plan
from .result import list_settings
from .traps import refuse_empty, refuse_kill
from .validate import validate_dropin


class DropinChange(Change[State, Plan]):
    """The change that brings about the `wanted` drop-in.

    With `verify`, it fails if a setting is not in force, or would not be. In any case, it fails if a new memory limit
    is below the memory in use. Raises DropinError, CommandError and FileError.
    """

    module = "systemd_dropin"

    def __init__(self, wanted: Wanted, systemd: Systemd, *, verify: bool = True) -> None:
        self._wanted = wanted
        self._systemd = systemd
        self._verify = verify
        self._has_written = False
        self._former: FormerFile | None = None

    def lock(self) -> t.ContextManager[object]:
        """Return the lock that keeps other runs from changing drop-ins."""
        return self._systemd.lock_changes()

    def observe(self) -> State:
        """Return the state of the unit and of its drop-in."""
        with reporting(f"examine the drop-in of {self._wanted.unit}"):
            return self._systemd.observe(self._wanted)

    def plan(self, state: State) -> Plan:
        """Return the steps to the wanted drop-in, after systemd has read it.

        If there is nothing to do, the settings in force are verified here.
        """
        plan = make_plan(state, self._wanted)
        check_place(plan)
        with reporting(f"check the settings for {self._wanted.unit}"):
            validate_dropin(plan, state, self._wanted, self._systemd)
        refuse_kill(state, self._wanted)
        refuse_empty(state, self._wanted)
        if self._verify:
            refuse_conflicts(state, self._wanted)
            if not plan.changed:
                self.verify(state)

        return plan

    def apply(self, plan: Plan) -> Plan:
        """Install the file, and have systemd read it."""
        with reporting(f"install {plan.path}"):
            self._former = install_dropin(plan)
        self._has_written = plan.writes
        if plan.reload:
            self._systemd.reload(self._wanted)

        return plan

    def verify(self, state: State) -> None:
        """Raise DropinError if a setting is not in force, although systemd has read all files."""
        has_read_files = not state.reload_required
        if self._verify and has_read_files:
            verify_settings(state, self._wanted)

    def activate(self, state: State, plan: Plan) -> State:
        """Hand the new limits to the cgroup of the running unit; if that fails, undo the change."""
        if state.reload_required:
            return state

        try:
            return self._hand_over_limits(state, plan)
        except OomguardError as error:
            self.undo(plan, error)

    def list_settings(self, state: State) -> list[Setting]:
        """Return the settings of the unit that the drop-in concerns."""
        return list_settings(state, self._wanted)

    def undo(self, plan: Plan, error: OomguardError) -> t.NoReturn:
        """Put the old file back, and raise an error that also says how that went.

        A file that could not be installed is still the old one.
        """
        if not self._has_written:
            raise error

        with undoing(error), reporting(f"restore {plan.path}"):
            restore_file(plan.path, self._former)
            if plan.reload:
                self._systemd.reload(self._wanted)

        raise DropinError(f"{error} {plan.path} is as it was before.") from error

    def _hand_over_limits(self, state: State, plan: Plan) -> State:
        """Write the limits that systemd has read to the cgroup of the running unit, as its next start would.

        systemd 252 does so when it reads its files, systemd 257 does not.
        """
        former = find_directives(plan.before)
        stale = find_stale_limits(state, self._wanted, former=former)
        if not stale:
            return state

        for limit in stale:
            write_limit(limit.file, limit.text, required=self._verify)

        # The unit may have ended meanwhile.
        state = self.observe()
        if self._verify:
            verify_limits(state, self._wanted, former=former)

        return state
