# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of this host show of its changes: the times of drop-ins, unit files and fstab."""

from __future__ import annotations

import os
import pathlib
import stat
import typing as t

from .model import Modification

_ROOT = pathlib.Path("/")
_UNITS = "etc/systemd/system"
# The time of the content is certain if that of the inode agrees. It does not after a copy or a package that keeps old
# times, or after a change of the mode.
_AGREEMENT_SECONDS = 60


def list_file_changes(units: t.Iterable[str], root: pathlib.Path = _ROOT) -> list[Modification]:
    """Return the last changes of the files that concern the units, or the swap of the host."""
    present = {path.name: path for path in (root / _UNITS).glob("*")}
    files = [(root / "etc/fstab", "")]
    for unit in units:
        files += [(path, unit) for path in _list_unit_files(unit, present)]

    changes = [_read_change(path, root, unit) for path, unit in files]
    return list(filter(None, changes))


def _list_unit_files(unit: str, present: t.Mapping[str, pathlib.Path]) -> list[pathlib.Path]:
    """Return the file of a unit and its drop-ins. A name in the journal need not be one of a file."""
    files = []
    if unit in present:
        files.append(present[unit])

    drop_ins = present.get(f"{unit}.d")
    if drop_ins is not None:
        files += sorted(drop_ins.glob("*.conf"))

    return files


def _read_change(path: pathlib.Path, root: pathlib.Path, unit: str) -> Modification | None:
    """Return the last change of a file, None if there is no file or its time is not certain."""
    try:
        status = os.lstat(str(path))
    except OSError:
        return None

    is_certain = abs(status.st_mtime - status.st_ctime) <= _AGREEMENT_SECONDS
    if not is_certain or not stat.S_ISREG(status.st_mode):
        return None

    name = path.relative_to(root)
    return Modification(status.st_mtime_ns // 1000, f"/{name}", None, None, "unknown", unit)
