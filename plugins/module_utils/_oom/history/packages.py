# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that were installed, upgraded and removed on this host, from the log of dpkg, which only root writes."""

from __future__ import annotations

import os
import pathlib
import re
import time

from .model import Happening

_LOG = "var/log/dpkg.log"
# The log is rotated each month. Its end is enough, as a release upgrade writes some megabytes.
_MOST_BYTES = 1 << 19
# dpkg(1), --log: the time is local.
_LINE = re.compile(
    r"^(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (?:install|upgrade|remove) (?P<package>[^: ]+)", re.MULTILINE
)
_SECOND_US = 1_000_000


def observe_packages(root: pathlib.Path = pathlib.Path("/")) -> list[Happening]:
    """Return the changes of packages in the log of the host whose files are below `root`, oldest first."""
    try:
        text = _read_end(root / _LOG)
    except OSError:
        return []

    return list(map(_build_happening, _LINE.finditer(text)))


def _read_end(path: pathlib.Path) -> str:
    with path.open("rb") as log:
        size = log.seek(0, os.SEEK_END)
        log.seek(max(size - _MOST_BYTES, 0))
        return log.read().decode("utf-8", "replace")


def _build_happening(line: re.Match[str]) -> Happening:
    moment = time.strptime(line["time"], "%Y-%m-%d %H:%M:%S")
    return Happening(int(time.mktime(moment)) * _SECOND_US, "package", line["package"])
