# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ask systemd about the units of this host."""

from __future__ import annotations

import typing as t

from ..._command import CommandError, Run
from ..._systemctl import Systemctl
from .units import UnitState, UnitStates

JOURNALD = "systemd-journald.service"

_PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "Result",
    "OOMPolicy",
    "Restart",
    "NRestarts",
    "ExecMainCode",
    "ExecMainStatus",
    "MainPID",
    "ActiveEnterTimestampMonotonic",
    "ActiveExitTimestampMonotonic",
    "InactiveEnterTimestampMonotonic",
    "Type",
    "Transient",
    "TriggeredBy",
)
# Every unit whose last result is still shown. In all other states, systemd has reset it.
_UNSETTLED = "--state=failed,activating,deactivating"
_ALL = "*"

# waitid(2): CLD_KILLED, and the signal that the OOM killer sends.
_KILLED = ("2", "9")
_RUNNING = "0"


def observe_failed_units(run: Run, *, boot_id: str) -> UnitStates:
    """Return journald, and the units whose last result is not reset yet, such as those that OOM kills took down."""
    return _observe(Systemctl(run, options=(_UNSETTLED,)), (_ALL, JOURNALD), boot_id)


def observe_units(run: Run, units: t.Sequence[str], *, boot_id: str) -> UnitStates:
    """Return the states of `units`; empty ones if systemd does not answer, as in an image that is being built."""
    if not units:
        return UnitStates({}, boot_id, is_known=True)

    return _observe(Systemctl(run), units, boot_id)


def _observe(systemctl: Systemctl, units: t.Sequence[str], boot_id: str) -> UnitStates:
    try:
        shown = systemctl.show(units, _PROPERTIES, attempt="ask systemd for the states of units")
    except CommandError:
        return UnitStates({}, boot_id)

    states = {}
    for properties in shown:
        if properties.get("LoadState") == "loaded":
            state = _read_state(properties)
            states[state.unit] = state

    return UnitStates(states, boot_id, is_known=True)


def _read_state(properties: t.Mapping[str, str]) -> UnitState:
    ended_us = _read_number(properties, "InactiveEnterTimestampMonotonic")
    # A unit that is being stopped is not inactive yet.
    left_us = _read_number(properties, "ActiveExitTimestampMonotonic")

    return UnitState(
        unit=properties["Id"],
        active_state=properties.get("ActiveState"),
        result=properties.get("Result"),
        oom_policy=properties.get("OOMPolicy"),
        restart=properties.get("Restart"),
        was_restarted=_read_number(properties, "NRestarts") > 0,
        main_process_killed=_read_end(properties),
        main_pid=_read_number(properties, "MainPID"),
        up_us=_read_number(properties, "ActiveEnterTimestampMonotonic"),
        down_us=max(ended_us, left_us),
        type=properties.get("Type"),
        is_transient=properties.get("Transient") == "yes",
        timers=_read_timers(properties),
    )


def _read_timers(properties: t.Mapping[str, str]) -> str:
    """Return the timers that start a unit, which sockets and paths may start as well."""
    triggers = properties.get("TriggeredBy", "").split()
    timers = [trigger for trigger in triggers if trigger.endswith(".timer")]

    return " ".join(timers)


def _read_end(properties: t.Mapping[str, str]) -> bool | None:
    """Return whether SIGKILL ended the main process, None if it has not ended."""
    code = properties.get("ExecMainCode", _RUNNING)
    if code == _RUNNING:
        return None

    return (code, properties.get("ExecMainStatus")) == _KILLED


def _read_number(properties: t.Mapping[str, str], name: str) -> int:
    """Return a number, 0 for one that this version of systemd does not print."""
    text = properties.get(name, "")
    if not text.isdigit():
        return 0

    return int(text)
