# Copyright (c) 2026 oomguard contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The releases and packages of the machines."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Release:
    """A Debian release, those of its suites that are not used, and packages that are there but not installed.

    Each of these packages is in /opt/PACKAGE, with what it needs.
    """

    name: str
    without_suites: tuple[str, ...] = ()
    downloads: tuple[str, ...] = ()


# Alternatives to plain swap, which change what happens when memory runs out, and databases, which use much of it.
_DOWNLOADS = ("mariadb-server", "postgresql", "systemd-oomd", "systemd-zram-generator")

RELEASES = {
    release.name: release
    for release in (
        # Its security suite names kernels that the mirrors no longer have.
        Release(name="bullseye", without_suites=("bullseye-security",)),
        Release(name="bookworm", downloads=_DOWNLOADS),
        Release(name="trixie", downloads=_DOWNLOADS),
        Release(name="sid"),
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
    "python3-apt",
    "systemd",
    "systemd-sysv",
    "udev",
    "util-linux",
    "xfsprogs",
    "zstd",
)

# Units that are slow under emulation, and useless without a network and a screen.
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
