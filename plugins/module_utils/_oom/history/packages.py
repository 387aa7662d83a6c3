# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that were installed, upgraded and removed on this host, from the log of dpkg, which only root writes."""

from __future__ import annotations

import contextlib
import os
import pathlib
import re
import time
import typing as t

from .clock import SECOND
from .model import Happening, Modification

# The log is rotated each month.
_LOGS = ("var/log/dpkg.log.1", "var/log/dpkg.log")
# The end of each is enough, as a release upgrade writes some megabytes.
_MOST_BYTES = 1 << 19
# dpkg(1), --log: the local time, what was done, the package with its architecture, the old and the new version.
_LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?P<action>install|upgrade|remove) "
    r"(?P<package>[^: ]+)\S* (?P<before>\S+) (?P<after>\S+)$",
    re.MULTILINE,
)
# Packages that hold the program of a service are named after it, or have one of these suffixes.
_SUFFIX = re.compile("-(?:bin|core|server)$")
_SERVICE = re.compile(r"@|\.service$")


class PackageChange(t.NamedTuple):
    """A package that dpkg installed, upgraded or removed."""

    time_us: int
    action: str
    """`install`, `upgrade` or `remove`."""
    package: str
    before: str
    after: str
    """The versions, `<none>` if there is none."""

    def to_happening(self) -> Happening:
        """Return what else happened on the host."""
        return Happening(self.time_us, "package", self.package)


def read_packages(root: pathlib.Path = pathlib.Path("/")) -> list[PackageChange]:
    """Return the changes of packages in the logs of the host whose files are below `root`, oldest first."""
    changes: list[PackageChange] = []
    for name in _LOGS:
        for line in _LINE.finditer(_read_end(root / name)):
            changes += _parse_line(line)

    return changes


def _read_end(path: pathlib.Path) -> str:
    """Return the end of a log, nothing if it cannot be read."""
    with contextlib.suppress(OSError), path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(size - _MOST_BYTES, 0))
        return log.read().decode("utf-8", "replace")

    return ""


def _parse_line(line: re.Match[str]) -> t.Iterator[PackageChange]:
    """Yield the change in a line, nothing if its time cannot be read."""
    with contextlib.suppress(ValueError, OverflowError):
        moment = time.strptime(line["time"], "%Y-%m-%d %H:%M:%S")
        time_us = int(time.mktime(moment)) * SECOND
        yield PackageChange(time_us, line["action"], line["package"], line["before"], line["after"])


def list_upgrades(changes: t.Iterable[PackageChange], units: t.Iterable[str]) -> list[Modification]:
    """Return the upgrades of packages with the names of services."""
    services = {_SERVICE.split(unit)[0]: unit for unit in units}
    upgrades = []
    for change in changes:
        unit = services.get(_SUFFIX.sub("", change.package))
        if unit and change.action == "upgrade":
            what = f"the package {change.package}"
            upgrades.append(Modification(change.time_us, what, change.before, change.after, "unknown", unit))

    return upgrades
