# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the steps from a state to the wanted drop-in, and find out whether they need a restart. Pure."""

from __future__ import annotations

import re

from .dropin import MARK, Assignment, parse_assignments, render_dropin
from .in_force import find_conflicts, find_differences, find_unverified
from .limits import LIMITS, find_stale_limits
from .model import DropinError, Plan, State, Wanted

# systemd hands the settings in these sections to processes or cgroups when it starts the unit. Settings in other
# sections, and those below, concern systemd itself and take effect when it reads them (systemd.exec(5) and others).
_START_SECTIONS = frozenset(("Service", "Socket", "Mount", "Swap", "Slice", "Scope"))
_IMMEDIATE = re.compile(
    r"Restart.*|Timeout.*|RuntimeMaxSec|StartLimit.*|(?:Final|Restart)?Kill.*|SendSIG.*|ManagedOOM.*|ExecStop.*|ExecReload"
    r"|SuccessExitStatus|FailureAction|SuccessAction|FileDescriptorStoreMax"
)


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return the steps to the wanted drop-in.

    Raises DropinError if another program wrote the file and `force` is not given.
    """
    after = _render_wanted(state, wanted)
    is_foreign = _is_foreign(state, after)
    if is_foreign and not wanted.force:
        raise DropinError(
            f"{state.path} was not written by this module.",
            hint="Choose another name, or use force to replace the file. A backup stays beside it.",
        )

    limits = tuple((limit.file, limit.text) for limit in find_stale_limits(state, wanted))
    return Plan(
        path=state.path,
        before=state.text,
        after=after,
        backup=is_foreign,
        tidy=state.has_leftover,
        reload=_is_reload_needed(state, wanted, after),
        limits=limits,
        newer_than_unit=any(unit.newer_than_unit for unit in state.units),
    )


def _render_wanted(state: State, wanted: Wanted) -> str | None:
    """Return the text of the wanted file, None if there should be none."""
    if not wanted.present or _is_needless(state, wanted):
        return None

    return render_dropin(wanted.settings)


def _is_needless(state: State, wanted: Wanted) -> bool:
    """Return whether all settings are in force without our file, and it need not be pinned."""
    is_candidate = state.booted and state.text is None and not state.has_leftover
    if wanted.pin or not is_candidate:
        return False

    return not find_unverified(state, wanted) and not find_differences(state, wanted)


def _is_foreign(state: State, after: str | None) -> bool:
    """Return whether another program wrote the file; one with the wanted text is as good as ours."""
    if state.text is None or state.text == after:
        return False

    return not state.text.startswith(MARK)


def _is_reload_needed(state: State, wanted: Wanted, after: str | None) -> bool:
    if not state.booted or wanted.reload == "never":
        return False

    if wanted.reload == "always" or state.text != after or state.reload_required:
        return True

    # A reload undoes a change by `systemctl set-property`, unless a file repeats it.
    is_changed_live = bool(find_differences(state, wanted))
    return is_changed_live and not find_conflicts(state, wanted)


def is_restart_required(state: State, plan: Plan) -> bool:
    """Return whether the unit, or an instance of it, runs without a setting of ours that it gets when it starts."""
    changed = _find_changed_assignments(plan)
    for unit in state.units:
        if unit.active and any(_is_applied_at_start(assignment, unit) for assignment in changed):
            return True

    return False


def _find_changed_assignments(plan: Plan) -> set[Assignment]:
    """Return the assignments that a running unit may not have yet, or that it had and that were removed."""
    before = set(parse_assignments(plan.before or ""))
    after = set(parse_assignments(plan.after or ""))
    if plan.newer_than_unit:
        # The unit was started before the old file was written as well.
        return before | after

    return before ^ after


def _is_applied_at_start(assignment: Assignment, unit: State) -> bool:
    """Return whether `unit` gets this assignment only when it is started."""
    if assignment.section not in _START_SECTIONS or _IMMEDIATE.fullmatch(assignment.directive):
        return False

    if assignment.directive not in LIMITS:
        return True

    # systemd itself follows OOMPolicy=, and the cgroup of a running unit takes a new limit.
    is_live = assignment.directive == "OOMPolicy" or assignment.directive in unit.limits
    return not is_live
