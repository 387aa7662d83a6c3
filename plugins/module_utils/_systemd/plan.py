# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the steps from a state to the wanted drop-in, and find out whether they need a restart. Pure."""

from __future__ import annotations

import itertools
import operator
import re

from .._mark import has_mark
from .dropin import MODULE, Assignment, parse_assignments, render_dropin
from .in_force import find_conflicts, find_differences, find_unverified
from .limits import find_stale_limits
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

    limits = find_stale_limits(state, wanted)
    is_newer = any(map(operator.attrgetter("newer_than_unit"), state.units))
    return Plan(
        path=state.path,
        before=state.text,
        after=after,
        backup=is_foreign,
        tidy=state.has_leftover,
        reload=_is_reload_needed(state, wanted, after),
        limits=tuple(limits),
        newer_than_unit=is_newer,
    )


def _render_wanted(state: State, wanted: Wanted) -> str | None:
    """Return the text of the wanted file, None if there should be none."""
    if not wanted.present or _is_needless(state, wanted):
        return None

    return render_dropin(wanted.settings)


def _is_needless(state: State, wanted: Wanted) -> bool:
    """Return whether all settings are in force without our file, and it need not be pinned."""
    has_trace = state.text is not None or state.has_leftover
    if has_trace or wanted.pin:
        return False

    # Without a running systemd, all settings are unverified.
    pending = [*find_unverified(state, wanted), *find_differences(state, wanted)]
    return not pending


def _is_foreign(state: State, after: str | None) -> bool:
    """Return whether another program wrote the file; one with the wanted text is as good as ours."""
    text = state.text
    if text is None or text == after:
        return False

    return not has_mark(text, MODULE)


def _is_reload_needed(state: State, wanted: Wanted, after: str | None) -> bool:
    if not state.booted:
        return False

    if wanted.reload != "needed":
        return wanted.reload == "always"

    writes = state.text != after
    if writes or state.reload_required:
        return True

    # A reload undoes a change by `systemctl set-property`, unless a file repeats it.
    differences = find_differences(state, wanted)
    conflicts = find_conflicts(state, wanted)
    return bool(differences) and not conflicts


def is_restart_required(state: State, plan: Plan) -> bool:
    """Return whether the unit, or an instance of it, runs without a setting of ours that it gets when it starts."""
    changed = _find_changed_assignments(plan)
    pairs = itertools.product(changed, state.active_units)
    return any(_is_applied_at_start(assignment, unit) for assignment, unit in pairs)


def _find_changed_assignments(plan: Plan) -> set[Assignment]:
    """Return the assignments that a running unit may not have yet, or that it had and that were removed."""
    before = set(parse_assignments(plan.before))
    after = set(parse_assignments(plan.after))
    if plan.newer_than_unit:
        # The unit was started before the old file was written as well.
        return before | after

    return before ^ after


def _is_applied_at_start(assignment: Assignment, unit: State) -> bool:
    """Return whether `unit` gets this assignment only when it is started."""
    section, directive, _value = assignment
    if section not in _START_SECTIONS:
        return False

    # systemd itself follows OOMPolicy=, and the cgroup of a running unit takes a new limit.
    live = {"OOMPolicy", *unit.limits}
    is_immediate = _IMMEDIATE.fullmatch(directive) is not None
    return not is_immediate and directive not in live
