# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the files of this host show of its changes: the times of drop-ins, unit files and fstab, and dpkg's log."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import stat
import time
import typing as t

from ..._files import FileError, read_file
from .model import Modification

_ROOT = pathlib.Path("/")
_UNITS = "etc/systemd/system"
_UNIT = re.compile(r"[A-Za-z0-9:_@\\-][A-Za-z0-9:_.@\\-]{0,254}")
# The time of the content is certain if that of the inode agrees. It does not after a copy or a package that keeps old
# times, or after a change of the mode.
_AGREEMENT_SECONDS = 60
# dpkg(1): the local time, what was done, the package with its architecture, the old and the new version.
_UPGRADE = r"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} [0-9:]{{8}}) upgrade ({service}(?:-\S+?)?):\S+ (\S+) (\S+)$"
_LOGS = ("var/log/dpkg.log.1", "var/log/dpkg.log")


def list_file_changes(
    units: t.Iterable[str], *, first_us: int, last_us: int, root: pathlib.Path = _ROOT
) -> list[Modification]:
    """Return what the files show of the changes in a period that concern the units, or the swap of the host."""
    changes = [*_read_change(root / "etc/fstab", root)]
    # The name of a unit in the journal may be one of a cgroup that a user has made.
    for unit in filter(_UNIT.fullmatch, units):
        for path in _list_unit_files(root, unit):
            changes += _read_change(path, root, unit)
        changes += _list_upgrades(root, unit)

    return [change for change in changes if first_us <= change.time_us <= last_us]


def _list_unit_files(root: pathlib.Path, unit: str) -> list[pathlib.Path]:
    folder = root / _UNITS
    return [folder / unit, *sorted((folder / f"{unit}.d").glob("*.conf"))]


def _read_change(path: pathlib.Path, root: pathlib.Path, unit: str = "") -> t.Iterator[Modification]:
    """Yield the last change of a file, nothing if there is no file or its time is not certain."""
    with contextlib.suppress(OSError):
        status = os.lstat(str(path))
        is_certain = abs(status.st_mtime - status.st_ctime) <= _AGREEMENT_SECONDS
        if is_certain and stat.S_ISREG(status.st_mode):
            yield Modification(status.st_mtime_ns // 1000, f"/{path.relative_to(root)}", None, None, "unknown", unit)


def _list_upgrades(root: pathlib.Path, unit: str) -> t.Iterator[Modification]:
    """Yield the upgrades of the packages that have the name of the unit, such as apache2 and apache2-bin."""
    service = re.split("[@.]", unit)[0]
    upgrade = re.compile(_UPGRADE.format(service=re.escape(service)), re.MULTILINE)
    log = "".join(_read_log(root / name) for name in _LOGS)
    for written, package, before, after in upgrade.findall(log):
        with contextlib.suppress(ValueError, OverflowError):
            local = time.strptime(written, "%Y-%m-%d %H:%M:%S")
            time_us = int(time.mktime(local)) * 1_000_000
            yield Modification(time_us, f"the package {package}", before, after, "unknown", unit)


def _read_log(path: pathlib.Path) -> str:
    """Return the text of a log, nothing if it cannot be read."""
    with contextlib.suppress(FileError):
        return read_file(path) or ""

    return ""
