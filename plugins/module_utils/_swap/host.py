# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a host that describe its swap."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import typing as t

from .._command import is_installed
from .._files import read_file
from .state import SwapError


@dataclasses.dataclass(frozen=True)
class Host:
    """The places to read from and write to. Tests pass folders of their own."""

    proc: pathlib.Path = pathlib.Path("/proc")
    fstab: pathlib.Path = pathlib.Path("/etc/fstab")
    units: pathlib.Path = pathlib.Path("/etc/systemd/system")
    root: pathlib.Path = pathlib.Path("/")
    page_size: int = os.sysconf("SC_PAGE_SIZE")
    is_installed: t.Callable[[str], bool] = is_installed

    def read_proc(self, name: str) -> str:
        """Return the text of the file `name` below /proc. Raise SwapError if there is no such file."""
        path = self.proc / name
        text = read_file(path)
        if text is None:
            raise SwapError(
                f"Could not read {path}: there is no such file, so swap cannot be managed here.",
                hint="Check that the kernel supports swap (CONFIG_SWAP).",
            )

        return text


def read_optional(path: pathlib.Path) -> str:
    """Return the text of `path`, or an empty text if there is no such file. Raises FileError."""
    return read_file(path) or ""
