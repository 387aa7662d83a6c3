# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has now, as opposed to the time of a kill."""

from __future__ import annotations

import os
import pathlib
import typing as t

from ..._proc import parse_meminfo

# Debian and Ubuntu; Enterprise Linux and Fedora.
_FCGID_MODULES = ("usr/lib/apache2/modules/mod_fcgid.so", "etc/httpd/modules/mod_fcgid.so")

# With and without a merged /usr
_OOMD_PROGRAMS = ("usr/lib/systemd/systemd-oomd", "lib/systemd/systemd-oomd")

_ZRAM = "/dev/zram"
_KIB = 1024


class HostNow(t.NamedTuple):
    """What the host has now against further kills; None if it is unknown, as it is for another host."""

    swap_total_bytes: int | None = None
    has_fcgid: bool | None = None
    """mod_fcgid is installed."""
    zram_bytes: int = 0
    """The part of the swap that is compressed RAM."""
    disk_free_bytes: int | None = None
    """What programs can still write to the root filesystem, where swap files are."""
    has_oomd: bool | None = None
    """systemd-oomd is installed."""


def observe_host(root: pathlib.Path = pathlib.Path("/")) -> HostNow:
    """Return what the host has whose files are below `root`."""
    sizes = parse_meminfo(_read_text(root / "proc/meminfo"))
    zram = _sum_zram(_read_text(root / "proc/swaps"))
    has_fcgid = any((root / module).exists() for module in _FCGID_MODULES)
    has_oomd = any((root / program).exists() for program in _OOMD_PROGRAMS)
    filesystem = os.statvfs(root)

    return HostNow(
        swap_total_bytes=sizes.get("SwapTotal"),
        has_fcgid=has_fcgid,
        zram_bytes=zram,
        disk_free_bytes=filesystem.f_bavail * filesystem.f_frsize,
        has_oomd=has_oomd,
    )


def _read_text(path: pathlib.Path) -> str:
    """Return the content of a file, nothing if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _sum_zram(swaps: str) -> int:
    """Return the size of all zram devices in /proc/swaps: proc_swaps(5)."""
    total = 0
    for line in swaps.splitlines():
        path, *fields = line.split()
        if path.startswith(_ZRAM):
            size = fields[1]
            total += int(size) * _KIB

    return total
