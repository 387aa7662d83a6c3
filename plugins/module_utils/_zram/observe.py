# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe the zram0 of a host. Changes nothing."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from .._command import Run
from .._files import read_file
from .._proc import parse_meminfo
from .._swap.container import observe_container
from .._swap.state import Area
from .._swap.tables import parse_swaps
from .._systemctl import Systemctl
from .config import PATH
from .model import DEVICE, Device, State, ZramError

SETUP_UNIT = "systemd-zram-setup@zram0.service"

# The folders of generators, as systemd.generator(7) lists them
_GENERATOR_FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib", "lib")
_USED_ALGORITHM = re.compile(r"\[([^\]]+)\]")
# The third number of mm_stat is mem_used_total: Documentation/admin-guide/blockdev/zram.rst of Linux.
_MEMORY_USED_FIELD = 2


@dataclasses.dataclass(frozen=True)
class Host:
    """The files below `root`, and the programs of the host. Tests pass a folder and programs of their own."""

    run: Run
    root: pathlib.Path = pathlib.Path("/")

    @property
    def config(self) -> pathlib.Path:
        """The configuration that this module writes."""
        return self.root / PATH.lstrip("/")

    def read(self, name: str) -> str:
        """Return the text of a file that every host with zram has. Raises FileError and ZramError."""
        path = self.root / name
        text = read_file(path)
        if text is None:
            raise ZramError(f"Could not read {path}: there is no such file.", hint="Check that this is a Linux host.")

        return text


def observe_state(host: Host) -> State:
    """Return the state of the host. Raises CommandError, FileError and ZramError."""
    sizes = parse_meminfo(host.read("proc/meminfo"))
    areas = parse_swaps(host.read("proc/swaps"))
    return State(
        device=_observe_device(host, areas),
        config=read_file(host.config) or "",
        areas=areas,
        ram_bytes=sizes["MemTotal"],
        memory_available_bytes=sizes["MemAvailable"],
        has_generator=_has_generator(host.root),
        container=observe_container(host.root, host.root / "proc"),
    )


def _observe_device(host: Host, areas: t.Iterable[Area]) -> Device | None:
    for area in areas:
        if area.path == DEVICE:
            break
    else:
        return None

    memory_use = host.read("sys/block/zram0/mm_stat").split()
    return Device(
        size_bytes=area.size_bytes,
        used_bytes=area.used_bytes,
        memory_bytes=int(memory_use[_MEMORY_USED_FIELD]),
        priority=area.priority,
        algorithm=_parse_algorithm(host.read("sys/block/zram0/comp_algorithm")),
        generated=_is_generated(host.run),
    )


def _parse_algorithm(text: str) -> str:
    """Return the algorithm in use, which the kernel lists in brackets: `lzo [lz4] zstd`."""
    match = _USED_ALGORITHM.search(text)
    if match is None:
        return ""

    return match.group(1)


def _is_generated(run: Run) -> bool:
    attempt = f"ask systemd about {SETUP_UNIT}"
    (properties,) = Systemctl(run=run).show([SETUP_UNIT], ["ActiveState"], attempt=attempt)
    return properties.get("ActiveState") == "active"


def _has_generator(root: pathlib.Path) -> bool:
    programs = [root / folder / "systemd/system-generators/zram-generator" for folder in _GENERATOR_FOLDERS]
    return any(program.exists() for program in programs)
