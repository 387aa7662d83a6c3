# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of a host's zram0, in the steps of every change."""

from __future__ import annotations

import dataclasses
import typing as t

from .._change import Change
from .._change_record import Setting
from .._errors import OomguardError, undoing
from .._files import check_change, lock, remove_file, write_file
from .._swap.checks import require_swapoff_room
from .._systemctl import Systemctl
from .model import DEVICE, State, Wanted, ZramError
from .observe import SETUP_UNIT, Host, observe_state
from .plan import Plan, make_plan, verify_state

SWAP_UNIT = "dev-zram0.swap"

# Pages are decompressed one by one when the device is switched off.
_TIMEOUT = 600


@dataclasses.dataclass(frozen=True)
class ZramChange(Change[State, Plan]):
    """Brings the zram0 of `host` to what is `wanted`."""

    module = "zram"

    wanted: Wanted
    host: Host

    def lock(self) -> t.ContextManager[None]:
        """Return the lock for changes of zram."""
        return lock("zram")

    def observe(self) -> State:
        """Return the state of the host's zram0. Raises OomguardError."""
        return observe_state(self.host)

    def plan(self, state: State) -> Plan:
        """Return the steps. Raises OomguardError, also if the configuration could not be written."""
        plan = make_plan(state, self.wanted)
        if plan.writes:
            check_change(self.host.config, plan.config or None)
        return plan

    def apply(self, plan: Plan) -> Plan:
        """Carry out the steps. Raises OomguardError."""
        if plan.writes:
            self._write_config(plan.config)
        # systemd must stop the unit as long as it knows it: the generator omits a device of size 0.
        if plan.stops:
            self._stop()
        self._systemctl.reload()
        if plan.starts:
            self._call("start", SWAP_UNIT)
        return plan

    def verify(self, state: State) -> None:
        """Raise ZramError if steps remain."""
        verify_state(state, self.wanted)

    def activate(self, state: State, plan: Plan) -> State:
        """Return `state`: the device is in use as soon as it is started."""
        del plan
        return state

    def list_settings(self, state: State) -> list[Setting]:
        """Return the size of the device in bytes, 0 if it is not in use."""
        size_bytes = 0
        if state.device is not None:
            size_bytes = state.device.size_bytes

        return [Setting("zram", "", size_bytes)]

    def undo(self, plan: Plan, error: OomguardError) -> t.NoReturn:
        """Put the old configuration back, set the device up with it, and raise `error`."""
        with undoing(error):
            self._put_back(plan)

        raise ZramError(f"{error.problem} The old configuration was put back.", hint=error.hint) from error

    def _put_back(self, plan: Plan) -> None:
        self._write_config(plan.state.config)
        if plan.starts and self.observe().device is not None:
            self._stop()
        self._systemctl.reload()
        if plan.state.device is not None:
            self._call("start", SWAP_UNIT)

    def _write_config(self, text: str) -> None:
        if text:
            write_file(self.host.config, text)
        else:
            remove_file(self.host.config)

    def _stop(self) -> None:
        # The use of memory has changed since the plan was made.
        state = self.observe()
        require_swapoff_room(state.areas, [DEVICE], state.memory_available_bytes, self.wanted.reserve_bytes)
        self._call("stop", SWAP_UNIT)
        self._call("stop", SETUP_UNIT)

    def _call(self, verb: str, unit: str) -> None:
        done = self._systemctl(verb, unit, timeout=_TIMEOUT)
        if done.returncode:
            raise done.failed(f"{verb} {unit}", hint=f"Look at its log with: journalctl -u {unit} -u '{SETUP_UNIT}'")

    @property
    def _systemctl(self) -> Systemctl:
        return Systemctl(run=self.host.run, options=("--quiet",))
