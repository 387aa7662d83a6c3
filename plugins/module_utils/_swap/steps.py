# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that plans are made of: data alone, carried out elsewhere."""

from __future__ import annotations

import dataclasses
import typing as t

from .._safe import neutralise


@dataclasses.dataclass(frozen=True)
class Step:
    """One thing to do; each leaves a host that works and boots, and from which the next run goes on."""

    name: t.ClassVar[str]
    path: str

    def as_dict(self) -> dict[str, t.Any]:
        """Return the step's name and its numbers as plain data, without texts of files."""
        shown = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.repr}
        return {"step": self.name, **shown, "path": neutralise(self.path)}


@dataclasses.dataclass(frozen=True)
class ClearLeftover(Step):
    """Remove the file that an interrupted run was still making."""

    name: t.ClassVar[str] = "clear_leftover"


@dataclasses.dataclass(frozen=True)
class Protect(Step):
    """Give a file back to root alone: whoever reads swap reads the memory of every process."""

    name: t.ClassVar[str] = "protect"


@dataclasses.dataclass(frozen=True)
class Create(Step):
    """Make a file that is ready to be switched on, under another name first.

    `size_bytes` is what it will offer; `zeros_bytes` are written for it where blocks cannot just be set aside.
    """

    name: t.ClassVar[str] = "create"
    size_bytes: int
    zeros_bytes: int
    made_as: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Enable(Step):
    """Switch an area on."""

    name: t.ClassVar[str] = "enable"
    size_bytes: int
    priority: int | None


@dataclasses.dataclass(frozen=True)
class Edit(Step):
    """Change the text of a file, which is empty where there is none."""

    before: str = dataclasses.field(repr=False)
    after: str = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Persist(Edit):
    """Let fstab say which areas are on after a boot."""

    name: t.ClassVar[str] = "persist"


@dataclasses.dataclass(frozen=True)
class WriteUnit(Edit):
    """Let a unit switch an area on at boot."""

    name: t.ClassVar[str] = "write_unit"


@dataclasses.dataclass(frozen=True)
class RemoveUnit(Edit):
    """Remove a unit that switches an area on at boot."""

    name: t.ClassVar[str] = "remove_unit"


@dataclasses.dataclass(frozen=True)
class Disable(Step):
    """Switch an area off, once what it holds fits elsewhere."""

    name: t.ClassVar[str] = "disable"
    size_bytes: int
    used_bytes: int


@dataclasses.dataclass(frozen=True)
class Remove(Step):
    """Remove a file that is switched off."""

    name: t.ClassVar[str] = "remove"
    size_bytes: int
