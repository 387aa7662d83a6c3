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
# The time of the content is certain if that of the inode agrees. It does not after a copy or a package that keeps old
# times, or after a change of the mode.
_AGREEMENT_SECONDS = 60
# dpkg(1): after the local time, what was done, the package with its architecture, the old and the new version.
_UPGRADE = re.compile(r" upgrade (\S+?):\S+ (\S+) (\S+)$", re.MULTILINE)
_TIME = "2026-11-29 12:00:00"
# Packages that hold the program of a service are named after it, or have one of these suffixes.
_SUFFIX = re.compile("-(?:bin|core|server)$")
_LOGS = ("var/log/dpkg.log.1", "var/log/dpkg.log")


def list_file_changes(
    units: t.Collection[str], *, first_us: int, last_us: int, root: pathlib.Path = _ROOT
) -> list[Modification]:
    """Return what the files show of the changes in a period that concern the units, or the swap of the host."""
    changes = [*_read_change(root / "etc/fstab", root), *_list_upgrades(root, units)]
    for path, unit in _list_unit_files(root / _UNITS, units):
        changes += _read_change(path, root, unit)

    return [change for change in changes if first_us <= change.time_us <= last_us]


def _list_unit_files(folder: pathlib.Path, units: t.Iterable[str]) -> t.Iterator[tuple[pathlib.Path, str]]:
    """Yield unit files and drop-ins, each with its unit. A name in the journal need not be one of a file."""
    present = {path.name: path for path in folder.glob("*")}
    for unit in units:
        if unit in present:
            yield present[unit], unit
        if f"{unit}.d" in present:
            for path in sorted(present[f"{unit}.d"].glob("*.conf")):
                yield path, unit


def _read_change(path: pathlib.Path, root: pathlib.Path, unit: str = "") -> t.Iterator[Modification]:
    """Yield the last change of a file, nothing if there is no file or its time is not certain."""
    with contextlib.suppress(OSError):
        status = os.lstat(str(path))
        is_certain = abs(status.st_mtime - status.st_ctime) <= _AGREEMENT_SECONDS
        if is_certain and stat.S_ISREG(status.st_mode):
            yield Modification(status.st_mtime_ns // 1000, f"/{path.relative_to(root)}", None, None, "unknown", unit)


def _list_upgrades(root: pathlib.Path, units: t.Iterable[str]) -> t.Iterator[Modification]:
    """Yield the upgrades of the packages with the names of services."""
    services = {re.split(r"@|\.service$", unit)[0]: unit for unit in units}
    log = "".join(_read_log(root / name) for name in _LOGS)
    for found in _UPGRADE.finditer(log):
        package, before, after = found.groups()
        unit = services.get(_SUFFIX.sub("", package))
        if unit:
            written = log[found.start() - len(_TIME) : found.start()]
            yield from _date(Modification(0, f"the package {package}", before, after, "unknown", unit), written)


def _date(change: Modification, written: str) -> t.Iterator[Modification]:
    """Yield a change with its time, nothing if the time cannot be read."""
    with contextlib.suppress(ValueError, OverflowError):
        local = time.strptime(written, "%Y-%m-%d %H:%M:%S")
        yield change._replace(time_us=int(time.mktime(local)) * 1_000_000)


def _read_log(path: pathlib.Path) -> str:
    """Return the text of a log, nothing if it cannot be read."""
    with contextlib.suppress(FileError):
        return read_file(path) or ""

    return ""
