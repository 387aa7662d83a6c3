# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of a host's swap, in the steps of every change."""

from __future__ import annotations

import dataclasses
import typing as t

from .._change import Change
from .._change_record import Setting
from .._command import Run
from .._errors import OomguardError
from .._files import lock
from .apply import Applier
from .boot import verify_boot
from .host import Host
from .observe import observe_state
from .plan import Plan, make_plan, verify_state
from .state import State
from .wanted import Wanted


@dataclasses.dataclass(frozen=True)
class SwapChange(Change[State, Plan]):
    """Brings the swap of `host` to what is `wanted`."""

    module = "swap"

    wanted: Wanted
    host: Host
    run: Run

    def lock(self) -> t.ContextManager[None]:
        """Return the lock for changes of swap."""
        return lock("swap")

    def observe(self) -> State:
        """Return the state of the host's swap. The folder of the files may be missing if state is absent."""
        return observe_state(self.wanted.path, self.host, self.run, required=self.wanted.present)

    def plan(self, state: State) -> Plan:
        """Return the steps. Raises SwapError."""
        return make_plan(state, self.wanted, fstab_path=str(self.host.fstab))

    def apply(self, plan: Plan) -> Plan:
        """Carry out the steps. Raises OomguardError, which names the steps that were completed."""
        applier = Applier(host=self.host, run=self.run, reserve_bytes=self.wanted.reserve_bytes)
        return applier.apply(plan)

    def verify(self, state: State) -> None:
        """Raise SwapError if steps remain, or systemd would not switch the files on at the next boot."""
        verify_state(state, self.wanted)
        if state.booted and state.own_area_paths and self.wanted.persist != "none":
            verify_boot(state.own_area_paths, self.run)

    def activate(self, state: State, _plan: Plan) -> State:
        """Return `state`: an area is in use as soon as its step is done."""
        return state

    def list_settings(self, state: State) -> list[Setting]:
        """Return the total swap in bytes, as far as it counts."""
        return [Setting("swap", "", self.wanted.sum_size(state.areas))]

    def undo(self, _plan: Plan, error: OomguardError) -> t.NoReturn:
        """Raise `error`. Nothing is undone: each step leaves a working host, from which the next run continues."""
        raise error
