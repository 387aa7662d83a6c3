# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The header of a swap area."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.header import Header, parse_header


def header_page(
    *, size: int = 4096, label: bytes = b"oomguard", signature: bytes = b"SWAPSPACE2", last_page: int = 255
) -> bytes:
    made = bytearray(size)
    struct.pack_into("=III16s16s", made, 1024, 1, last_page, 0, b"\1" * 16, label)
    made[-10:] = signature
    return bytes(made)


@pytest.mark.parametrize("size", [4096, 65536])
def test_header_of_own_file(size: int) -> None:
    assert parse_header(header_page(size=size)) == Header(label="oomguard", size_bytes=255 * size, suspended=False)


@pytest.mark.parametrize("signature", [b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001"])
def test_header_of_hibernated_system(signature: bytes) -> None:
    assert parse_header(header_page(signature=signature)) == Header("oomguard", 255 * 4096, suspended=True)


def test_header_with_foreign_label() -> None:
    assert parse_header(header_page(label=b"a\xff\x1b" + b"b" * 13)) == Header(
        "a\\xff\x1b" + "b" * 13, 255 * 4096, suspended=False
    )


@pytest.mark.parametrize(
    "data", [b"", bytes(4096), header_page()[:-1], b"SWAPSPACE2"], ids=["empty", "zeros", "cut", "tiny"]
)
def test_file_without_header_is_no_swap_area(data: bytes) -> None:
    assert parse_header(data) is None
