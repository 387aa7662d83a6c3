# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of this host as systemd knows them now, which settles what the journal leaves open."""

from __future__ import annotations

import time
import types
import typing as t

_SECOND_US = 1_000_000


class UnitState(t.NamedTuple):
    """A unit as systemd knows it now; None for what systemd does not say."""

    unit: str
    active_state: str | None = None
    result: str | None = None
    """Why the unit last failed, such as `oom-kill`; `success` if it did not, or has been started since."""
    oom_policy: str | None = None
    restart: str | None = None
    was_restarted: bool | None = None
    """Whether systemd has restarted it automatically since a person last started it."""
    main_process_killed: bool | None = None
    """Whether SIGKILL ended its main process; None if it has not ended."""
    main_pid: int = 0
    """The process id of its main process; 0 if it has none."""
    up_us: int = 0
    """When it was last started, in microseconds since the boot; 0 if it was not."""
    down_us: int = 0
    """When it last went down, in microseconds since the boot; 0 if it did not."""
    type: str | None = None
    """Its Type=, None if it is not a service."""
    is_transient: bool = False
    """Whether a program has created it, so that it exists only until it ends."""
    timers: str = ""
    """The timers that start it."""

    @property
    def is_up(self) -> bool | None:
        """Whether it is up; None if systemd does not say."""
        if self.active_state is None:
            return None

        return self.active_state in {"active", "reloading", "refreshing"}

    @property
    def is_stopping(self) -> bool:
        return self.active_state == "deactivating"

    @property
    def is_oom_killed(self) -> bool:
        """Whether OOM kills took it down, and it has not been started since."""
        return self.result == "oom-kill" and not self.is_up


class UnitStates(t.NamedTuple):
    """The units of this host that systemd knows."""

    units: t.Mapping[str, UnitState] = types.MappingProxyType({})
    boot_id: str = ""
    """The current boot."""
    is_known: bool = False
    """False if systemd does not answer, or is another host's."""

    def find(self, unit: str) -> UnitState:
        """Return the state of a unit; nothing of it is known if systemd does not know the unit."""
        return self.units.get(unit, UnitState(unit))

    def find_in_boot(self, unit: str, boot_id: str) -> UnitState:
        """Return the state of a unit if the boot is the current one; nothing of it is known about another boot."""
        if boot_id != self.boot_id:
            return UnitState(unit)

        return self.find(unit)

    def is_gone(self, unit: str) -> bool:
        """Return whether systemd does not know a unit, or forgets it when it ends."""
        is_kept = unit in self.units and not self.find(unit).is_transient
        return self.is_known and not is_kept


class Outage(t.NamedTuple):
    """A unit that systemd says is down because of an OOM kill, and when it went down, in microseconds since 1970."""

    state: UnitState
    time_us: int


def list_outages(states: UnitStates, *, since_us: int) -> tuple[Outage, ...]:
    """Return the units that systemd says have been down because of OOM kills since a time, or since a later one."""
    booted_us = int((time.time() - time.monotonic()) * _SECOND_US)
    outages = []
    for state in states.units.values():
        time_us = booted_us + state.down_us
        if state.is_oom_killed and time_us >= since_us:
            outages.append(Outage(state, time_us))

    return tuple(outages)
