# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a journal's files lie."""

from __future__ import annotations

import contextlib
import pathlib
import re
import typing as t

_STORES = ("var/log/journal", "run/log/journal")
_ID = re.compile(r"[0-9a-f]{32}(\..+)?")


def journal_files(
    directory: str | None, namespace: str | None, *, root: pathlib.Path = pathlib.Path("/")
) -> list[pathlib.Path]:
    """Return a journal's files: in a folder, and in those in it that are named for a machine (and a namespace)."""
    machine = "*"
    stores = [pathlib.Path(directory or "")]
    if not directory:
        stores = [root / store for store in _STORES]
        try:
            machine = (root / "etc/machine-id").read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return []
        machine += f".{namespace}" if namespace else ""
    files: list[pathlib.Path] = []
    for store in stores:
        folders = [folder for folder in store.glob(machine) if _ID.fullmatch(folder.name) and folder.is_dir()]
        for folder in [store, *folders] if directory or not namespace else folders:
            files += (path for path in folder.glob("*") if path.suffix in {".journal", ".journal~"})
    return files


def is_of_a_user(file: pathlib.PurePath) -> bool:
    """Tell whether it is one of a user's files, in which no record of the kernel lies."""
    return file.name.startswith("user-")


def are_persistent(files: t.Iterable[pathlib.Path]) -> bool:
    """Tell whether a journal of these files outlives a reboot."""
    return any(file.suffix == ".journal" and file.parts[1:2] != ("run",) for file in files)


def total_size(files: t.Iterable[pathlib.Path]) -> int:
    """Return the bytes of the files that are still there."""
    size = 0
    for file in files:
        with contextlib.suppress(OSError):
            size += file.stat().st_size
    return size
