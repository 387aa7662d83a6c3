# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan the steps from the state of a host's zram0 to the requested one. Pure."""

from __future__ import annotations

import dataclasses

from .._safe import make_diff
from .._size import format_size
from .._swap.checks import refuse_container, require_swapoff_room
from .config import PATH, render_config
from .model import DEVICE, Device, State, Wanted, ZramError


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to do, in this order: write the configuration, stop the device, start the device."""

    state: State
    config: str
    writes: bool
    stops: bool
    starts: bool
    after: Device | None

    @property
    def changed(self) -> bool:
        """Return whether there is anything to do."""
        return bool(self.steps)

    @property
    def steps(self) -> list[dict[str, str]]:
        """Return the steps in order, as plain data."""
        possible = [
            (self.writes, "write_config", PATH),
            (self.stops, "stop", DEVICE),
            (self.starts, "start", DEVICE),
        ]
        return [{"step": name, "path": path} for planned, name, path in possible if planned]

    @property
    def diff(self) -> list[dict[str, str]]:
        """Return the device and its configuration before and after the steps, as Ansible shows differences."""
        return [
            make_diff(DEVICE, _format_device(self.state.device), _format_device(self.after)),
            make_diff(PATH, self.state.config, self.config),
        ]


def make_plan(state: State, wanted: Wanted) -> Plan:
    """Return what to do, nothing if the host is in the requested state. Raises ZramError or SwapError."""
    _require_possible(state, wanted)
    device = state.device
    config = render_config(wanted)
    if not (wanted.present or state.has_generator):
        config = ""

    stops = device is not None and not _is_right(state, wanted)
    if stops:
        require_swapoff_room(state.areas, [DEVICE], state.memory_available_bytes, wanted.reserve_bytes)

    return Plan(
        state=state,
        config=config,
        writes=config != state.config,
        stops=stops,
        starts=wanted.present and not _is_right(state, wanted),
        after=_predict_device(state, wanted),
    )


def verify_state(state: State, wanted: Wanted) -> None:
    """Raise ZramError if `state`, observed after the change, is not what was `wanted`."""
    if not make_plan(state, wanted).changed:
        return

    found = _format_device(state.device).strip() or "not in use"
    raise ZramError(
        f"{DEVICE} is not in the requested state. It is: {found}.",
        hint="Look for another file that configures zram0 with: systemd-analyze cat-config "
        "systemd/zram-generator.conf. The kernel must support the compression algorithm.",
    )


def _require_possible(state: State, wanted: Wanted) -> None:
    refuse_container(state.container)
    if wanted.present and not state.has_generator:
        raise ZramError(
            "zram-generator is not installed on this host.",
            hint="Install the package systemd-zram-generator, which Debian has since version 12.",
        )

    if state.device is not None and not state.device.generated:
        raise ZramError(
            f"Refused to change {DEVICE}: zram-generator did not set it up.",
            hint="Disable the program that did, such as zramswap.service of zram-tools, and switch the area off.",
        )


def _is_right(state: State, wanted: Wanted) -> bool:
    if state.device is None:
        return not wanted.present

    return wanted.present and wanted.is_met_by(state.device, state.ram_bytes)


def _predict_device(state: State, wanted: Wanted) -> Device | None:
    """Return the device after the plan. Nothing is compressed in a new one yet."""
    if _is_right(state, wanted):
        return state.device

    if not wanted.present:
        return None

    return Device(
        size_bytes=wanted.find_size(state.ram_bytes),
        used_bytes=0,
        memory_bytes=0,
        priority=wanted.priority,
        algorithm=wanted.algorithm,
        generated=True,
    )


def _format_device(device: Device | None) -> str:
    if device is None:
        return ""

    algorithm = device.algorithm or "the kernel's default algorithm"
    return f"{format_size(device.size_bytes)}, priority {device.priority}, {algorithm}\n"
