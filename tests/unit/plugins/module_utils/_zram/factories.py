# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of states and requests, and a host with zram-generator whose systemd is simulated."""

from __future__ import annotations

import dataclasses
import pathlib
import re
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._command import Completed
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area
from ansible_collections.oomguard.linux.plugins.module_utils._zram.config import PATH, render_config
from ansible_collections.oomguard.linux.plugins.module_utils._zram.model import Device, Share, State, Wanted
from ansible_collections.oomguard.linux.plugins.module_utils._zram.observe import Host

MIB = 1024**2
GIB = 1024**3
RAM = 1000 * MIB
HALF = 500 * MIB

WANTED = Wanted(
    present=True,
    share=Share(percentage=50, size_bytes=0),
    maximum_bytes=4 * GIB,
    algorithm="",
    priority=100,
    reserve_bytes=64 * MIB,
)
ABSENT = dataclasses.replace(WANTED, present=False)
DEVICE = Device(size_bytes=HALF, used_bytes=0, memory_bytes=4096, priority=100, algorithm="lz4", generated=True)


def device(**changes: t.Any) -> Device:
    return dataclasses.replace(DEVICE, **changes)


def state(found: Device | None = None, *, available: int = 400 * MIB, **changes: t.Any) -> State:
    areas: tuple[Area, ...] = ()
    if found is not None:
        areas = (Area("/dev/zram0", "partition", found.size_bytes, found.used_bytes, found.priority),)
    made = State(
        device=found,
        config="",
        areas=areas,
        ram_bytes=RAM,
        memory_available_bytes=available,
        has_generator=True,
        container="",
    )
    return dataclasses.replace(made, **changes)


def managed(found: Device | None = DEVICE, wanted: Wanted = WANTED) -> State:
    return state(found, config=render_config(wanted))


class Machine:
    """A host whose files are below `root`, and the programs that change them as the real ones do.

    `refused` is a command that fails, and `ignored` the settings of the configuration that the kernel does not accept.
    """

    def __init__(self, root: pathlib.Path, *, refused: tuple[str, ...] = (), ignored: str = "") -> None:
        self.root = root
        self.refused = refused
        self.ignored = ignored
        self.calls: list[tuple[str, ...]] = []
        self.active = "inactive"
        self.write("proc/meminfo", f"MemTotal: {RAM // 1024} kB\nMemAvailable: {400 * 1024} kB\n")
        self.write("usr/lib/systemd/system-generators/zram-generator", "")
        self.write_swaps()

    @property
    def host(self) -> Host:
        return Host(run=self, root=self.root)

    @property
    def config(self) -> str:
        path = self.root / PATH.lstrip("/")
        return path.read_text() if path.exists() else ""

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def write_swaps(self, *rows: str) -> None:
        self.write("proc/swaps", "\n".join(["Filename Type Size Used Priority", *rows, ""]))

    def __call__(
        self,
        argv: t.Sequence[str],
        *,
        timeout: float = 60,
        stdin: str = "",
        environment: t.Mapping[str, str] | None = None,
    ) -> Completed:
        command = tuple(word for word in argv if not word.startswith("-"))
        self.calls.append(command)
        if command == self.refused:
            return Completed(tuple(argv), 1, "", "Job failed.")
        if command == ("systemctl", "start", "dev-zram0.swap"):
            self.start()
        if command == ("systemctl", "stop", "dev-zram0.swap"):
            self.write_swaps()
        if command == ("systemctl", "stop", "systemd-zram-setup@zram0.service"):
            self.active = "inactive"
        return Completed(tuple(argv), 0, f"ActiveState={self.active}\n", "")

    def start(self) -> None:
        settings = dict(re.findall(r"^(\S+) = (.*)$", self.config, re.MULTILINE))
        settings.pop(self.ignored, None)
        size = settings.get("zram-size", "")
        mib = int(size) if size.isdigit() else HALF // MIB
        self.write_swaps(f"/dev/zram0 partition {mib * 1024} 0 {settings['swap-priority']}")
        self.write("sys/block/zram0/mm_stat", "4096 79 12288 0 12288 0 0 0 0\n")
        algorithm = settings.get("compression-algorithm", "lzo-rle")
        self.write("sys/block/zram0/comp_algorithm", f"deflate [{algorithm}]\n")
        self.active = "active"
