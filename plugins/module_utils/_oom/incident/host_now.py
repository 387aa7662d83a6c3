# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has by now, whatever it had at the time of a kill."""

from __future__ import annotations

import pathlib
import typing as t

from ..._proc import parse_meminfo

# Debian and Ubuntu; Enterprise Linux and Fedora.
_FCGID_MODULES = ("usr/lib/apache2/modules/mod_fcgid.so", "etc/httpd/modules/mod_fcgid.so")


class Today(t.NamedTuple):
    """What helps against further kills; None where it is not known, as of another host."""

    swap_total_bytes: int | None = None
    has_fcgid: bool | None = None
    """Apache's module is installed."""


def today_of(root: pathlib.Path = pathlib.Path("/")) -> Today:
    """Look at the host whose files are below `root`."""
    try:
        sizes = parse_meminfo((root / "proc/meminfo").read_text("ascii"))
    except OSError:
        sizes = {}
    return Today(
        swap_total_bytes=sizes.get("SwapTotal"),
        has_fcgid=any((root / module).exists() for module in _FCGID_MODULES),
    )
