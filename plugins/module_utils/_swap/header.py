# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of a swap area: union swap_header of include/linux/swap.h. Pure."""

from __future__ import annotations

import dataclasses
import struct

# The volume name in the header of each file that this module creates. Only such a file is ever switched off or removed.
LABEL = "oomguard"

# 1024 bytes of boot code, then version, last page, number of bad pages, UUID and volume name.
_VERSION_OFFSET = 1024
_NAME_OFFSET = 1052
_NAME_LENGTH = 16
# The last bytes of the page.
_SIGNATURE_LENGTH = 10
_SIGNATURE = b"SWAPSPACE2"
# The kernel, uswsusp and TuxOnIce replace the signature with one of these when they hibernate.
_HIBERNATION_SIGNATURES = (b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001")


@dataclasses.dataclass(frozen=True)
class Header:
    """The first page of a swap area. The size does not include that page."""

    label: str
    size_bytes: int
    suspended: bool


def parse_header(page: bytes) -> Header | None:
    """Return the header in `page`, the first page of a file, or None if the file is not a swap area.

    The length of `page` is the page size.
    """
    if len(page) < _NAME_OFFSET + _NAME_LENGTH:
        return None

    signature = page[-_SIGNATURE_LENGTH:]
    if signature not in (_SIGNATURE, *_HIBERNATION_SIGNATURES):
        return None

    _version, last_page = struct.unpack_from("=II", page, _VERSION_OFFSET)
    name = page[_NAME_OFFSET : _NAME_OFFSET + _NAME_LENGTH]
    label, _nul, _rest = name.partition(b"\0")
    return Header(
        label=label.decode("ascii", "backslashreplace"),
        size_bytes=last_page * len(page),
        suspended=signature in _HIBERNATION_SIGNATURES,
    )
