# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Remedies for people to choose: each helps some hosts and harms others, so none of them is automatic."""

from __future__ import annotations

import typing as t

from ..._size import format_size
from ..incident.incident import Incident
from ..report.model import Memory
from ..search.coverage import Coverage
from .ceilings import suggest_ceilings
from .figures import Figures
from .remedies import EXHAUSTED, Remedy
from .swap_size import SwapLimits, SwapSize, find_swap_size
from .unknown import zero_if_unknown

# With more RAM than this, a disk has room for swap, too.
_SMALL_RAM = 4 << 30

# All users together, and what makes systemd-oomd watch a unit.
_USERS = "user.slice"
_WATCHED = {"ManagedOOMMemoryPressure": "kill"}

_OOMD_WHY = (
    "systemd-oomd ends a cgroup that keeps others waiting for memory while the host still responds. The kernel kills "
    "only when it can free no more memory."
)
_OOMD_RISK = (
    "systemd-oomd kills all processes of a cgroup, such as a whole service, and OOMPolicy= does not prevent that. On "
    "Debian, it may end any service once RAM and swap are nearly full, except those with ManagedOOMPreference=omit."
)


def find_choices(incident: Incident, figures: Figures, cause: str, limits: SwapLimits) -> t.Iterator[Remedy]:
    """Yield the roles that may help against a kill; `limits` are those of the swap of its host."""
    yield from suggest_ceilings(incident, figures)
    if cause in EXHAUSTED:
        yield from _suggest_zram(figures, limits)
        yield from _suggest_oomd(incident)


def _suggest_zram(figures: Figures, limits: SwapLimits) -> t.Iterator[Remedy]:
    """Yield compressed memory if swap would have helped, but the disk has no room for it, or the RAM is small."""
    if limits.has_zram or limits.was_raise_futile:
        return

    size = find_swap_size(figures, limits)
    if size is None:
        return

    reason = _find_reason_for_zram(size, figures.memory, limits)
    if not reason:
        return

    yield Remedy(
        role="zram",
        variables={"zram_size": "50%"},
        why=f"{reason} Memory that processes hold but do not use takes less RAM when it is compressed.",
        risk="Data that does not compress, such as images, takes as much RAM as before. Compressed memory takes in "
        "less of a leak than a swap file of the same size, and costs CPU time.",
        automatic=False,
    )


def _find_reason_for_zram(size: SwapSize, memory: Memory, limits: SwapLimits) -> str:
    """Return why compressed memory suits the host, nothing if it does not."""
    wanted = size.existing_bytes + size.missing_bytes
    if limits.disk_bytes is not None and limits.disk_bytes < wanted:
        return "The disk has no room for the swap that was missing, and compressed memory as swap needs no disk."

    ram = zero_if_unknown(memory.ram_bytes)
    if ram > _SMALL_RAM:
        return ""

    return f"The host has only {format_size(ram)} of RAM. Compressed memory as swap does not wait for a disk."


def _suggest_oomd(incident: Incident) -> t.Iterator[Remedy]:
    """Yield systemd-oomd for the users of a host if the victim belonged to one of them."""
    if _find_unit_to_watch(incident) != _USERS:
        return

    yield Remedy(
        role="systemd_oomd",
        variables={"systemd_oomd_units": {_USERS: _WATCHED}},
        why=f"The killed process belonged to a user ({incident.place.slice}). {_OOMD_WHY}",
        risk=_OOMD_RISK,
        automatic=False,
    )


def suggest_for_thrashing(coverage: Coverage, kills: t.Iterable[tuple[Incident, str]]) -> t.Iterator[Remedy]:
    """Yield systemd-oomd if the host thrashed so long that journald could not keep up.

    `kills` are those found on the host, each with its cause. Those for lack of memory show which units to watch.
    """
    if not coverage.is_journald_starved:
        return

    found = {_find_unit_to_watch(incident) for incident, cause in kills if cause in EXHAUSTED}
    units = sorted(filter(None, found))
    variables: dict[str, t.Any] = {}
    why = f"The host was so short of memory that journald died, or received records too late. {_OOMD_WHY}"
    if units:
        variables = {"systemd_oomd_units": dict.fromkeys(units, _WATCHED)}
        why += " In these units, the kernel killed processes because the memory of the host was used up."

    yield Remedy(role="systemd_oomd", variables=variables, why=why, risk=_OOMD_RISK, automatic=False)


def _find_unit_to_watch(incident: Incident) -> str | None:
    """Return the unit that systemd-oomd should watch because of a kill, None if the victim was in none that lasts."""
    place = incident.place
    if (place.slice or "").startswith("user-"):
        return _USERS

    unit = place.unit or ""
    if incident.effect.gone or not unit.endswith(".service"):
        return None

    return unit
