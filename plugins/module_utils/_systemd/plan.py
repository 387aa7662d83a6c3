# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps from what is there to the drop-in that is wanted, and what they leave to a restart. Pure."""

from __future__ import annotations

import re

from .dropin import (
    MARK,
    DropinError,
    Plan,
    State,
    Wanted,
    directives_in,
    render,
)
from .in_force import (
    LIMITS,
    conflicts,
    not_in_force,
    stale_limits,
    unverified,
)

# What systemd itself goes by takes effect as it reads its files, and so does what stands in other sections than these;
# what it gives to a process, or to a cgroup as it makes it, waits for the next start (systemd.exec(5) and others).
_WITH_PROCESSES = frozenset(("Service", "Socket", "Mount", "Swap", "Slice", "Scope"))
_AT_ONCE = re.compile(
    r"Restart.*|Timeout.*|RuntimeMaxSec|StartLimit.*|(?:Final|Restart)?Kill.*|SendSIG.*|ManagedOOM.*|ExecStop.*|ExecReload"
    r"|SuccessExitStatus|FailureAction|SuccessAction|FileDescriptorStoreMax"
)


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what has to be done. Raises DropinError where the file is somebody else's and `force` is not given."""
    after = render(wanted.settings) if wanted.present and not _is_needless(state, wanted) else None
    foreign = state.text is not None and not state.text.startswith(MARK) and state.text != after
    if foreign and not wanted.force:
        raise DropinError(
            f"{state.path} was not written by this module.",
            hint="Choose another name, or use force to replace it; a backup is kept beside it.",
        )
    writes = state.text != after
    # What `systemctl set-property` has changed since is undone by reading the files again, if none of them says so.
    mends = bool(not_in_force(state, wanted)) and not conflicts(state, wanted)
    reload = wanted.reload == "always" or (wanted.reload == "needed" and (writes or state.reload_required or mends))
    return Plan(
        path=state.path,
        before=state.text,
        after=after,
        backup=foreign and wanted.force,
        tidy=state.leftover,
        reload=reload and state.booted,
        limits=tuple((file, text) for _directive, file, text in stale_limits(state, wanted)),
        newer_than_unit=any(unit.newer_than_unit for unit in state.units),
    )


def _is_needless(state: State, wanted: Wanted) -> bool:
    """Tell whether all is in force without our file, and nobody wants it pinned."""
    if wanted.pin or state.text is not None or not state.booted or state.leftover:
        return False
    return not (unverified(state, wanted) or not_in_force(state, wanted))


def restart_required(state: State, plan: Plan) -> bool:
    """Tell whether the unit, or an instance of it, runs without a setting of ours that it gets only as it starts."""
    before, after = (set(directives_in(text or "")) for text in (plan.before, plan.after))
    changed = before | after if plan.newer_than_unit else before ^ after
    return any(
        section in _WITH_PROCESSES
        and not _AT_ONCE.fullmatch(directive)
        and not (directive in LIMITS and (directive in unit.limits or directive == "OOMPolicy"))
        for unit in state.units
        if unit.active
        for section, directive, _value in changed
    )
