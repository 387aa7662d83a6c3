# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the machines are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """Name a Debian release, and the suites of it that are of no use."""

    name: str
    without_suites: tuple[str, ...] = ()


RELEASES = {
    release.name: release
    for release in (
        # Mirrors have dropped kernels that this one's security suite still names.
        Release(name="bullseye", without_suites=("bullseye-security",)),
        Release(name="bookworm"),
        Release(name="trixie"),
    )
}

PACKAGES = (
    "apache2",
    "btrfs-progs",
    "curl",
    "dbus",
    "e2fsprogs",
    "initramfs-tools",
    "iproute2",
    "kmod",
    "libapache2-mod-fcgid",
    "libcgi-fast-perl",
    "libpam-systemd",
    "linux-image-cloud-amd64",
    "openssh-server",
    "php-cgi",
    "procps",
    "python3",
    "systemd",
    "systemd-sysv",
    "udev",
    "util-linux",
    "xfsprogs",
    "zstd",
)

# What a machine without a network, a screen and a past has no use for, and emulation pays dearly for.
MASKED_UNITS = (
    "apt-daily-upgrade.timer",
    "apt-daily.timer",
    "dpkg-db-backup.timer",
    "e2scrub_all.timer",
    "e2scrub_reap.service",
    "fstrim.timer",
    "getty@tty1.service",
    "ifupdown-pre.service",
    "logrotate.timer",
    "man-db.timer",
    "modprobe@drm.service",
    "modprobe@efi_pstore.service",
    "networking.service",
    "phpsessionclean.timer",
    "serial-getty@ttyS0.service",
    "systemd-pstore.service",
    "systemd-timesyncd.service",
    "xfs_scrub_all.timer",
)

ENABLED_UNITS = ("systemd-networkd.service",)
