# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The requested state of a host's swap."""

from __future__ import annotations

import dataclasses
import posixpath
import re
import typing as t

from .._size import format_size
from .state import Area, SwapError

# Each area loses a page to its header. A difference of this size or less does not justify another file.
SLACK_BYTES = 1024**2
_SMALLEST_BYTES = 2 * SLACK_BYTES
_HIGHEST_PRIORITY = 32767


@dataclasses.dataclass(frozen=True)
class Wanted:
    """The request: `size_bytes` of swap in total, or no file of this module at `path` if `present` is false.

    Raises SwapError if the request makes no sense.
    """

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
        if not _is_plain_path(self.path):
            raise SwapError(
                f"{self.path!r} is not a valid path for a swap file.",
                hint="Use an absolute, normalized path without control characters, such as /swapfile.",
            )

        if self.present and self.size_bytes < _SMALLEST_BYTES:
            raise SwapError(
                f"{format_size(self.size_bytes)} is too small for the swap of a host.",
                hint=f"Use {format_size(_SMALLEST_BYTES)} or more. "
                "To remove the files that this module created, use state: absent.",
            )

        if self.priority is not None and not 0 <= self.priority <= _HIGHEST_PRIORITY:
            raise SwapError(
                f"{self.priority} is not a valid priority.",
                hint=f"Use a number from 0 to {_HIGHEST_PRIORITY}, or omit it to let the kernel choose.",
            )

    def is_managed_name(self, path: str) -> bool:
        """Return whether `path` is one of the names of managed files."""
        return re.fullmatch(rf"{re.escape(self.path)}(\.[1-9][0-9]*)?", path) is not None

    def is_counted(self, area: Area) -> bool:
        """Return whether `area` counts toward the total. Zram is compressed RAM and counts only if requested."""
        return self.count_zram or not area.is_compressed

    def has_priority(self, area: Area) -> bool:
        """Return whether `area` has the requested priority. Without a request, every priority is right."""
        return self.priority is None or area.priority == self.priority

    def select_counted(self, areas: t.Iterable[Area]) -> t.Iterator[Area]:
        """Yield those of `areas` that count toward the total."""
        for area in areas:
            if self.is_counted(area):
                yield area

    def sum_size(self, areas: t.Iterable[Area]) -> int:
        """Return the bytes of swap in those of `areas` that count toward the total."""
        return sum(area.size_bytes for area in self.select_counted(areas))

    def sum_used(self, areas: t.Iterable[Area]) -> int:
        """Return the bytes in use in those of `areas` that count toward the total."""
        return sum(area.used_bytes for area in self.select_counted(areas))


def _is_plain_path(path: str) -> bool:
    # normpath() keeps two slashes at the beginning, and the kernel does not.
    plain = "/" + posixpath.normpath(path).lstrip("/")
    if path != plain or plain == "/":
        return False

    return path.isprintable()
