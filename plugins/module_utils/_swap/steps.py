# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of a plan. They are data; apply.py carries them out."""

from __future__ import annotations

import dataclasses
import typing as t

PROGRAMS = {
    "mkswap": "util-linux",
    "swapon": "util-linux, or mount",
    "swapoff": "util-linux, or mount",
    "findmnt": "util-linux",
    "systemctl": "systemd",
}
"""The programs that steps run, with the names of their packages."""


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do. After each step the host works and boots, and the next run can continue from there."""

    name: t.ClassVar[str]
    program: t.ClassVar[str] = ""

    @property
    def is_discarding(self) -> bool:
        """Return whether the kernel is to discard the free blocks of the area from then on."""
        return False

    path: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return the name, path and numbers of the step as plain data, without the texts of files."""
        data: dict[str, t.Any] = {"step": self.name}
        for field in dataclasses.fields(self):
            if field.repr:
                data[field.name] = getattr(self, field.name)

        return data


@dataclasses.dataclass(frozen=True)
class ClearLeftover(Step):
    """Remove the file that an interrupted run was still creating."""

    name: t.ClassVar[str] = "clear_leftover"


@dataclasses.dataclass(frozen=True)
class Protect(Step):
    """Restrict a file to root again. Whoever can read swap can read the memory of every process."""

    name: t.ClassVar[str] = "protect"


@dataclasses.dataclass(frozen=True)
class Create(Step):
    """Create a file that is ready to be switched on, first under the name `temporary_path`.

    `size_bytes` is the swap that it provides. `zeros_bytes` of zeros are written if blocks cannot simply be allocated
    on a filesystem of the type `filesystem`.
    """

    name: t.ClassVar[str] = "create"
    program: t.ClassVar[str] = "mkswap"
    size_bytes: int
    zeros_bytes: int
    temporary_path: str = dataclasses.field(repr=False)
    filesystem: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Enable(Step):
    """Switch an area on. If the same plan created its file, that file is removed should the kernel reject it."""

    name: t.ClassVar[str] = "enable"
    program: t.ClassVar[str] = "swapon"
    size_bytes: int
    priority: int | None
    created: bool = dataclasses.field(repr=False)
    options: tuple[str, ...] = dataclasses.field(default=(), repr=False)

    @property
    def is_discarding(self) -> bool:
        """Return whether the kernel is to discard the free blocks of the area from then on."""
        return "discard" in ",".join(self.options)


@dataclasses.dataclass(frozen=True)
class Edit(Step):
    """Change the text of a file. A file that does not exist has an empty text."""

    before: str = dataclasses.field(repr=False)
    after: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Persist(Edit):
    """Have fstab say which areas are in use after a boot."""

    name: t.ClassVar[str] = "persist"
    program: t.ClassVar[str] = "findmnt"


@dataclasses.dataclass(frozen=True)
class WriteUnit(Edit):
    """Have a unit switch an area on at boot."""

    name: t.ClassVar[str] = "write_unit"
    program: t.ClassVar[str] = "systemctl"


@dataclasses.dataclass(frozen=True)
class RemoveUnit(Edit):
    """Remove a unit that switches an area on at boot."""

    name: t.ClassVar[str] = "remove_unit"
    program: t.ClassVar[str] = "systemctl"


@dataclasses.dataclass(frozen=True)
class Mask(Edit):
    """Keep systemd from starting a unit, whatever asks for it."""

    name: t.ClassVar[str] = "mask"
    program: t.ClassVar[str] = "systemctl"
    purpose: t.ClassVar[str] = "writing"


@dataclasses.dataclass(frozen=True)
class Disable(Step):
    """Switch an area off, once there is room elsewhere for its contents."""

    name: t.ClassVar[str] = "disable"
    program: t.ClassVar[str] = "swapoff"
    size_bytes: int
    used_bytes: int


@dataclasses.dataclass(frozen=True)
class Remove(Step):
    """Remove a file that is switched off."""

    name: t.ClassVar[str] = "remove"
    size_bytes: int
