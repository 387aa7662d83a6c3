# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has by now, whatever it had at the time of a kill.

Format: /proc/meminfo, proc_meminfo(5).
"""

from __future__ import annotations

import pathlib
import re
import typing as t

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
        told = re.search(r"^SwapTotal: +([0-9]+) kB$", (root / "proc/meminfo").read_text("ascii"), re.MULTILINE)
    except OSError:
        told = None
    return Today(
        swap_total_bytes=int(told[1]) * 1024 if told else None,
        has_fcgid=any((root / module).exists() for module in _FCGID_MODULES),
    )
