# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the managed files that the host may resume from after hibernation."""

from __future__ import annotations

import fcntl
import struct
import typing as t

from .host import Host, read_optional
from .state import Entry
from .tables import parse_resume

# include/uapi/linux/fs.h: the number of a file's block on the device, and the size of a block.
_FIBMAP = 1
_FIGETBSZ = 2


def find_resume_files(entries: t.Iterable[Entry], host: Host) -> t.Iterator[str]:
    """Yield the paths of those `entries` where the kernel looks for a hibernated system, or may do so."""
    resume = parse_resume(read_optional(host.proc / "cmdline"))
    offsets = _list_offsets(resume.offset, host)
    for entry in entries:
        if entry.path == resume.device or _can_begin_at(entry.path, offsets, host.page_size):
            yield entry.path


def _list_offsets(command_line_offset: int, host: Host) -> set[int]:
    """Return the offsets in pages at which the kernel looks for an image."""
    current = read_optional(host.root / "sys/power/resume_offset")
    offsets = {command_line_offset, int(current or 0)}
    # Offset 0 stands for a whole partition.
    offsets.discard(0)
    return offsets


def _can_begin_at(path: str, offsets: t.Collection[int], page_size: int) -> bool:
    if not offsets:
        return False

    first_page = _find_first_page(path, page_size)
    return first_page is None or first_page in offsets


def _find_first_page(path: str, page_size: int) -> int | None:
    """Return the page at which the file begins on its device, None if the filesystem does not say (btrfs)."""
    with open(path, "rb") as file:
        try:
            (block_size,) = struct.unpack("=i", fcntl.ioctl(file, _FIGETBSZ, bytes(4)))
            (block,) = struct.unpack("=i", fcntl.ioctl(file, _FIBMAP, bytes(4)))
        except OSError:
            return None

    return int(block * block_size // page_size)
