# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read fields of files of proc(5)."""

from __future__ import annotations

import pathlib


def read_bytes(file: str, field: str) -> int:
    """Return the size in a line such as `SwapTotal: 1024 kB`, in bytes. Raise ValueError if there is no such line."""
    for line in pathlib.Path(file).read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"{file} has no {field}.")


def read_swap_total() -> int:
    """Return the total swap of the host, in bytes."""
    return read_bytes("/proc/meminfo", "SwapTotal")
