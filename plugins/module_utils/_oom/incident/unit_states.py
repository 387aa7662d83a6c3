# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of this host as they are now: the OOM policies in force, and the units that systemd is stopping."""

from __future__ import annotations

import typing as t

from ..._command import CommandError, Run
from ..._systemctl import Systemctl

_PROPERTIES = ("Id", "LoadState", "ActiveState", "OOMPolicy")


class UnitStates(t.NamedTuple):
    """The states of the units of this host."""

    policies: t.Mapping[str, str] | None = None
    """The OOMPolicy= of each unit that systemd knows; None if systemd does not answer, or is another host's."""
    stopping: t.Collection[str] = ()
    """The units that systemd is stopping, which takes as long as they are configured to take."""

    def find_policy(self, unit: str) -> str | None:
        """Return the OOMPolicy= that is in force for a unit, None if it is unknown."""
        if self.policies is None:
            return None

        return self.policies.get(unit)

    def is_gone(self, unit: str) -> bool:
        """Return whether systemd does not know a unit, or no longer."""
        return self.policies is not None and unit not in self.policies

    def is_stopping(self, unit: str) -> bool:
        return unit in self.stopping


def observe_units(run: Run, units: t.Sequence[str]) -> UnitStates:
    """Return the states of `units`; empty ones if systemd does not answer, as in an image that is being built."""
    if not units:
        return UnitStates(policies={})

    try:
        shown = Systemctl(run).show(units, _PROPERTIES, attempt="ask systemd for the OOM policies in force")
    except CommandError:
        return UnitStates()

    policies = {}
    stopping = set()
    for properties in shown:
        if properties.get("LoadState") == "loaded" and "OOMPolicy" in properties:
            policies[properties["Id"]] = properties["OOMPolicy"]

        if properties.get("ActiveState") == "deactivating":
            stopping.add(properties["Id"])

    return UnitStates(policies, stopping)
