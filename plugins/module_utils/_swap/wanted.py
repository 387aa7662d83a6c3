# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of a host's swap."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._safe import neutralise
from .._size import format_size
from .state import Area, SwapError

# Each area loses a page to its header; a difference this small is not worth a file.
SLACK_BYTES = 1024**2
_SMALLEST_BYTES = 2 * SLACK_BYTES
_HIGHEST_PRIORITY = 32767


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What was asked for: `size_bytes` of swap in all, or with `present` false nothing that is ours."""

    path: str
    present: bool
    size_bytes: int
    exact: bool
    priority: int | None
    persist: str
    reserve_bytes: int
    count_zram: bool = False
    force: bool = False

    def __post_init__(self) -> None:
        # normpath() keeps two slashes at the beginning, and the kernel does not.
        plain = "/" + posixpath.normpath(self.path).lstrip("/")
        if self.path != plain or plain == "/" or not plain.isprintable():
            raise SwapError(
                f"{neutralise(self.path)!r} is not the path of a swap file.",
                hint="Write it in full and plain, such as /swapfile.",
            )
        if self.present and self.size_bytes < _SMALLEST_BYTES:
            raise SwapError(
                f"{format_size(self.size_bytes)} is too small for the swap of a host.",
                hint=f"Give {format_size(_SMALLEST_BYTES)} or more; state: absent removes what was made here.",
            )
        if self.priority is not None and not 0 <= self.priority <= _HIGHEST_PRIORITY:
            raise SwapError(
                f"{self.priority} is not a priority.",
                hint=f"Give a number from 0 to {_HIGHEST_PRIORITY}, or none to leave it to the kernel.",
            )

    def names(self, path: str) -> bool:
        """Tell whether `path` is one of the names of managed files."""
        return re.fullmatch(rf"{re.escape(self.path)}(\.[1-9][0-9]*)?", path) is not None

    def counts(self, area: Area) -> bool:
        """Tell whether `area` counts toward the total: zram only where asked for, since it is compressed RAM."""
        return self.count_zram or not area.compressed

    def total_bytes(self, areas: t.Iterable[Area]) -> int:
        """Return the swap of `areas` that counts toward the total."""
        return sum(area.size_bytes for area in areas if self.counts(area))
