# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the kernel."""

from __future__ import annotations

import pytest

from ansible_collections.oomguard.linux.plugins.module_utils._swap.state import Area
from ansible_collections.oomguard.linux.plugins.module_utils._swap.tables import (
    Mount,
    find_discard,
    find_mount,
    has_sys_admin,
    parse_release,
    parse_resume,
    parse_settings,
    parse_snapshots,
    parse_swaps,
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


def test_swaps_of_host_without_swap() -> None:
    assert parse_swaps("Filename				Type		Size		Used		Priority\n") == ()


@pytest.mark.parametrize(
    ("folder", "point", "filesystem", "source"),
    [
        ("/", "/", "ext4", "/dev/vda1"),
        ("/var/lib", "/", "ext4", "/dev/vda1"),
        ("/srv", "/srv", "xfs", "/dev/vdb"),
        ("/srv/swap", "/srv", "xfs", "/dev/vdb"),
        ("/srvice", "/", "ext4", "/dev/vda1"),
        ("/with blank", "/with blank", "btrfs", "/dev/vdc"),
        ("/home/a", "/home", "fuse.sshfs", "host:"),
    ],
)
def test_mount_of_folder(folder: str, point: str, filesystem: str, source: str) -> None:
    assert find_mount(MOUNTINFO, folder) == Mount(point=point, filesystem=filesystem, source=source)


def test_line_separator_in_mount_point_does_not_end_line() -> None:
    other = "99 1 0:9 / /home/a/b\u2028c\u3000d rw - fuse.sshfs other: rw\n"
    assert find_mount(MOUNTINFO + other, "/home/a/b\u2028c\u3000d").source == "other:"


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
def test_resume_settings_of_command_line(command_line: str, resume: tuple[str, int]) -> None:
    assert parse_resume(command_line) == resume


@pytest.mark.parametrize(
    ("capabilities", "privileged"),
    [("000001ffffffffff", True), ("0000000000200000", True), ("00000000a80425fb", False)],
)
def test_capability_to_administer_swap(capabilities: str, *, privileged: bool) -> None:
    assert has_sys_admin(f"Name:\tpython3\nCapPrm:\t0\nCapEff:\t{capabilities}\n") is privileged


SUBVOLUME = """\
@
\tName: \t\t\t@
\tSnapshot(s):
\t\t\t\t@/.snapshots/1/snapshot
\t\t\t\tby hand
\tQuota group:\t\t0/256
"""


@pytest.mark.parametrize(
    ("text", "snapshots"), [(SUBVOLUME, ("@/.snapshots/1/snapshot", "by hand")), ("@\n\tName: \t\t\t@\n", ())]
)
def test_snapshots(text: str, snapshots: tuple[str, ...]) -> None:
    assert parse_snapshots(text) == snapshots


def test_status_without_capabilities() -> None:
    assert not has_sys_admin("Name:\tpython3\n")


def test_settings() -> None:
    assert parse_settings(["ro", "a=1", "b=c=d", "a=2"]) == {"ro": "", "a": "2", "b": "c=d"}


LOG = (
    "[ 1.0] Adding 1020k swap on /swapfile.  Priority:-2 extents:1 across:1020k {}\n"
    "[ 2.0] Adding 1020k swap on /swapfile.1.  Priority:-3 extents:1 across:1020k SSDscFS\n"
)


@pytest.mark.parametrize(
    ("flags", "discards"), [("", False), ("SS", False), ("FS", False), ("D", True), ("SSDscFS", True), ("SSFS", False)]
)
def test_discard_in_kernel_log(flags: str, *, discards: bool) -> None:
    assert find_discard(LOG.format(flags), "/swapfile") is discards


def test_last_line_of_kernel_log_counts() -> None:
    assert find_discard(LOG.format("SSDsc") + LOG.format("SS"), "/swapfile") is False


def test_unlogged_area_is_unknown() -> None:
    assert find_discard(LOG.format("D"), "/swap") is None
