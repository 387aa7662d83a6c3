# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's tables and the header of a swap area."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import (
    Area,
    Header,
    Mount,
    parse_header,
    parse_mount,
    parse_privileged,
    parse_release,
    parse_resume,
    parse_swaps,
    summary,
)

SWAPS_5_10 = """\
Filename				Type		Size	Used	Priority
/dev/vda5                               partition	3879932	524288	-2
/swap\\040file                           file		1048572	0	5
/dev/zram0                              partition	499708		364		100
"""

MOUNTINFO = """\
22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:27 / /srv rw - tmpfs tmpfs rw
31 22 254:2 / /srv rw shared:2 master:1 - xfs /dev/vdb rw
32 22 0:28 / /with\\040blank rw - btrfs /dev/vdc rw
33 22 0:29 / /home rw - fuse.sshfs host: rw
"""


def page(
    *, size: int = 4096, label: bytes = b"oomguard", signature: bytes = b"SWAPSPACE2", last_page: int = 255
) -> bytes:
    made = bytearray(size)
    struct.pack_into("=III16s16s", made, 1024, 1, last_page, 0, b"\1" * 16, label)
    made[-10:] = signature
    return bytes(made)


@pytest.mark.parametrize(
    ("index", "area"),
    [
        (0, Area("/dev/vda5", "partition", 3879932 * 1024, 512 * 1024**2, -2)),
        (1, Area("/swap file", "file", 1048572 * 1024, 0, 5)),
        (2, Area("/dev/zram0", "partition", 499708 * 1024, 364 * 1024, 100)),
    ],
    ids=["partition", "file with a blank", "zram"],
)
def test_swaps_of_linux_5_10(index: int, area: Area) -> None:
    assert parse_swaps(SWAPS_5_10)[index] == area


def test_a_host_without_swap() -> None:
    assert parse_swaps("Filename				Type		Size		Used		Priority\n") == ()


@pytest.mark.parametrize(("index", "compressed"), [(0, False), (1, False), (2, True)])
def test_zram_is_told_from_the_rest(index: int, *, compressed: bool) -> None:
    assert parse_swaps(SWAPS_5_10)[index].compressed is compressed


@pytest.mark.parametrize("size", [4096, 65536])
def test_header_of_our_own_file(size: int) -> None:
    assert parse_header(page(size=size)) == Header(label="oomguard", size_bytes=255 * size, suspended=False)


@pytest.mark.parametrize("signature", [b"S1SUSPEND\0", b"S2SUSPEND\0", b"ULSUSPEND\0", b"LINHIB0001"])
def test_header_of_a_suspended_system(signature: bytes) -> None:
    assert parse_header(page(signature=signature)) == Header("oomguard", 255 * 4096, suspended=True)


def test_header_with_a_foreign_label() -> None:
    assert parse_header(page(label=b"a\xff\x1b" + b"b" * 13)) == Header(
        "a\\xff\x1b" + "b" * 13, 255 * 4096, suspended=False
    )


@pytest.mark.parametrize("data", [b"", bytes(4096), page()[:-1], b"SWAPSPACE2"], ids=["empty", "zeros", "cut", "tiny"])
def test_what_is_no_swap_has_no_header(data: bytes) -> None:
    assert parse_header(data) is None


@pytest.mark.parametrize(
    ("folder", "filesystem", "source"),
    [
        ("/", "ext4", "/dev/vda1"),
        ("/var/lib", "ext4", "/dev/vda1"),
        ("/srv", "xfs", "/dev/vdb"),
        ("/srv/swap", "xfs", "/dev/vdb"),
        ("/srvice", "ext4", "/dev/vda1"),
        ("/with blank", "btrfs", "/dev/vdc"),
        ("/home/a", "fuse.sshfs", "host:"),
    ],
)
def test_mount_of_a_folder(folder: str, filesystem: str, source: str) -> None:
    assert parse_mount(MOUNTINFO, folder) == Mount(filesystem=filesystem, source=source)


def test_a_mount_point_with_a_line_separator_in_its_name_is_one() -> None:
    other = "99 1 0:9 / /home/a/b\u2028c\u3000d rw - fuse.sshfs other: rw\n"
    assert parse_mount(MOUNTINFO + other, "/home/a/b\u2028c\u3000d").source == "other:"


@pytest.mark.parametrize(
    ("release", "numbers"), [("6.1.0-37-cloud-amd64\n", (6, 1)), ("5.10.0\n", (5, 10)), ("unknown", (0, 0))]
)
def test_release(release: str, numbers: tuple[int, int]) -> None:
    assert parse_release(release) == numbers


@pytest.mark.parametrize(
    ("command_line", "resume"),
    [
        ("root=/dev/vda1 ro quiet\n", ("", 0)),
        ("resume=/dev/vda1 resume_offset=38912 quiet\n", ("/dev/vda1", 38912)),
        ("resume=UUID=11aa noresume\n", ("UUID=11aa", 0)),
        ("resume_offset=much\n", ("", 0)),
    ],
)
def test_where_the_kernel_looks_for_a_hibernated_system(command_line: str, resume: tuple[str, int]) -> None:
    assert parse_resume(command_line) == resume


@pytest.mark.parametrize(
    ("capabilities", "privileged"),
    [("000001ffffffffff", True), ("0000000000200000", True), ("00000000a80425fb", False)],
)
def test_privilege(capabilities: str, *, privileged: bool) -> None:
    assert parse_privileged(f"Name:\tpython3\nCapPrm:\t0\nCapEff:\t{capabilities}\n") is privileged


def test_summary_says_nothing_that_changes_by_itself() -> None:
    assert summary([Area("/swapfile", "file", 4096, 1, -2)]) == "/swapfile (file): 4096 bytes\n"
