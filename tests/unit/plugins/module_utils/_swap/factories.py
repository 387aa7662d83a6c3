# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of states, requests and their parts."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from ansible_collections.oomguard.linux.plugins.module_utils._swap.header import Header
from ansible_collections.oomguard.linux.plugins.module_utils._swap.plan import Plan
from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area, Boot, Entry, Folder, State, Unit
from ansible_collections.oomguard.linux.plugins.module_utils._swap.unit import build_unit_name, build_unit_text
from ansible_collections.oomguard.linux.plugins.module_utils._swap.wanted import Wanted
from ansible_collections.oomguard.linux.tests.unit.plugins.module_utils._swap.kernel import PAGE

MIB = 1024**2
GIB = 1024**3
ROOT_LINE = "LABEL=root / ext4 defaults 0 1\n"

WANTED = Wanted(
    path="/swapfile",
    present=True,
    size_bytes=10 * GIB,
    exact=False,
    priority=None,
    persist="fstab",
    reserve_bytes=256 * MIB,
)
EXACT = dataclasses.replace(WANTED, exact=True)
SYSTEMD = dataclasses.replace(WANTED, persist="systemd")
ABSENT = dataclasses.replace(WANTED, present=False, size_bytes=0)


def area(path: str, size: int, *, used: int = 0, kind: str = "file", priority: int = -2) -> Area:
    return Area(path=path, type=kind, size_bytes=size, used_bytes=used, priority=priority)


def entry(path: str, size: int, *, label: str = "oomguard", suspended: bool = False, **changes: t.Any) -> Entry:
    header = Header(label=label, size_bytes=size, suspended=suspended)
    made = Entry(path=path, kind="file", header=header, file_bytes=size + PAGE, mode=0o600, uid=0, links=1)
    return dataclasses.replace(made, **changes)


def fstab_text(*paths: str) -> str:
    return ROOT_LINE + "".join(f"{path} none swap sw,nofail 0 0\n" for path in paths)


def state(*areas: Area, entries: t.Iterable[Entry] = (), **changes: t.Any) -> State:
    made = State(
        areas=areas,
        entries=tuple(entries),
        leftover=None,
        folders=(Folder("/", "directory", 0o755, 0),),
        filesystem="ext4",
        devices=1,
        snapshots=(),
        kernel=(6, 1),
        free_bytes=20 * GIB,
        memory_available_bytes=300 * MIB,
        page_size=PAGE,
        fstab=fstab_text(*(each.path for each in entries)),
        units=(),
        unit_folder="/etc/systemd/system",
        booted=True,
        hibernates_to=(),
        container="",
        privileged=True,
        obstacles={},
        boot=Boot(named=frozenset(each.path for each in areas)),
    )
    return dataclasses.replace(made, **changes)


def managed(*sizes: int, used: int = 0, **changes: t.Any) -> State:
    """Return a host with own files of these sizes in use. The first one has the plain name."""
    files = {"/swapfile" if number == 0 else f"/swapfile.{number}": size for number, size in enumerate(sizes)}
    return state(
        *(area(path, size, used=used) for path, size in files.items()),
        entries=[entry(path, size) for path, size in files.items()],
        **changes,
    )


def unit_path(path: str) -> str:
    return f"/etc/systemd/system/{build_unit_name(path)}"


def unit(path: str, *, text: str | None = None, enabled: bool = True) -> Unit:
    return Unit(
        path=unit_path(path), area=path, text=build_unit_text(path, None) if text is None else text, enabled=enabled
    )


def step_names(plan: Plan) -> list[str]:
    return [f"{step.name} {step.path}" for step in plan.steps]


def write_file(path: pathlib.Path, *, size: int = 16 * PAGE) -> pathlib.Path:
    path.write_bytes(bytes(size))
    path.chmod(0o600)
    return path
