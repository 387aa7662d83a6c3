# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a unit needs that an OOM kill took down: a Restart= that applies to such an end, and a start."""

from __future__ import annotations

import typing as t

from ..incident.taken_down import TakenDown
from ..search.units import UnitState
from .remedies import Remedy

# The values of Restart= that restart a unit after an OOM kill, by its OOMPolicy=: systemd.service(5). With stop and
# kill, the unit's result is oom-kill. With continue, it is that of the main process, which a signal has ended.
_APPLYING = {
    "stop": ("always", "on-failure", "on-abnormal"),
    "kill": ("always", "on-failure", "on-abnormal"),
    "continue": ("always", "on-failure", "on-abnormal", "on-abort"),
}
# The role sets OOMPolicy=continue. A unit of which the kernel kills all processes keeps that.
_KEPT = {"kill": {"oom_policy_policy": "kill"}}

_DOWN = {"failed", "inactive"}

_USER = "It belongs to the login of a user, who starts it by logging in."
# Why a unit that is down is left alone, by what it is.
_BY_KIND = {
    "scope": "It was a group of processes that a program had started, and ended with them.",
    "slice": "It only groups other units.",
}
_BY_TEMPLATE = {"user": _USER, "user-runtime-dir": _USER}
_BY_TYPE: t.Mapping[str | None, str] = {
    "oneshot": "It is a job, not a service that keeps running. Run it again when it suits."
}
_BY_ORIGIN = {True: "A program such as systemd-run had created it, and decides whether to run it again."}


def suggest_restart(unit: TakenDown) -> t.Iterator[Remedy]:
    """Yield the remedy that has systemd restart a unit after a kill like that which took it down."""
    policy = unit.state.oom_policy or "stop"
    restart = unit.state.restart
    if restart in {None, *_APPLYING.get(policy, ())}:
        return

    if not depends_on_restart(unit):
        return

    variables = {"oom_policy_units": [unit.unit], "oom_policy_restart": "on-failure"}
    yield Remedy(
        role="oom_policy",
        variables={**variables, **_KEPT.get(policy, {})},
        why=f"{unit.unit} has Restart={restart}, which does not apply after such an OOM kill. With Restart=on-failure, "
        "systemd restarts it.",
        risk="A service that needs more memory than there is is killed and restarted again and again, until its "
        "StartLimitBurst= is reached.",
    )


def depends_on_restart(unit: TakenDown) -> bool:
    """Return whether only Restart= brings a unit back after such a kill, whatever its OOMPolicy= is.

    This is so if its main process, all its processes, or an unknown one was killed.
    """
    state = unit.state
    kind = unit.unit.rpartition(".")[2]
    nature = _find_nature(state)
    if (unit.confirmed, kind, nature) != (True, "service", None):
        return False

    incident = unit.incident
    if incident is None:
        return state.main_process_killed is not False

    report = incident.report
    reasons = (
        incident.effect.main_process_killed,
        report.group,
        report.killer != "kernel",
        state.oom_policy == "kill",
    )
    return any(reasons)


def is_down(unit: TakenDown) -> bool | None:
    """Return whether a unit is down because of an OOM kill, and nobody is starting it; None if systemd does not say."""
    active_state = unit.state.active_state
    if active_state is None:
        return None

    is_at_rest = active_state in _DOWN
    return is_at_rest and unit.is_oom_killed


def find_start_refusal(state: UnitState) -> str | None:
    """Return why a unit that is down is not started without a person's decision, None if it is."""
    if state.timers:
        return f"{state.timers} starts it the next time."

    return _find_nature(state)


def _find_nature(state: UnitState) -> str | None:
    """Return why a unit is nothing that keeps running by itself, None if it is."""
    name, _dot, kind = state.unit.rpartition(".")
    template = name.partition("@")[0]
    reasons = (
        _BY_KIND.get(kind),
        _BY_TEMPLATE.get(template),
        _BY_ORIGIN.get(state.is_transient),
        _BY_TYPE.get(state.type),
    )
    return next(filter(None, reasons), None)
