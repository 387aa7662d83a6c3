# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has now, as opposed to the time of a kill."""

from __future__ import annotations

import pathlib
import typing as t

from ..._proc import parse_meminfo

# Debian and Ubuntu; Enterprise Linux and Fedora.
_FCGID_MODULES = ("usr/lib/apache2/modules/mod_fcgid.so", "etc/httpd/modules/mod_fcgid.so")


class HostNow(t.NamedTuple):
    """What the host has now against further kills; None if it is unknown, as it is for another host."""

    swap_total_bytes: int | None = None
    has_fcgid: bool | None = None
    """mod_fcgid is installed."""


def observe_host(root: pathlib.Path = pathlib.Path("/")) -> HostNow:
    """Return what the host has whose files are below `root`."""
    try:
        sizes = parse_meminfo((root / "proc/meminfo").read_text("ascii"))
    except OSError:
        sizes = {}

    has_fcgid = any((root / module).exists() for module in _FCGID_MODULES)
    return HostNow(swap_total_bytes=sizes.get("SwapTotal"), has_fcgid=has_fcgid)
