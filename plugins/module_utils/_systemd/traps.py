# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings that are in force and still do not do what they are set for. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._systemd.dropin import State, Wanted, assignments
from ansible_collections.oomguard.linux.plugins.module_utils._systemd.in_force import stale_limits, tighter

_ENDLESS = ("infinity", "100%", "")


def warnings(state: State, wanted: Wanted) -> t.Iterator[str]:
    """Yield what the user should know about the wanted settings on this host."""
    if not wanted.present:
        return
    if not state.booted:
        yield (
            f"No systemd runs here that has {wanted.unit}: {state.path} was not seen in force."
            " It will be read when the host boots, or the user's manager starts."
        )
        return
    if state.hides:
        yield f"{state.path} has the name of {state.hides}, which systemd does not read for {wanted.unit} any more."
    values = {directive: value for _section, directive, value in assignments(wanted.settings)}
    if values.get("MemoryHigh", "") not in _ENDLESS and state.host.swap_bytes == 0:
        yield (
            f"MemoryHigh= of {wanted.unit} on a host without swap: past it, the kernel slows the processes down until"
            " they stand still, and kills none. Add swap, or set MemoryMax= instead."
        )
    if values.get("OOMScoreAdjust") == "-1000":
        yield (
            f"OOMScoreAdjust=-1000 of {wanted.unit} is inherited by its workers, of which the kernel can then kill"
            " none: past a memory limit of the unit it tries for ever. Use -999 or more."
        )
    if "OOMPolicy" in values and not state.host.unified:
        yield (
            f"OOMPolicy= of {wanted.unit} does nothing here: this host has cgroups of version 1,"
            " where systemd sees no kill."
        )
    if "OOMPolicy" in values and state.killers:
        yield (
            f"systemd-oomd does not go by OOMPolicy=: it watches {', '.join(state.killers)}, and kills whole units."
            f" To keep it from {wanted.unit}, set ManagedOOMPreference=omit."
        )
    yield from _limits(state, wanted, values)


def _limits(state: State, wanted: Wanted, values: t.Iterable[str]) -> t.Iterator[str]:
    for directive, file, text in stale_limits(state, wanted):
        yield f"{directive}= of {wanted.unit} is not in force in the kernel: {file} should have {text}, and has not."
    for directive in values:
        above = tighter(state, directive)
        if above:
            yield (
                f"{directive}= of {wanted.unit} is out of reach:"
                f" the cgroup {above[0]} above it has the lower limit {above[1]}."
            )
